"""A terminal's memory as JSON, for `--state` and `save`: read by people, written by scripts.

Times are the device's own, `2026-01-01T07:00:00`; templates are hexadecimal; a time zone is seven spans
`08:00-17:00`, Sunday first. Every key may be missing. The README has an example.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from accessctl_sim.zk.machine import Machine
from accessctl_sim.zk.records import Punch, Template, User
from accessctl_sim.zk.times import encode_time
from accessctl_sim.zk.zones import Group, Span

Json = Mapping[str, object]


class BadState(ValueError):
    """The state file says something that no terminal can hold."""


def save(machine: Machine) -> dict[str, object]:
    """Everything in memory."""
    store = machine.store
    return {
        "serial": machine.config.serial,
        "clock_offset_s": machine.clock.offset.total_seconds(),
        "options": dict(store.options),
        "users": [_user_out(store.users[uid]) for uid in sorted(store.users)],
        "templates": [
            {"uid": t.uid, "finger": t.finger, "flag": t.flag, "hex": t.block.hex()} for t in store.templates.values()
        ],
        "records": [
            {"uid": p.uid, "user_id": p.user_id, "at": p.at.isoformat(), "verify": p.verify, "state": p.state}
            for p in store.punches()
        ],
        "verify_styles": {str(uid): style for uid, style in store.verify_styles.items()},
        "timezones": {str(n): [_span_out(span) for span in spans] for n, spans in store.zones.spans.items()},
        "groups": {str(n): {"tz": list(group.tz), "verify": group.verify} for n, group in store.zones.groups.items()},
    }


def load(machine: Machine, state: Json) -> None:
    """Replace the memory by a saved or hand-written one. Raises `BadState`; the terminal is then not to be used."""
    store = machine.store
    try:
        store.clear_users()
        store.clear_punches()
        store.zones.reset()
        store.options.update({str(k): str(v) for k, v in _mapping(state, "options").items() if k != "~SerialNumber"})
        for row in _rows(state, "users"):
            store.put_user(_user_in(row))
        for row in _rows(state, "templates"):
            block = bytes.fromhex(str(row["hex"]))
            store.put_template(
                Template(uid=_int(row, "uid"), finger=_int(row, "finger"), flag=_int(row, "flag", 1), block=block)
            )
        store.add_punches(_punch_in(machine, row) for row in _rows(state, "records"))
        for uid, style in _mapping(state, "verify_styles").items():
            store.verify_styles[int(uid)] = int(str(style))
        for number, spans in _mapping(state, "timezones").items():
            store.zones.spans[int(number)] = parse_spans(spans)
        for number, group in _mapping(state, "groups").items():
            store.zones.set_group(_group_in(int(number), group))
        machine.jump(float(str(state.get("clock_offset_s", 0))))
    except (KeyError, TypeError, ValueError) as error:
        raise BadState(f"state file: {error!r}") from error


def parse_spans(spans: object) -> tuple[Span, ...]:
    """Seven spans `08:00-17:00`, Sunday first; `never` is a day without a minute, and one text stands for all seven."""
    texts = [spans] * 7 if isinstance(spans, str) else spans
    if not isinstance(texts, Sequence) or len(texts) != 7:
        raise BadState(f"a time zone wants seven spans, not {spans!r}")
    return tuple(_span_in(str(text)) for text in texts)


def _span_in(text: str) -> Span:
    if text == "never":
        return (23, 59, 0, 0)
    start, _, end = text.partition("-")
    first, second = datetime.strptime(start, "%H:%M"), datetime.strptime(end, "%H:%M")  # noqa: DTZ007 - times of day
    return (first.hour, first.minute, second.hour, second.minute)


def _span_out(span: Span) -> str:
    return f"{span[0]:02}:{span[1]:02}-{span[2]:02}:{span[3]:02}"


def _user_out(user: User) -> dict[str, object]:
    return {
        "uid": user.uid,
        "user_id": user.user_id,
        "name": user.name.decode("utf-8", "replace"),
        "card": user.card,
        "privilege": user.privilege,
        "password": user.password.decode("latin-1"),
        "group": user.group,
        "own_tz": user.own_tz,
        "tz": list(user.tz),
    }


def _user_in(row: Json) -> User:
    tz = row.get("tz", [0, 0, 0])
    if not isinstance(tz, list) or len(tz) != 3:
        raise BadState(f"tz of user {row.get('user_id')}: three numbers")
    return User(
        uid=_int(row, "uid"),
        user_id=str(row["user_id"]),
        name=str(row.get("name", "")).encode()[:24],
        card=_int(row, "card"),
        privilege=_int(row, "privilege"),
        password=str(row.get("password", "")).encode("latin-1")[:8],
        group=_int(row, "group", 1),
        own_tz=_int(row, "own_tz"),
        tz=(int(tz[0]), int(tz[1]), int(tz[2])),
    )


def _punch_in(machine: Machine, row: Json) -> Punch:
    user_id = str(row["user_id"])
    user = machine.store.by_id(user_id)
    return Punch(
        uid=_int(row, "uid", user.uid if user else 0),
        user_id=user_id,
        time=encode_time(datetime.fromisoformat(str(row["at"]))),
        verify=_int(row, "verify", 1),
        state=_int(row, "state"),
    )


def _group_in(number: int, row: object) -> Group:
    if not isinstance(row, Mapping):
        raise BadState(f"group {number}")
    tz = [int(n) for n in row.get("tz", [1, 0, 0])]
    return Group(number=number, tz=(tz[0], tz[1], tz[2]), verify=int(row.get("verify", 0)))


def _int(row: Json, key: str, default: int = 0) -> int:
    value = row.get(key, default)
    if not isinstance(value, int):
        raise BadState(f"{key}: {value!r} is no number")
    return int(value)


def _rows(state: Json, key: str) -> list[Json]:
    rows = state.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise BadState(f"{key}: a list of objects")
    return rows


def _mapping(state: Json, key: str) -> Mapping[str, object]:
    value = state.get(key, {})
    if not isinstance(value, Mapping):
        raise BadState(f"{key}: an object")
    return value
