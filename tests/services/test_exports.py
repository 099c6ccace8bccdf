"""Exports: each verifies, with our verifier and with one written from the format alone; nothing appears half-done."""

import csv
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.record import RecordBroken, Why, verify_file
from accessctl.record.columns import COLUMNS
from accessctl.services.export_lines import REDACTED, Format
from accessctl.services.exports import EVERYTHING, ExportDesk
from accessctl.services.office import Office
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.store import EventFilter
from accessctl.storage.engine import make_engine
from accessctl.storage.migrations import migrate
from accessctl.storage.unit_of_work import SqlStore
from tests.services import auditor
from tests.services.premises import SIGNER, START, Premises
from tests.stores import sqlite_store

KEY = [SIGNER.verifier]
HOUR = EventFilter(since=START, until=START + timedelta(hours=1), doors=("sub-1",))
FORMATS: tuple[Format, ...] = ("csv", "jsonl")


@pytest.fixture
def desk(premises: Premises) -> ExportDesk:
    return ExportDesk(premises.office, premises.keeper)


@pytest.fixture
def busy(premises: Premises) -> Premises:
    """A delivered card and a day at the doors."""
    _, person = premises.delivered()
    premises.door_events(300, person=person.id)
    return premises


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("which", [EVERYTHING, HOUR, EventFilter(events=("no:such:fact",))])
def test_whatever_comes_out_verifies(
    busy: Premises, desk: ExportDesk, tmp_path: Path, fmt: Format, public: bool, which: EventFilter
) -> None:
    made = desk.make(busy.actors["auditor"], which=which, fmt=fmt, target=tmp_path / f"e.{fmt}", public=public)
    found = verify_file(made.path, trusted=KEY)
    assert (found.entries, found.whole, found.sealed, found.pinned) == (made.lines, which == EVERYTHING, True, True)
    assert auditor.wrong(made.path) == ""
    assert (made.proofs is None) == found.whole
    if fmt == "jsonl" and not public:
        assert found.entries_shown == made.lines
        assert found.names_checked or not made.lines
    assert made.path.stat().st_mode & 0o777 == 0o600
    if which == HOUR:
        assert made.lines == 31, "every second of sixty minutes is at that door, and there the access was opened"


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("which", [EVERYTHING, EventFilter(since=START - timedelta(days=3650))])
def test_every_line_has_every_column_and_whole_is_what_is_whole(
    busy: Premises, desk: ExportDesk, tmp_path: Path, public: bool, which: EventFilter
) -> None:
    """Nobody who reads "Export format" need know of a public version, nor how the filter was worded."""
    for fmt in FORMATS:
        made = desk.make(SYSTEM, which=which, fmt=fmt, target=tmp_path / f"e.{fmt}", public=public)
        said = json.loads(made.manifest.read_bytes())
        assert made.lines == made.checkpoint.size
        assert (said["whole"], said["first_index"], said["last_index"]) == (True, 0, made.lines - 1)
        assert verify_file(made.path, trusted=KEY).whole
        assert auditor.wrong(made.path) == ""
    lines = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text("utf-8").splitlines()]
    assert all(list(line)[: len(COLUMNS)] == list(COLUMNS) for line in lines)
    assert all(("entry" in line) != public for line in lines)
    assert not public or {line[name] for line in lines for name in REDACTED} == {None}


@pytest.mark.postgresql
def test_postgresql_streams_them_too(postgresql_database: str, tmp_path: Path) -> None:
    engine = make_engine(postgresql_database)
    migrate(engine)
    store = SqlStore(engine, os.urandom)
    premises = Premises(store=store)
    _, person = premises.delivered()
    premises.door_events(2500, person=person.id)
    desk = ExportDesk(premises.office, premises.keeper)
    for number, which in enumerate((EVERYTHING, EventFilter(doors=("cd-1",)))):
        for fmt in FORMATS:
            made = desk.make(SYSTEM, which=which, fmt=fmt, target=tmp_path / f"{number}.{fmt}")
            assert made.lines > 1000, "more than a page"
            assert verify_file(made.path, trusted=KEY).entries == made.lines
            assert auditor.wrong(made.path) == ""
    assert verify_file(desk.whole_record(SYSTEM, tmp_path / "record").path, trusted=KEY).whole
    store.close()


def test_the_whole_record_is_bare_and_whole(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    made = desk.whole_record(busy.actors["auditor"], tmp_path / "record.jsonl")
    lines = made.path.read_text("utf-8").splitlines()
    assert all(set(json.loads(line)) == {"index", "entry", "leaf"} for line in lines)
    assert made.lines == len(lines) == made.checkpoint.size
    assert verify_file(made.path, trusted=KEY).whole
    assert auditor.wrong(made.path) == ""


def test_an_empty_record_can_be_exported(fresh_store: SqlStore, tmp_path: Path) -> None:
    identities = itertools.count()
    office = Office(store=fresh_store, clock=lambda: START, new_id=lambda: str(next(identities)))
    desk = ExportDesk(office, RecordKeeper(office, SIGNER))
    made = desk.make(SYSTEM, fmt="csv", target=tmp_path / "empty.csv")
    assert made.lines == 0
    assert verify_file(made.path, trusted=KEY).entries == 0
    assert desk.whole_record(SYSTEM, tmp_path / "record.jsonl").lines == 1, "the export before is an entry"


def test_the_export_is_an_entry_after_what_it_exports(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    made = desk.make(busy.actors["auditor"], which=HOUR, fmt="csv", target=tmp_path / "e.csv")
    second = desk.make(busy.actors["auditor"], which=EventFilter(), fmt="jsonl", target=tmp_path / "e.jsonl")
    last = json.loads(second.path.read_text("utf-8").splitlines()[-1])
    assert last["event"] == Fact.EXPORT_MADE.value
    assert last["index"] == made.checkpoint.size, "the first entry after the checkpoint of the export before"
    with busy.store.view() as tx:
        row = tx.events.rows(EventFilter(events=(Fact.EXPORT_MADE.value,)), limit=1)[0]
        entry = json.loads(next(tx.ledger.entries(row.index, row.index + 1))[1])
    assert entry["actor"] == busy.actors["auditor"].account
    assert entry["data"]["sha256"] == made.sha256
    assert entry["data"]["lines"] == made.lines
    assert json.loads(entry["data"]["filter"]) == {
        "since": START.isoformat(),
        "until": (START + timedelta(hours=1)).isoformat(),
        "doors": ["sub-1"],
    }


def test_the_same_record_gives_the_same_bytes(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    one = desk.make(SYSTEM, which=HOUR, fmt="jsonl", target=tmp_path / "a")
    two = desk.make(SYSTEM, which=HOUR, fmt="jsonl", target=tmp_path / "b")
    assert one.path.read_bytes() == two.path.read_bytes()


def test_a_public_version_names_nobody(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    with busy.store.view() as tx:
        person = tx.people.search("Ñandú")[0]
    for fmt in FORMATS:
        made = desk.make(SYSTEM, fmt=fmt, target=tmp_path / f"e.{fmt}", public=True)
        desk.make(SYSTEM, which=EventFilter(person=person.id), fmt=fmt, target=tmp_path / f"p.{fmt}", public=True)
        assert made.lines > 300
    said = b"".join(path.read_bytes() for path in tmp_path.glob("[ep].*") if path.suffix != ".py")
    for secret in (person.full_name, person.id, person.document.number, "em4100:", "0F0184F07A", "pin:100"):
        assert secret.encode() not in said, secret
    assert b"person_salt" not in said


@pytest.mark.parametrize("fmt", FORMATS)
def test_hostile_cells_are_neutralised(premises: Premises, desk: ExportDesk, tmp_path: Path, fmt: Format) -> None:
    hostile = (
        "=cmd|' /C calc'!A0",
        "+1",
        "-2+3",
        "@SUM(A1)",
        '",\n"x',
        "a\u2028b",
        "🃏\x85z",
        "'; DROP TABLE entry; --",
    )
    for number, name in enumerate(hostile):
        person = premises.person(name)
        premises.door_events(1, person=person.id, start=START + timedelta(hours=number), credential=name)
    made = desk.make(SYSTEM, fmt=fmt, target=tmp_path / f"e.{fmt}")
    assert verify_file(made.path, trusted=KEY).entries == made.lines
    assert auditor.wrong(made.path) == ""
    if fmt == "jsonl":
        shown = {json.loads(line)["person"] for line in made.path.read_bytes().split(b"\n")[:-1]}
        assert set(hostile) <= shown
        return
    with made.path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(COLUMNS)
    assert len(rows) == made.lines + 1
    for row in rows[1:]:
        assert len(row) == len(COLUMNS)
        skew = row[COLUMNS.index("skew_s")]
        assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in row if cell != skew), row
        assert not any(mark in cell for cell in row for mark in "\r\n\u2028\x85")
    assert "'=cmd|' /C calc'!A0" in {row[COLUMNS.index("person")] for row in rows}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four small exports, for spoiling."""
    folder = tmp_path_factory.mktemp("exported")
    store = sqlite_store(folder / "a.db")
    premises = Premises(store=store)
    person = premises.person("María José Ñandú")
    premises.door_events(12, person=person.id)
    desk = ExportDesk(premises.office, premises.keeper)
    made = [
        desk.make(SYSTEM, which=which, fmt=fmt, target=folder / f"{number}.{fmt}").path
        for number, which in enumerate((EVERYTHING, HOUR))
        for fmt in FORMATS
    ]
    store.close()
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_byte_anywhere_is_caught(exported: list[Path], tmp_path: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(exported))
    parts = [one for one in (path, Path(f"{path}.manifest"), Path(f"{path}.proofs")) if one.exists()]
    spoiled = data.draw(st.sampled_from(parts))
    raw = spoiled.read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    flipped = bytes([raw[at] ^ (1 << data.draw(st.integers(0, 7)))])
    for part in parts:
        copy = tmp_path / part.name
        copy.write_bytes(raw[:at] + flipped + raw[at + 1 :] if part == spoiled else part.read_bytes())
    try:
        found = verify_file(tmp_path / path.name, trusted=KEY)
    except RecordBroken:
        return
    assert not found.sealed, "the one flip that is not refused makes the seal a key that nobody knows, which is told"


def test_a_full_disk_leaves_nothing(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    busy.keeper.checkpoint()  # so that the database has nothing to write when the limit holds
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            desk.make(SYSTEM, fmt="jsonl", target=folder / "e.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(folder) == set()
    with busy.store.view() as tx:
        assert tx.events.rows(EventFilter(events=(Fact.EXPORT_MADE.value,))) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from accessctl.services import export_pages, exports
from accessctl.domain.people import SYSTEM
from tests.services.premises import Premises
from tests.stores import sqlite_store
folder, at = Path(sys.argv[1]), int(sys.argv[2])
premises = Premises(store=sqlite_store(folder / "a.db"))
premises.door_events(5 * exports.PAGE)
calls = 0
plain = export_pages.leaf_hashes
def counted(entries):
    global calls
    calls += 1
    if calls == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(entries)
export_pages.leaf_hashes = counted
exports.ExportDesk(premises.office, premises.keeper).make(SYSTEM, fmt="csv", target=folder / "e.csv")
"""


def test_a_killed_export_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", KILLED, str(tmp_path), "4"]
    done = subprocess.run(command, cwd=root, check=False, timeout=60, env={**os.environ, "PYTHONPATH": str(root)})
    assert done.returncode == -signal.SIGKILL
    left = {name for name in names(tmp_path) if not name.startswith("a.db")}
    assert left
    assert all(name.startswith(".") and name.endswith(".partial") for name in left), left


def test_nothing_is_ever_replaced(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    for taken in ("e.csv", "e.csv.manifest", "e.csv.proofs"):
        folder = tmp_path / taken.replace(".", "-")
        folder.mkdir()
        (folder / taken).symlink_to(folder / "nowhere")
        with pytest.raises(FileExistsError):
            desk.make(SYSTEM, which=HOUR, fmt="csv", target=folder / "e.csv")
        assert names(folder) == {taken}
    with pytest.raises(AccessError, match="text_invalid"):
        desk.make(SYSTEM, fmt="csv", target=tmp_path / "e.manifest")


def test_only_who_may_export_exports(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    for key in ("guardia", "tecnico", "recepcion"):
        with pytest.raises(AccessError) as refused:
            desk.make(busy.actors[key], fmt="csv", target=tmp_path / "e.csv")
        assert refused.value.reason is Reason.WRONG_ROLE
        with pytest.raises(AccessError):
            desk.whole_record(busy.actors[key], tmp_path / "r.jsonl")
    with pytest.raises(AccessError, match="not_found"):
        desk.make(SYSTEM, which=EventFilter(person="nobody"), fmt="csv", target=tmp_path / "e.csv")
    assert "e.csv" not in names(tmp_path)


def test_a_rewritten_entry_is_not_exported(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    busy.keeper.checkpoint()
    with busy.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        connection.exec_driver_sql("DROP TRIGGER entry_no_update")
        connection.exec_driver_sql("UPDATE entry SET bytes = bytes || ' ' WHERE idx = 50")
        connection.exec_driver_sql("COMMIT")
    with pytest.raises(RecordBroken) as broken:
        desk.make(SYSTEM, fmt="csv", target=tmp_path / "e.csv")
    assert (broken.value.why, broken.value.index) == (Why.ENTRY_CHANGED, 50)
    assert names(tmp_path) == {name for name in names(tmp_path) if name.startswith("accessctl.db")}
