"""A desk reader on a pseudo-terminal: the line is linked at a path, cards are held to it by control lines.

Both ends are raw, so nothing is echoed or translated; our own descriptor of the far end stays open, so that the line
survives a program that closes it. Without power the link is gone, as when a USB plug is pulled.
"""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from accessctl_sim.control import Answer, BadLine, Verb
from accessctl_sim.deskreader.rdm6300 import REPEAT_S, frame
from accessctl_sim.faults import Fault, Faults, parse_fault
from accessctl_sim.loops import LoopThread

T = TypeVar("T")
PIECE_GAP_S = 0.002
SUPPORTED = frozenset({"split", "wrong-checksum", "duplicate", "drop", "delay", "power-cycle", "hang"})


class DeskReader:
    """One reader. Every method may be called from any thread."""

    def __init__(self, link: Path, *, faults: tuple[str, ...] = (), seed: int = 0) -> None:
        self.link = link
        self._faults = Faults(seed=seed)
        self._at_start = [self._checked(parse_fault(text)) for text in faults]
        self._thread: LoopThread | None = None
        self._master = self._slave = -1
        self._card = ""
        self._sending: asyncio.Task[None] | None = None
        self._cycle: asyncio.Task[None] | None = None
        self.frames_sent = 0

    # -- switched on and off -------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Make the line and link it."""
        self._thread = LoopThread(f"desk-{self.link.name}")
        self._on_loop(self._plug_in)
        for fault in self._at_start:
            self._on_loop(partial(self._apply, fault))
        return self

    def stop(self) -> None:
        """Take the link away and close the line."""
        if self._thread is not None:
            self._on_loop(self._unplug)
            self._thread.close()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ready(self) -> dict[str, object]:
        return {"device": "desk-reader", "address": f"serial://{self.link}", "protocol": "rdm6300"}

    # -- what a person does --------------------------------------------------------------------------------------------

    def present(self, digits: str, seconds: float = 0.0) -> Answer:
        """Hold a card to the reader: for a while, or until another one comes or it is taken away."""
        frame(digits)

        def hold() -> Answer:
            if self._master < 0:
                raise BadLine("the reader has no power")
            self._take_away()
            self._card = digits.upper()
            self._sending = asyncio.get_running_loop().create_task(self._repeat(digits, seconds))
            return self._state()

        return self._on_loop(hold)

    def remove(self) -> Answer:
        """Take the card away."""

        def take() -> Answer:
            self._take_away()
            return self._state()

        return self._on_loop(take)

    def fault(self, text: str) -> Answer:
        """Put a fault in force; `power-cycle=S` pulls the plug for S seconds."""
        parsed = self._checked(parse_fault(text))
        return self._on_loop(lambda: self._apply(parsed))

    def clear_faults(self, name: str = "") -> Answer:
        def clear() -> Answer:
            self._faults.clear(name)
            return self._state()

        return self._on_loop(clear)

    def power_off(self) -> Answer:
        def pull() -> Answer:
            self._unplug()
            return self._state()

        return self._on_loop(pull)

    def power_on(self) -> Answer:
        def plug() -> Answer:
            self._plug_in()
            return self._state()

        return self._on_loop(plug)

    def state(self) -> Answer:
        return self._on_loop(self._state)

    def verbs(self) -> dict[str, Verb]:
        """The control lines of a desk reader."""
        return {
            "present": lambda card, seconds="0": self.present(card, float(seconds)),
            "remove": self.remove,
            "fault": self.fault,
            "clear-faults": self.clear_faults,
            "power-cycle": lambda seconds: self.fault(f"power-cycle={seconds}"),
            "power-off": self.power_off,
            "power-on": self.power_on,
            "state": self.state,
        }

    # -- on the loop ---------------------------------------------------------------------------------------------------

    async def _repeat(self, digits: str, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds if seconds > 0 else None
        while ends is None or loop.time() < ends:
            await self._send(digits)
            await asyncio.sleep(REPEAT_S)
        self._card = ""

    async def _send(self, digits: str) -> None:
        if self._faults.has("hang") or self._faults.strikes("drop"):
            return
        if self._faults.has("delay"):
            await asyncio.sleep(self._faults.number("delay") / 1000)
        data = frame(digits, spoil_checksum=self._faults.strikes("wrong-checksum"))
        size = int(self._faults.number("split")) or len(data)
        for _ in range(2 if self._faults.strikes("duplicate") else 1):
            for start in range(0, len(data), size):
                self._write(data[start : start + size])
                if size < len(data):
                    await asyncio.sleep(PIECE_GAP_S)
            self.frames_sent += 1

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._master, data)
        except BlockingIOError:
            return  # nobody reads and the line's buffer is full: a real module's bytes are lost the same way

    def _take_away(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        self._card = ""

    def _plug_in(self) -> None:
        if self._master >= 0:
            return
        self._master, self._slave = pty.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        if self.link.is_symlink():
            self.link.unlink()  # left by a reader that was killed
        self.link.symlink_to(os.ttyname(self._slave))

    def _unplug(self) -> None:
        if self._master < 0:
            return
        self._take_away()
        self.link.unlink(missing_ok=True)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def _apply(self, fault: Fault) -> Answer:
        if fault.name != "power-cycle":
            self._faults.set(fault)
            return self._state()
        self._unplug()

        async def back() -> None:
            await asyncio.sleep(fault.number)
            self._plug_in()

        self._cycle = asyncio.get_running_loop().create_task(back())
        return self._state()

    def _checked(self, fault: Fault) -> Fault:
        if fault.name not in SUPPORTED:
            raise BadLine(f"a desk reader cannot have {fault.name}; it knows {', '.join(sorted(SUPPORTED))}")
        return fault

    def _state(self) -> Answer:
        return {
            "powered": self._master >= 0,
            "card": self._card,
            "frames_sent": self.frames_sent,
            "faults": self._faults.names(),
        }

    def _on_loop(self, function: Callable[[], T]) -> T:
        if self._thread is None:
            raise BadLine("the reader is not started")
        return self._thread.call(function)
