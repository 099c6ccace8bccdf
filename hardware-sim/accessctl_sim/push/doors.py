"""The doors of a controller: lock relay, sensor, exit button, latch, lockdown, alarms; and the line of `rtstate`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from accessctl_sim.control import BadLine
from accessctl_sim.push.codes import AlarmBit, Happening

Report = Callable[[Happening, int], None]


class Door:
    """Door `number`, counted from 1. `report` writes an event, `changed` tells that rtstate is due."""

    def __init__(self, number: int, report: Report, changed: Callable[[], None]) -> None:
        self.number = number
        self._report = report
        self._changed = changed
        self._relock: asyncio.TimerHandle | None = None
        self._held: asyncio.TimerHandle | None = None
        self.lock_s = 5.0
        self.held_open_s = 15.0
        self.locked = True
        self.latched_open = False
        self.locked_down = False
        self.open = False
        self.alarms = 0
        self.openings = 0

    def unlock(self, seconds: float = 0) -> None:
        """Free the lock for a while, its own time if none is given."""
        self.openings += 1
        self.locked = False
        self._cancel("_relock")
        self._relock = asyncio.get_running_loop().call_later(seconds or self.lock_s, self.lock)
        self._changed()

    def lock(self) -> None:
        """Lock, unless the door is latched open."""
        self._cancel("_relock")
        self.locked = not self.latched_open
        self._changed()

    def latch(self, *, is_open: bool) -> None:
        """Normally open, or no longer."""
        self.latched_open = is_open
        self.lock()

    def press_exit(self) -> None:
        """Leaving is never refused, whatever is locked down."""
        self._report(Happening.EXIT_BUTTON, self.number)
        self.unlock()

    def swing(self, *, force: bool = False) -> bool:
        """Pull the door open; True if it took force."""
        if self.open:
            raise BadLine("the door is open already")
        if self.locked and not force:
            raise BadLine("the door is locked")
        forced = self.locked
        self.open = True
        self._report(Happening.DOOR_OPENED, self.number)
        if forced:
            self.alarm(AlarmBit.FORCED, Happening.FORCED)
        self._held = asyncio.get_running_loop().call_later(self.held_open_s, self._held_open)
        self._changed()
        return forced

    def shut(self) -> None:
        if not self.open:
            raise BadLine("the door is closed already")
        self.open = False
        self._cancel("_held")
        self._report(Happening.DOOR_CLOSED, self.number)
        self._changed()

    def alarm(self, bit: AlarmBit, event: Happening) -> None:
        """Raise an alarm; it stays in rtstate until it is cancelled."""
        self.alarms |= bit
        self._report(event, self.number)
        self._changed()

    def cancel_alarm(self) -> None:
        self.alarms = 0
        self._report(Happening.ALARM_CANCELLED, self.number)
        self._changed()

    def power_off(self) -> None:
        """Timers die with the power; the lock fails secure."""
        self._cancel("_held")
        self.latched_open = self.locked_down = False
        self.lock()

    def _held_open(self) -> None:
        self._held = None
        if not self.latched_open:
            self.alarm(AlarmBit.HELD_OPEN, Happening.HELD_OPEN)

    def _cancel(self, name: str) -> None:
        timer: asyncio.TimerHandle | None = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)

    def state(self) -> dict[str, object]:
        return {
            "door": "open" if self.open else "closed",
            "locked": self.locked,
            "latched_open": self.latched_open,
            "locked_down": self.locked_down,
            "alarms": self.alarms,
            "openings": self.openings,
        }


def rtstate(doors: list[Door], time_text: str) -> str:
    """Sensor two bits a door (01 closed, 10 open), relay one bit, alarm one byte a door, eight doors."""
    sensor = sum((2 if door.open else 1) << 2 * (door.number - 1) for door in doors)
    relay = sum((not door.locked) << (door.number - 1) for door in doors)
    alarms = bytes(door.alarms for door in doors).ljust(8, b"\0")[:8]
    sensor_hex = sensor.to_bytes(2, "little").hex()[: 2 if len(doors) <= 4 else 4]
    return f"time={time_text}\tsensor={sensor_hex}\trelay={relay:02x}\talarm={alarms.hex()}"
