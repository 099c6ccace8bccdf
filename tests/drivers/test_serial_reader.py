"""The desk reader's driver on real pseudo-terminals: cards, unplugging, a port that is taken."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from accessctl.ports import CardPresented
from accessctl_drivers.desk_readers.serial_reader import Rdm6300Reader, pauses
from accessctl_drivers.links import SerialAddress, SerialLine
from accessctl_sim.deskreader.reader import DeskReader as Simulated

CARD, OTHER = "0F0184F07A", "0801161DD6"


class Desk:
    """What a reader that runs in a thread reported, in order."""

    def __init__(self) -> None:
        self.cards: queue.Queue[str] = queue.Queue()
        self.states: queue.Queue[tuple[bool, str]] = queue.Queue()
        self.stop = threading.Event()

    def card(self) -> str:
        return self.cards.get(timeout=5)

    def online(self) -> bool:
        return self.states.get(timeout=5)[0]


@contextmanager
def running(link: Path) -> Iterator[Desk]:
    desk = Desk()

    def on_card(card: CardPresented) -> None:
        assert card.technology == "em4100"
        desk.cards.put(card.raw.hex().upper())

    reader = Rdm6300Reader(f"serial://{link}", chance=Random(1))
    thread = threading.Thread(
        target=reader.run, args=(on_card, lambda online, why: desk.states.put((online, why)), desk.stop.is_set)
    )
    thread.start()
    try:
        yield desk
    finally:
        desk.stop.set()
        thread.join(5)
        assert not thread.is_alive()


def eventually(true: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("faults", [(), ("split=1",), ("wrong-checksum=0.3",), ("duplicate=0.5",)], ids=str)
def test_each_presence_once(tmp_path: Path, faults: tuple[str, ...]) -> None:
    with Simulated(tmp_path / "desk", faults=faults, seed=3) as simulated, running(simulated.link) as desk:
        assert desk.online()
        simulated.present(CARD)
        assert desk.card() == CARD
        sent = simulated.frames_sent
        eventually(lambda: simulated.frames_sent > sent + 10)
        assert desk.cards.empty()
        simulated.present(OTHER)
        assert desk.card() == OTHER
        simulated.remove()
        time.sleep(0.4)  # what is under test: a gap of more than 0.3 s ends a presence
        simulated.present(OTHER)
        assert desk.card() == OTHER
        assert desk.cards.empty()


def test_unplugged_and_plugged_in_again(tmp_path: Path) -> None:
    with Simulated(tmp_path / "desk") as simulated, running(simulated.link) as desk:
        assert desk.online()
        simulated.power_off()
        assert not desk.online()
        time.sleep(1.0)  # several tries fail meanwhile, and nobody is told of them
        assert desk.states.empty()
        simulated.power_on()
        assert desk.online()
        simulated.present(CARD)
        assert desk.card() == CARD


def test_port_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    with running(tmp_path / "nothing") as desk:
        online, why = desk.states.get(timeout=5)
        assert not online
        assert why
        time.sleep(0.8)  # a second and third try
        assert desk.states.empty()


def test_line_is_ours_alone(tmp_path: Path) -> None:
    with Simulated(tmp_path / "desk") as simulated:
        address = SerialAddress(path=str(simulated.link))
        with SerialLine(address, 9600), pytest.raises(OSError, match="lock"), SerialLine(address, 9600):
            pytest.fail("two readers on one line share its bytes")


def test_bug_in_who_listens_is_not_swallowed(tmp_path: Path) -> None:
    def on_card(_card: CardPresented) -> None:
        raise ZeroDivisionError

    with Simulated(tmp_path / "desk") as simulated:
        simulated.present(CARD)
        with pytest.raises(ZeroDivisionError):
            Rdm6300Reader(f"serial://{simulated.link}").run(on_card, lambda *_: None, lambda: False)


def test_pauses_grow_to_ten_seconds_and_differ() -> None:
    chance = Random(7)
    waits = [wait for wait, _ in zip(pauses(chance), range(12), strict=False)]
    assert all(0.5 * base <= wait <= base for wait, base in zip(waits, [0.5, 1, 2, 4, 8, *[10] * 7], strict=True))
    assert len(set(waits[5:])) == 7


def test_only_serial_addresses() -> None:
    with pytest.raises(ValueError, match="serial:///"):
        Rdm6300Reader("tcp://127.0.0.1:4370")
