"""The desk reader on a real pseudo-terminal, read with pyserial."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from accessctl_sim.control import answer
from accessctl_sim.deskreader.rdm6300 import NotACard, frame
from accessctl_sim.deskreader.reader import DeskReader

from .clients import until


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[DeskReader]:
    with DeskReader(tmp_path / "mesa") as running:
        yield running


def _line(reader: DeskReader) -> serial.Serial:
    return serial.Serial(str(reader.link), 9600, timeout=5, exclusive=True)


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        ("0801161DD6", b"0801161DD6D4"),
        ("0A00123456", b"0A001234567A"),
        ("0F0184F07A", b"0F0184F07A00"),
        ("0600000001", b"060000000107"),
    ],
)
def test_frames_of_others(digits: str, text: bytes) -> None:
    """arduino12/rdm6300 and esphome: the XOR rule."""
    assert frame(digits) == b"\x02" + text + b"\x03"
    assert frame(digits.lower()) == frame(digits)


@given(st.binary(min_size=5, max_size=5))
def test_every_card_has_a_frame_of_fourteen_bytes(card: bytes) -> None:
    whole, spoilt = frame(card.hex()), frame(card.hex(), spoil_checksum=True)
    assert len(whole) == len(spoilt) == 14
    assert whole != spoilt


def test_what_is_no_card() -> None:
    for bad in ("", "12", "0F0184F07", "0F 0184F07", "XX0184F07A", "0F0184F07A00"):
        with pytest.raises(NotACard):
            frame(bad)


def test_a_card_repeats_while_it_is_there(reader: DeskReader) -> None:
    with _line(reader) as line:
        reader.present("0F0184F07A")
        started = time.monotonic()
        assert line.read(14 * 4) == frame("0F0184F07A") * 4
        assert 0.15 < time.monotonic() - started < 20
        reader.present("0801161DD6")
        until(lambda: frame("0801161DD6") in line.read(14))
        assert reader.remove()["card"] == ""


def test_a_card_held_for_a_moment_goes_by_itself(reader: DeskReader) -> None:
    reader.present("0F0184F07A", 0.1)
    until(lambda: reader.state()["card"] == "")
    assert reader.state()["frames_sent"] == 2


def test_the_line_survives_a_program_that_leaves(reader: DeskReader) -> None:
    for _ in range(2):
        with _line(reader) as line:
            reader.present("0F0184F07A", 0.05)
            assert line.read(14) == frame("0F0184F07A")


def test_faults(reader: DeskReader) -> None:
    with _line(reader) as line:
        reader.fault("wrong-checksum")
        reader.present("0F0184F07A", 0.01)
        assert line.read(14) == frame("0F0184F07A", spoil_checksum=True)
        reader.clear_faults()
        reader.fault("duplicate=1")
        reader.fault("split=1")
        reader.present("0F0184F07A", 0.01)
        assert line.read(28) == frame("0F0184F07A") * 2
        reader.fault("drop=1")
        reader.present("0F0184F07A", 0.1)
        until(lambda: reader.state()["card"] == "")
        assert line.in_waiting == 0


def test_the_plug_is_pulled_and_put_back(reader: DeskReader) -> None:
    with _line(reader) as line:
        reader.fault("power-cycle=0.1")
        with pytest.raises((serial.SerialException, OSError)):
            line.read(1)
    until(reader.link.is_symlink)
    with _line(reader) as line:
        reader.present("0F0184F07A", 0.01)
        assert line.read(14) == frame("0F0184F07A")


def test_control_lines(reader: DeskReader) -> None:
    verb = reader.verbs()
    assert answer(verb, "present 0f0184f07a 0.01")["card"] == "0F0184F07A"
    assert answer(verb, "present 12")["ok"] is False
    assert answer(verb, "fault log-full")["ok"] is False
    assert answer(verb, "power-off")["powered"] is False
    assert answer(verb, "present 0F0184F07A")["error"] == "the reader has no power"
    assert answer(verb, "power-on")["powered"] is True
