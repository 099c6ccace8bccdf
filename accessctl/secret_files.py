"""Files that hold a secret: whoever can read one can sign, open doors or sign in, so only their owner may.

One rule for all of them, keys, passwords and certificates alike: where anybody else may read or write such a file it is
not used. The mode is asked of the file that was opened, not of whatever lies there by then.
"""

import os
from pathlib import Path

OTHERS = 0o077
LONGEST = 1024 * 1024


class OpenToOthers(Exception):
    """A secret file is not its owner's alone; the message names the file and what named it, never its content."""


def read_secret(file: Path, *, named_by: str = "") -> bytes:
    """What a secret file holds, one MiB at most. `named_by` is the setting that names it, for whoever reads a refusal.

    Raises `OpenToOthers`, and `OSError` where it cannot be read.
    """
    with file.open("rb") as opened:
        mode = os.fstat(opened.fileno()).st_mode
        if mode & OTHERS:
            where = f"{named_by}: {file}" if named_by else str(file)
            raise OpenToOthers(f"{where}: is open to others (mode {mode & 0o777:04o}, wanted 0600); chmod 600 it")
        return opened.read(LONGEST)
