"""The older attendance dialect (`DeviceType=att`): options on the first GET, positional lines, acked by `OK: n`."""

from __future__ import annotations

from accessctl_sim.push.commands import Order, Outcome
from accessctl_sim.push.conversation import Conversation, NotTaken
from accessctl_sim.push.http import Reply
from accessctl_sim.push.log import Entry
from accessctl_sim.push.machine import GRANTS

PUSH_VERSION = "2.4.1"


class AttendancePush(Conversation):
    """A terminal that only tells who came: refusals and alarms have no place in this dialect."""

    async def register(self) -> None:
        reply = await self.get("/iclock/cdata", f"options=all&pushver={PUSH_VERSION}&language=83")
        if reply.status != 200 or not reply.body.startswith("GET OPTION FROM"):
            raise NotTaken(f"{reply.status} {reply.body[:40]!r}")
        known = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in reply.lines)}
        if known.get("Delay", "").isdecimal():
            self.poll_s = max(float(known["Delay"]), 0.1)
        stamp = known.get("ATTLOGStamp", known.get("Stamp", ""))
        if stamp in {"None", "0"}:
            self.controller.log.rewind(0)

    async def upload(self, batch: list[Entry]) -> None:
        lines = [entry.attlog() for entry in batch if entry.event in GRANTS]
        if lines:
            body = self.batch_lines(lines) + "\n"
            self._must_count(
                await self.post("/iclock/cdata", body, f"table=ATTLOG&Stamp={batch[-1].index}"), len(lines)
            )

    async def upload_rest(self) -> None:
        controller = self.controller
        while controller.outgoing_rows:
            row = controller.outgoing_rows[0][1].replace("user uid=", "USER UID=", 1)
            self._must_count(await self.post("/iclock/cdata", row + "\n", "table=OPERLOG&Stamp=9999"), 1)
            controller.outgoing_rows.pop(0)

    async def send_rows(self, order: Order, outcome: Outcome) -> None:
        """This dialect answers a query by uploading the table again."""
        await self.post("/iclock/querydata", "\n".join(outcome.rows), f"type={outcome.kind}&cmdid={order.id}")

    def _must_count(self, reply: Reply, lines: int) -> None:
        """A bare OK is not enough: the device sends the same batch for ever, as devices in the field do."""
        name, colon, count = reply.body.strip().partition(":")
        if reply.status != 200 or name != "OK" or not colon or not count.strip().isdecimal() or int(count) < lines:
            raise NotTaken(f"{reply.status} {reply.body[:40]!r}")
