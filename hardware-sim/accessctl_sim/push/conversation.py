"""The device's side of the talk with the server: register, upload until acknowledged, poll, answer; for ever.

One loop, one request at a time, as on the device; only remote verification runs beside it. What differs between the two
dialects is in `security` and `attendance`.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from email.utils import parsedate_to_datetime

from accessctl_sim.push.codes import Happening
from accessctl_sim.push.commands import Order, Outcome, execute, parse_orders
from accessctl_sim.push.http import HttpTalk, Reply, ServerAway
from accessctl_sim.push.log import Entry
from accessctl_sim.push.machine import Controller

DEFAULT_POLL_S = 2.0
CLOCK_TOLERANCE_S = 1.5


class NotTaken(Exception):
    """The server answered, but not with the acknowledgement that this dialect wants: it is sent again later."""


class Conversation:
    """What both dialects do. A dialect says how to register, how an upload looks, and what acknowledges it."""

    def __init__(self, controller: Controller, talk: HttpTalk) -> None:
        self.controller = controller
        self.talk = talk
        self.registered = False
        self.poll_s = DEFAULT_POLL_S
        self.uploads = 0
        self.refused_uploads = 0
        self.dropped_orders = 0
        self.executed: list[tuple[str, int]] = []
        self.restart: asyncio.Event = asyncio.Event()
        self._was_registered = False
        self._results: list[str] = []

    # -- for a dialect to say ------------------------------------------------------------------------------------------

    async def register(self) -> None:
        raise NotImplementedError

    async def upload(self, batch: list[Entry]) -> None:
        """Send a batch; raises NotTaken unless it was acknowledged as it must be."""
        raise NotImplementedError

    async def upload_rest(self) -> None:
        """Whatever else is due: door states, changed tables."""
        raise NotImplementedError

    async def send_rows(self, order: Order, outcome: Outcome) -> None:
        """The answer to a query, before its return code."""
        raise NotImplementedError

    # -- the loop ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._session()
            except (ServerAway, NotTaken):
                if self.registered:
                    self.controller.report(Happening.SERVER_LOST, 0)
                self.registered = False
                await asyncio.sleep(self.controller.config.retry_s)

    async def _session(self) -> None:
        await self.register()
        self.registered = True
        if self._was_registered:
            self.controller.report(Happening.SERVER_BACK, 0)
        self._was_registered = True
        loop = asyncio.get_running_loop()
        next_poll = loop.time()
        while True:
            self.controller.wake.clear()
            settled = await self._upload_all()
            if loop.time() >= next_poll:
                busy = await self._poll()
                next_poll = loop.time() + (0 if busy else self.controller.config.poll_s or self.poll_s)
            wait = max(next_poll - loop.time(), 0)
            if not settled:
                await asyncio.sleep(min(max(wait, 0.05), self.controller.config.retry_s))
                continue
            try:
                await asyncio.wait_for(self.controller.wake.wait(), wait)
            except TimeoutError:
                continue

    async def _upload_all(self) -> bool:
        """Upload what waits; False if the server took something not as it must."""
        controller = self.controller
        try:
            while batch := controller.log.waiting(controller.config.batch):
                await self.upload(batch)
                self.uploads += 1
                controller.log.acknowledge(batch)
                for _ in range(controller.config.replay):
                    await self.upload(batch)
                    self.uploads += 1
            await self.upload_rest()
        except NotTaken:
            self.refused_uploads += 1
            return False
        return True

    async def _poll(self) -> bool:
        """Ask for a command, carry it out, say what came of it. True if there was one."""
        reply = await self.get("/iclock/getrequest")
        orders = parse_orders(reply.body) if reply.status == 200 else []
        self.dropped_orders += len(orders[1:])  # C3-200 field reports: it executes one command a poll
        for order in orders[:1]:
            outcome = execute(self.controller, order)
            self.executed.append((order.text, outcome.code))
            if outcome.rows:
                await self.send_rows(order, outcome)
            number = order.id
            if self.controller.faults.strikes("wrong-reply-id") and number.isdecimal():
                number = str(int(number) + 1)
            self._results.append(f"ID={number}&Return={outcome.code}&CMD={order.name}")
            if outcome.restart:
                await self._send_results()
                self.restart.set()
        if self._results and not (orders and self.controller.faults.has("coalesce")):
            await self._send_results()
        return bool(orders)

    async def _send_results(self) -> None:
        await self.post("/iclock/devicecmd", "\n".join(self._results))
        self._results.clear()

    # -- requests ------------------------------------------------------------------------------------------------------

    async def get(self, path: str, query: str = "") -> Reply:
        return self._heard(await self.talk.get(self._path(path, query)))

    async def post(self, path: str, body: str, query: str = "") -> Reply:
        return self._heard(await self.talk.post(self._path(path, query), body))

    def _path(self, path: str, query: str) -> str:
        return f"{path}?SN={self.controller.config.serial}" + (f"&{query}" if query else "")

    def _heard(self, reply: Reply) -> Reply:
        if reply.status >= 500:
            raise ServerAway(f"status {reply.status}")
        self._set_clock(reply.headers.get("date", ""))
        return reply

    def _set_clock(self, date: str) -> None:
        """The device sets its clock by the server's Date."""
        try:
            true = parsedate_to_datetime(date)
        except ValueError:
            return
        clock = self.controller.clock
        local: datetime = true.replace(tzinfo=None) + clock.zone
        if abs((clock.now() - clock.skew - local).total_seconds()) > CLOCK_TOLERANCE_S:
            clock.set(local)

    def batch_lines(self, lines: list[str]) -> str:
        """The lines of an upload, with what the faults make of them."""
        faults = self.controller.faults
        if lines and faults.strikes("wrong-checksum"):
            lines = [lines[0][: len(lines[0]) // 2], *lines[1:]]  # there is no checksum to spoil: a line breaks off
        if lines and faults.strikes("extra-event"):
            lines = [lines[0], *lines]
        return "\n".join(lines)
