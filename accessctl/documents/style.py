"""The house style in numbers: sober, black on white, one accent. Lengths are points (1/72 inch), colours are RGB from
0 to 1.
"""

from enum import StrEnum
from typing import TypeAlias

Colour: TypeAlias = tuple[float, float, float]
Size: TypeAlias = tuple[float, float]

LETTER: Size = (612.0, 792.0)  # the paper of Guatemala's offices
A4: Size = (595.28, 841.89)

INK: Colour = (0.0, 0.0, 0.0)
MUTED: Colour = (0.33, 0.33, 0.33)
RULE: Colour = (0.72, 0.72, 0.72)
SHADE: Colour = (0.945, 0.953, 0.965)
PAPER: Colour = (1.0, 1.0, 1.0)
ACCENT: Colour = (0.055, 0.22, 0.41)

MARGIN = 48.0  # left and right
TOP = 34.0
BOTTOM = 26.0
HEAD = 52.0  # height of the letterhead, from TOP down
FOOT = 82.0  # height of the foot, from BOTTOM up

TITLE = 14.0
HEADING = 9.5
BODY = 9.0
SMALL = 7.5
MADE = 6.5
FINE = 6.3
LEADING = 1.34  # line height, as a multiple of the size


class Face(StrEnum):
    """The two embedded faces; the value is the file in `fonts/` (digests in VENDOR.toml)."""

    REGULAR = "DejaVuSans.ttf"
    BOLD = "DejaVuSans-Bold.ttf"
