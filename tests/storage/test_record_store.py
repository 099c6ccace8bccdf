"""The record in real databases: it grows without forks, refuses to be changed, and proves what it holds."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Connection, Engine, Executable, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from accessctl.record import Checkpoint, NotCanonical, Signer, decode, encode, leaf_hash, seal, sign_checkpoint
from accessctl.storage import record_tables as tables
from accessctl.storage.engine import begin_reading, begin_writing, make_engine
from accessctl.storage.metadata import metadata
from accessctl.storage.record_check import check_record
from accessctl.storage.record_store import RecordAppender, RecordReader, erase_openings, keep_checkpoint
from tests.record import reference

SIGNER = Signer("igss.example/record", hashlib.sha256(b"test key").digest())
AT = datetime(2026, 1, 1, 7, tzinfo=UTC)
RECORD = [tables.entry, tables.tile, tables.checkpoint, tables.opening]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty record in each kind of database."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/record.db"
    else:
        address = request.getfixturevalue("postgresql_database")
    made = make_engine(address)
    with begin_writing(made) as connection:
        metadata.create_all(connection, tables=RECORD)
        tables.install_triggers(connection)
        connection.commit()
    yield made
    made.dispose()


def facts(start: int, count: int, word: str = "door:entry:granted") -> list[dict[str, object]]:
    return [
        {"v": 1, "fact": word, "at": "2026-01-01T07:00:00+00:00", "seq": seq} for seq in range(start, start + count)
    ]


def grow(engine: Engine, appender: RecordAppender, entries: Sequence[Mapping[str, object]]) -> list[int]:
    with begin_writing(engine) as connection:
        indexes = appender.append(connection, entries)
        connection.commit()
    return indexes


def sign_now(connection: Connection) -> Checkpoint:
    reader = RecordReader(connection)
    signed = Checkpoint(origin=SIGNER.name, size=reader.size(), root=reader.root())
    keep_checkpoint(connection, signed, sign_checkpoint(signed, SIGNER), AT)
    return signed


def test_grows_and_proves(engine: Engine) -> None:
    appender, entries = RecordAppender(), facts(0, 1000)
    done = 0
    for step in (0, 1, 2, 253, 1, 300, 443):
        assert grow(engine, appender, entries[done : done + step]) == list(range(done, done + step))
        done += step
    leaves = [leaf_hash(encode(each)) for each in entries]
    with begin_reading(engine) as connection:
        reader = RecordReader(connection)
        assert reader.size() == 1000
        for size in (0, 1, 255, 256, 257, 512, 999, 1000):
            assert reader.root(size) == reference.root(leaves[:size])
        for index, size in ((0, 1), (0, 1000), (255, 256), (300, 700), (999, 1000)):
            assert reader.inclusion(index, size) == reference.path(index, leaves[:size])
            assert reader.consistency(index + 1, size) == reference.proof(index + 1, leaves[:size])
        found = list(reader.entries(250, 5000))
        assert [each.index for each in found] == list(range(250, 1000))
        assert [decode(each.data) for each in found] == entries[250:]
        assert all(each.leaf == leaf_hash(each.data) for each in found)
        assert reader.entry(1000) is None
        assert check_record(connection).root == reference.root(leaves)
        with pytest.raises(ValueError, match="between"):
            reader.root(1001)


def test_an_abandoned_transaction_leaves_nothing_and_confuses_nobody(engine: Engine) -> None:
    appender, other = RecordAppender(), RecordAppender()
    grow(engine, appender, facts(0, 10))
    with begin_writing(engine) as connection:
        assert appender.append(connection, facts(10, 5)) == [10, 11, 12, 13, 14]
        connection.rollback()
    # As many entries by somebody else, the last one the same: only the appender's own memory could go wrong.
    grow(engine, other, [*facts(90, 4), *facts(14, 1)])
    assert grow(engine, appender, facts(20, 300)) == list(range(15, 315))
    with begin_writing(engine) as connection:
        with pytest.raises(NotCanonical):
            appender.append(connection, [*facts(0, 3), {"rate": 1.5}])
        assert appender.append(connection, facts(500, 2)) == [315, 316]
        savepoint = connection.begin_nested()
        assert appender.append(connection, facts(600, 3)) == [317, 318, 319]
        savepoint.rollback()
        assert appender.append(connection, facts(700, 3)) == [317, 318, 319]
        connection.commit()
    with begin_reading(engine) as connection:
        assert check_record(connection).size == 320


def test_two_appenders_take_turns_and_threads_do_not_fork(engine: Engine) -> None:
    start = Barrier(4)

    def worker(number: int) -> list[int]:
        appender, mine = RecordAppender(), []
        start.wait(timeout=20)
        for turn in range(12):
            mine += grow(engine, appender, facts(1000 * number + 10 * turn, 1 + turn * 3 % 7))
        return mine

    with ThreadPoolExecutor(4) as pool:
        indexes = [index for done in pool.map(worker, range(4)) for index in done]
    assert sorted(indexes) == list(range(len(indexes)))
    with begin_reading(engine) as connection:
        assert check_record(connection).size == len(indexes)


def test_nothing_is_changed_or_removed(engine: Engine) -> None:
    grow(engine, RecordAppender(), facts(0, 300))
    with begin_writing(engine) as connection:
        sign_now(connection)
        connection.commit()
    attempts = [
        update(tables.entry).where(tables.entry.c.idx == 3).values(leaf=b"x"),
        delete(tables.entry).where(tables.entry.c.idx == 299),
        update(tables.tile).values(root=b"x"),
        delete(tables.tile),
        update(tables.checkpoint).values(note="x"),
        delete(tables.checkpoint),
    ]
    hostile = [
        "INSERT OR REPLACE INTO entry VALUES (3, x'00', x'00')",
        "REPLACE INTO entry VALUES (299, x'00', x'00')",
        "INSERT INTO entry VALUES (301, x'00', x'00')",
        "INSERT INTO entry VALUES (-1, x'00', x'00')",
        "REPLACE INTO tile SELECT level, idx, hashes, root FROM tile",
        "REPLACE INTO checkpoint SELECT size, root, 'x', at, leaves FROM checkpoint",
        "UPDATE OR IGNORE entry SET idx = 400 WHERE idx = 3",
    ]
    if engine.dialect.name == "postgresql":
        hostile = [
            "TRUNCATE entry",
            "TRUNCATE tile, checkpoint",
            "SET LOCAL session_replication_role = replica; DELETE FROM entry",
            "INSERT INTO entry VALUES (3, '', '') ON CONFLICT (idx) DO UPDATE SET bytes = ''",
        ]
    statements: list[Executable] = [*attempts, *map(text, hostile)]
    for attempt in statements:
        with begin_writing(engine) as connection:
            if engine.dialect.name == "sqlite":  # as somebody's own tool would be
                connection.exec_driver_sql("PRAGMA recursive_triggers=OFF")
            with pytest.raises(DatabaseError):
                connection.execute(attempt)
    with begin_reading(engine) as connection:
        assert check_record(connection, trusted=[SIGNER.verifier]).checkpoints == 1


def test_the_triggers_can_be_taken_down_and_put_up_again(engine: Engine) -> None:
    grow(engine, RecordAppender(), facts(0, 3))
    with begin_writing(engine) as connection:
        for statement in tables.DROP_TRIGGERS[engine.dialect.name]:
            connection.exec_driver_sql(statement)
        connection.execute(delete(tables.entry).where(tables.entry.c.idx == 2))
        tables.install_triggers(connection)
        with pytest.raises(DatabaseError):
            connection.execute(delete(tables.entry))


def test_openings_are_kept_and_can_be_forgotten(engine: Engine) -> None:
    person, document = seal(b"p" * 32, "María Pérez"), seal(b"d" * 32, "1234 56789 0101")
    entry = {"v": 1, "fact": "visit:registered", "person": person.mark, "data": {"document": document.mark}}
    with begin_writing(engine) as connection:
        RecordAppender().append(connection, [entry], openings=[person, document])
        connection.commit()
    asked = [person.commitment, document.commitment, "00" * 32, person.commitment]
    with begin_writing(engine) as connection:
        reader = RecordReader(connection)
        assert reader.openings(asked) == {person.commitment: person, document.commitment: document}
        assert erase_openings(connection, [person.commitment, "00" * 32]) == 1
        assert reader.openings(asked) == {document.commitment: document}
        assert check_record(connection).size == 1
        assert reader.openings(f"{number:064x}" for number in range(1200)) == {}
        connection.commit()


def test_checkpoints_repeat_the_leaves_that_no_tile_holds(engine: Engine) -> None:
    appender = RecordAppender()
    sizes = [0, 1, 200, 256, 300, 700]
    with begin_writing(engine) as connection:
        for before, size in zip([0, *sizes], sizes, strict=False):
            appender.append(connection, facts(before, size - before))
            signed = sign_now(connection)
            assert signed.size == size
        with pytest.raises(ValueError, match="kept already"):
            sign_now(connection)
        connection.commit()
    with begin_reading(engine) as connection:
        kept = list(RecordReader(connection).checkpoints())
        assert [each.size for each in kept] == sizes
        assert [len(each.leaves) // 32 for each in kept] == [0, 1, 199, 0, 44, 700 - 512]
        assert RecordReader(connection).checkpoint() == kept[-1]
        assert RecordReader(connection).checkpoint(300) == kept[4]
        assert RecordReader(connection).checkpoint(301) is None
        assert connection.execute(select(tables.tile.c.idx)).scalars().all() == [0, 1]


def test_the_same_index_is_never_written_twice(engine: Engine) -> None:
    grow(engine, RecordAppender(), facts(0, 3))
    with begin_writing(engine) as connection, pytest.raises(DatabaseError):
        connection.execute(insert(tables.entry).values(idx=2, bytes=b"", leaf=b""))


def test_processes_that_are_killed_leave_a_whole_record(engine: Engine) -> None:
    """Two processes append side by side; each is killed in the middle of its work, three times. What a process said was
    committed is there, once, at the indexes that it said; nothing is half there (fault rows 1, 2 and 10).
    """
    address = engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=False)
    said: list[str] = []
    for turn in range(3):
        with ExitStack() as stack:
            processes = [
                stack.enter_context(
                    subprocess.Popen(
                        [sys.executable, "-m", "tests.storage.appending", address, f"{name}{turn}"],
                        cwd=Path(__file__).parents[2],
                        stdout=subprocess.PIPE,
                        text=True,
                    )
                )
                for name in "ab"
            ]
            for process in processes:
                assert process.stdout is not None
                said += [process.stdout.readline() for _ in range(5 + turn)]
                process.kill()
                said += process.stdout.readlines()
    with begin_reading(engine) as connection:
        stored = {each.index: decode(each.data) for each in RecordReader(connection).entries(0, 1_000_000)}
        assert check_record(connection).size == len(stored)
    assert len(said) >= 36
    for word, batch, first, last in (line.split() for line in said if line.endswith("\n")):
        found = [stored[index] for index in range(int(first), int(last) + 1)]
        assert [(each["fact"], each["batch"]) for each in found] == [(word, int(batch))] * len(found)
        assert [each["number"] for each in found] == list(range(len(found)))
    batches = {(each["fact"], each["batch"], each["number"]) for each in stored.values()}
    assert len(batches) == len(stored)
