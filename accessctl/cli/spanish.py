"""Usage errors and the frame of `--help` in Spanish: these are click's own words, and it asks `gettext` for them.

Spanish comes first here; whoever wants them in English says so (`LANGUAGE=en`, or any other language: there is only
one catalogue). After a change of the catalogue: `pybabel compile -d accessctl/cli/translations`.
"""

import gettext
import os
from pathlib import Path

CATALOGUES = Path(__file__).with_name("translations")


def speak_spanish() -> None:
    """Unless this process was told another language; for all that it says from now on."""
    gettext.bindtextdomain("messages", str(CATALOGUES))
    os.environ.setdefault("LANGUAGE", "es")
