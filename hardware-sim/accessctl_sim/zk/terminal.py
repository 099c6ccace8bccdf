"""A terminal to switch on: the machine, its sockets, its thread, and one method for every control line.

    with ZkTerminal(TerminalConfig(users=3)) as terminal:
        ZK("127.0.0.1", port=terminal.port, ommit_ping=True).connect()
        terminal.present_card(100001)

Every method may be called from any thread; it runs on the terminal's own loop and returns what the control line prints.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar

from accessctl_sim.control import Answer, BadLine
from accessctl_sim.faults import Fault, parse_fault
from accessctl_sim.loops import LoopThread
from accessctl_sim.zk import snapshot
from accessctl_sim.zk.codes import Verify
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.hands import Hands
from accessctl_sim.zk.machine import Machine
from accessctl_sim.zk.records import User
from accessctl_sim.zk.servers import Servers

T = TypeVar("T")
RESTART_PAUSE_S = 0.05  # a RESTART is acknowledged before the power goes


class ZkTerminal(Hands):
    """One simulated terminal. `notices` keeps the last things that happened to it, newest last."""

    def __init__(
        self, config: TerminalConfig, *, faults: tuple[str, ...] = (), state: Mapping[str, object] | None = None
    ):
        self.config = config
        self.notices: deque[dict[str, object]] = deque(maxlen=1000)
        self._thread: LoopThread | None = None
        self._machine = Machine(config, notice=self.notices.append)
        self._servers = Servers(self._machine)
        self._machine.power_request = self._on_power_request
        self._tasks: set[asyncio.Task[None]] = set()
        if state is not None:
            snapshot.load(self._machine, state)
        self._at_start = [parse_fault(text) for text in faults]

    # -- switched on and off -------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        return self._servers.port

    @property
    def powered(self) -> bool:
        return self._servers.listening

    def start(self) -> Self:
        """Listen. Returns once the sockets are open."""
        fine = bool(self.config.delay_ms or self.config.frame_gap_ms)
        self._thread = LoopThread(f"zk-{self.config.serial}", fine=fine)
        try:
            self._thread.run(self._servers.open())
        except OSError:
            self._thread.close()
            self._thread = None
            raise
        self._on_loop(self._begin)
        return self

    def stop(self) -> None:
        """Close the sockets and end the thread."""
        if self._thread is not None:
            self._thread.run(self._servers.close())
            self._thread.close()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ready(self) -> dict[str, object]:
        """What the `ready` line says."""
        address = f"tcp://{self.config.host}:{self.port}"
        return {"device": "zk-terminal", "serial": self.config.serial, "address": address, "udp": self.config.udp}

    def _begin(self) -> None:
        for fault in self._at_start:
            self._apply(fault, at_start=True)
        if self.config.live_every_s:
            self._spawn(self._live())

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(self.config.live_every_s)
            users = list(self._machine.store.users.values())
            if users and self._servers.listening:
                self._machine.present(self._machine.random.choice(users), Verify.CARD)

    # -- at the terminal's own menu ------------------------------------------------------------------------------------

    def add_user(
        self, user_id: str, *, card: int = 0, name: str = "", privilege: int = 0, password: str = "", uid: int = 0
    ) -> Answer:
        """Put a user on the terminal by hand: what the server never sent."""
        user = User(
            uid=uid,
            user_id=user_id,
            name=name.encode()[:24],
            card=card,
            privilege=privilege,
            password=password.encode()[:8],
        )
        return self._on_loop(lambda: {"uid": self._machine.store.put_user(user).uid})

    def delete_user(self, user_id: str) -> Answer:
        def delete() -> Answer:
            user = self._machine.store.by_id(user_id)
            if user is None:
                raise BadLine(f"no user {user_id}")
            self._machine.store.delete_user(user.uid)
            return {"uid": user.uid}

        return self._on_loop(delete)

    def clear_log(self) -> Answer:
        def clear() -> Answer:
            cleared = self._machine.store.punch_count
            self._machine.store.clear_punches()
            return {"cleared": cleared}

        return self._on_loop(clear)

    def set_clock(self, to: datetime | float | None) -> Answer:
        """A naive local time, a number of seconds to jump, or None for the right time."""

        def turn() -> Answer:
            if to is None:
                self._machine.clock.offset = timedelta()
            elif isinstance(to, datetime):
                self._machine.clock.set(to)
            else:
                self._machine.jump(to)
            return {"clock": self._machine.clock.now().isoformat()}

        return self._on_loop(turn)

    # -- faults and power ----------------------------------------------------------------------------------------------

    def fault(self, text: str) -> Answer:
        """Put a fault in force: `drop=0.1`, `coalesce`, …"""
        parsed = parse_fault(text)

        def apply() -> Answer:
            self._apply(parsed, at_start=False)
            return {"faults": self._machine.faults.names()}

        return self._on_loop(apply)

    def clear_faults(self, name: str = "") -> Answer:
        def clear() -> Answer:
            self._machine.faults.clear(name)
            self._machine.clock.skew = timedelta(seconds=self._machine.faults.number("skew"))
            return {"faults": self._machine.faults.names()}

        return self._on_loop(clear)

    def power_cycle(self, seconds: float) -> Answer:
        """Cut the power now, and give it back after a while. Returns once it is off."""
        answer = self.power_off()
        self._on_loop(lambda: self._spawn(self._power_on_after(seconds)))
        return answer

    def power_off(self) -> Answer:
        self._running().run(self._power_off())
        return {"powered": False}

    def power_on(self) -> Answer:
        self._running().run(self._power_on())
        return {"powered": True}

    # -- what it holds -------------------------------------------------------------------------------------------------

    def state(self) -> Answer:
        """A summary of the terminal, its door and its faults."""
        return self._on_loop(self._state)

    def dump(self) -> dict[str, object]:
        """The whole memory, in the form of a state file."""
        return self._on_loop(lambda: snapshot.save(self._machine))

    def save(self, path: Path) -> Answer:
        """Write the state file."""
        path.write_text(json.dumps(self.dump(), ensure_ascii=False, indent=1), encoding="utf-8")
        return {"saved": str(path)}

    def _state(self) -> Answer:
        machine, store = self._machine, self._machine.store
        return {
            "powered": self._servers.listening,
            "enabled": machine.enabled,
            "clock": machine.clock.now().isoformat(),
            "users": len(store.users),
            "fingers": len(store.templates),
            "records": store.punch_count,
            "clients": sum(session.connected for session in machine.sessions),
            "enrolling": machine.enrolling,
            "requests": machine.requests,
            "bad_frames": machine.bad_frames,
            "faults": machine.faults.names(),
            **self._door(),
        }

    def _apply(self, fault: Fault, *, at_start: bool) -> None:
        if fault.name == "power-cycle":
            self._spawn(self._cycle(fault.number, wait_first=at_start, repeat=fault.argument.endswith(",repeat")))
        elif fault.name == "reset-index":
            self._machine.store.clear_punches()
        else:
            self._machine.faults.set(fault)
            self._machine.clock.skew = timedelta(seconds=self._machine.faults.number("skew"))

    # -- power, on the loop --------------------------------------------------------------------------------------------

    async def _cycle(self, seconds: float, *, wait_first: bool, repeat: bool) -> None:
        if wait_first:
            await asyncio.sleep(seconds)
        while True:
            await self._power_off()
            await asyncio.sleep(seconds)
            await self._power_on()
            if not repeat:
                return
            await asyncio.sleep(seconds)

    def _on_power_request(self, seconds: float | None) -> None:
        async def obey() -> None:
            await asyncio.sleep(RESTART_PAUSE_S)
            await self._power_off()
            if seconds is not None:
                await self._power_on_after(seconds)

        self._spawn(obey())

    async def _power_on_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._power_on()

    async def _power_off(self) -> None:
        self._machine.power_off()
        self.notices.append({"event": "power", "on": False})
        await self._servers.close()

    async def _power_on(self) -> None:
        if not self._servers.listening:
            await self._servers.open()
            self._machine.log_operation(0)
            self.notices.append({"event": "power", "on": True})

    def _spawn(self, coroutine: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _running(self) -> LoopThread:
        if self._thread is None:
            raise BadLine("the terminal is not started")
        return self._thread

    def _on_loop(self, function: Callable[[], T]) -> T:
        return self._running().call(function)
