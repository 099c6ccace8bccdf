"""Long exports, made by several processes: the same bytes, the same refusals, and nobody is left behind."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

import pytest

from accessctl.domain.people import SYSTEM
from accessctl.record import RecordBroken, Why, verify_file
from accessctl.services import exports
from accessctl.services.export_pages import Copying, Proven
from accessctl.services.exports import EVERYTHING, ExportDesk, ExportMade
from accessctl.services.ledger_rows import Places
from accessctl.services.store import EventFilter
from accessctl.storage.copyists import CopyistProcesses
from accessctl.storage.engine import driver_address, make_engine
from accessctl.storage.migrations import migrate
from accessctl.storage.reader import Address
from accessctl.storage.readers import ReaderGone
from accessctl.storage.unit_of_work import SqlStore
from tests.services import auditor
from tests.services.premises import SIGNER, Premises

KEY = [SIGNER.verifier]
ROOT = Path(__file__).parents[2]
DOOR = EventFilter(doors=("sub-1",))
Make = Callable[[ExportDesk, Path], ExportMade]
EXPORTS: dict[str, Make] = {
    "csv": lambda desk, at: desk.make(SYSTEM, fmt="csv", target=at),
    "jsonl": lambda desk, at: desk.make(SYSTEM, fmt="jsonl", target=at, which=DOOR),
    "public": lambda desk, at: desk.make(SYSTEM, fmt="jsonl", target=at, which=DOOR, public=True),
    "record": lambda desk, at: desk.whole_record(SYSTEM, at),
}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages so short that a small record has many, and copyists called for the second one."""
    monkeypatch.setattr(exports, "PAGE", 32)
    monkeypatch.setattr(exports, "ALONE", 1)
    monkeypatch.setattr("accessctl.storage.ledger.PAGE", 32)


@pytest.fixture
def busy(premises: Premises) -> Premises:
    _, person = premises.delivered()
    premises.door_events(400, person=person.id)
    return premises


def address(premises: Premises) -> Address:
    return driver_address(premises.store.engine.url)


def helped(premises: Premises, count: int = 2) -> ExportDesk:
    return ExportDesk(premises.office, premises.keeper, copyists=CopyistProcesses(address(premises), count))


def children(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(one) for task in tasks for one in task.read_text("ascii").split()}


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith("accessctl.db")}


@pytest.mark.parametrize("what", EXPORTS)
def test_they_write_what_one_alone_writes(busy: Premises, tmp_path: Path, what: str) -> None:
    busy.keeper.checkpoint()
    before = children(os.getpid())
    alone = EXPORTS[what](ExportDesk(busy.office, busy.keeper), tmp_path / "alone")
    together = EXPORTS[what](helped(busy), tmp_path / "together")
    assert children(os.getpid()) == before
    size, (one, two) = alone.lines, (made.path.read_bytes().splitlines(keepends=True) for made in (alone, together))
    assert size > 200
    assert two[: len(one)] == one, "what comes after is the entry of the export before"
    assert verify_file(together.path, trusted=KEY).entries == together.lines
    assert auditor.wrong(together.path) == ""


@pytest.mark.postgresql
def test_they_read_postgresql_too(postgresql_database: str, tmp_path: Path) -> None:
    engine = make_engine(postgresql_database)
    migrate(engine)
    premises = Premises(store=SqlStore(engine, os.urandom))
    _, person = premises.delivered()
    premises.door_events(400, person=person.id)
    for what, make in EXPORTS.items():
        made = make(helped(premises), tmp_path / what)
        assert verify_file(made.path, trusted=KEY).entries == made.lines > 200
    premises.store.close()


def test_what_one_of_them_finds_ends_the_export(busy: Premises, tmp_path: Path) -> None:
    busy.keeper.checkpoint()
    with busy.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        connection.exec_driver_sql("DROP TRIGGER entry_no_update")
        connection.exec_driver_sql("UPDATE entry SET bytes = bytes || ' ' WHERE idx = 230")
        connection.exec_driver_sql("COMMIT")
    before = children(os.getpid())
    with pytest.raises(RecordBroken) as broken:
        helped(busy).make(SYSTEM, fmt="csv", target=tmp_path / "e.csv")
    assert (broken.value.why, broken.value.index) == (Why.ENTRY_CHANGED, 230)
    assert (left(tmp_path), children(os.getpid())) == (set(), before)


def test_an_entry_that_is_missing_is_named(busy: Premises, tmp_path: Path) -> None:
    busy.keeper.checkpoint()
    with busy.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        connection.exec_driver_sql("DROP TRIGGER entry_no_delete")
        connection.exec_driver_sql("DELETE FROM entry WHERE idx = 230")
        connection.exec_driver_sql("COMMIT")
    for which in (EVERYTHING, EventFilter(after_index=200)):
        with pytest.raises(RecordBroken) as broken:
            helped(busy).make(SYSTEM, which=which, fmt="csv", target=tmp_path / "e.csv")
        assert (broken.value.why, broken.value.index) == (Why.ORDER, 230)
        assert left(tmp_path) == set()


def test_a_full_disk_leaves_neither_file_nor_process(busy: Premises, tmp_path: Path) -> None:
    busy.keeper.checkpoint()  # so that the database has nothing to write when the limit holds
    before, folder = children(os.getpid()), tmp_path / "out"
    folder.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            helped(busy).make(SYSTEM, fmt="jsonl", target=folder / "e.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (left(folder), children(os.getpid())) == (set(), before)


def test_who_watches_can_stop_it(busy: Premises, tmp_path: Path) -> None:
    before, said = children(os.getpid()), 0

    def enough(lines: int, share: float) -> None:
        nonlocal said
        said += 1
        if said == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        helped(busy).make(SYSTEM, fmt="csv", target=tmp_path / "e.csv", progress=enough)
    assert (left(tmp_path), children(os.getpid())) == (set(), before)


def test_a_copyist_that_is_killed_ends_the_export(busy: Premises, tmp_path: Path) -> None:
    before, said = children(os.getpid()), 0

    def kill(lines: int, share: float) -> None:
        nonlocal said
        said += 1
        if said == 3:
            for child in children(os.getpid()) - before:
                os.kill(child, signal.SIGKILL)

    with pytest.raises(ReaderGone):
        helped(busy).make(SYSTEM, fmt="csv", target=tmp_path / "e.csv", progress=kill)
    assert (left(tmp_path), children(os.getpid())) == (set(), before)


KILLED = """
import os, sys
from pathlib import Path
from accessctl.services import exports
from accessctl.domain.people import SYSTEM
from accessctl.storage.copyists import CopyistProcesses
from tests.services.premises import Premises
from tests.stores import sqlite_store
folder = Path(sys.argv[1])
exports.PAGE, exports.ALONE = 32, 1
premises = Premises(store=sqlite_store(folder / "accessctl.db"))
premises.door_events(800)
copyists = CopyistProcesses(("sqlite", f"{folder}/accessctl.db"), 2)
def wait(lines, share):
    if lines >= 200:
        sys.stdout.write("copying\\n")
        sys.stdout.flush()
        sys.stdin.read()
exports.ExportDesk(premises.office, premises.keeper, copyists=copyists).make(
    SYSTEM, fmt="csv", target=folder / "e.csv", progress=wait
)
"""


def test_they_end_with_an_export_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as export:
        assert export.stdout is not None
        assert export.stdout.readline() == b"copying\n"
        copyists = children(export.pid)
        assert len(copyists) == 2
        export.kill()
    until = time.monotonic() + 30
    while any(_is_alive(one) for one in copyists):
        assert time.monotonic() < until, "a copyist outlived its export"
        os.sched_yield()
    names = left(tmp_path)
    assert names
    assert all(name.startswith(".") and name.endswith(".partial") for name in names), names


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_they_load_nothing_that_lies_where_the_export_was_asked_for(
    busy: Premises, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the command line in somebody else's folder does not run that folder's modules."""
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("pickle", "accessctl", "gc", "orjson"):
        (trap / f"{name}.py").write_text(f"open({str(trap / 'sprung')!r}, 'w')\n")
    monkeypatch.chdir(trap)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    made = helped(busy).make(SYSTEM, fmt="csv", target=tmp_path / "e.csv")
    assert made.lines > 200
    assert not (trap / "sprung").exists()


def test_nobody_is_called_for_nothing(busy: Premises) -> None:
    called = CopyistProcesses(address(busy), 2).copy(None, iter(()))  # type: ignore[arg-type]
    assert list(called) == []


def test_pages_are_asked_for_as_they_are_taken(busy: Premises) -> None:
    """A filter that finds ten million entries is not read to its end before the first page is written."""
    asked = 0

    def pages() -> Iterator[Places]:
        nonlocal asked
        for start in chain([0], range(20, 400, 20)):
            asked += 1
            yield range(start, start + 20)

    task = Copying(fmt="csv", public=False, size=400, proven=Proven.NOTHING)
    copied = CopyistProcesses(address(busy), 2).copy(task, pages())
    assert [(len(page.nodes), page.height) for _, page in islice(copied, 2)] == [(20, 0), (20, 0)]
    assert asked <= 7
    copied.close()
