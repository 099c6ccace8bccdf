"""What people do at a controller, its readers and its doors, one method per control line."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import TypeVar

from accessctl_sim.control import Answer, BadLine
from accessctl_sim.push.codes import AlarmBit, Happening
from accessctl_sim.push.describe import table_row
from accessctl_sim.push.doors import Door
from accessctl_sim.push.machine import GRANTS, Controller

T = TypeVar("T")


def _inout(direction: str) -> int:
    if direction not in {"in", "out"}:
        raise BadLine(f"direction {direction!r}: in or out")
    return int(direction == "out")


class Hands:
    """Cards, fingers, exit buttons, door leaves, and the controller's own menu."""

    _controller: Controller

    @property
    def powered(self) -> bool:
        raise NotImplementedError

    def _on_loop(self, function: Callable[[], T]) -> T:
        """Run on the controller's own loop and wait."""
        raise NotImplementedError

    def _run(self, coroutine: Coroutine[object, object, T]) -> T:
        raise NotImplementedError

    def present_card(self, number: int, door: int = 1, direction: str = "in", *, duress: bool = False) -> Answer:
        """Hold a card to a reader of a door; waits for the server where it decides."""
        self._door(door)
        return self._present(self._controller.card(number, door, _inout(direction), duress=duress))

    def present_finger(self, person: str, finger: int = 0, door: int = 1, direction: str = "in") -> Answer:
        """Lay a finger on a reader of a door."""
        self._door(door)
        return self._present(self._controller.finger(person, finger, door, _inout(direction)))

    def exit_button(self, door: int = 1) -> Answer:
        """Press the exit button: the door is free, always."""
        return self._at_door(door, Door.press_exit)

    def open_door(self, door: int = 1) -> Answer:
        return self._at_door(door, lambda one: one.swing())

    def force_door(self, door: int = 1) -> Answer:
        return self._at_door(door, lambda one: one.swing(force=True))

    def close_door(self, door: int = 1) -> Answer:
        return self._at_door(door, Door.shut)

    def tamper(self, door: int = 1) -> Answer:
        """Open the controller's box."""
        return self._at_door(door, lambda one: one.alarm(AlarmBit.TAMPER, Happening.TAMPER))

    def fire(self, *, on: bool) -> Answer:
        """The contact of the fire alarm panel, wired to the controller's input."""

        def change() -> Answer:
            if self._controller.fire is on:
                raise BadLine(f"the fire input is {'on' if on else 'off'} already")
            self._controller.set_fire(on=on)
            return {"fire": on}

        return self._on_loop(change)

    # -- at the device itself ------------------------------------------------------------------------------------------

    def add_user(self, pin: str, *, card: int = 0, doors: int = 0) -> Answer:
        """Somebody puts a user on the device by hand; it tells the server in `tabledata`."""

        def add() -> Answer:
            tables = self._controller.tables
            tables.update("user", [{"pin": pin, "cardno": str(card)}])
            if doors:
                row = {"pin": pin, "authorizetimezoneid": "1", "authorizedoorid": str(doors), "devid": "1"}
                tables.update("userauthorize", [row])
            row = tables.rows["user"][(pin,)]
            self._controller.outgoing_rows.append(("user", table_row("user", len(tables.rows["user"]), row)))
            self._controller.wake.set()
            return {"users": len(tables.rows["user"])}

        return self._on_loop(add)

    def delete_user(self, pin: str) -> Answer:
        def delete() -> Answer:
            tables = self._controller.tables
            if not tables.delete("user", {"pin": pin}):
                raise BadLine(f"no user {pin}")
            tables.delete("userauthorize", {"pin": pin})
            return {"users": len(tables.rows["user"])}

        return self._on_loop(delete)

    def clear_log(self) -> Answer:
        return self._on_loop(lambda: {"cleared": self._controller.log.clear()})

    def set_clock(self, to: datetime | float | None) -> Answer:
        """A naive local time, seconds to jump, or None for the right time; the server's Date sets it again."""

        def turn() -> Answer:
            clock = self._controller.clock
            if to is None:
                clock.offset = timedelta()
            elif isinstance(to, datetime):
                clock.set(to)
            else:
                clock.offset += timedelta(seconds=to)
            return {"clock": clock.now().isoformat()}

        return self._on_loop(turn)

    def _present(self, coroutine: Coroutine[object, object, Happening]) -> Answer:
        if not self.powered:
            coroutine.close()
            raise BadLine("the controller has no power")
        event = self._run(coroutine)
        return {"granted": event in GRANTS, "event": int(event), "reason": Happening(event).name.lower()}

    def _at_door(self, number: int, act: Callable[[Door], object]) -> Answer:
        door = self._door(number)

        def do() -> Answer:
            act(door)
            return {"number": number, **door.state()}

        return self._on_loop(do)

    def _door(self, number: int) -> Door:
        if not 1 <= number <= self._controller.config.doors:
            raise BadLine(f"door {number}; there are 1 to {self._controller.config.doors}")
        return self._controller.doors[number - 1]
