"""What controllers ask over HTTP, answered: from the parts of a request to the text of its answer.

Knows no socket and no server: `admit` judges a request before its body is read, `answer` after. The handler stores and
decides; what it has committed is acknowledged here with exactly the words that the table wants, and nothing else is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from accessctl.ports import CallRefused, NotStored, PushAbilities, PushCaller, PushHandler, PushRows
from accessctl_drivers.push import answers
from accessctl_drivers.push.attendance import parse_attlog, parse_operlog
from accessctl_drivers.push.commands import command, parse_results
from accessctl_drivers.push.events import parse_question, parse_rtlog, parse_transactions
from accessctl_drivers.push.fields import TooMuch, lines_of, rows_of
from accessctl_drivers.push.request import Asked, Endpoint, NotOurs, take_apart
from accessctl_drivers.push.states import parse_rtstate
from accessctl_drivers.push.tables import right_rows, user_rows, zone_rows

LARGEST_BODY = 2 << 20
RETRY_AFTER_S = 5
_HELD = frozenset({"user", "userauthorize", "timezone"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer: status, text, and headers beside `Content-Length`, which the server adds."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request before its body. `length` is None where it is not said (chunked)."""

    method: str
    path: str
    query: str
    source: str
    length: int | None = None
    encoding: str = ""


class Ingress:
    """Answers controllers. Safe to share between threads: it keeps nothing."""

    def __init__(self, handler: PushHandler, now: Callable[[], datetime]) -> None:
        self._handler = handler
        self._now = now

    def admit(self, head: Head) -> Asked | Answer:
        """Judge a request by its head: what is asked, or the refusal. Does not block."""
        try:
            asked = take_apart(head.method, head.path, head.query)
        except NotOurs as wrong:
            return self._refused(head, "", str(wrong), 404)
        if head.length is not None and head.length > LARGEST_BODY:
            return self.too_large(head, asked)
        if head.encoding.lower() not in {"", "identity"}:
            return self._refused(head, asked.serial, "encoded_body", 415)
        return asked

    def too_large(self, head: Head, asked: Asked) -> Answer:
        """The refusal of a body that is too long, by what it says or by what it is."""
        return self._refused(head, asked.serial, "body_too_large", 413)

    def answer(self, asked: Asked, source: str, body: bytes) -> Answer:
        """Answer a request that was admitted. Blocks until what it brought is committed."""
        try:
            caller = self._handler.identify(asked.serial, source)
        except CallRefused:
            registry = asked.endpoint is Endpoint.REGISTRY
            return self._said(answers.NO_DEVICE if registry else "no such device", 406 if registry else 404)
        try:
            return self._said(*_spoken(self._endpoint(caller, asked, lines_of(body))))
        except TooMuch:
            return self._refused(Head(method="", path="", query="", source=source), asked.serial, "too_many_lines", 413)
        except NotStored:
            return self.busy()

    def busy(self) -> Answer:
        """Not now: nothing was stored, the controller keeps it and sends it again."""
        return self._said("busy", 503, (("Retry-After", str(RETRY_AFTER_S)),))

    def _endpoint(self, caller: PushCaller, asked: Asked, lines: Sequence[str]) -> "str | _Cookie":
        match asked.endpoint:
            case Endpoint.CDATA:
                return self._upload(caller, asked, lines) if asked.posts else _hello(caller, asked)
            case Endpoint.REGISTRY:
                self._handler.registered(caller, answers.parse_registration(lines[0] if lines else ""))
                return _Cookie(answers.registration_code(caller), caller.session)
            case Endpoint.PUSH:
                return answers.parameters(caller, registry=False)
            case Endpoint.GETREQUEST:
                return self._command(caller)
            case Endpoint.DEVICECMD:
                self._handler.results(caller, parse_results(lines))
                return answers.OK
            case Endpoint.QUERYDATA:
                return self._queried(caller, asked, lines)
            case Endpoint.RTDATA:
                return answers.time_of_day(self._now())
            case Endpoint.PING:
                return answers.OK

    def _upload(self, caller: PushCaller, asked: Asked, lines: Sequence[str]) -> str:
        if "authtype" in asked.parameters:
            return self._asked(caller, lines)
        match asked.table:
            case "rtlog":
                self._handler.events(caller, parse_rtlog(lines))
                return answers.OK
            case "rtstate":
                for line in lines[:1]:
                    at, states = parse_rtstate(line)
                    self._handler.states(caller, states, at)
                return answers.OK
            case "attlog":
                events = parse_attlog(lines)
                self._handler.events(caller, events, stamp=asked.number("stamp") or asked.number("attlogstamp"))
                return answers.counted(len(lines))
            case "operlog":
                said = parse_operlog(lines)
                if said.users:
                    self._handler.users(caller, said.users)
                self._handler.events(caller, said.events)
                return answers.counted(len(lines))
            case "tabledata":
                return self._told(caller, asked, lines)
            case "" | "options":  # an empty upload is a sign of life
                return self._described(caller, lines)
            case _:
                return answers.counted(len(lines))  # pictures and templates of the older dialect: never kept

    def _asked(self, caller: PushCaller, lines: Sequence[str]) -> str:
        """Remote identification: the controller shows a credential and waits for our word."""
        question = parse_question(lines[0]) if lines else None
        if question is None:
            return answers.verdict(None, "", 0)
        try:
            verdict = self._handler.online(caller, question)
        except NotStored:
            return answers.verdict(None, question.line, question.door)
        return answers.verdict(verdict, question.line, question.door)

    def _described(self, caller: PushCaller, lines: Sequence[str]) -> str:
        abilities = answers.parse_abilities(",".join(lines))
        if abilities != PushAbilities():
            self._handler.described(caller, abilities)
        return answers.OK

    def _told(self, caller: PushCaller, asked: Asked, lines: Sequence[str]) -> str:
        """Rows that a controller sends unasked."""
        match asked.table_name.lower():
            case "user":
                users = user_rows(rows_of(list(lines)), dates_in_seconds=caller.dates_in_seconds)
                self._handler.users(caller, users)
            case "transaction":
                self._handler.events(caller, parse_transactions(lines))
        return answers.table_counted(asked.table_name, len(lines))

    def _queried(self, caller: PushCaller, asked: Asked, lines: Sequence[str]) -> str:
        """Rows that we asked for. Events are stored; what it holds goes to whoever asked."""
        if asked.parameters.get("type") != "tabledata":
            return answers.OK
        table = asked.table_name.lower()
        if table == "transaction":
            self._handler.events(caller, parse_transactions(lines))
        elif table in _HELD:
            rows = rows_of(list(lines))
            packet = PushRows(
                table=table,
                count=len(lines),
                number=asked.number("packidx") or 1,
                packets=asked.number("packcnt") or 1,
                users=user_rows(rows, dates_in_seconds=caller.dates_in_seconds) if table == "user" else (),
                rights=right_rows(rows) if table == "userauthorize" else (),
                weeks=zone_rows(rows) if table == "timezone" else (),
            )
            self._handler.answered(caller, packet)
        return answers.table_counted(asked.table_name, len(lines))

    def _command(self, caller: PushCaller) -> str:
        waiting = self._handler.next_command(caller)
        return answers.OK if waiting is None else command(*waiting)

    def _refused(self, head: Head, serial: str, what: str, status: int) -> Answer:
        self._handler.refused(head.source, serial, what)
        return self._said(what.replace("_", " "), status)

    def _said(self, text: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
        """With the `Date` by which controllers set their clocks."""
        standing = (("Content-Type", "text/plain;charset=UTF-8"), ("Date", format_datetime(self._now(), usegmt=True)))
        return Answer(status=status, text=text, headers=(*standing, *headers))


@dataclass(frozen=True, slots=True)
class _Cookie:
    """A text that comes with a session."""

    text: str
    session: str


def _spoken(said: "str | _Cookie") -> tuple[str, int, tuple[tuple[str, str], ...]]:
    if isinstance(said, str):
        return said, 200, ()
    return said.text, 200, (("Set-Cookie", f"JSESSIONID={said.session}; Path=/; HttpOnly"),)


def _hello(caller: PushCaller, asked: Asked) -> str:
    """The first request: the dialect is in `DeviceType`, or in the version where that is not said."""
    kind = asked.parameters.get("devicetype", "").lower()
    old = asked.parameters.get("pushver", "").startswith(("1.", "2."))
    if kind == "att" or (not kind and old):
        return answers.attendance_options(caller)
    return answers.parameters(caller, registry=True) if caller.registered else answers.OK
