"""A drawn signature is bounded when it is read and stays in its box when it is drawn."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.documents.strokes import MAX_JSON, MAX_POINTS, MAX_STROKES, Strokes

inside = st.tuples(st.floats(0, 600), st.floats(0, 200))
drawn = st.lists(st.lists(inside, min_size=1, max_size=30), min_size=1, max_size=8)


def as_json(strokes: object, width: object = 600, height: object = 200) -> str:
    return json.dumps({"width": width, "height": height, "strokes": strokes})


@given(drawn)
def test_every_captured_point_is_on_the_curve_in_the_box(strokes: list[list[tuple[float, float]]]) -> None:
    curves = Strokes.from_json(as_json(strokes)).curves(x=100, y=50, width=240, height=80)
    assert len(curves) == len(strokes)
    for curve, stroke in zip(curves, strokes, strict=True):
        assert len(curve[0]) == 2
        ends = [piece[-2:] for piece in curve]
        for (x, y), (px, py) in zip(ends[: len(stroke)], stroke, strict=True):
            assert (x, y) == pytest.approx((100 + px * 0.4, 50 + 80 - py * 0.4), abs=1e-6)
            assert 100 - 1e-6 <= x <= 340 + 1e-6
            assert 50 - 1e-6 <= y <= 130 + 1e-6


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "[" * 100_000,
        as_json([]),
        as_json([[]]),
        as_json([[[1]]]),
        as_json([[[1, 2, 3]]]),
        as_json([["12"]]),
        as_json([[[True, 1]]]),
        as_json([[["1", 1]]]),
        as_json([[[math.nan, 1]]]),
        as_json([[[math.inf, 1]]]),
        as_json([[[1e9, 1]]]),
        as_json([[[1, 1]]], width=0),
        as_json([[[1, 1]]], height=-5),
        as_json([[[1, 1]]], width=1e7),
        as_json([[[1, 1]]], width="600"),
        as_json({"a": 1}),
        as_json([[[1, 1]]] * (MAX_STROKES + 1)),
        as_json([[[1, 1]] * (MAX_POINTS + 1)]),
        " " * (MAX_JSON + 1),
    ],
)
def test_what_no_canvas_drew_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"signature|Expecting"):
        Strokes.from_json(text)


def test_the_largest_signature_is_drawn() -> None:
    strokes = Strokes.from_json(as_json([[[n % 600, n % 200] for n in range(MAX_POINTS)]]))
    assert len(strokes.curves(x=0, y=0, width=240, height=80)[0]) == MAX_POINTS
