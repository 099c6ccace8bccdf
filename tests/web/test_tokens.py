"""The colours of the panel can be read: every pair of text and ground reaches WCAG AA in light and in dark."""

import re
from pathlib import Path

import pytest

import accessctl_web

STATIC = Path(accessctl_web.__file__).parent / "static"
PAIRS = [
    ("ink", "ground"),
    ("ink", "surface"),
    ("ink", "surface-2"),
    ("ink-2", "ground"),
    ("ink-2", "surface"),
    ("ink-2", "surface-2"),
    ("accent", "surface"),
    ("accent", "ground"),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-strong"),
    ("bar-ink", "bar"),
    ("bar-ink", "bar-2"),
    ("bar-ink-2", "bar"),
    ("bar-ink-2", "bar-2"),
    ("ok", "ok-soft"),
    ("wait", "wait-soft"),
    ("no", "no-soft"),
    ("alarm", "alarm-soft"),
    ("quiet", "quiet-soft"),
    ("surface", "ok"),
    ("surface", "no"),
    ("no", "surface"),
]


def schemes() -> dict[str, dict[str, str]]:
    text = (STATIC / "tokens.css").read_text(encoding="utf-8")
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    pattern = re.compile(r"--([a-z0-9-]+): (#[0-9a-f]{6});")
    first = dict(pattern.findall(light))
    return {"light": first, "dark": first | dict(pattern.findall(dark.split("/* what Pico")[0]))}


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_the_published_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(scheme: str, text: str, ground: str) -> None:
    colours = schemes()[scheme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_edges_of_controls_can_be_seen(scheme: str) -> None:
    colours = schemes()[scheme]
    assert contrast(colours["line-strong"], colours["surface"]) >= 3


def test_no_colour_is_written_outside_the_tokens() -> None:
    text = (STATIC / "panel.css").read_text(encoding="utf-8")
    ink = "#17283a"  # a signature is drawn with ink on paper, whatever the scheme
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", text)) <= {"#fff", ink}
