"""What enters the record: one entry as a canonical object, and beside it the row of its projection.

Both are made here from the same fields, so that what is searched is what was recorded: the keys are those of the export
format (interfaces) and `actor`, `case`, `data`, `v`; an empty field is left out. Instants are cut to the millisecond in
both. A name enters as a commitment (`{"c": hex}`), never as text; so does every `personal` detail, inside `data`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accessctl.record.canonical import Json, clean
from accessctl.record.columns import ENTRY_VERSION
from accessctl.services.store import DeviceEvent

Data = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Everything that one entry says, before the name of its person is committed to."""

    event: str
    at: datetime
    received_at: datetime
    device: str = ""
    door: str = ""
    zone: str = ""
    direction: str = ""
    reason: str = ""
    norm: str = ""
    person: str = ""
    credential: str = ""
    visit: str = ""
    device_time: str = ""
    skew_s: int | None = None
    actor: str = ""
    case: str = ""
    data: Data | None = None
    personal: Mapping[str, str] | None = None
    identity: str | None = None


_TEXTS = (
    "device",
    "door",
    "zone",
    "direction",
    "reason",
    "norm",
    "credential",
    "visit",
    "device_time",
    "actor",
    "case",
)


def of_device(event: DeviceEvent) -> Fields:
    """The fields of an event that a device reported."""
    return Fields(
        event=event.fact.value,
        at=event.at,
        received_at=event.received_at,
        device=event.device,
        door=event.door,
        zone=event.zone,
        direction=event.direction,
        reason=event.reason,
        norm=event.norm,
        person=event.person,
        credential=event.credential,
        visit=event.visit,
        device_time=event.device_time,
        skew_s=event.skew_s,
        data=event.data,
        identity=event.identity,
    )


def cut(at: datetime) -> datetime:
    """The instant in UTC, to the millisecond. Raises `ValueError` for a naive datetime."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime is no instant: it needs its offset")
    there = at.astimezone(UTC)
    return there.replace(microsecond=there.microsecond // 1000 * 1000)


def plain_text(text: str) -> str:
    """Text as both the record and PostgreSQL take it: normal form C, without lone surrogates and NUL."""
    if type(text) is str and text.isascii() and "\x00" not in text:  # nearly all there is, and this is per field
        return text
    return clean(str(text)).replace("\x00", "\ufffd")


def _plain(value: str | int | bool | None) -> Json:
    if isinstance(value, str):
        return plain_text(value)
    return value if value is None or isinstance(value, bool) else int(value)


def entry_and_row(
    fields: Fields, name: str | None, marks: Mapping[str, str] | None = None
) -> tuple[dict[str, Json], dict[str, Any]]:
    """The entry, and the row of `event` without its index.

    `name` is the commitment (hex) to the person's name, `marks` those to the personal details by their key.
    """
    at, received_at = cut(fields.at), cut(fields.received_at)
    event = plain_text(fields.event)
    entry: dict[str, Json] = {
        "v": ENTRY_VERSION,
        "event": event,
        "at": at.isoformat(timespec="milliseconds"),
        "received_at": received_at.isoformat(timespec="milliseconds"),
    }
    row: dict[str, Any] = {
        "identity": fields.identity,
        "event": event,
        "at": at,
        "received_at": received_at,
        "person": None,
        "name": name,
        "skew_s": fields.skew_s,
    }
    for key in _TEXTS:
        text: str = getattr(fields, key)
        row[key] = None
        if text:
            row[key] = entry[key] = plain_text(text)
    if fields.person:
        row["person"] = entry["person_id"] = plain_text(fields.person)
    if name is not None:
        entry["person"] = {"c": name}
    if fields.skew_s is not None:
        entry["skew_s"] = fields.skew_s
    data: dict[str, Json] = {plain_text(key): _plain(value) for key, value in (fields.data or {}).items()}
    if marks:
        if shared := data.keys() & marks.keys():
            raise ValueError(f"personal details and data share keys: {sorted(shared)}")
        data.update({key: {"c": mark} for key, mark in marks.items()})
    if data:
        entry["data"] = data
    return entry, row
