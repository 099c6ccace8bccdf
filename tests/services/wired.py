"""A simulated controller wired to the push desk without a network: the driver writes and reads every byte between them.

    wired = Wired(house, house.caller("A1"))
    wired.settle()                      # polls until there is nothing more to do
    assert wired.shows(card).granted

Each poll is one step, so that a test can stop anywhere, cut the line, or start the service anew.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accessctl.ports import PushCaller
from accessctl_drivers.push.app import Answer, Head, Ingress
from accessctl_sim.push.codes import Happening, Verified
from accessctl_sim.push.commands import Order, execute, parse_orders
from accessctl_sim.push.config import PushConfig
from accessctl_sim.push.describe import device_options
from accessctl_sim.push.machine import Controller
from tests.services.push_house import HERE, PushHouse

MOST_POLLS = 400


@dataclass
class Wired:
    """One controller, its memory, and the desk that it calls."""

    house: PushHouse
    caller: PushCaller
    doors: int = 1
    dates_in_seconds: bool = False
    doors_by_number: bool = False
    refuses: dict[str, int] = field(default_factory=dict)  # beginning of a command: what it returns
    said: list[str] = field(default_factory=list)  # every command that it got

    def __post_init__(self) -> None:
        config = PushConfig(
            server="http://127.0.0.1:1",
            serial=self.caller.serial,
            doors=self.doors,
            dates_in_seconds=self.dates_in_seconds,
            doors_by_number=self.doors_by_number,
        )
        self.controller = Controller(config)
        self.connect()

    def connect(self) -> None:
        """It introduces itself to whatever desk the house has now."""
        self.ingress = Ingress(self.house.desk, lambda: self.house.now)
        options = ",".join(f"{name}={value}" for name, value in device_options(self.controller).items())
        assert self.ask("POST", "registry", body=options).text.startswith("RegistryCode=")

    def ask(self, method: str, path: str, query: str = "", body: str = "") -> Answer:
        full = f"SN={self.caller.serial}" + (f"&{query}" if query else "")
        asked = self.ingress.admit(Head(method=method, path=f"/iclock/{path}", query=full, source=HERE))
        assert not isinstance(asked, Answer)
        return self.ingress.answer(asked, HERE, body.encode())

    def poll(self, *, answers: bool = True) -> str:
        """Ask for a command and carry it out; what it was, or "". Without `answers` the line breaks first."""
        orders = parse_orders(self.ask("GET", "getrequest").text)
        if not orders:
            return ""
        (order,) = orders
        self.said.append(order.text)
        code = next((code for start, code in self.refuses.items() if order.text.startswith(start)), None)
        if code is None:
            code = self._carry_out(order, answers=answers)
        if answers:
            self.ask("POST", "devicecmd", body=f"ID={order.id}&Return={code}&CMD={order.name}")
        return order.text

    def _carry_out(self, order: Order, *, answers: bool) -> int:
        outcome = execute(self.controller, order)
        if outcome.rows and answers:
            query = (
                f"type={outcome.kind}&cmdid={order.id}&tablename={outcome.table}&count={len(outcome.rows)}"
                "&packcnt=1&packidx=1"
            )
            self.ask("POST", "querydata", query, "\n".join(outcome.rows))
        return outcome.code

    def settle(self) -> list[str]:
        """Poll until nothing is left to do; what it was told."""
        begun = len(self.said)
        for _ in range(MOST_POLLS):
            if not self.poll():
                return self.said[begun:]
        raise AssertionError(f"still busy after {MOST_POLLS} polls: {self.said[-6:]}")

    def shows(self, card: int, door: int = 1, *, at: datetime | None = None) -> Happening:
        """A card at its reader, decided by it alone; `at` is its local time, now where none is given."""
        pin = self.controller.tables.pin_of_card(card)
        return self.controller.decide(pin, door, at or self.house.local(), Verified.CARD)

    def present(self, card: int, door: int = 1, *, leaving: bool = False) -> Happening:
        """A card held to its reader: it decides, and keeps the event until `upload`."""
        self.controller.clock.set(self.house.local())
        return asyncio.run(self.controller.card(card, door, int(leaving)))

    def upload(self) -> int:
        """Its buffer goes to the desk; how many events those were."""
        waiting = self.controller.log.waiting(1000)
        body = "\n".join(entry.rtlog() for entry in waiting)
        assert self.ask("POST", "cdata", "table=rtlog", body).text == "OK"
        self.controller.log.acknowledge(waiting)
        return len(waiting)

    def pins(self) -> set[str]:
        return {pin for (pin,) in self.controller.tables.rows["user"]}

    def later(self, **lapse: float) -> datetime:
        """Its local time after a while."""
        return self.house.local() + timedelta(**lapse)


def told(commands: list[str]) -> list[str]:
    """What was changed, without the questions: `UPDATE user`, `DELETE userauthorize`…"""
    words = [one.split(" ") for one in commands]
    return [f"{one[1]} {one[2]}" for one in words if one[0] == "DATA" and one[1] != "QUERY"]
