"""Every contract we plug into, on one page: what a device driver offers, and the family of its errors.

The direction is fixed: drivers implement these protocols and know nothing of services; services use them and know
nothing of sockets. Whose fault a failure is decides what to do next, so the errors are three and no more:

* `DeviceUnreachable`: nobody answered in time, or the line broke. Try again later.
* `DeviceRefused`: the device understood and said no. Trying again changes nothing.
* `DeviceMisbehaved`: it broke its protocol. Nothing that it said in this session may be believed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self


class DeviceError(Exception):
    """A device did not do what was asked; see the three subclasses for whose fault it is."""


class DeviceUnreachable(DeviceError):
    """Nobody answered within the deadline, or the connection broke: try again."""


class DeviceRefused(DeviceError):
    """The device understood and refused (wrong comm key, memory full, unknown slot): do not repeat."""


class DeviceMisbehaved(DeviceError):
    """The device broke its protocol (checksum, length, order): the session is thrown away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalInfo:
    """Who the terminal says it is. All strings come from the device: bounded by the driver, escaped where shown."""

    serial: str
    firmware: str
    platform: str
    name: str
    user_record: int  # bytes of a user record: 28 or 72
    name_bytes: int  # bytes a name may take, its NUL not counted: 7 or 23


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSizes:
    """Counters and capacities of the terminal's memory."""

    users: int
    templates: int
    records: int
    user_capacity: int
    template_capacity: int
    record_capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalUser:
    """One user slot of a terminal that decides alone. `uid` is the slot and is reused: never a person's key."""

    uid: int  # 1..65535
    user_id: str  # the person's number, 1..9 digits
    name: str  # at most TerminalInfo.name_bytes bytes in UTF-8
    card: int = 0  # 32-bit number, 0 = none
    privilege: int = 0  # 0 user, 2 enroller, 6 manager, 14 super administrator
    disabled: bool = False  # bit 0 of the privilege byte on the wire
    group: int = 1
    time_zones: tuple[int, ...] = ()  # up to three indexes of the terminal's time zones; empty = the group's


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalTemplate:
    """A finger template as the terminal holds it: opaque bytes, never shown, never logged."""

    user_id: str
    finger: int  # 0..9
    flag: int = 1  # 1 valid, 3 duress
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeZoneWeek:
    """One time zone of a terminal: for each day, Sunday first, one interval (start, end) in minutes of the day.

    `(0, 0)` on a day means closed. A terminal takes one interval a day per time zone and up to three zones a user.
    """

    index: int  # 1..50
    days: tuple[tuple[int, int], ...]  # seven of them


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One record of a terminal's event log, in the order in which the log holds it (0 = oldest)."""

    sequence: int
    user_id: str
    at: datetime | None  # naive, the terminal's own clock; None where the bytes are no date
    verify: int  # 0 password, 1 finger, 2 card, 15 face
    state: int  # 0 in, 1 out, others as the terminal's function keys say
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMark:
    """How far the log was read and what it looked like there, so that the next read takes only what is new.

    `digest` covers the last `window` records before `count`. Where a later log does not show the same bytes at the
    same place, the log was cleared, wrapped or replaced: a new epoch begins and the gap is reported, never silent.
    """

    epoch: int
    count: int
    window: int
    digest: bytes
    record_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPart:
    """What a read of the log brought: records not seen before, and the mark to continue from.

    `epoch_changed` says that the mark no longer fitted; then `records` holds the whole new log.
    """

    records: Sequence[LogRecord]
    mark: LogMark
    epoch_changed: bool


class LiveKind(StrEnum):
    """What a terminal reports while we listen. Live events are a hint: the log is the truth."""

    GRANTED = "granted"  # the terminal opened: its log has it too
    REFUSED = "refused"  # somebody was verified and not admitted, or nobody was recognised; the log has nothing of it
    UNLOCKED = "unlocked"
    EXIT_BUTTON = "exit_button"
    DOOR_OPENED = "door_opened"
    DOOR_CLOSED = "door_closed"
    TAMPER = "tamper"
    FORCED = "forced"
    DURESS = "duress"
    PASSBACK = "passback"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """One real-time event. `uid` is set where the terminal names a slot only, `user_id` where it names the person."""

    kind: LiveKind
    user_id: str | None = None
    uid: int | None = None
    at: datetime | None = None  # naive, the terminal's clock
    verify: int | None = None
    raw: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """The outcome of an enrolment at a terminal: the template that it made of the finger."""

    template: TerminalTemplate
    samples: int


class EnrolmentFailed(DeviceRefused):
    """The finger was not enrolled; `reason` is one of `quality`, `duplicate`, `timeout`, `cancelled`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Terminal(Protocol):
    """One session with a terminal that decides alone (ZKTeco over TCP 4370). Not thread-safe: one owner.

    Every method raises `DeviceError` and nothing else for what the device does, within the deadline given to the
    driver. Opening is `TerminalDriver.connect`; leaving the context closes the session and the child process.
    """

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def close(self) -> None: ...
    def info(self) -> TerminalInfo: ...
    def fit_name(self, name: str) -> str:
        """The name as this terminal can hold it: whole characters only, within its bytes, none that it must not get."""
        ...

    def sizes(self) -> TerminalSizes: ...
    def clock(self) -> datetime: ...
    def set_clock(self, at: datetime) -> None: ...
    def users(self) -> Sequence[TerminalUser]: ...
    def templates(self) -> Sequence[TerminalTemplate]: ...
    def put_users(self, users: Sequence[TerminalUser], templates: Sequence[TerminalTemplate] = ()) -> None: ...
    def remove_users(self, uids: Sequence[int]) -> None: ...
    def remove_templates(self, uid: int, fingers: Sequence[int]) -> None: ...
    def time_zone(self, index: int) -> TimeZoneWeek: ...
    def put_time_zone(self, week: TimeZoneWeek) -> None: ...
    def read_log(self, mark: LogMark | None) -> LogPart: ...
    def enrol(self, user: TerminalUser, finger: int, *, seconds: float) -> Enrolment: ...
    def listen(self, *, seconds: float) -> Sequence[LiveEvent]: ...
    def unlock(self, *, seconds: int) -> None: ...
    def door_open(self) -> bool: ...


class TerminalDriver(Protocol):
    """Opens sessions with one terminal; made by the composition root from the site's file."""

    def connect(self) -> Terminal: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPresented:
    """A card was held to a desk reader: five bytes for EM4100 (version byte and number), in the order of the air."""

    technology: str  # "em4100"
    raw: bytes


class DeskReader(Protocol):
    """A desk reader on a serial line: runs until stopped, reconnects by itself, reports each presence once."""

    def run(
        self,
        on_card: Callable[[CardPresented], None],
        on_state: Callable[[bool, str], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Blocks. `on_state(online, why)` is called on each change of state, not on each failed try."""
        ...
