"""A real installation for the ingress: settings, keys, database and site in a folder, and the listener as a process."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from accessctl import clock
from accessctl.bootstrap.keys import make_keys
from accessctl.bootstrap.supervisor import free_port, ingress_command
from accessctl.domain.devices import DeviceHealth
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Person
from accessctl.services.office import Office
from accessctl.services.store import EventFilter, EventRow
from accessctl.storage.unit_of_work import SqlStore
from tests.protocol import failing_disk
from tests.services.premises import Premises
from tests.stores import sqlite_store

SERIAL = "3383154200002"
HOST = "127.0.0.1"
COMES_UP_WITHIN_S = 40.0


@dataclass
class Installation:
    """What runs: where it listens, its store (a second process on the same file, as far as the database can tell)."""

    folder: Path
    port: int
    store: SqlStore
    premises: Premises
    process: "subprocess.Popen[bytes]"

    def office(self) -> Office:
        """On the wall clock, as the ingress is."""
        return replace(self.premises.office, clock=clock.now)

    def stop(self) -> None:
        """The listener ends as an operator ends it: nobody answers at its address any more."""
        _end(self.process)

    def kill(self) -> None:
        """It ends in the middle of whatever it does."""
        worker = self.worker()
        self.process.kill()
        with suppress(ProcessLookupError):  # it ends by itself when its parent has
            os.kill(worker, signal.SIGKILL)
        self.process.wait()
        until("nobody listens", lambda: not _listens(self.port))

    def start_again(self) -> None:
        """Another process, at the same address, on the same database."""
        self.process = _started(self.folder, self.port)

    def start_on_a_failing_disk(self) -> None:
        """The same, whose disk fails after `break_the_disk`."""
        command = ingress_command(failing_disk.FACTORY, (HOST, self.port))
        settings = {
            "ACCESSCTL_CONFIG": str(self.folder / "accessctl.toml"),
            failing_disk.BREAKS_WHEN: str(self._broken.with_suffix("")),
            "PYTHONPATH": str(Path(__file__).parent.parent.parent),
        }
        self.process = _started(self.folder, self.port, command=command, settings=settings)

    @property
    def _broken(self) -> Path:
        return self.folder / f"disk{failing_disk.BROKEN}"

    def break_the_disk(self) -> None:
        """From now on no `fsync` of the listener succeeds, until it ends."""
        self._broken.with_suffix("").touch()
        until("the disk is broken", self._broken.exists)

    def accessctl(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A verb of the command line, run to its end."""
        command = [sys.executable, "-m", "accessctl", "--config", str(self.folder / "accessctl.toml"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def rows(self, *events: Fact, device: str = "") -> list[EventRow]:
        with self.store.view() as tx:
            which = EventFilter(device=device, events=tuple(event.value for event in events))
            return tx.events.rows(which, limit=10_000)

    def count(self, *events: Fact, device: str = "") -> int:
        with self.store.view() as tx:
            which = EventFilter(device=device, events=tuple(event.value for event in events))
            return sum(one.count for one in tx.events.tally(which, ("device",), limit=10_000))

    def admits(self, name: str, card: int) -> Person:
        """Somebody whose card is delivered and who may pass at any hour of the day that this test runs on."""
        _, person = self.premises.delivered(name, card=card)
        now = clock.now()
        with self.store.begin() as tx:
            for grant in tx.grants.find(person=person.id):
                since, until_ = now - timedelta(days=1), now + timedelta(days=1)
                tx.grants.save(replace(grant, schedule="always", valid_from=since, valid_until=until_))
            tx.record(Fact.ACCESS_GRANTED, at=now, actor=SYSTEM, person=person.id)
            tx.commit()
        return person

    @contextmanager
    def another(self) -> Iterator["Installation"]:
        """A second process of the same installation, at an address of its own."""
        port = free_port(HOST)
        other = replace(self, port=port, process=_started(self.folder, port))
        try:
            yield other
        finally:
            _end(other.process)

    def said(self) -> str:
        """The end of what the listener wrote."""
        return (self.folder / "ingress.log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def health(self, device: str) -> DeviceHealth:
        with self.store.view() as tx:
            return tx.health.get(device)

    def worker(self) -> int:
        """The process that answers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return int(children.split()[0])

    def memory_kib(self) -> int:
        """The most memory that the answering process ever had."""
        status = Path(f"/proc/{self.worker()}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.split("\n") if line.startswith("VmHWM"))


def until(what: str, holds: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Wait for it, with a deadline."""
    limit = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < limit, f"not within {within_s} s: {what}"
        time.sleep(0.02)


@contextmanager
def running(folder: Path, site: Callable[[Premises], None]) -> Iterator[Installation]:
    """The ingress of an installation in `folder`; `site` puts devices on file."""
    store = sqlite_store(folder / "accessctl.db")
    premises = Premises(store=store)
    site(premises)
    make_keys(folder / "var" / "keys", os.urandom)
    port = free_port(HOST)
    lines = ['database = "sqlite:///accessctl.db"', 'data_dir = "var"', f'ingress = "{HOST}:{port}"']
    (folder / "accessctl.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    installation = None
    try:
        process = _started(folder, port)
        installation = Installation(folder=folder, port=port, store=store, premises=premises, process=process)
        yield installation
    finally:
        if installation is not None:
            _end(installation.process)
        store.close()


def _started(
    folder: Path, port: int, *, command: Sequence[str] = (), settings: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    ours = [sys.executable, "-m", "accessctl", "--config", str(folder / "accessctl.toml"), "ingress"]
    environment = {**os.environ, "ACCESSCTL_INGRESS": f"{HOST}:{port}", **(settings or {})}
    with (folder / "ingress.log").open("ab") as log:
        process = subprocess.Popen(command or ours, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
    try:
        until("the ingress listens", lambda: _listens(port) or process.poll() is not None, within_s=COMES_UP_WITHIN_S)
        assert process.poll() is None, (folder / "ingress.log").read_text(encoding="utf-8")
    except BaseException:
        _end(process)
        raise
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=0.5) as probe:
            probe.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            probe.settimeout(5)
            return probe.recv(12) == b"HTTP/1.1 404"
    except OSError:
        return False
