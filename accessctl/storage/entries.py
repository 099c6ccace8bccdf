"""What enters the record: one entry in canonical bytes, and beside it the row of its projection.

Both are made here from the same fields, so that what is searched is what was recorded: the keys are those of the export
format (interfaces) and `actor`, `case`, `data`, `v`; an empty field is left out. Instants are cut to the millisecond in
both. A name enters as a commitment (`{"c": hex}`), never as text; so does every `personal` detail, inside `data`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from accessctl.record.canonical import Json, NotCanonical, clean, encode
from accessctl.record.columns import ENTRY_VERSION
from accessctl.services.store import DeviceEvent

Data = Mapping[str, str | int | bool | None]


class Fields(NamedTuple):  # a tuple, because one is made for every event of every device
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


_TEXTS: tuple[str, ...] = (
    *("device", "door", "zone", "direction", "reason", "norm"),
    *("credential", "visit", "device_time", "actor", "case"),
)
_texts = attrgetter(*_TEXTS)
ROW = ("identity", "event", "skew_s", "name", "person", *_TEXTS)  # the columns of `event`, after index and instants


class Written(NamedTuple):
    """An entry as it is stored: its canonical bytes, and its row of `event` (`values` in the order `ROW`)."""

    data: bytes
    at: datetime
    received_at: datetime
    values: tuple[str | int | None, ...]


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
    there = at if at.tzinfo is UTC else at.astimezone(UTC)
    return there.replace(microsecond=there.microsecond // 1000 * 1000) if there.microsecond % 1000 else there


def plain_text(text: str) -> str:
    """Text as both the record and PostgreSQL take it: normal form C, without lone surrogates and NUL."""
    if type(text) is str and text.isascii() and "\x00" not in text:
        return text
    return clean(str(text)).replace("\x00", "\ufffd")


def written(fields: Fields, name: str | None, marks: Mapping[str, str] | None = None) -> Written:
    """The entry of these fields. `ValueError` for what cannot be written.

    `name` is the commitment (hex) to the person's name, `marks` those to the personal details by their key.
    """
    try:
        made = _written(fields, name, marks or {})
    except NotCanonical:  # a lone surrogate, or a value of a kind of its own
        return _written(_plain_fields(fields), name, marks or {})
    # Nearly all there is is ASCII: one look at the bytes says that no text of it had to be cleaned.
    if made.data.isascii() and b"\\u0000" not in made.data:
        return made
    return _written(_plain_fields(fields), name, marks or {})


def _plain_fields(fields: Fields) -> Fields:
    texts = {key: plain_text(getattr(fields, key)) for key in ("event", "person", *_TEXTS)}
    data = {plain_text(key): _plain(value) for key, value in (fields.data or {}).items()}
    return Fields(**{**fields._asdict(), **texts, "data": data})


def _plain(value: str | int | bool | None) -> str | int | bool | None:
    if isinstance(value, str):
        return plain_text(value)
    return value if value is None or isinstance(value, bool) else int(value)


def _written(fields: Fields, name: str | None, marks: Mapping[str, str]) -> Written:
    at, said_at = _instant(fields.at)
    received_at, said_received_at = _instant_again(fields.received_at)
    entry: dict[str, Json] = {
        "v": ENTRY_VERSION,
        "event": fields.event,
        "at": said_at,
        "received_at": said_received_at,
    }
    texts = _texts(fields)
    entry |= {key: text for key, text in zip(_TEXTS, texts, strict=True) if text}
    if fields.person:
        entry["person_id"] = fields.person
    if name is not None:
        entry["person"] = {"c": name}
    if fields.skew_s is not None:
        entry["skew_s"] = fields.skew_s
    if fields.data or marks:
        data: dict[str, Json] = dict(fields.data or {})
        if shared := data.keys() & marks.keys():
            raise ValueError(f"personal details and data share keys: {sorted(shared)}")
        for key, mark in marks.items():
            data[key] = {"c": mark}
        entry["data"] = data
    empty_is_null = [text or None for text in texts]
    values = (fields.identity, fields.event, fields.skew_s, name, fields.person or None, *empty_is_null)
    return Written(encode(entry), at, received_at, values)


def _instant(at: datetime) -> tuple[datetime, str]:
    there = cut(at)
    return there, there.isoformat(timespec="milliseconds")


_instant_again = lru_cache(maxsize=16)(_instant)  # a whole upload was received at one moment
