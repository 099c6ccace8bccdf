"""What people do at a terminal and its door, one method per control line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from accessctl_sim.control import Answer, BadLine
from accessctl_sim.zk.codes import Alarm, Event, Verify
from accessctl_sim.zk.enrol import Outcome, ReadyFinger
from accessctl_sim.zk.machine import Machine, Presented

T = TypeVar("T")


def _presented(result: Presented) -> Answer:
    user = result.user
    return {
        "granted": result.granted,
        "reason": result.reason,
        "uid": user.uid if user else None,
        "user_id": user.user_id if user else None,
        "at": result.at.isoformat() if result.at else None,
    }


class Hands:
    """Cards, fingers, codes, keys, the exit button and the door leaf."""

    _machine: Machine

    def _on_loop(self, function: Callable[[], T]) -> T:
        """Run on the terminal's own loop and wait."""
        raise NotImplementedError

    @property
    def powered(self) -> bool:
        raise NotImplementedError

    def present_card(self, number: int, *, state: int | None = None) -> Answer:
        """Hold a card to the reader."""

        def present() -> Answer:
            self._need_power()
            return _presented(self._machine.present(self._machine.store.by_card(number), Verify.CARD, state=state))

        return self._on_loop(present)

    def present_finger(self, person: str, finger: int = 0, *, state: int | None = None) -> Answer:
        """Lay a person's finger on the reader."""

        def present() -> Answer:
            self._need_power()
            return _presented(self._machine.present_finger(person, finger, state=state))

        return self._on_loop(present)

    def present_code(self, user_id: str, password: str) -> Answer:
        """Type number and password."""

        def present() -> Answer:
            self._need_power()
            user = self._machine.store.by_id(user_id)
            right = user is not None and user.password and user.password == password.encode()
            return _presented(self._machine.present(user if right else None, Verify.PASSWORD))

        return self._on_loop(present)

    def exit_button(self) -> Answer:
        """Press the exit button: the door is free, always."""

        def press() -> Answer:
            self._machine.door.press_exit(self._machine.lock_seconds)
            return self._door()

        return self._on_loop(press)

    def open_door(self) -> Answer:
        """Pull the door open; refused while it is locked."""
        return self._on_loop(lambda: {"forced": self._machine.door.swing(), **self._door()})

    def force_door(self) -> Answer:
        """Break the door open."""
        return self._on_loop(lambda: {"forced": self._machine.door.swing(force=True), **self._door()})

    def close_door(self) -> Answer:
        def shut() -> Answer:
            self._machine.door.shut()
            return self._door()

        return self._on_loop(shut)

    def press_key(self, key: int = 1) -> Answer:
        """Press a key of the keypad."""
        return self._emit(Event.BUTTON, bytes((key & 0xFF,)))

    def tamper(self) -> Answer:
        """Take the terminal off the wall."""
        return self._alarm(Alarm.TAMPER)

    def misoperation(self) -> Answer:
        return self._alarm(Alarm.MISOPERATION)

    def finger_ready(self, person: str, outcome: str = "ok", finger: int = 0) -> Answer:
        """Hold a finger out for the running or the next enrolment."""
        ready = ReadyFinger(person=person, finger=finger, outcome=Outcome(outcome))

        def hold_out() -> Answer:
            self._machine.finger_ready(ready)
            return {"enrolling": self._machine.enrolling}

        return self._on_loop(hold_out)

    def _door(self) -> Answer:
        door = self._machine.door
        return {"door": "open" if door.open else "closed", "locked": door.locked, "openings": door.openings}

    def _emit(self, event: Event, body: bytes) -> Answer:
        def emit() -> Answer:
            self._machine.emit(event, body)
            return {}

        return self._on_loop(emit)

    def _alarm(self, kind: Alarm) -> Answer:
        def alarm() -> Answer:
            self._need_power()
            self._machine.alarm(kind)
            return {}

        return self._on_loop(alarm)

    def _need_power(self) -> None:
        if not self.powered:
            raise BadLine("the terminal has no power")
