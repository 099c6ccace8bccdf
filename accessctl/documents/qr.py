"""QR codes as vector rectangles: a run of dark modules is one rectangle, so that a folio stays small and prints sharp
at any size.
"""

from itertools import groupby

import segno

from accessctl.documents.pdf import Pen
from accessctl.documents.style import INK

QUIET = 4  # light modules around the code (ISO/IEC 18004, 6.3.8)


def draw_qr(pen: Pen, text: str, *, x: float, y: float, side: float) -> None:
    """The text as a QR code of error correction M (15 %) in a square of `side` points, quiet zone included."""
    matrix = segno.make(text, error="m", micro=False, boost_error=False).matrix
    module = side / (len(matrix) + 2 * QUIET)
    boxes = []
    for number, row in enumerate(matrix):
        column = 0
        bottom = y + side - (QUIET + number + 1) * module
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                boxes.append((x + (QUIET + column) * module, bottom, length * module, module))
            column += length
    pen.boxes(boxes, colour=INK)
