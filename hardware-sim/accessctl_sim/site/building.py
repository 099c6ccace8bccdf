"""A running building: its devices, its people, and the lines that make something happen.

A line is `DEVICE VERB …` with the verbs of that device, or one of the site's own: `walk PERSON DEVICE [DOOR]`,
`out PERSON DEVICE [DOOR]`, `leave PERSON DEVICE [DOOR]`, `card PERSON DEVICE [SECONDS|DOOR]`,
`finger PERSON DEVICE [FINGER [DOOR]]`, `people`, `devices`, `step`, `script start|stop|state`. In a device's line
`@person` stands for what that person brings: the card's number, at a desk reader its digits.
"""

from __future__ import annotations

import json
import shlex
import threading
import time
from collections.abc import Callable, Mapping
from typing import Self

from accessctl_sim.control import Answer, BadLine, Verb, answer
from accessctl_sim.deskreader.reader import DeskReader
from accessctl_sim.push.controller import PushController
from accessctl_sim.push.lines import verbs as controller_verbs
from accessctl_sim.site.doorway import Doorway
from accessctl_sim.site.plan import DevicePlan, Person, SitePlan
from accessctl_sim.zk.lines import verbs as terminal_verbs
from accessctl_sim.zk.terminal import ZkTerminal

Device = ZkTerminal | DeskReader | PushController
DOORWAY_S = 1.0  # how long somebody stands in an open door, at speed 1


def build(plan: DevicePlan) -> Device:
    """The device of a plan, not yet switched on."""
    if plan.controller is not None:
        return PushController(plan.controller, faults=plan.faults)
    if plan.link is not None:
        plan.link.parent.mkdir(parents=True, exist_ok=True)
        return DeskReader(plan.link, faults=plan.faults)
    if plan.terminal is None:
        raise ValueError(f"device {plan.id}: neither terminal, controller nor link")
    state = json.loads(plan.state.read_text("utf-8")) if plan.state and plan.state.exists() else None
    return ZkTerminal(plan.terminal, faults=plan.faults, state=state)


class Building:
    """The devices of one site. `tell` is called with whatever the script did."""

    def __init__(self, plan: SitePlan, *, speed: float = 1.0, tell: Callable[[Answer], None] = lambda _: None) -> None:
        if speed <= 0:
            raise ValueError("the speed is more than 0")
        self.plan = plan
        self.speed = speed
        self._tell = tell
        self.devices: dict[str, Device] = {device.id: build(device) for device in plan.devices}
        self._started: list[Device] = []
        self._next_step = 0
        self._stepping = threading.Lock()
        self._stop_script = threading.Event()
        self._script: threading.Thread | None = None
        self._own: dict[str, Verb] = {
            "walk": self.walk,
            "out": self.out,
            "leave": self.leave,
            "card": self.card,
            "finger": self.finger,
            "people": lambda: {"people": [person.id for person in plan.people.values()]},
            "devices": lambda: {"devices": self.ready()},
            "step": self.step,
            "script": self.script,
        }

    # -- switched on and off -------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Switch every device on, and put the people on the terminals that the file names."""
        for device in self.devices.values():
            device.start()
            self._started.append(device)
        for person in self.plan.people.values():
            for name in person.on:
                terminal = self.devices[name]
                if isinstance(terminal, ZkTerminal):
                    terminal.add_user(person.number or person.id, card=person.card_number, name=person.name)
        return self

    def begin(self) -> None:
        """Start the script, if the file says so."""
        if self.plan.script_at_start and self.plan.steps:
            self.script("start")

    def stop(self) -> None:
        """End the script, then every device."""
        self._end_script()
        while self._started:
            self._started.pop().stop()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except OSError:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ready(self) -> list[dict[str, object]]:
        """What the `ready` lines say, one per device."""
        return [
            {**self.devices[plan.id].ready(), "id": plan.id, **({"door": plan.door} if plan.door else {})}
            for plan in self.plan.devices
        ]

    # -- lines ---------------------------------------------------------------------------------------------------------

    def obey(self, line: str) -> Answer:
        """Carry out one line."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            return {"ok": False, "error": str(error)}
        if words and words[0] in self.devices:
            try:
                rest = shlex.join(self._brought(words[0], word) for word in words[1:])
            except BadLine as error:
                return {"ok": False, "error": str(error)}
            return {"device": words[0], **answer(self._verbs(words[0]), rest)}
        if words and words[0] not in self._own:
            known = ", ".join([*self.devices, *sorted(self._own)])
            return {"ok": False, "error": f"no device or verb {words[0]!r}; there are {known}"}
        return answer(self._own, line)

    def _verbs(self, device_id: str) -> Mapping[str, Verb]:
        device = self.devices[device_id]
        if isinstance(device, ZkTerminal):
            return terminal_verbs(device)
        return controller_verbs(device) if isinstance(device, PushController) else device.verbs()

    def _brought(self, device_id: str, word: str) -> str:
        if not word.startswith("@"):
            return word
        person = self._person(word[1:])
        if not person.card:
            raise BadLine(f"{person.id} has no card")
        return person.card if isinstance(self.devices[device_id], DeskReader) else str(person.card_number)

    # -- people --------------------------------------------------------------------------------------------------------

    def card(self, person: str, device: str, extra: str = "1") -> Answer:
        """Somebody holds their card to a device; `extra` is how many seconds at a desk reader, which door elsewhere."""
        who, what = self._person(person), self._device(device)
        if not who.card:
            raise BadLine(f"{who.id} has no card")
        if isinstance(what, DeskReader):
            return what.present(who.card, float(extra) / self.speed)
        return Doorway(what, extra).card(who.card_number)

    def finger(self, person: str, device: str, finger: str = "0", door: str = "1") -> Answer:
        """Somebody lays a finger on a reader: to come in, or into the enrolment that waits for it."""
        if not finger.isdecimal():
            raise BadLine(f"finger {finger!r}")
        who, what = self._person(person), self._device(device)
        if isinstance(what, ZkTerminal) and what.state()["enrolling"]:
            return what.finger_ready(who.id, "ok", int(finger))
        return self._doorway(device, door).finger(who.id, int(finger))

    def walk(self, person: str, device: str, door: str = "1") -> Answer:
        """Somebody comes in: card, and if the lock yields, through the door."""
        doorway = self._doorway(device, door)
        result = self.card(person, device, door)
        if result.get("granted"):
            doorway.go_through(DOORWAY_S / self.speed)
        return result

    def out(self, person: str, device: str, door: str = "1") -> Answer:
        """Somebody goes out by the reader on the inside: card, and if the lock yields, through the door."""
        doorway = self._doorway(device, door)
        result = doorway.card_inside(self._person(person).card_number)
        if result.get("granted"):
            doorway.go_through(DOORWAY_S / self.speed)
        return result

    def leave(self, person: str, device: str, door: str = "1") -> Answer:
        """Somebody goes out: exit button and door. Never refused."""
        self._person(person)
        doorway = self._doorway(device, door)
        result = doorway.press_exit()
        doorway.go_through(DOORWAY_S / self.speed)
        return result

    def _person(self, person_id: str) -> Person:
        person = self.plan.people.get(person_id)
        if person is None:
            raise BadLine(f"nobody is called {person_id!r}; there are {', '.join(self.plan.people)}")
        return person

    def _device(self, device_id: str) -> Device:
        device = self.devices.get(device_id)
        if device is None:
            raise BadLine(f"no device {device_id!r}")
        return device

    def _doorway(self, device_id: str, door: str) -> Doorway:
        device = self._device(device_id)
        if isinstance(device, DeskReader):
            raise BadLine(f"{device_id} has no door")
        return Doorway(device, door)

    # -- the script ----------------------------------------------------------------------------------------------------

    def step(self) -> Answer:
        """Do the next step of the script now, whenever it is due."""
        with self._stepping:
            if self._next_step >= len(self.plan.steps):
                raise BadLine("the script is at its end")
            number = self._next_step
            self._next_step += 1
            line = self.plan.steps[number].line
            result = self.obey(line)
            return {"step": number + 1, "line": line, **result, "of": len(self.plan.steps)}

    def script(self, what: str = "state") -> Answer:
        """Start, stop or look at the script."""
        if what == "start" and not self._running():
            self._stop_script.clear()
            self._script = threading.Thread(target=self._run_script, name="script", daemon=True)
            self._script.start()
        elif what == "stop":
            self._end_script()
        elif what not in {"start", "state"}:
            raise BadLine("script start|stop|state")
        return {"running": self._running(), "next": self._next_step + 1, "of": len(self.plan.steps)}

    def _running(self) -> bool:
        return self._script is not None and self._script.is_alive()

    def _end_script(self) -> None:
        self._stop_script.set()
        if self._script is not None and self._script is not threading.current_thread():
            self._script.join(10)

    def _run_script(self) -> None:
        offset = self.plan.steps[self._next_step - 1].due_s if self._next_step else 0.0
        started = time.monotonic()
        while self._next_step < len(self.plan.steps):
            due = started + (self.plan.steps[self._next_step].due_s - offset) / self.speed
            if self._stop_script.wait(max(due - time.monotonic(), 0)):
                return
            self._tell(self.step())
        self._tell({"ok": True, "script": "ended", "of": len(self.plan.steps)})
