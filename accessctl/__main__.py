"""`python -m accessctl` is the command line."""

from accessctl.cli import main

if __name__ == "__main__":
    main()
