# ruff: noqa: ARG002 -- the fake takes everything that its port gives
"""The exact acknowledgement of each table, given only after the handler has stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from accessctl.ports import (
    CallRefused,
    NotStored,
    PushAbilities,
    PushCaller,
    PushDoorState,
    PushEvent,
    PushOrder,
    PushOrderKind,
    PushRegistration,
    PushResult,
    PushRight,
    PushRows,
    PushUser,
    PushVerdict,
)
from accessctl_drivers.push.app import Answer, Head, Ingress

SN = "3383154200002"
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
RTLOG = "time=2017-01-10 11:49:32\tpin=0\tcardno=0\teventaddr=1\tevent=27\tinoutstatus=1\tverifytype=0\tindex=21"
QUESTION = "time=2026-11-23 12:00:00\tpin=\tcardno=7\taddrtype=2\teventaddr=1\tevent=223\tinoutstatus=0\tverifytype=4"


@dataclass
class Noting:
    """A handler that keeps what it is given (see `accessctl.ports.PushHandler`)."""

    fails: bool = False
    known: bool = True
    is_registered: bool = False
    verdict: PushVerdict = field(default_factory=lambda: PushVerdict(granted=True, seconds=5))
    stored: list[PushEvent] = field(default_factory=list)
    heard: list[object] = field(default_factory=list)
    commands: list[tuple[int, PushOrder]] = field(default_factory=list)

    def identify(self, serial: str, source: str) -> PushCaller:
        if not self.known:
            raise CallRefused("unknown")
        return PushCaller(
            device="cd-panel",
            serial=serial,
            session="5E55",
            registry_code="c0de",
            registered=self.is_registered,
            stamp=7,
        )

    def refused(self, source: str, serial: str, what: str) -> None:
        self.heard.append((source, serial, what))

    def registered(self, caller: PushCaller, registration: PushRegistration) -> None:
        self.heard.append(registration)

    def events(self, caller: PushCaller, events: Sequence[PushEvent], *, stamp: int | None = None) -> int:
        if self.fails:
            raise NotStored("disk full")
        self.stored += events
        self.heard.append(stamp)
        return len(events)

    def states(self, caller: PushCaller, states: Sequence[PushDoorState], at: datetime | None) -> None:
        self.heard.append(at)

    def described(self, caller: PushCaller, abilities: PushAbilities) -> None:
        self.heard.append(abilities)

    def users(self, caller: PushCaller, users: Sequence[PushUser]) -> None:
        self.heard.append(tuple(users))

    def answered(self, caller: PushCaller, rows: PushRows) -> None:
        self.heard.append(rows)

    def online(self, caller: PushCaller, question: PushEvent) -> PushVerdict:
        if self.fails:
            raise NotStored("disk full")
        return self.verdict

    def next_command(self, caller: PushCaller) -> tuple[int, PushOrder] | None:
        return self.commands.pop(0) if self.commands else None

    def results(self, caller: PushCaller, results: Sequence[PushResult]) -> None:
        self.heard += results


def ask(handler: Noting, method: str, path: str, query: str = "", body: str = "") -> Answer:
    ingress = Ingress(handler, lambda: NOW)
    full = f"SN={SN}&{query}" if query else f"SN={SN}"
    asked = ingress.admit(Head(method=method, path=f"/iclock/{path}", query=full, source="127.0.0.1", length=len(body)))
    return asked if isinstance(asked, Answer) else ingress.answer(asked, "127.0.0.1", body.encode())


@pytest.mark.parametrize(
    ("query", "body", "said"),
    [
        ("table=rtlog", RTLOG, "OK"),
        ("table=rtlog", f"{RTLOG}\r\n{RTLOG}\r\n", "OK"),
        ("table=rtstate", "time=2017-01-10 15:42:40\tsensor=00\trelay=00\talarm=0200000000000000", "OK"),
        ("table=options", "~DeviceName=ProBio,MAC=00:17:61:11:ad:4f", "OK"),
        ("table=ATTLOG&Stamp=9999", "1001\t2026-11-23 08:00:01\t0\t1\n1002\t2026-11-23 08:00:02\t0\t1\n", "OK: 2"),
        ("table=OPERLOG&Stamp=9999", "USER PIN=7\tName=A\tCard=1\nFP PIN=7\tTMP=x\n", "OK: 2"),
        ("table=tabledata&tablename=user&count=1", "user uid=1\tcardno=\tpin=4", "user=1"),
        ("table=tabledata&tablename=templatev10&count=2", "templatev10 pin=4\ntemplatev10 pin=5", "templatev10=2"),
        ("table=BIODATA", "BIODATA Pin=1\tTmp=x", "OK: 1"),
        ("", "", "OK"),  # an empty upload is a heartbeat
    ],
)
def test_the_acknowledgement_of_each_table(query: str, body: str, said: str) -> None:
    answer = ask(Noting(), "POST", "cdata", query, body)
    assert (answer.status, answer.text) == (200, said)
    assert ("Date", "Mon, 23 Nov 2026 18:00:00 GMT") in answer.headers


def test_nothing_is_acknowledged_that_is_not_stored() -> None:
    for query, body in (("table=rtlog", RTLOG), ("table=ATTLOG", "1\t2026-11-23 08:00:01\t0\t1")):
        answer = ask(Noting(fails=True), "POST", "cdata", query, body)
        assert answer.status == 503
        assert "OK" not in answer.text
        assert ("Retry-After", "5") in answer.headers


def test_registration() -> None:
    handler = Noting()
    assert ask(handler, "GET", "cdata", "pushver=3.0.1&options=all").text == "OK"
    body = "DeviceType=acc,~DeviceName=F20/M,FirmVer=Ver 8.0.1.3-20151229,LockCount=1,ComPwd=hunter2,authKey=dassas"
    answer = ask(handler, "POST", "registry", "", body)
    assert answer.text == "RegistryCode=c0de"
    assert ("Set-Cookie", "JSESSIONID=5E55; Path=/; HttpOnly") in answer.headers
    (told,) = handler.heard
    assert told == PushRegistration(name="F20/M", firmware="Ver 8.0.1.3-20151229", doors=1, attendance=False)
    parameters = ask(handler, "POST", "push").text.split("\n")
    assert parameters[0] == "ServerVersion=3.0.1"
    assert {"SessionID=5E55", "TimeoutSec=10", "Realtime=1", "TransTables=User\tTransaction"} <= set(parameters)
    again = ask(Noting(is_registered=True), "GET", "cdata", "pushver=3.0.1&options=all").text
    assert again.startswith("registry=ok\nRegistryCode=c0de\n")
    assert "PushProtVer=3.0.1" in again  # below 3.1.1: the vendor's own encryption is never agreed on


def test_the_older_dialect_says_hello_otherwise() -> None:
    for query in ("options=all&pushver=2.4.1&language=83", "options=all&DeviceType=att&pushver=3.0"):
        text = ask(Noting(), "GET", "cdata", query).text
        assert text.startswith(f"GET OPTION FROM: {SN}\nATTLOGStamp=7\n")
        assert "TimeZone=-6" in text


def test_a_stamp_is_handed_on() -> None:
    handler = Noting()
    ask(handler, "POST", "cdata", "table=ATTLOG&Stamp=77", "1\t2026-11-23 08:00:01\t0\t1")
    assert handler.heard == [77]


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (Noting(), f"AUTH=SUCCESS\r\n{QUESTION}\r\nCONTROL DEVICE 01010105"),
        (Noting(verdict=PushVerdict(granted=False)), f"AUTH=FAILED\r\n{QUESTION}"),
        (Noting(fails=True), f"AUTH=TIMEOUT\r\n{QUESTION}"),
    ],
)
def test_remote_identification(handler: Noting, said: str) -> None:
    assert ask(handler, "POST", "cdata", "AuthType=device", QUESTION).text == said


def test_one_command_a_poll() -> None:
    handler = Noting(commands=[(3, PushOrder(kind=PushOrderKind.OPEN, door=1, seconds=5))])
    assert ask(handler, "GET", "getrequest").text == "C:3:CONTROL DEVICE 01010105"
    assert ask(handler, "GET", "getrequest").text == "OK"
    assert ask(handler, "POST", "devicecmd", "", "ID=3&Return=0&CMD=CONTROL DEVICE").text == "OK"
    assert handler.heard == [PushResult(number=3, code=0)]


def test_answers_to_queries() -> None:
    handler = Noting()
    head = "type=tabledata&cmdid=1&count=1&packcnt=1&packidx=1&tablename="
    assert ask(handler, "POST", "querydata", f"{head}user", "user uid=1\tcardno=5\tpin=4").text == "user=1"
    (users,) = handler.heard
    assert users == PushRows(table="user", count=1, number=1, packets=1, users=[PushUser(pin="4", card=5)])
    right = "userauthorize pin=4\tauthorizetimezoneid=2\tauthorizedoorid=5\tdevid=1"
    head2 = "type=tabledata&cmdid=1&count=1&packcnt=3&packidx=2&tablename="
    assert ask(handler, "POST", "querydata", f"{head2}userauthorize", right).text == "userauthorize=1"
    rights = [PushRight(pin="4", zone=2, doors=5)]
    assert handler.heard[1] == PushRows(table="userauthorize", count=1, number=2, packets=3, rights=rights)
    row = "transaction cardno=0\tpin=0\tdoorid=1\teventtype=100\tinoutstate=2\ttime_second=548003688\tindex=92"
    assert ask(handler, "POST", "querydata", f"{head}transaction", row).text == "transaction=1"
    assert handler.stored[0].index == 92
    assert ask(handler, "POST", "querydata", "type=count&tablename=user&count=1", "user=5").text == "OK"
    assert ask(handler, "GET", "ping").text == "OK"
    assert ask(handler, "GET", "rtdata", "type=time").text == "DateTime=864410400,ServerTZ=-0600"


def test_who_is_not_known_is_told_so() -> None:
    assert ask(Noting(known=False), "GET", "cdata", "options=all").status == 404
    refused = ask(Noting(known=False), "POST", "registry", "", "DeviceType=acc")
    assert (refused.status, refused.text) == (406, "406")


def test_what_is_refused_by_its_head() -> None:
    handler = Noting()
    ingress = Ingress(handler, lambda: NOW)

    def status(head: Head) -> int:
        answer = ingress.admit(head)
        assert isinstance(answer, Answer)
        return answer.status

    path, query = "/iclock/cdata", f"SN={SN}&table=rtlog"
    assert status(Head(method="POST", path=path, query=query, source="10.0.0.1", length=1 << 30)) == 413
    assert status(Head(method="POST", path=path, query=query, source="10.0.0.1", encoding="gzip")) == 415
    assert status(Head(method="GET", path="/iclock/file", query="url=/../../etc/passwd", source="10.0.0.1")) == 404
    assert handler.heard == [
        ("10.0.0.1", SN, "body_too_large"),
        ("10.0.0.1", SN, "encoded_body"),
        ("10.0.0.1", "", "unknown_path"),
    ]


def test_too_many_lines_are_refused_whole() -> None:
    handler = Noting()
    assert ask(handler, "POST", "cdata", "table=rtlog", "a\n" * 5001).status == 413
    assert handler.stored == []
