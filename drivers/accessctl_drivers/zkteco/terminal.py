"""A ZKTeco terminal as `ports.Terminal`: asks the child, judges what it brings, refuses to send what does not fit.

The child hands over buffers as the terminal sent them; here, in the service's process, they become values, and here
lengths, counts, ids and duplicates are checked. What cannot be is `DeviceMisbehaved`, and the session ends with it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, ParamSpec, Self, TypeVar

from accessctl.ports import (
    DeviceMisbehaved,
    DeviceRefused,
    Enrolment,
    LiveEvent,
    LogMark,
    LogPart,
    TerminalInfo,
    TerminalSizes,
    TerminalTemplate,
    TerminalUser,
    TimeZoneWeek,
)
from accessctl_drivers.links import NetworkAddress, parse_address
from accessctl_drivers.zkteco import dates, reconcile, users, zones
from accessctl_drivers.zkteco.attlog import AttendanceLog, log_record_size
from accessctl_drivers.zkteco.channel import EVENT
from accessctl_drivers.zkteco.datasets import TOTAL, strip_total
from accessctl_drivers.zkteco.frames import Command
from accessctl_drivers.zkteco.live import LiveFeed, decode_event
from accessctl_drivers.zkteco.memory import decode_sizes
from accessctl_drivers.zkteco.names import fit_name
from accessctl_drivers.zkteco.process import Child
from accessctl_drivers.zkteco.templates import decode_templates, template_from_single_read
from accessctl_drivers.zkteco.uploads import uploads

MAX_TEXT = 64
P = ParamSpec("P")
T = TypeVar("T")
MAX_LISTEN_SECONDS = 600.0
_USERS, _TEMPLATES, _LOG = (Command.USERTEMP_RRQ, 5), (Command.DB_RRQ, 2), (Command.ATTLOG_RRQ, 0)


def _text(answer: bytes) -> str:
    """The value of an answer `key=value` or `value`: printable, bounded, never trusted further than that."""
    value = answer.partition(b"\0")[0]
    text = value.partition(b"=")[2] if b"=" in value else value
    return "".join(c for c in text.decode("utf-8", "replace") if c.isprintable())[:MAX_TEXT].strip()


class ZkTerminal:
    """One session; see `ports.Terminal`. Made by `ZkTerminalDriver.connect`, which has connected it."""

    def __init__(self, child: Child, driver: "ZkTerminalDriver") -> None:
        self._child = child
        self._driver = driver
        self._record = driver.user_record
        self._feed = LiveFeed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def child_pid(self) -> int:
        """The process that holds the line, for whoever watches it."""
        return self._child.pid

    def close(self) -> None:
        """Ends the session and its process; a second time does nothing."""
        self._child.close(self._driver.deadline)

    def _ask(self, verb: str, blob: bytes = b"", *, bulk: bool = False, **head: object) -> tuple[dict[str, Any], bytes]:
        driver = self._driver
        within = driver.bulk_deadline if bulk else driver.deadline
        return self._child.ask({"verb": verb, **head}, blob, within=within, silence=driver.deadline)

    def _command(self, command: int, data: bytes = b"") -> bytes:
        return self._ask("ask", data, command=int(command))[1]

    def _judged(self, error: DeviceMisbehaved) -> DeviceMisbehaved:
        """The session is over with what cannot be believed."""
        self._child.close(0.0)
        return error

    def info(self) -> TerminalInfo:
        """Who it says it is, and which records it keeps."""
        head, blob = self._ask("info")
        texts, at = [], 0
        for length in head["lengths"]:
            texts.append(_text(blob[at : at + length]))
            at += length
        serial, platform, name, firmware = texts
        if not serial:
            raise DeviceRefused("the terminal does not tell its serial number")
        record = self._user_record()
        return TerminalInfo(
            serial=serial,
            firmware=firmware,
            platform=platform,
            name=name,
            user_record=record,
            name_bytes=users.NAME_BYTES[record],
        )

    def fit_name(self, name: str) -> str:
        """The longest readable beginning of `name` that a user record of this terminal holds."""
        return fit_name(name, users.NAME_BYTES[self._user_record()])

    def _user_record(self) -> int:
        """28 or 72: as the site's file says, as its memory shows, or, if that is empty, as the transport suggests."""
        if self._record is None:
            counted = self.sizes().users
            size = self._ask("dataset_size", command=int(_USERS[0]), function=_USERS[1])[0]["size"] if counted else 0
            if size <= TOTAL.size:
                return users.LARGE if self._driver.address.transport == "tcp" else users.SMALL
            self._record = self._believe(users.record_size, size - TOTAL.size, counted)
        return self._record

    def _believe(self, judge: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Runs a codec over what the terminal sent; what it does not believe ends the session."""
        try:
            return judge(*arguments, **named)
        except DeviceMisbehaved as error:
            raise self._judged(error) from None

    def sizes(self) -> TerminalSizes:
        """Counters and capacities."""
        return self._believe(decode_sizes, self._command(Command.GET_FREE_SIZES))

    def clock(self) -> datetime:
        """Its clock, naive local time."""
        return self._believe(dates.unpack_time, self._command(Command.GET_TIME))

    def set_clock(self, at: datetime) -> None:
        """Sets its clock (naive local time); ValueError for another kind of time."""
        self._command(Command.SET_TIME, dates.pack_time(at))
        self._command(Command.REFRESHDATA)

    def users(self) -> Sequence[TerminalUser]:
        """All users, in the terminal's order."""
        counted = self.sizes().users
        if counted == 0:
            return ()
        _, dataset = self._dataset(_USERS)
        if len(dataset) <= TOTAL.size:
            return ()
        self._record = self._believe(users.record_size, len(dataset) - TOTAL.size, counted)
        return self._believe(users.decode_users, dataset, self._record, self._driver.encoding)

    def templates(self) -> Sequence[TerminalTemplate]:
        """All finger templates, with the person that each belongs to."""
        if self.sizes().templates == 0:
            return ()
        ids = {user.uid: user.user_id for user in self.users()}
        return self._believe(decode_templates, self._dataset(_TEMPLATES)[1], ids)

    def _dataset(self, what: tuple[int, int], tail_from: int | None = None) -> tuple[dict[str, Any], bytes]:
        return self._ask("dataset", bulk=True, command=int(what[0]), function=what[1], tail_from=tail_from)

    def put_users(self, users: Sequence[TerminalUser], templates: Sequence[TerminalTemplate] = ()) -> None:
        """Creates or overwrites users and their fingers, in buffers of at most `uploads.UPLOAD_BYTES`.

        ValueError, before anything goes out, where one of them does not fit. A finger needs its user in the same call.
        """
        record = self._user_record()
        buffers, special = uploads(users, templates, record, self._driver.encoding)
        out_of_use = int(self._driver.bulk_deadline) + 1
        for buffer in buffers:
            self._ask("upload_users", buffer, bulk=True, out_of_use=out_of_use)
        for place, data in special:
            self._ask("upload_template", data, bulk=True, place=list(place), out_of_use=out_of_use)
        if self._record is None and users:
            self._user_record()
            if self._record not in {None, record}:
                raise DeviceRefused(
                    f"the terminal keeps users in {self._record} bytes: set user_record in the site's file"
                )

    def remove_users(self, uids: Sequence[int]) -> None:
        """Deletes these slots with their fingers; a slot is not a person: read the users before."""
        if not all(1 <= uid <= users.MAX_UID for uid in uids):
            raise ValueError("a slot is 1 to 65535")
        if uids:
            self._ask("remove_users", bulk=True, uids=list(uids))

    def remove_templates(self, uid: int, fingers: Sequence[int]) -> None:
        """Deletes these fingers of one slot."""
        if not (1 <= uid <= users.MAX_UID and all(0 <= finger <= 9 for finger in fingers)):
            raise ValueError("a slot is 1 to 65535, a finger 0 to 9")
        if fingers:
            self._ask("remove_templates", uid=uid, fingers=list(fingers))

    def time_zone(self, index: int) -> TimeZoneWeek:
        """One time zone of the terminal."""
        return self._believe(zones.decode_zone, self._command(Command.TZ_RRQ, zones.ask_zone(index)), index)

    def put_time_zone(self, week: TimeZoneWeek) -> None:
        """Writes one time zone; the last minute of a day is 1439."""
        self._command(Command.TZ_WRQ, zones.encode_zone(week))
        self._command(Command.REFRESHDATA)

    def read_log(self, mark: LogMark | None) -> LogPart:
        """The records since `mark`, or the whole log where there is none or it no longer fits (see `reconcile`)."""
        counted = self.sizes().records
        if mark is not None:
            tail = self._tail(mark, counted)
            if tail is not None and reconcile.continues(mark, tail):
                return self._part(
                    reconcile.new_records(mark, tail), reconcile.mark_after(tail, mark.epoch), changed=False
                )
        whole = self._whole_log(counted)
        moved = reconcile.moved_to(mark, whole) if mark is not None else None
        if mark is not None and moved is not None:
            new = reconcile.records_from(whole, moved)
            return self._part(new, reconcile.mark_after(whole, mark.epoch + 1), changed=False)
        epoch = 0 if mark is None else mark.epoch + 1
        return self._part(whole, reconcile.mark_after(whole, epoch), changed=mark is not None)

    def _part(self, tail: reconcile.Tail, mark: LogMark, *, changed: bool) -> LogPart:
        ids = {user.uid: user.user_id for user in self.users()} if tail.record_size == 8 and tail.records else {}
        records = AttendanceLog(tail.records, tail.record_size, first=tail.first, user_ids=ids) if tail.records else ()
        return LogPart(records=records, mark=mark, epoch_changed=changed)

    def _tail(self, mark: LogMark, counted: int) -> reconcile.Tail | None:
        """The log from the mark's window on, without reading what is before; None where it is shorter than that."""
        if counted == 0 and mark.count == 0:
            return reconcile.Tail(count=0, first=0, records=memoryview(b""), record_size=mark.record_size)
        if counted < mark.count or mark.count == 0:
            return None if mark.count else self._whole_log(counted)
        size = mark.record_size
        head, dataset = self._dataset(_LOG, TOTAL.size + reconcile.tail_start(mark) * size)
        if head["start"] == 0:
            return self._as_log(dataset, counted)
        records = memoryview(dataset)[TOTAL.size :]
        total = head["size"] - TOTAL.size
        if TOTAL.unpack_from(dataset)[0] != total:
            raise self._judged(DeviceMisbehaved(f"log says {TOTAL.unpack_from(dataset)[0]} bytes and has {total}"))
        if total % size:
            return None
        return reconcile.Tail(count=total // size, first=reconcile.tail_start(mark), records=records, record_size=size)

    def _whole_log(self, counted: int) -> reconcile.Tail:
        dataset = self._dataset(_LOG)[1] if counted else b""
        return self._as_log(dataset, counted)

    def _as_log(self, dataset: bytes, counted: int) -> reconcile.Tail:
        records = self._believe(strip_total, dataset)
        size = self._believe(log_record_size, len(records), counted) if records else 40
        return reconcile.Tail(count=len(records) // size, first=0, records=records, record_size=size)

    def enrol(self, user: TerminalUser, finger: int, *, seconds: float) -> Enrolment:
        """Writes the user to its slot and has the finger enrolled at the terminal within `seconds`."""
        if not 0 <= finger <= 9 or not 0 < seconds <= MAX_LISTEN_SECONDS:
            raise ValueError("a finger is 0 to 9, and it takes seconds, not hours")
        record = users.encode_user(user, self._user_record(), self._driver.encoding)
        head, body = self._child.ask(
            {"verb": "enrol", "uid": user.uid, "user_id": user.user_id, "finger": finger, "seconds": seconds},
            record,
            within=seconds + 4 * self._driver.deadline,  # before and after the capture: two questions' time each
            silence=self._driver.deadline,
        )
        data = self._believe(template_from_single_read, body, head["announced"])
        template = TerminalTemplate(user_id=user.user_id, finger=finger, data=data)
        return Enrolment(template=template, samples=head["samples"])

    def listen(self, *, seconds: float) -> Sequence[LiveEvent]:
        """What happens at the door: returns when something did, or after `seconds` with nothing."""
        if not 0 <= seconds <= MAX_LISTEN_SECONDS:
            raise ValueError(f"listening takes 0 to {MAX_LISTEN_SECONDS:g} seconds")
        end = time.monotonic() + seconds
        while True:
            due = self._feed.due
            wait = max(0.0, (end if due is None else min(end, due)) - time.monotonic())
            happened: list[LiveEvent] = []
            for flag, data, at in self._arrived(wait):
                happened += self._feed.feed(decode_event(flag, data), at)
            happened += self._feed.tick(time.monotonic())
            if happened or time.monotonic() >= end:
                return tuple(happened)

    def _arrived(self, seconds: float) -> Iterator[tuple[int, bytes, float]]:
        deadline = self._driver.deadline
        head = {"verb": "listen", "seconds": seconds}
        _, blob = self._child.ask(head, within=seconds + deadline, silence=deadline)
        at = 0
        while at < len(blob):
            flag, length, moment = EVENT.unpack_from(blob, at)
            at += EVENT.size
            yield flag, blob[at : at + length], moment
            at += length

    def unlock(self, *, seconds: int) -> None:
        """Opens the door for so many seconds, 1 to 60: a queued opening must not come late and long."""
        if not 1 <= seconds <= 60:
            raise ValueError(f"a door is opened for 1 to 60 seconds, not {seconds}")
        self._ask("unlock", seconds=seconds)

    def door_open(self) -> bool:
        """Whether the door stands open, by its sensor."""
        answer = self._command(Command.DOORSTATE_RRQ)
        if answer[:1] not in {b"\0", b"\1"}:
            raise self._judged(DeviceMisbehaved(f"door state {answer[:1]!r} is neither 0 nor 1"))
        return answer[:1] == b"\1"


class ZkTerminalDriver:
    """Opens sessions with one terminal. `comm_key` stays out of every text: it goes to the child's standard input only.

    `deadline` seconds for a connection, a question, or the next frame of a transfer; `bulk_deadline` for a whole
    transfer. `user_record` (28 or 72) is needed for an empty terminal of the older kind only; `encoding` is how the
    firmware keeps names (utf-8, latin-1, gbk). ValueError where a setting is none.
    """

    def __init__(
        self,
        address: str,
        *,
        comm_key: int = 0,
        deadline: float = 5.0,
        bulk_deadline: float = 120.0,
        user_record: int | None = None,
        encoding: str = "utf-8",
    ) -> None:
        parsed = parse_address(address)
        if not isinstance(parsed, NetworkAddress):
            raise ValueError(f"{address!r}: a terminal is reached by tcp:// or udp://")  # noqa: TRY004  the site's file
        if not 0 <= comm_key <= 0xFFFFFFFF:
            raise ValueError("a comm key is a number of at most 32 bits")
        if user_record not in {None, *users.RECORD_SIZES}:
            raise ValueError(f"user_record is 28 or 72, not {user_record}")
        if not 0 < deadline <= bulk_deadline:
            raise ValueError("deadlines are positive, and a transfer may take longer than a question")
        self.address = parsed
        self.deadline = deadline
        self.bulk_deadline = bulk_deadline
        self.user_record = user_record
        self.encoding = encoding
        self._comm_key = comm_key

    def __repr__(self) -> str:
        return f"ZkTerminalDriver({str(self.address)!r})"

    def connect(self) -> ZkTerminal:
        """A connected session, or DeviceUnreachable, DeviceRefused (wrong comm key), DeviceMisbehaved."""
        child = Child()
        head = {
            "verb": "connect",
            "transport": self.address.transport,
            "host": self.address.host,
            "port": self.address.port,
            "comm_key": self._comm_key,
        }
        try:
            child.ask(head, within=self.deadline, silence=self.deadline)
        except BaseException:
            child.kill()
            raise
        return ZkTerminal(child, self)
