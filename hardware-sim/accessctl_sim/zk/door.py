"""The door behind a terminal: lock relay, position sensor, exit button.

Leaving is never refused: the button frees the lock whatever the terminal thinks, also while it is disabled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from accessctl_sim.control import BadLine
from accessctl_sim.zk.codes import Alarm, Event

Emit = Callable[[Event, bytes], None]


class Door:
    """A door with one lock. `emit` sends a real-time event to whoever listens. Runs on the device's loop."""

    def __init__(self, emit: Emit, *, held_open_s: float) -> None:
        self._emit = emit
        self._held_open_s = held_open_s
        self._relock: asyncio.TimerHandle | None = None
        self._held: asyncio.TimerHandle | None = None
        self.locked = True
        self.open = False
        self.openings = 0

    def unlock(self, seconds: float) -> None:
        """Release the lock for a while; a second release prolongs it."""
        if self._relock is not None:
            self._relock.cancel()
        self.locked = False
        self.openings += 1
        self._emit(Event.UNLOCK, b"")
        self._relock = asyncio.get_running_loop().call_later(seconds, self.lock)

    def lock(self) -> None:
        if self._relock is not None:
            self._relock.cancel()
            self._relock = None
        self.locked = True

    def press_exit(self, seconds: float) -> None:
        """The exit button: always frees the door."""
        self._emit(Event.ALARM, bytes((Alarm.EXIT_BUTTON, 0, 0, 0)))
        self.unlock(seconds)

    def swing(self, *, force: bool = False) -> bool:
        """Somebody pulls the door open. A locked one yields to force only, and says so."""
        if self.open:
            raise BadLine("the door is open already")
        if self.locked and not force:
            raise BadLine("the door is locked")
        forced = self.locked
        self.open = True
        if forced:
            self._emit(Event.ALARM, bytes((Alarm.ABNORMAL_OPENING, 0, 0, 0)))
        self._held = asyncio.get_running_loop().call_later(self._held_open_s, self._held_open)
        return forced

    def shut(self) -> None:
        """The door falls shut; the sensor tells."""
        if not self.open:
            raise BadLine("the door is closed already")
        self.open = False
        if self._held is not None:
            self._held.cancel()
            self._held = None
        self._emit(Event.ALARM, bytes((Alarm.DOOR_CLOSING, 0, 0, 0, 0, 0, 0, 0)))

    def _held_open(self) -> None:
        self._held = None
        self._emit(Event.ALARM, bytes((Alarm.LEFT_OPEN, 0, 0, 0)))

    def power_off(self) -> None:
        """Without power the timers are gone; the lock of this door fails secure, the leaf stays where it is."""
        self.lock()
        if self._held is not None:
            self._held.cancel()
            self._held = None
