"""The older attendance dialect: `ATTLOG` lines by position, `OPERLOG` lines by their first word.

`1001<tab>2026-11-23 08:00:01<tab>0<tab>1<tab>0…` is person, time, state (0 in, 1 out), how verified. Mixed firmwares
post `name=value` lines under `table=ATTLOG`: these are read as what they are. This dialect has no index: an event is
known again by person, time, state and how verified.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accessctl.ports import PushEvent, PushKind, PushUser
from accessctl_drivers.push import times
from accessctl_drivers.push.events import LONGEST_PIN, digest_of, parse_rtlog, unreadable
from accessctl_drivers.push.fields import fields_of, is_token, number_of
from accessctl_drivers.push.tables import user_rows

_FACTORS = {0: "password", 1: "finger", 2: "card", 3: "password", 4: "card", 15: "face"}
_LEAVING = {0: False, 1: True, 2: True, 3: False, 4: False, 5: True}  # 2 break out, 3 break in, 4/5 overtime in/out


def parse_attlog(lines: Sequence[str]) -> list[PushEvent]:
    """The events of a `table=ATTLOG` body, in their order."""
    found = []
    for line in lines:
        if "=" in line.partition("\t")[0]:
            found += parse_rtlog([line])
        else:
            found.append(_positional(line) or unreadable(line))
    return found


def _positional(line: str) -> PushEvent | None:
    parts = [part.strip() for part in line.split("\t", 16)]
    if len(parts) < 2 or not is_token(parts[0], longest=LONGEST_PIN):
        return None
    at = times.parse(parts[1])
    if at is None:
        return None
    state = number_of(parts[2], most=255) if len(parts) > 2 else None
    verified = number_of(parts[3], most=255) if len(parts) > 3 else None
    return PushEvent(
        kind=PushKind.GRANTED,
        code=0,
        door=1,
        pin=parts[0],
        card=0,
        at=at,
        leaving=_LEAVING.get(state) if state is not None else None,
        factor=_FACTORS.get(verified, "") if verified is not None else "",
        index=None,
        digest=digest_of("attlog", parts[0], parts[1], state, verified),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OperLog:
    """What an `OPERLOG` body says that concerns us: users, and what was done at the terminal's menu."""

    users: tuple[PushUser, ...]
    events: tuple[PushEvent, ...]


def parse_operlog(lines: Sequence[str]) -> OperLog:
    """`USER PIN=…`, `OPLOG …`; fingerprints, faces and pictures are counted by whoever acknowledges, and dropped."""
    users: list[PushUser] = []
    events: list[PushEvent] = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word.upper() == "USER":
            users += user_rows([fields_of(rest)])
        elif word.upper() == "OPLOG":
            events.append(_operation(line))
    return OperLog(users=tuple(users), events=tuple(events))


def _operation(line: str) -> PushEvent:
    parts = line.replace("\t", " ").split(" ")
    code = number_of(parts[1], most=255) if len(parts) > 1 else None
    plain = unreadable(line)
    return PushEvent(
        kind=PushKind.ADMIN,
        code=code if code is not None else -1,
        door=0,
        pin="",
        card=0,
        at=next((at for at in map(times.parse, line.split("\t")) if at is not None), None),
        leaving=None,
        factor="",
        index=None,
        digest=plain.digest,
        line=plain.line,
    )
