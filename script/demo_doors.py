"""The doors of the controller that asks the server at each card (online verification).

Every refusal there is the service's own answer, with the step or norm that is missing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo_processes import DemoFailed, wait_for

from accessctl.services.store import EventRow

if TYPE_CHECKING:
    from demo_day import Day


@dataclass
class Doors:
    """The data centre's door (1) and that of the telecom room (2), each with a reader for either way."""

    day: "Day"

    def show(self, who: str, *, door: int = 1, way: str = "in", opens: bool, duress: bool = False) -> None:
        """Hold a card to the controller's reader; the lock must do what is expected."""
        wait_for("el controlador conectado", lambda: self.day.simulator.say("cd-panel state")["registered"])
        before = self._openings(door)
        line = f"cd-panel present card @{who} {door} {way}" + (" duress" if duress else "")
        answer = self.day.simulator.say(line)
        if bool(answer.get("granted")) != opens or (self._openings(door) > before) != opens:
            raise DemoFailed(f"{who} ante la puerta {door} ({way}): el panel respondió {answer}")

    def passes(self, who: str, *, door: int = 1, way: str = "in") -> EventRow:
        """The same where it opens; the entry of the record."""
        after = self.day.size()
        self.show(who, door=door, way=way, opens=True)
        event = "door:entry:granted" if way == "in" else "door:exit:granted"
        return self.day.await_event(event, after=after, device="cd-panel")

    def refusal(self, who: str, reason: str, norm: str, *, door: int = 1) -> EventRow:
        """The card is refused, and the record says for which reason and norm."""
        after = self.day.size()
        self.show(who, door=door, opens=False)
        row = self.day.await_event("door:entry:refused", after=after, device="cd-panel")
        if (row.reason, row.norm) != (reason, norm):
            raise DemoFailed(f"{who}: se esperaba {reason} ({norm}) y el registro dice {row.reason} ({row.norm})")
        self.day.tell(f"    {who}: rechazado, {reason} ({norm})")
        return row

    def _openings(self, door: int) -> int:
        return int(self._state(door)["openings"])

    def await_locked(self, door: int) -> None:
        """Until the lock has fallen shut after whoever went through."""
        wait_for(f"la cerradura de la puerta {door}", lambda: self._state(door)["locked"])

    def _state(self, door: int) -> dict[str, int]:
        state: dict[str, int] = self.day.simulator.say("cd-panel state")["doors"][str(door)]
        return state
