"""Every contract we plug into, on one page: what a device driver offers, and the family of its errors.

The direction is fixed: drivers implement these protocols and know nothing of services; services use them and know
nothing of sockets. Whose fault a failure is decides what to do next, so the errors are three and no more:

* `DeviceUnreachable`: nobody answered in time, or the line broke. Try again later.
* `DeviceRefused`: the device understood and said no. Trying again changes nothing.
* `DeviceMisbehaved`: it broke its protocol. Nothing that it said in this session may be believed.

Terminals that decide alone come first, then desk readers, then controllers that call us (PUSH), which turn it round:
there the driver is called and hands on what it understood. Longer than other modules because it stays one page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

from accessctl.domain.errors import Reason
from accessctl.domain.places import Direction
from accessctl.domain.policy import Decision, Factor


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


class PushKind(StrEnum):
    """What a controller that calls us reports, whatever number its firmware has for it."""

    GRANTED = "granted"  # it opened, and says for whom
    REFUSED = "refused"
    PENDING = "pending"  # waits for another factor or another person
    ASKED = "asked"  # it wants to know from us
    ANSWERED_YES = "answered_yes"  # it opened because we said so
    ANSWERED_NO = "answered_no"  # it did not open: we said no, or were not heard in time
    UNLOCKED = "unlocked"
    LOCKED = "locked"
    EXIT_BUTTON = "exit_button"
    DOOR_OPENED = "door_opened"
    DOOR_CLOSED = "door_closed"
    FORCED = "forced"
    HELD_OPEN = "held_open"
    TAMPER = "tamper"
    DURESS = "duress"
    FIRE = "fire"
    FIRE_ENDED = "fire_ended"
    LINE_FAULT = "line_fault"
    POWER = "power"
    LINK = "link"
    ADMIN = "admin"
    AUXILIARY = "auxiliary"
    OTHER = "other"
    UNREADABLE = "unreadable"  # a line that is none of these: kept, never lost


@dataclass(frozen=True, slots=True, kw_only=True)
class PushEvent:
    """One line of a controller's event log, or one question of it (`ASKED`).

    `door` counts from 1, 0 is the controller itself. `digest` covers what makes the event this one (time, person, card,
    door, code, direction, index) and not how a firmware writes it, so that an upload and a later query agree.
    """

    kind: PushKind
    code: int
    door: int
    pin: str  # the person's number, "" for none
    card: int  # as the reader read it, 0 for none
    at: datetime | None  # naive, the controller's clock; None where the bytes are no date
    leaving: bool | None  # None: the reader does not say
    factor: str  # "card", "finger", "face", "password", "" where nobody verified
    index: int | None  # the log's counter; None in the dialect and the questions that have none
    digest: str
    reason: Reason | None = None  # why the controller refused, where its code says so
    line: str = field(default="", repr=False)  # of a question and of what was unreadable; secrets are out already


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDoorState:
    """A controller's word on one door (`rtstate`). `open` is None without a sensor."""

    door: int
    open: bool | None
    unlocked: bool
    alarms: frozenset[PushKind]  # of FORCED, HELD_OPEN, TAMPER, DURESS


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAbilities:
    """How a controller wants its tables written, as far as it says so; None is "not said"."""

    dates_in_seconds: bool | None = None  # a user's validity to the second; otherwise in whole days
    doors_by_number: bool | None = None  # a right names one door; otherwise it is a mask of doors


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRegistration:
    """Who a controller says it is. Every text comes from it: bounded by the driver, escaped where shown."""

    name: str
    firmware: str
    doors: int
    attendance: bool  # the older dialect: it tells who came and knows no refusals
    abilities: PushAbilities = field(default_factory=PushAbilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushUser:
    """A user that a controller holds, as far as it concerns us: no name, no password, no template.

    `start` and `end` are naive local times, the first and the last second of the validity; None is no limit. Where the
    controller counts whole days they are the first second of a day and the last.
    """

    pin: str
    card: int
    start: datetime | None = None
    end: datetime | None = None
    plain: bool = True  # no privilege and no password: nothing that opens, or rules the controller, beside the card


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRight:
    """A right that a controller holds: who, in which of its time zones, at which doors.

    `doors` is as the controller has it: a mask (door 1 is 1, door 2 is 2, door 3 is 4), or a door's number.
    """

    pin: str
    zone: int
    doors: int


PushWeek = tuple[tuple[tuple[int, int], ...], ...]
"""A controller's time zone: seven days, Sunday first, up to three intervals of minutes each, the last minute in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRows:
    """One packet of a controller's answer to a question for a table: `number` of `packets`, holding `count` rows.

    The rows that are nothing to us (no person's number in it) are counted and left out.
    """

    table: str
    count: int
    number: int
    packets: int
    users: Sequence[PushUser] = ()
    rights: Sequence[PushRight] = ()
    weeks: Sequence[tuple[int, PushWeek]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What came of command `number`: `code` 0 or more is done, less is a refusal of the controller."""

    number: int
    code: int


class PushOrderKind(StrEnum):
    """What a controller can be told to do."""

    OPEN = "open"  # door, seconds 1..254
    LOCK_DOWN = "lock_down"  # door
    END_LOCK_DOWN = "end_lock_down"  # door
    CANCEL_ALARM = "cancel_alarm"  # door, 0 = all
    SET_CLOCK = "set_clock"  # at: naive, the controller's local time
    RESEND = "resend"  # index: what has a higher one
    QUERY_NEW_EVENTS = "query_new_events"
    QUERY_USERS = "query_users"
    QUERY_RIGHTS = "query_rights"
    QUERY_TIME_ZONES = "query_time_zones"
    PUT_USER = "put_user"  # pin, card, start, end, dates_in_seconds
    PUT_RIGHT = "put_right"  # pin, door (mask or number, as the controller has it), zone
    PUT_TIME_ZONE = "put_time_zone"  # zone, week
    REMOVE_RIGHT = "remove_right"  # pin: all of theirs
    REMOVE_FINGERS = "remove_fingers"  # pin
    REMOVE_USER = "remove_user"  # pin


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOrder:
    """One command. Which fields count is beside each kind; the driver refuses (`ValueError`) what does not fit."""

    kind: PushOrderKind
    door: int = 0
    seconds: int = 0
    index: int = 0
    pin: str = ""
    card: int = 0
    zone: int = 0
    at: datetime | None = None
    week: PushWeek = ()
    start: datetime | None = None  # naive local, as in `PushUser`
    end: datetime | None = None
    dates_in_seconds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PushVerdict:
    """The answer to a controller that asked. `seconds` is how long the door is to be released."""

    granted: bool
    seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PushCaller:
    """A controller that we know, calling: the id of the site's file, and the session that it was given."""

    device: str
    serial: str
    session: str
    registry_code: str = field(repr=False)
    registered: bool
    stamp: int = 0  # of the older dialect: up to where its log was acknowledged
    dates_in_seconds: bool = False


class CallRefused(Exception):
    """Whoever calls is not a controller of ours, or not from where it should call. Nothing of it is believed."""


class NotStored(Exception):
    """What a controller sent could not be made durable now: it is not acknowledged, so that it is sent again."""


class DiskFailed(NotStored):
    """The disk did not keep what was written: nothing more is stored by this process, which has to be started anew."""


class NotRecorded(NotStored):
    """Somebody at a door was decided, by every rule, and the decision could not be recorded."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        super().__init__("a decision could not be recorded")


class PushHandler(Protocol):
    """What the ingress does with what controllers send. Every method may be called from many threads, and blocks.

    What returns has been committed: only then may it be acknowledged. Raises `NotStored` where it could not be.
    """

    def identify(self, serial: str, source: str) -> PushCaller:
        """Raises `CallRefused` unless this serial number is ours and calls from the address in the site's file."""
        ...

    def refused(self, source: str, serial: str, what: str) -> None:
        """Somebody asked for what we do not give (a path, a size, an encoding): recorded, once in a while."""
        ...

    def registered(self, caller: PushCaller, registration: PushRegistration) -> None: ...
    def described(self, caller: PushCaller, abilities: PushAbilities) -> None:
        """What a controller says of itself each time that it connects."""
        ...

    def events(self, caller: PushCaller, events: Sequence[PushEvent], *, stamp: int | None = None) -> int:
        """Store a batch; how many of it were new. `stamp` is the place in the log that the older dialect names."""
        ...

    def states(self, caller: PushCaller, states: Sequence[PushDoorState], at: datetime | None) -> None: ...
    def users(self, caller: PushCaller, users: Sequence[PushUser]) -> None:
        """Users that the controller tells of unasked: somebody changed them there."""
        ...

    def answered(self, caller: PushCaller, rows: PushRows) -> None:
        """Part of what a controller holds, because we asked. Its word that this was all comes as a result."""
        ...

    def online(self, caller: PushCaller, question: PushEvent) -> PushVerdict:
        """Decide at the door, now. Leaving is granted whatever happens."""
        ...

    def next_command(self, caller: PushCaller) -> tuple[int, PushOrder] | None:
        """At most one for a poll. It was handed out when this returns, and is not handed out again."""
        ...

    def results(self, caller: PushCaller, results: Sequence[PushResult]) -> None: ...


class DoorDecider(Protocol):
    """Who decides at a door that asks: the policy alone, or with the visits and their escorts."""

    def shown(
        self, *, door: str, credential: str, direction: Direction, at: datetime, device: str, factor: Factor
    ) -> Decision:
        """Decide and record, in one transaction that is committed when this returns. Leaving is granted.

        Raises `NotRecorded` with the decision where only the commit failed.
        """
        ...
