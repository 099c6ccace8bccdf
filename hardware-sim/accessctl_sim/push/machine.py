"""The controller itself: tables, doors, event buffer, and who decides at a reader. Knows no HTTP.

Runs on one event loop. Whoever talks to the server takes events from `log`, is woken through `wake`, and lends `ask`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from accessctl_sim.faults import Faults
from accessctl_sim.push.codes import AlarmBit, Happening, Verified
from accessctl_sim.push.config import PushConfig
from accessctl_sim.push.doors import Door, rtstate
from accessctl_sim.push.log import Entry, EventLog
from accessctl_sim.push.tables import Tables
from accessctl_sim.zk.fingers import block_of
from accessctl_sim.zk.times import DeviceClock

GRANTS = frozenset({Happening.GRANTED, Happening.REMOTE_GRANTED, Happening.DURESS, Happening.DURESS_CODE})
YES = frozenset({Happening.GRANTED, Happening.REMOTE_GRANTED})
UNDER_DURESS = {
    Verified.FINGER: (Happening.DURESS, AlarmBit.DURESS_FINGER),
    Verified.CARD: (Happening.DURESS_CODE, AlarmBit.DURESS_CODE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The server's answer to a remote verification. `controls` are the CONTROL DEVICE operands that came with it."""

    success: bool
    pin: str = ""
    controls: tuple[str, ...] = ()


Ask = Callable[[Entry], Awaitable[Verdict | None]]


class Controller:
    """One controller between its readers, its doors and the server."""

    def __init__(self, config: PushConfig) -> None:
        self.config = config
        self.faults = Faults(seed=config.seed)
        self.clock = DeviceClock(utc_offset_hours=config.utc_offset_hours)
        self.tables = Tables(dates_in_seconds=config.dates_in_seconds, doors_by_number=config.doors_by_number)
        self.log = EventLog(capacity=config.capacity)
        self.log.fill(config.backlog, doors=config.doors)
        self.doors = [Door(n, self.report, self.state_changed) for n in range(1, config.doors + 1)]
        for door in self.doors:
            door.held_open_s = config.held_open_s
        self.options: dict[str, str] = {}
        self.wake = asyncio.Event()
        self.state_due = False
        self.fire = False
        self.outgoing_rows: list[tuple[str, str]] = []  # table and row that were changed here and not there
        self.ask: Ask | None = None
        self.obey_control: Callable[[str], int] = lambda _operand: 0

    def report(
        self,
        event: Happening,
        door: int,
        pin: str = "0",
        card: int = 0,
        inout: int = 2,
        verified: int = Verified.OTHER,
    ) -> None:
        """Write an event into the buffer."""
        entry = self.entry(event, door, pin=pin, card=card, inout=inout, verified=verified)
        full = self.faults.has("log-full")
        self.log.append(entry, capacity=max(len(self.log.entries), 1) if full else 0)
        self.wake.set()

    def entry(self, event: Happening, door: int, *, pin: str, card: int, inout: int, verified: int) -> Entry:
        return Entry(
            index=self.log.next_index,
            at=self.clock.now(),
            event=event,
            door=door,
            pin=pin,
            card=card,
            inout=inout,
            verified=verified,
        )

    def state_changed(self) -> None:
        self.state_due = True
        self.wake.set()

    def state_line(self) -> str:
        return rtstate(self.doors, f"{self.clock.now():%Y-%m-%d %H:%M:%S}")

    # -- at a reader ---------------------------------------------------------------------------------------------------

    async def card(self, number: int, door: int, inout: int, *, duress: bool = False) -> Happening:
        """A card at a reader of a door; under duress its holder keys the duress code with it."""
        pin = self.tables.pin_of_card(number)
        return await self._present(pin, number, door, inout, Verified.CARD, duress=duress)

    async def finger(self, person: str, finger: int, door: int, inout: int) -> Happening:
        """A finger at a reader of a door."""
        found = self.tables.owner_of_finger(block_of(person, finger))
        pin = found.pin if found else None
        return await self._present(pin, 0, door, inout, Verified.FINGER, duress=bool(found and found.duress))

    async def _present(
        self, pin: str | None, card: int, door: int, inout: int, verified: Verified, *, duress: bool
    ) -> Happening:
        event, who, controls = await self._judged(pin, card, door, inout, verified)
        opens = event in YES
        if opens and duress:
            event, bit = UNDER_DURESS[verified]
            self.doors[door - 1].alarms |= bit  # silently: the door opens as ever, only the server is told
            self.state_changed()
        self.report(event, door, who, card, inout, verified)
        if opens and controls is None:
            self.doors[door - 1].unlock()
        for operand in controls or () if opens else ():
            self.obey_control(operand)
        return event

    async def _judged(
        self, pin: str | None, card: int, door: int, inout: int, verified: Verified
    ) -> tuple[Happening, str, tuple[str, ...] | None]:
        """What becomes of it, whose it is, and the server's operands where the server decided."""
        if self.config.online and self.ask is not None:
            entry = self.entry(Happening.REMOTE_ASKED, door, pin=pin or "0", card=card, inout=inout, verified=verified)
            verdict = await self.ask(entry)
            if verdict is not None:
                event = Happening.REMOTE_GRANTED if verdict.success else Happening.REMOTE_REFUSED
                return event, verdict.pin or pin or "0", verdict.controls
            if self.config.when_away == "deny":
                return Happening.REMOTE_TIMEOUT, pin or "0", ()
        return self.decide(pin, door, self.clock.now(), verified), pin or "0", None

    def set_fire(self, *, on: bool) -> None:
        """The fire input changes. It belongs to the whole controller: the event names no door."""
        self.fire = on
        self.report(Happening.FIRE if on else Happening.FIRE_OVER, 0)

    def decide(self, pin: str | None, door: int, at: datetime, verified: Verified) -> Happening:
        """The controller's own decision, from its tables."""
        tables = self.tables
        if pin is None:
            return Happening.UNKNOWN_FINGER if verified is Verified.FINGER else Happening.UNKNOWN_CARD
        if self.doors[door - 1].locked_down:
            return Happening.LOCKED_DOWN
        if self.config.dialect == "attendance":
            return Happening.GRANTED
        if tables.disabled(pin):
            return Happening.NO_RIGHT
        if not tables.valid_on(pin, at):
            return Happening.EXPIRED
        zones = tables.authorised(pin, door)
        if not zones:
            return Happening.NO_RIGHT
        return Happening.GRANTED if any(tables.in_zone(zone, at) for zone in zones) else Happening.NOT_IN_TIME
