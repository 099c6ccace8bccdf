"""`python -m accessctl_sim`."""

import sys

from accessctl_sim.cli import main

sys.exit(main())
