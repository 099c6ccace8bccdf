"""A PUSH controller to switch on: its doors, its talk with the server, its thread, one method for every control line.

    with PushController(PushConfig(server="http://127.0.0.1:8081", doors=2)) as controller:
        controller.present_card(4711, door=1)

Every method may be called from any thread; it runs on the controller's own loop and returns what the control line
prints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Self, TypeVar

from accessctl_sim.control import Answer, BadLine
from accessctl_sim.faults import Fault, parse_fault
from accessctl_sim.loops import LoopThread
from accessctl_sim.push.attendance import AttendancePush
from accessctl_sim.push.codes import Happening
from accessctl_sim.push.config import PushConfig
from accessctl_sim.push.hands import Hands
from accessctl_sim.push.http import HttpTalk
from accessctl_sim.push.machine import Controller
from accessctl_sim.push.operands import control_device
from accessctl_sim.push.security import SecurityPush

T = TypeVar("T")
UNSUPPORTED = frozenset({"second-client-refused", "hang"})
FIRST_TIMEOUT_S = 10.0
RESTART_S = 1.0


class PushController(Hands):
    """One simulated controller."""

    def __init__(self, config: PushConfig, *, faults: tuple[str, ...] = ()) -> None:
        self.config = config
        self._controller = Controller(config)
        self._controller.obey_control = lambda operand: control_device(self._controller, operand)
        talk = HttpTalk(config.server, faults=self._controller.faults, timeout_s=FIRST_TIMEOUT_S)
        if config.dialect == "security":
            security = SecurityPush(self._controller, talk)
            self._conversation: SecurityPush | AttendancePush = security
            self._controller.ask = security.ask
        else:
            self._conversation = AttendancePush(self._controller, talk)
        self._at_start = [_checked(text) for text in faults]
        self._thread: LoopThread | None = None
        self._talking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- switched on and off -------------------------------------------------------------------------------------------

    @property
    def powered(self) -> bool:
        return self._talking is not None

    def start(self) -> Self:
        self._thread = LoopThread(f"push-{self.config.serial}")
        self._on_loop(self._begin)
        return self

    def stop(self) -> None:
        if self._thread is not None:
            self._thread.close()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ready(self) -> dict[str, object]:
        return {
            "device": "push-controller",
            "serial": self.config.serial,
            "server": self.config.server,
            "doors": self.config.doors,
            "dialect": self.config.dialect,
        }

    def _begin(self) -> None:
        for fault in self._at_start:
            self._apply(fault, at_start=True)
        self._power_on()
        self._spawn_watch()

    # -- faults and power ----------------------------------------------------------------------------------------------

    def fault(self, text: str) -> Answer:
        parsed = _checked(text)

        def apply() -> Answer:
            self._apply(parsed, at_start=False)
            return {"faults": self._controller.faults.names()}

        return self._on_loop(apply)

    def clear_faults(self, name: str = "") -> Answer:
        def clear() -> Answer:
            faults = self._controller.faults
            faults.clear(name)
            self._controller.clock.skew = timedelta(seconds=faults.number("skew"))
            return {"faults": faults.names()}

        return self._on_loop(clear)

    def power_cycle(self, seconds: float) -> Answer:
        """Cut the power now, and give it back after a while; the buffer stays, the talk with the server does not."""

        def cut() -> Answer:
            self._spawn(self._cycle(seconds))
            self._power_off()
            return {"powered": False}

        return self._on_loop(cut)

    def power_off(self) -> Answer:
        def cut() -> Answer:
            self._power_off()
            return {"powered": False}

        return self._on_loop(cut)

    def power_on(self) -> Answer:
        def give() -> Answer:
            self._power_on()
            return {"powered": True}

        return self._on_loop(give)

    # -- what it holds -------------------------------------------------------------------------------------------------

    def state(self) -> Answer:
        """A summary: the talk, the buffer, the tables, the doors."""
        return self._on_loop(self._state)

    def dump(self) -> Answer:
        """The tables and the event buffer, whole."""

        def dump() -> Answer:
            tables = {name: list(rows.values()) for name, rows in self._controller.tables.rows.items() if rows}
            return {"tables": tables, "events": [entry.rtlog() for entry in self._controller.log.entries]}

        return self._on_loop(dump)

    # -- on the loop ---------------------------------------------------------------------------------------------------

    def _state(self) -> Answer:
        controller, talk = self._controller, self._conversation
        return {
            "powered": self.powered,
            "registered": talk.registered,
            "clock": controller.clock.now().isoformat(),
            "waiting": controller.log.waiting_count,
            "events": len(controller.log.entries),
            "next_index": controller.log.next_index,
            "overwritten": controller.log.overwritten,
            "uploads": talk.uploads,
            "refused_uploads": talk.refused_uploads,
            "commands": [list(done) for done in talk.executed[-20:]],
            "dropped_commands": talk.dropped_orders,
            "tables": {name: len(rows) for name, rows in controller.tables.rows.items() if rows},
            "fire": controller.fire,
            "doors": {str(door.number): door.state() for door in controller.doors},
            "faults": controller.faults.names(),
        }

    def _apply(self, fault: Fault, *, at_start: bool) -> None:
        controller = self._controller
        if fault.name == "power-cycle":
            self._spawn(self._cycle_later(fault.number) if at_start else self._cut_and_cycle(fault.number))
        elif fault.name == "reset-index":
            controller.log.reset_index()
        else:
            controller.faults.set(fault)
            controller.clock.skew = timedelta(seconds=controller.faults.number("skew"))

    async def _cycle_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._cut_and_cycle(seconds)

    async def _cut_and_cycle(self, seconds: float) -> None:
        self._power_off()
        await self._cycle(seconds)

    async def _cycle(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._talking is None:
            self._power_on()
            self._controller.report(Happening.DEVICE_START, 0)

    def _power_off(self) -> None:
        if self._talking is not None:
            self._talking.cancel()
            self._talking = None
        self._conversation.registered = False
        for door in self._controller.doors:
            door.power_off()

    def _power_on(self) -> None:
        if self._talking is None:
            self._talking = asyncio.get_running_loop().create_task(self._conversation.run())

    def _spawn_watch(self) -> None:
        async def watch() -> None:
            while True:
                await self._conversation.restart.wait()
                self._conversation.restart.clear()
                await self._cut_and_cycle(RESTART_S)

        self._spawn(watch())

    def _spawn(self, coroutine: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _on_loop(self, function: Callable[[], T]) -> T:
        return self._running().call(function)

    def _run(self, coroutine: Coroutine[object, object, T]) -> T:
        return self._running().run(coroutine)

    def _running(self) -> LoopThread:
        if self._thread is None:
            raise BadLine("the controller is not started")
        return self._thread


def _checked(text: str) -> Fault:
    fault = parse_fault(text)
    if fault.name in UNSUPPORTED:
        raise BadLine(f"a controller cannot have {fault.name}: it is the client")
    return fault
