"""The Security PUSH dialect (`DeviceType=acc`): registration, `rtlog`, `rtstate`, `tabledata`, remote verification."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from accessctl_sim.push.commands import Order, Outcome
from accessctl_sim.push.conversation import Conversation, NotTaken
from accessctl_sim.push.describe import device_options
from accessctl_sim.push.http import Reply, ServerAway
from accessctl_sim.push.log import Entry
from accessctl_sim.push.machine import Verdict
from accessctl_sim.push.tables import BadRow, parse_row

PUSH_VERSION = "3.0.1"


def parameters(reply: Reply) -> dict[str, str]:
    """`name=value` lines."""
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in reply.lines)}


class SecurityPush(Conversation):
    """A controller that registers, uploads events and states, and may ask at each card."""

    registry_code = ""

    async def register(self) -> None:
        """Say hello; unless the server knows us, register and fetch the parameters; then tell our options."""
        hello = await self.get("/iclock/cdata", f"pushver={PUSH_VERSION}&options=all&DeviceType=acc")
        known = parameters(hello)
        if known.get("registry", "").lower() != "ok":
            options = ",".join(f"{name}={value}" for name, value in device_options(self.controller).items())
            answer = await self.post("/iclock/registry", options)
            code = parameters(answer).get("RegistryCode", "")
            if not code:
                raise NotTaken(f"registration refused: {answer.body[:40]!r}")
            self.registry_code = code
            known = parameters(await self.post("/iclock/push", ""))
        elif known.get("RegistryCode"):
            self.registry_code = known["RegistryCode"]
        self._adopt(known)
        options = ",".join(f"{name}={value}" for name, value in device_options(self.controller).items())
        await self._must_be_ok(await self.post("/iclock/cdata", options, "table=options"))

    def _adopt(self, known: Mapping[str, str]) -> None:
        code = self.registry_code or self.controller.config.registry_code
        secret = f"{code}{self.controller.config.serial}{known.get('SessionID', '')}".encode()
        self.talk.cookie = f"token={hashlib.md5(secret, usedforsecurity=False).hexdigest()}"
        if known.get("RequestDelay", "").isdecimal():
            self.poll_s = max(float(known["RequestDelay"]), 0.1)
        if known.get("TimeoutSec", "").isdecimal():
            self.talk.timeout_s = max(float(known["TimeoutSec"]), 1.0)

    async def upload(self, batch: list[Entry]) -> None:
        body = self.batch_lines([entry.rtlog() for entry in batch])
        await self._must_be_ok(await self.post("/iclock/cdata", body, "table=rtlog"))

    async def upload_rest(self) -> None:
        controller = self.controller
        if controller.state_due:
            controller.state_due = False
            await self._must_be_ok(await self.post("/iclock/cdata", controller.state_line(), "table=rtstate"))
        while controller.outgoing_rows:
            table, row = controller.outgoing_rows[0]
            reply = await self.post("/iclock/cdata", row, f"table=tabledata&tablename={table}&count=1")
            if reply.body.strip() != f"{table}=1":
                raise NotTaken(f"tabledata {table}: {reply.body[:40]!r}")
            controller.outgoing_rows.pop(0)

    async def send_rows(self, order: Order, outcome: Outcome) -> None:
        count = len(outcome.rows)
        query = f"type={outcome.kind}&cmdid={order.id}&tablename={outcome.table}&count={count}&packcnt=1&packidx=1"
        await self.post("/iclock/querydata", "\n".join(outcome.rows), query)

    async def ask(self, entry: Entry) -> Verdict | None:
        """Remote verification; None if the server cannot be had."""
        if not self.registered:
            return None
        try:
            reply = await self.post("/iclock/cdata", f"{entry.facts()}", "AuthType=device")
        except ServerAway:
            return None
        lines = reply.lines
        if reply.status != 200 or not lines or not lines[0].startswith("AUTH=") or lines[0] == "AUTH=TIMEOUT":
            return None
        controls = [line.split()[-1] for line in lines[1:] if line.startswith("CONTROL DEVICE ")]
        return Verdict(success=lines[0].strip() == "AUTH=SUCCESS", pin=_pin(lines[1:]), controls=tuple(controls))

    async def _must_be_ok(self, reply: Reply) -> None:
        if reply.status != 200 or reply.body.strip() != "OK":
            raise NotTaken(f"{reply.status} {reply.body[:40]!r}")


def _pin(lines: list[str]) -> str:
    for line in lines:
        if line.startswith("time="):
            try:
                return parse_row(line).get("pin", "")
            except BadRow:
                return ""
    return ""
