"""A signature as it was drawn on the screen: strokes of points, bounded, and their smooth curves for the PDF. Never a
bitmap.

The JSON of a signature is `{"width": W, "height": H, "strokes": [[[x, y], …], …]}`: pixels of the canvas, origin in
its upper left corner. A Catmull-Rom spline goes through every point that was captured, written as the cubic Bézier
pieces that PDF knows.
"""

import json
import math
from dataclasses import dataclass
from typing import Self

Point = tuple[float, float]
MAX_JSON = 400_000  # characters
MAX_STROKES = 400
MAX_POINTS = 12_000  # in all strokes together
MAX_SIDE = 10_000.0  # pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Strokes:
    """A drawn signature in canvas pixels. ValueError where it is empty, larger than the limits above, or not finite."""

    width: float
    height: float
    strokes: tuple[tuple[Point, ...], ...]

    def __post_init__(self) -> None:
        """Refuse what no canvas can have produced; a point outside the canvas is clipped when it is drawn, not
        refused.
        """
        if not (0 < self.width <= MAX_SIDE and 0 < self.height <= MAX_SIDE):
            raise ValueError(f"a signature's canvas has between 0 and {MAX_SIDE:.0f} pixels a side")
        if not self.strokes or not all(self.strokes):
            raise ValueError("a signature has at least one stroke, and a stroke at least one point")
        if len(self.strokes) > MAX_STROKES or sum(map(len, self.strokes)) > MAX_POINTS:
            raise ValueError(f"a signature has at most {MAX_STROKES} strokes and {MAX_POINTS} points")
        if not all(abs(value) <= 2 * MAX_SIDE for stroke in self.strokes for point in stroke for value in point):
            raise ValueError("a signature's points are finite and near its canvas")

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the stored form; ValueError where it has another shape."""
        if len(text) > MAX_JSON:
            raise ValueError(f"a signature has at most {MAX_JSON} characters of JSON")
        try:
            found = json.loads(text)
            strokes = tuple(tuple(_point(point) for point in stroke) for stroke in found["strokes"])
            canvas = (_number(found["width"]), _number(found["height"]))
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError("a signature is an object with width, height and strokes of [x, y]") from error
        return cls(width=canvas[0], height=canvas[1], strokes=strokes)

    def curves(self, *, x: float, y: float, width: float, height: float) -> list[list[tuple[float, ...]]]:
        """The strokes scaled into the box (points of the page, proportions kept, centred), as a start and cubic
        pieces each.
        """
        scale = min(width / self.width, height / self.height)
        left = x + (width - self.width * scale) / 2
        top = y + (height + self.height * scale) / 2
        return [_curve([(left + px * scale, top - py * scale) for px, py in stroke]) for stroke in self.strokes]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a signature holds finite numbers only")
    return float(value)


def _point(value: object) -> Point:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("a point of a signature is [x, y]")
    return (_number(value[0]), _number(value[1]))


def _curve(points: list[Point]) -> list[tuple[float, ...]]:
    """Bézier pieces through the points; one point alone is a dot, which the round line end makes visible."""
    first, last = points[0], points[-1]
    if len(points) == 1:
        return [first, (*first, *first, *first)]
    padded = [first, *points, last]
    pieces: list[tuple[float, ...]] = [first]
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        lead = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        trail = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        pieces.append((*lead, *trail, *end))
    return pieces
