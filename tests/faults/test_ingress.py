"""The ingress as a process, when the machine under it fails: killed, no room, a locked store, no files left.

Numbers of rows are those of the fault matrix. What holds in all of them: nothing that was acknowledged is lost, nothing
is stored twice, and nobody is kept inside.
"""

import http.client
import json
import resource
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random

import pytest

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device, Transport
from accessctl_sim.push.config import PushConfig
from accessctl_sim.push.controller import PushController
from tests.protocol.installation import HOST, Installation, running, until
from tests.services.premises import Premises

CARD = 0x0184F07A
SERIALS = ("K1", "K2", "K3", "D1", "D2", "L1", "W1", "F1")
DEVICES_GIVE_UP_S = 10.0


def site(premises: Premises) -> None:
    with premises.store.begin() as tx:
        for serial in SERIALS:
            device = Device(
                id=serial, transport=Transport.PUSH, serial=serial, source=HOST, doors=("cd-1",), online=True
            )
            tx.devices.add(device)
        tx.record(Fact.SITE_APPLIED, at=premises.now, actor=SYSTEM)
        tx.commit()


@pytest.fixture(scope="module")
def ingress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running(tmp_path_factory.mktemp("ingress"), site) as installation:
        installation.admits("Ana Xol", CARD)
        yield installation


def upload(serial: str, *indexes: int, code: int = 27, card: int = 0) -> bytes:
    """A batch of events as a controller posts it."""
    lines = (
        f"time=2026-01-10 11:49:32\tpin=0\tcardno={card}\teventaddr=1\tevent={code}\tinoutstatus=0\tverifytype=4"
        f"\tindex={index}"
        for index in indexes
    )
    return posted(f"/iclock/cdata?SN={serial}&table=rtlog", "\n".join(lines))


def asking(serial: str, card: int = CARD, *, out: bool = False) -> bytes:
    """The question of a controller at a card."""
    line = (
        f"time={time.strftime('%Y-%m-%d %H:%M:%S')}\tpin=\tcardno={card}\taddrtype=2\teventaddr=1\tevent=223"
        f"\tinoutstatus={int(out)}\tverifytype=4"
    )
    return posted(f"/iclock/cdata?SN={serial}&AuthType=device", line)


def posted(target: str, body: str) -> bytes:
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def said(ingress: Installation, request: bytes, *, timeout_s: float = DEVICES_GIVE_UP_S) -> tuple[int, bytes]:
    """The answer within the time that a controller waits; (0, b"") where there is none."""
    try:
        with socket.create_connection((HOST, ingress.port), timeout=timeout_s) as wire:
            wire.sendall(request)
            answer = http.client.HTTPResponse(wire)
            answer.begin()
            return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""


def taken_in(ingress: Installation) -> None:
    """What was sent before is in the hands of the ingress: it reads in order, and answers this without the store."""
    assert said(ingress, posted("/iclock/ping?SN=F1", ""))[0] == 200


def stored(ingress: Installation, serial: str) -> int:
    return ingress.count(Fact.DOOR_REFUSED, device=serial)


def verified(ingress: Installation) -> None:
    """The record is whole: its tree says what its entries say."""
    with ingress.store.view() as tx:
        tx.ledger.check(trusted=(), held=())  # raises where it is not


# -- killed


def test_killed_before_the_commit_nothing_is_acknowledged_and_it_is_sent_again(ingress: Installation) -> None:
    """Row 1: the batch was received, the store is held by another, the process dies: one row each after the resend."""
    with locked(ingress), socket.create_connection((HOST, ingress.port), timeout=10) as wire:
        wire.sendall(upload("K1", 1, 2, 3))
        taken_in(ingress)
        ingress.kill()
        assert wire.recv(100) == b"", "acknowledged before it was stored"
    ingress.start_again()
    assert stored(ingress, "K1") == 0
    assert said(ingress, upload("K1", 1, 2, 3)) == (200, b"OK")
    assert stored(ingress, "K1") == 3
    verified(ingress)


def test_killed_after_the_commit_the_resend_is_known_again(ingress: Installation) -> None:
    """Row 2: the acknowledgement never arrived: one row each, and the same acknowledgement for the second time."""
    before = stored(ingress, "K3")
    with socket.create_connection((HOST, ingress.port), timeout=10) as wire:
        wire.sendall(upload("K3", 11, 12, 13))
        until("it is stored", lambda: stored(ingress, "K3") == before + 3)
        ingress.kill()
    ingress.start_again()
    assert said(ingress, upload("K3", 11, 12, 13)) == (200, b"OK")
    assert stored(ingress, "K3") == before + 3
    verified(ingress)


def test_killed_again_and_again_under_a_backlog_each_event_is_stored_once(ingress: Installation) -> None:
    """Rows 1 and 2 at moments drawn by lot: what the controller saw acknowledged is a part of what is stored."""
    lots = Random(7)
    config = PushConfig(server=ingress.url, serial="K2", backlog=3000, poll_s=0.2, retry_s=0.1, batch=50)
    with PushController(config) as controller:
        for _ in range(3):
            enough = min(stored_grants(ingress) + lots.randrange(100, 900), 2900)
            until("more of it", lambda most=enough: stored_grants(ingress) >= most, within_s=60)
            ingress.kill()
            acknowledged = 3000 - int(str(controller.state()["waiting"]))
            assert acknowledged <= stored_grants(ingress), "acknowledged and lost"
            ingress.start_again()
        until("all of it", lambda: stored_grants(ingress) >= 3000, within_s=60)
    assert stored_grants(ingress) == 3000
    verified(ingress)


def stored_grants(ingress: Installation) -> int:
    return ingress.count(Fact.DOOR_GRANTED, device="K2")


# -- no room


def test_without_room_nothing_is_acknowledged_doors_go_on_and_nothing_is_missing_later(ingress: Installation) -> None:
    """Row 6: every write fails, of the log file too; then there is room again."""
    assert said(ingress, upload("D1", 1)) == (200, b"OK")
    assert said(ingress, asking("D1"))[1].startswith(b"AUTH=SUCCESS")
    with no_room(ingress):
        for _ in range(3):
            assert said(ingress, upload("D1", 2, 3))[0] == 503
        assert said(ingress, asking("D1"))[1].startswith(b"AUTH=SUCCESS"), "the cached rules decide"
        assert said(ingress, asking("D1", 4711))[1].startswith(b"AUTH=FAILED")
        assert said(ingress, asking("D1", 4711, out=True))[1].startswith(b"AUTH=SUCCESS"), "leaving was refused"
    assert said(ingress, upload("D1", 2, 3)) == (200, b"OK")
    assert stored(ingress, "D1") == 3
    own_word = upload("D1", 4, code=222, card=CARD)  # it opened: the controller says so for as long as nobody has it
    assert said(ingress, own_word) == (200, b"OK")
    (opened,) = ingress.rows(Fact.DOOR_UNLOCKED, device="D1")
    assert opened.person_name == "Ana Xol"
    assert said(ingress, asking("D1"))[1].startswith(b"AUTH=SUCCESS")
    verified(ingress)


@contextmanager
def no_room(ingress: Installation) -> Iterator[None]:
    """No file of the process may grow or be written any more: like a full disk, and needs no rights."""
    worker = ingress.worker()
    before = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, before)


# -- a disk that keeps nothing


def test_a_sync_that_failed_ends_the_process_and_what_was_acknowledged_is_there(tmp_path: Path) -> None:
    """Row 5: an fsync fails under six senders; nobody is told "stored" after it, and the next process has it all."""
    with running(tmp_path, site) as ingress:
        ingress.stop()
        ingress.start_on_a_failing_disk()
        over = threading.Event()
        acknowledged: list[int] = []
        broken: list[int] = []  # how many were acknowledged when the disk was broken

        def sends(first: int) -> None:
            for index in range(first, first + 100_000):
                if over.is_set():
                    return
                if said(ingress, upload("D1", index)) == (200, b"OK"):
                    acknowledged.append(index)

        threads = [threading.Thread(target=sends, args=(number * 100_000 + 1,)) for number in range(6)]
        for thread in threads:
            thread.start()
        try:
            until("some are acknowledged", lambda: len(acknowledged) > 20)
            ingress.break_the_disk()
            assert ingress.process.wait(60) != 0
            broken.append(len(acknowledged))
        finally:
            over.set()
            for thread in threads:
                thread.join(60)
        assert len(acknowledged) == broken[0], "acknowledged by nobody"
        assert "the disk did not keep what was written" in ingress.said()
        told_ = ingress.accessctl("health", "--json")
        assert told_.returncode == 1
        assert json.loads(told_.stdout)["disk_failed"]

        ingress.start_again()
        kept = {row.index for row in ingress.rows(Fact.DOOR_REFUSED, device="D1")}
        assert len(kept) >= len(acknowledged)
        before = stored(ingress, "D1")
        for index in acknowledged:
            assert said(ingress, upload("D1", index)) == (200, b"OK")
        assert stored(ingress, "D1") == before, "acknowledged and not stored"
        verified(ingress)


def test_after_a_failed_sync_the_record_is_read_whole_and_an_alarm_says_what_happened(tmp_path: Path) -> None:
    """Row 5, afterwards: the process that keeps the devices raises the alarm, verifies the record, and settles it."""
    with running(tmp_path, site) as ingress:
        ingress.stop()
        assert ingress.accessctl("init").returncode == 0  # the record's first entry, which says whose key signs it
        ingress.start_on_a_failing_disk()
        ingress.break_the_disk()
        assert said(ingress, upload("D1", 1))[0] in {0, 503}
        assert ingress.process.wait(60) != 0
        ingress.start_again()
        assert said(ingress, upload("D1", 1)) == (200, b"OK")
        command = [sys.executable, "-m", "accessctl", "--config", str(tmp_path / "accessctl.toml"), "devices", "run"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as keeper:
            try:
                until("the alarm is settled", lambda: disk_alarm(ingress) == "resolved", within_s=60)
            finally:
                keeper.terminate()
        assert not json.loads(ingress.accessctl("health", "--json").stdout)["disk_failed"]
        assert [row.device for row in ingress.rows(Fact.ALARM_RAISED)].count("") == 1  # the others: nobody calls
        verified(ingress)


def disk_alarm(ingress: Installation) -> str:
    """The state of the alarm about the disk, "" where there is none."""
    with ingress.store.view() as tx:
        return next((one.state.value for one in tx.alarms.find(kind=AlarmKind.GAP, key="disk", limit=1)), "")


# -- a locked store


def test_while_another_holds_the_store_nobody_is_kept_inside_and_nothing_is_lost(ingress: Installation) -> None:
    """Row 8: signs of life are answered at once, leaving within seconds; uploads wait, or are sent again."""
    config = PushConfig(server=ingress.url, serial="L1", backlog=2000, poll_s=0.2, retry_s=0.2)
    with ExitStack() as stack:
        stack.enter_context(locked(ingress))
        controller = stack.enter_context(PushController(config))
        begun = time.monotonic()
        taken_in(ingress)
        assert time.monotonic() - begun < 10
        assert said(ingress, asking("L1", out=True))[1].startswith(b"AUTH=SUCCESS"), "leaving was refused"
        assert time.monotonic() - begun < 20
        assert int(str(controller.state()["waiting"])) >= 2000, "acknowledged before it was stored"
        assert said(ingress, asking("L1"), timeout_s=30)[1].startswith(b"AUTH=TIMEOUT")
        assert time.monotonic() - begun < 45
        log = (ingress.folder / "ingress.log").read_text(encoding="utf-8")
        assert "Traceback" in log, "the failure is said"
        assert "locals" not in log, "and no value of a variable"
    with PushController(config):
        until("all of it", lambda: ingress.count(Fact.DOOR_GRANTED, device="L1") >= 2000, within_s=60)
    verified(ingress)


@contextmanager
def locked(ingress: Installation) -> Iterator[None]:
    """Somebody else writes, and does not end."""
    with closing(sqlite3.connect(ingress.folder / "accessctl.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


# -- a flood


def test_in_a_flood_of_events_who_is_at_a_door_is_answered_first(ingress: Installation) -> None:
    """Row 25, shortened: six controllers upload without a pause; what is refused is refused before it is taken."""
    over = threading.Event()
    answers: list[int] = []

    def floods(first: int) -> None:
        for start in range(first, first + 1_000_000, 100):
            if over.is_set():
                return
            answers.append(said(ingress, upload("D2", *range(start, start + 100)))[0])

    threads = [threading.Thread(target=floods, args=(number * 1_000_000 + 1,)) for number in range(6)]
    for thread in threads:
        thread.start()
    try:
        until("the flood is on", lambda: len(answers) > 20, within_s=60)
        slowest = 0.0
        for _ in range(20):
            begun = time.monotonic()
            assert said(ingress, asking("D2"))[1].startswith(b"AUTH=SUCCESS")
            slowest = max(slowest, time.monotonic() - begun)
    finally:
        over.set()
        for thread in threads:
            thread.join(60)
    assert slowest < 2
    assert set(answers) <= {200, 503}
    assert stored(ingress, "D2") == 100 * answers.count(200), "acknowledged is stored, and nothing twice"
    verified(ingress)


# -- two of us


def test_two_processes_on_one_store_never_fork_the_record(ingress: Installation) -> None:
    """Row 10: each knows the end of the record as it is, not as it left it; what came to both is there once."""
    before = ingress.count(Fact.DOOR_REFUSED, device="W1")
    with ingress.another() as other:
        failures: list[tuple[int, bytes]] = []

        def send(to: Installation, first: int) -> None:
            answers = (said(to, upload("W1", index)) for index in range(first, first + 60))
            failures.extend(answer for answer in answers if answer != (200, b"OK"))

        threads = [threading.Thread(target=send, args=one) for one in ((ingress, 1), (other, 31))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert failures == []
    assert ingress.count(Fact.DOOR_REFUSED, device="W1") == before + 90  # 31 to 60 came to both
    verified(ingress)


# -- no files left


def test_without_files_left_connections_are_shed_and_the_writer_goes_on(ingress: Installation) -> None:
    """Row 32: a limit of a few more files than are open; three hundred callers; who is connected goes on."""
    worker = ingress.worker()
    before = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    kept = http.client.HTTPConnection(HOST, ingress.port, timeout=10)
    with closing(kept):
        assert told(kept, 1) == 200
        open_now = len(list(Path(f"/proc/{worker}/fd").iterdir()))
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (open_now + 20, before[1]))
        try:
            with ExitStack() as stack:
                for _ in range(300):
                    wire = stack.enter_context(closing(socket.socket()))
                    wire.setblocking(False)
                    wire.connect_ex((HOST, ingress.port))
                for index in range(2, 12):
                    assert told(kept, index) == 200
        finally:
            resource.prlimit(worker, resource.RLIMIT_NOFILE, before)
    until("callers are served again", lambda: said(ingress, upload("F1", 12)) == (200, b"OK"))
    assert stored(ingress, "F1") == 12
    verified(ingress)


def told(wire: http.client.HTTPConnection, index: int) -> int:
    """One event over a connection that is kept."""
    body = upload("F1", index).partition(b"\r\n\r\n")[2]
    wire.request("POST", "/iclock/cdata?SN=F1&table=rtlog", body)
    answer = wire.getresponse()
    answer.read()
    return answer.status
