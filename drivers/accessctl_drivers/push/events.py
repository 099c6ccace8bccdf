"""Events and questions of a controller: `rtlog` lines, rows of a `transaction` query, remote identification.

An event is known again by its seven marks (time, person, card, door, code, direction, index): firmwares upload and
answer queries in different words, and one event must not count as two. A line that is no event is kept as
`UNREADABLE`: one bad line fails no batch, and nothing of what a device was told "received" is lost.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from accessctl.ports import PushEvent, PushKind
from accessctl_drivers.push import times
from accessctl_drivers.push.codes import REASONS, STATUS, factor_of, kind_of
from accessctl_drivers.push.fields import fields_of, is_token, number_of, rows_of
from accessctl_drivers.push.redaction import without_secrets

LONGEST_PIN = 24
LONGEST_KEPT = 300  # characters of an unreadable line
MOST_DOORS = 64
LARGEST_CARD = (1 << 64) - 1
_IN, _OUT = (0,), (1, 3)  # the C3 library has 3 for the way out


def parse_rtlog(lines: Sequence[str]) -> list[PushEvent]:
    """The events of a `table=rtlog` body, in their order. Lines that only say how the doors stand are left out."""
    found = []
    for line in lines:
        fields = fields_of(line)
        if number_of(fields.get("event")) == STATUS:
            continue
        found.append(_event(fields) or unreadable(line))
    return found


def parse_question(line: str) -> PushEvent | None:
    """The line of a controller that asks (`AuthType=device`), or None where it is none."""
    fields = fields_of(line)
    if "event" not in fields:
        fields["event"] = str(223)
    found = _event(fields, line=line)
    if found is None or found.door == 0:
        return None
    return found


def parse_transactions(lines: Sequence[str]) -> list[PushEvent]:
    """The rows of a `DATA QUERY tablename=transaction` answer, as the events that they are."""
    found = []
    for line, row in zip(lines, rows_of(list(lines)), strict=True):
        packed = number_of(row.get("time_second"))
        at = times.decode(packed) if packed is not None else None
        fields = {
            "time": at.isoformat(" ") if at is not None else "",
            "pin": row.get("pin", ""),
            "cardno": row.get("cardno", ""),
            "eventaddr": row.get("doorid", ""),
            "event": row.get("eventtype", ""),
            "inoutstatus": row.get("inoutstate", ""),
            "verifytype": row.get("verified", ""),
            "index": row.get("index", ""),
        }
        found.append(_event(fields) or unreadable(line))
    return found


def unreadable(line: str) -> PushEvent:
    """A line that is no event, kept as far as it may be."""
    return PushEvent(
        kind=PushKind.UNREADABLE,
        code=-1,
        door=0,
        pin="",
        card=0,
        at=None,
        leaving=None,
        factor="",
        index=None,
        digest=hashlib.sha256(line.encode("utf-8", "replace")).hexdigest()[:24],
        line=without_secrets(line)[:LONGEST_KEPT],
    )


def digest_of(*marks: object) -> str:
    """What makes an event this one, in 24 hex digits."""
    return hashlib.sha256("\t".join(map(str, marks)).encode("utf-8", "replace")).hexdigest()[:24]


def _event(fields: Mapping[str, str], *, line: str = "") -> PushEvent | None:
    code = number_of(fields.get("event"), most=65535)
    door = number_of(fields.get("eventaddr") or "0", most=MOST_DOORS)
    card = number_of(fields.get("cardno") or "0", most=LARGEST_CARD)
    if code is None or door is None or card is None or ("time" not in fields and "pin" not in fields):
        return None
    pin = fields.get("pin", "")
    if pin == "0":
        pin = ""
    if pin and not is_token(pin, longest=LONGEST_PIN):
        return None
    at: datetime | None = times.parse(fields.get("time", ""))
    index = number_of(fields.get("index"))
    direction = number_of(fields.get("inoutstatus"), most=255)
    return PushEvent(
        kind=kind_of(code),
        code=code,
        door=door,
        pin=pin,
        card=card,
        at=at,
        leaving=True if direction in _OUT else False if direction in _IN else None,
        factor=factor_of(number_of(fields.get("verifytype"), most=255)),
        index=index,
        digest=digest_of(fields.get("time", ""), pin, card, door, code, direction, index),
        reason=REASONS.get(code),
        line=line,
    )
