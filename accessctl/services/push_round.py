"""Where one controller stands between two polls: what it holds, what it is being told, what it has answered.

Memory of `push_keeper`, and the steps of it that ask nobody. `held` follows the answers, command by command.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accessctl.domain.places import Device
from accessctl.ports import PushOrder, PushOrderKind, PushRight, PushRows, PushUser, PushWeek
from accessctl.services.push_contents import Contents
from accessctl.services.push_desired import Wanted

TABLES = {
    PushOrderKind.QUERY_USERS: "user",
    PushOrderKind.QUERY_RIGHTS: "userauthorize",
    PushOrderKind.QUERY_TIME_ZONES: "timezone",
}
KINDS = frozenset(
    {
        *TABLES,
        PushOrderKind.PUT_USER,
        PushOrderKind.PUT_RIGHT,
        PushOrderKind.PUT_TIME_ZONE,
        PushOrderKind.REMOVE_RIGHT,
        PushOrderKind.REMOVE_FINGERS,
        PushOrderKind.REMOVE_USER,
    }
)
NO_SUCH_TABLE = frozenset({-100, -629, -708, -1, -1004})  # of a controller without fingers, which holds none


@dataclass(slots=True)
class Round:
    """Where one controller stands. `held` is what it holds as far as its answers say; None: it was never read."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    device: Device | None = None  # as it stood in the site's file when `staff` was read
    staff: Wanted | None = None
    visitors: Wanted = field(default_factory=Wanted)
    wanted: Wanted = field(default_factory=Wanted)
    held: Contents | None = None
    to_read: deque[PushOrderKind] = field(default_factory=deque)
    rows: list[PushRows] = field(default_factory=list)
    read: Contents = field(default_factory=Contents)
    steps: deque[PushOrder] = field(default_factory=deque)
    wrote: list[PushOrder] = field(default_factory=list)  # since it was last read
    given: PushOrder | None = None
    given_at: datetime | None = None
    tries: int = 0  # of the order that was given
    why: str = ""
    failures: int = 0  # rounds in a row that left a difference
    again_at: datetime | None = None
    must_read: bool = True
    read_at: datetime | None = None
    called_at: datetime | None = None
    answered: datetime | None = None  # the request that the present round answers
    asked: list[str] = field(default_factory=list)  # commands that wait for the round's end


def carried_out(round_: Round, order: PushOrder, code: int) -> None:
    """The next one; one that was refused is left for the next round, and the others go on."""
    if round_.steps and round_.steps[0] == order:
        round_.steps.popleft()
    round_.wrote.append(order)
    round_.must_read = True
    if code >= 0 or (order.kind is PushOrderKind.REMOVE_FINGERS and code in NO_SUCH_TABLE):
        round_.held = round_.held.after(order) if round_.held is not None else None
    else:
        round_.why = f"{order.kind.value} {order.pin or order.zone}: returned {code}"


def is_whole(packets: Sequence[PushRows], code: int) -> bool:
    """Whether all rows came: as many as the result says, or every packet of them."""
    if sum(one.count for one in packets) == code:
        return True
    return bool(packets) and {one.number for one in packets} == set(range(1, packets[0].packets + 1))


def with_rows(read: Contents, packets: Sequence[PushRows]) -> Contents:
    users: dict[str, PushUser] = {}
    weeks: dict[int, PushWeek] = {}
    rights: set[PushRight] = set()
    for packet in packets:
        users |= {one.pin: one for one in packet.users}
        weeks |= dict(packet.weeks)
        rights |= set(packet.rights)
    return Contents(users={**read.users, **users}, rights=read.rights | rights, weeks={**read.weeks, **weeks})
