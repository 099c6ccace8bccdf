"""Tampering with the tables behind the triggers' back: each way is named at the first bad index (fault rows 26 and
27).
"""

import hashlib
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.exc import DatabaseError

from accessctl.record import Checkpoint, RecordBroken, Signer, Why, encode, leaf_hash, sign_checkpoint
from accessctl.storage import record_tables as tables
from accessctl.storage import tile_check
from accessctl.storage.engine import begin_reading, begin_writing, driver_address, make_engine
from accessctl.storage.metadata import metadata
from accessctl.storage.record_check import check_record
from accessctl.storage.record_store import RecordAppender, RecordReader, keep_checkpoint, rows_in
from accessctl.storage.tile_check import LARGE, by_readers, sound_for, sound_roots, spans
from tests.postgresql import new_database
from tests.record import reference

SIGNER = Signer("igss.example/record", hashlib.sha256(b"test key").digest())
STRANGER = Signer("igss.example/record", hashlib.sha256(b"another").digest())
AT = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = 1000
CHECKPOINTS = (1, 130, 256, 600, 770, 1000)
ENTRIES = [{"v": 1, "fact": "door:entry:granted", "seq": seq, "note": "á" * (seq % 5)} for seq in range(SIZE)]
LEAVES = [leaf_hash(encode(each)) for each in ENTRIES]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A record of 1,000 entries under six checkpoints, whose triggers an evil owner has dropped."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            address = f"sqlite:///{tmp_path_factory.mktemp('record')}/record.db"
        else:
            address = stack.enter_context(new_database(request.getfixturevalue("postgresql_url")))
        engine = make_engine(address)
        stack.callback(engine.dispose)
        with begin_writing(engine) as connection:
            metadata.create_all(connection, tables=[tables.entry, tables.tile, tables.checkpoint])
            fill(connection, SIZE)
            connection.commit()
        yield engine


def fill(connection: Connection, size: int) -> None:
    appender, done = RecordAppender(), 0
    for upto in (*(each for each in CHECKPOINTS if each <= size), size):
        appender.append(connection, ENTRIES[done:upto])
        if upto > done:
            signed = Checkpoint(origin=SIGNER.name, size=upto, root=RecordReader(connection).root())
            keep_checkpoint(connection, signed, sign_checkpoint(signed, SIGNER), AT)
        done = upto


def held(size: int) -> Checkpoint:
    return Checkpoint(origin=SIGNER.name, size=size, root=reference.root(LEAVES[:size]))


def found(connection: Connection, *outside: Checkpoint) -> RecordBroken:
    with pytest.raises(RecordBroken) as refused:
        check_record(connection, trusted=[SIGNER.verifier], held=outside)
    assert "\n" not in str(refused.value)
    return refused.value


def run(connection: Connection, statement: str, *values: object) -> None:
    connection.exec_driver_sql(
        statement if connection.dialect.name == "sqlite" else statement.replace("?", "%s"), values
    )


def swap_rows(connection: Connection, at: int, other: int, *columns: str) -> None:
    rows = [
        dict(connection.execute(select(tables.entry).where(tables.entry.c.idx == index)).one()._mapping)
        for index in (at, other)
    ]
    for index, row in zip((other, at), rows, strict=True):
        changed = {name: row[name] for name in columns}
        connection.execute(update(tables.entry).where(tables.entry.c.idx == index).values(changed))


def edit_bytes(connection: Connection, at: int) -> int:
    run(connection, "UPDATE entry SET bytes = ? WHERE idx = ?", encode({"v": 1, "fact": "nothing"}), at)
    return at


def edit_bytes_and_leaf(connection: Connection, at: int) -> int:
    data = encode({"v": 1, "fact": "nothing"})
    run(connection, "UPDATE entry SET bytes = ?, leaf = ? WHERE idx = ?", data, leaf_hash(data), at)
    return at


def remove(connection: Connection, at: int) -> int:
    run(connection, "DELETE FROM entry WHERE idx = ?", at)
    return at


def remove_and_close_the_gap(connection: Connection, at: int) -> int:
    run(connection, "DELETE FROM entry WHERE idx = ?", at)
    run(connection, "UPDATE entry SET idx = -idx WHERE idx > ?", at)
    run(connection, "UPDATE entry SET idx = -idx - 1 WHERE idx < 0")
    return at


def reorder(connection: Connection, at: int) -> int:
    other = (at + 7) % SIZE
    swap_rows(connection, at, other, "bytes", "leaf")
    return min(at, other)


def reorder_bytes(connection: Connection, at: int) -> int:
    other = (at + 300) % SIZE
    swap_rows(connection, at, other, "bytes")
    return min(at, other)


def insert(connection: Connection, at: int) -> int:
    run(connection, "UPDATE entry SET idx = -idx - 2 WHERE idx >= ?", at)
    run(connection, "UPDATE entry SET idx = -idx - 1 WHERE idx < 0")
    data = encode({"v": 1, "fact": "invented"})
    run(connection, "INSERT INTO entry (idx, bytes, leaf) VALUES (?, ?, ?)", at, data, leaf_hash(data))
    return at


def cut(connection: Connection, at: int) -> int:
    run(connection, "DELETE FROM entry WHERE idx >= ?", at)
    return at


ATTACKS = [
    edit_bytes, edit_bytes_and_leaf, remove, remove_and_close_the_gap, reorder, reorder_bytes, insert, cut,
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
@settings(max_examples=12)
@given(at=st.integers(0, SIZE - 1))
def test_the_first_bad_entry_is_named(record: Engine, attack: Callable[[Connection, int], int], at: int) -> None:
    with begin_writing(record) as connection:
        assert check_record(connection, trusted=[SIGNER.verifier], held=[held(345)]).checkpoints == len(CHECKPOINTS)
        first = attack(connection, at)
        for outside in ((), (held(345), held(SIZE))):
            refused = found(connection, *outside)
            assert refused.index == first, f"{attack.__name__} at {at}: {refused}"
        connection.rollback()


@settings(max_examples=10)
@given(at=st.integers(0, SIZE - 1))
def test_a_tail_cut_without_a_trace_is_seen_by_a_checkpoint_held_outside(record: Engine, at: int) -> None:
    with begin_writing(record) as connection:
        cut(connection, at)
        run(connection, "DELETE FROM checkpoint WHERE size > ?", at)
        run(connection, "DELETE FROM tile WHERE level > 0 OR idx >= ?", at // 256)
        assert check_record(connection, trusted=[SIGNER.verifier]).size == at
        refused = found(connection, held(SIZE))
        assert (refused.why, refused.index, refused.until) == (Why.NOT_AN_EXTENSION, at, SIZE - 1)
        connection.rollback()


def test_a_record_rewritten_whole_fails_its_checkpoints(record: Engine) -> None:
    """The owner rebuilds everything that can be computed, tiles and leaves included; signatures are out of reach."""
    with begin_writing(record) as connection:
        notes = {each.size: each.note for each in RecordReader(connection).checkpoints()}
        for table in (tables.entry, tables.tile, tables.checkpoint):
            connection.execute(delete(table))
        changed = [dict(each) for each in ENTRIES]
        changed[400]["fact"] = "door:entry:refused"
        appender, done = RecordAppender(), 0
        for size in CHECKPOINTS:
            appender.append(connection, changed[done:size])
            forged = Checkpoint(origin=SIGNER.name, size=size, root=RecordReader(connection).root())
            keep_checkpoint(connection, forged, notes[size], AT)
            done = size
        assert found(connection).why is Why.BAD_SIGNATURE  # the notes sign other roots
        for size in CHECKPOINTS:
            root = held(size).root
            run(connection, "UPDATE checkpoint SET root = ? WHERE size = ?", root, size)
        refused = found(connection)
        assert (refused.why, refused.index, refused.until) == (Why.WRONG_ROOT, 256, 599)
        for size in CHECKPOINTS:
            signed = Checkpoint(origin=SIGNER.name, size=size, root=RecordReader(connection).root(size))
            run(
                connection,
                "UPDATE checkpoint SET root = ?, note = ? WHERE size = ?",
                signed.root,
                sign_checkpoint(signed, STRANGER),
                size,
            )
        assert found(connection).why is Why.UNKNOWN_KEY
        # Even with the key: whoever holds an older checkpoint outside sees it.
        for size in CHECKPOINTS:
            signed = Checkpoint(origin=SIGNER.name, size=size, root=RecordReader(connection).root(size))
            run(connection, "UPDATE checkpoint SET note = ? WHERE size = ?", sign_checkpoint(signed, SIGNER), size)
        assert check_record(connection, trusted=[SIGNER.verifier], held=[held(400)]).size == SIZE
        refused = found(connection, held(400), held(500), held(900))
        assert (refused.why, refused.index, refused.until) == (Why.NOT_AN_EXTENSION, 400, 499)
        connection.rollback()


def test_tiles_and_checkpoints_are_checked_themselves(record: Engine) -> None:
    for statement, index in (
        ("DELETE FROM tile WHERE idx = 1", 256),
        ("UPDATE tile SET root = hashes WHERE idx = 2", 512),
        ("UPDATE checkpoint SET leaves = root WHERE size = 256", 256),
        ("UPDATE checkpoint SET leaves = root WHERE size = 600", 512),
        ("UPDATE checkpoint SET root = leaves WHERE size = 130", 1),
    ):
        with begin_writing(record) as connection:
            run(connection, statement)
            with pytest.raises(RecordBroken) as refused:
                check_record(connection)
            assert refused.value.index == index
            connection.rollback()


def test_an_empty_record_is_in_order(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/empty.db")
    with begin_writing(engine) as connection:
        metadata.create_all(connection, tables=[tables.entry, tables.tile, tables.checkpoint])
        assert check_record(connection).size == 0
        assert found(connection, held(3)).index == 0
    engine.dispose()


def test_other_processes_answer_as_this_one_does(
    record: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its own connection: only what is committed can be seen, so the bad entry is in a record of its own."""
    monkeypatch.setattr(tile_check, "SPAN", 1)
    sound = by_readers(driver_address(record.url), 2)
    with begin_reading(record) as connection:
        assert list(sound(spans(3))) == [[reference.root(LEAVES[at : at + 256])] for at in (0, 256, 512)]
        assert check_record(connection, trusted=[SIGNER.verifier], held=[held(345)], sound=sound).size == SIZE
        assert list(sound(_killing(spans(3)))) == []
        left_alone = check_record(connection, sound=lambda asked: sound(_killing(asked)))
        assert left_alone.root == reference.root(LEAVES)
    if record.dialect.name == "postgresql":
        return
    engine = make_engine(f"sqlite:///{tmp_path}/bad.db")
    with begin_writing(engine) as connection:
        metadata.create_all(connection, tables=[tables.entry, tables.tile, tables.checkpoint])
        fill(connection, SIZE)
        edit_bytes_and_leaf(connection, 300)
        connection.commit()
    sound = by_readers(driver_address(engine.url), 2)
    with begin_reading(engine) as connection:
        assert [found is None for found in sound(spans(3))] == [False, True, False]
        with pytest.raises(RecordBroken) as refused:
            check_record(connection, sound=sound)
        assert refused.value.index == 300
    engine.dispose()


def test_readers_that_check_give_way(record: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stands at a door goes before a check of the whole record."""
    monkeypatch.setattr(tile_check, "SPAN", 1)
    with closing(by_readers(driver_address(record.url), 1)(spans(3))) as answers:
        next(answers)
        (reader,) = _children()
        assert os.getpriority(os.PRIO_PROCESS, reader) == min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)


def _children() -> list[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text("ascii").split()]


def _killing(asked: Iterator[range]) -> Iterator[range]:
    """Ask, and kill whoever was asked before they have answered."""
    for span in asked:
        yield span
        for child in _children():
            os.kill(child, signal.SIGKILL)


def test_readers_are_called_where_the_record_is_large(monkeypatch: pytest.MonkeyPatch, record: Engine) -> None:
    with begin_reading(record) as connection:
        for size, processors, by_others in ((LARGE, 2, True), (LARGE - 1, 2, False), (LARGE, 1, False)):
            monkeypatch.setattr(os, "sched_getaffinity", lambda _, n=processors: set(range(n)))
            chosen = sound_for(size, rows_in(connection), driver_address(record.url))
            assert ("by_readers" in chosen.__qualname__) is by_others


def test_tiles_are_in_order_only_as_they_were_written(record: Engine) -> None:
    """Whatever is changed in a span of tiles, its answer is no."""
    for statement in (
        *("UPDATE entry SET leaf = bytes WHERE idx = 255", "UPDATE entry SET bytes = leaf WHERE idx = 256"),
        *("DELETE FROM entry WHERE idx = 767", "UPDATE entry SET idx = -5 WHERE idx = 0"),
        *("DELETE FROM tile WHERE level = 0 AND idx = 2", "UPDATE tile SET root = hashes WHERE level = 0 AND idx = 1"),
        *("UPDATE tile SET hashes = root WHERE level = 0 AND idx = 0", "UPDATE tile SET level = 1 WHERE idx = 1"),
    ):
        with begin_writing(record) as connection:
            assert len(sound_roots(rows_in(connection), range(3)) or ()) == 3
            run(connection, statement)
            assert sound_roots(rows_in(connection), range(3)) is None, statement
            connection.rollback()


def test_values_of_another_kind_are_findings_not_crashes(record: Engine) -> None:
    """SQLite keeps what it is given; PostgreSQL refuses it itself."""
    if record.dialect.name == "postgresql":
        with begin_writing(record) as connection, pytest.raises(DatabaseError):
            run(connection, "UPDATE entry SET bytes = 'text'::text WHERE idx = 5")
        return
    for statement in (
        "UPDATE entry SET bytes = 'text' WHERE idx = 5",
        "UPDATE entry SET bytes = 7 WHERE idx = 5",
        "UPDATE entry SET bytes = CAST(x'00ff' AS TEXT) WHERE idx = 5",
        "UPDATE entry SET leaf = CAST(x'00ff' AS TEXT) WHERE idx = 5",
        "UPDATE entry SET leaf = 'text' WHERE idx = 5",
        "UPDATE tile SET hashes = 'text' WHERE idx = 0",
        "UPDATE tile SET root = 1.5 WHERE idx = 0",
        "UPDATE checkpoint SET root = 'text' WHERE size = 130",
        "UPDATE checkpoint SET note = 5 WHERE size = 130",
        "UPDATE checkpoint SET note = x'00ff' WHERE size = 130",
        "UPDATE checkpoint SET leaves = 'é' WHERE size = 130",
    ):
        with begin_writing(record) as connection:
            run(connection, statement)
            found(connection)
            connection.rollback()


@pytest.mark.slow
def test_a_large_record_of_three_levels_of_tiles(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/large.db")
    size, chance = 256 * 256 + 700, random.Random(7)
    with begin_writing(engine) as connection:
        metadata.create_all(connection, tables=[tables.entry, tables.tile, tables.checkpoint])
        appender = RecordAppender()
        for start in range(0, size, 5000):
            appender.append(connection, [{"seq": seq} for seq in range(start, min(start + 5000, size))])
        assert check_record(connection).size == size
        for at in chance.sample(range(256 * 256), 2):
            edit_bytes_and_leaf(connection, at)
            with pytest.raises(RecordBroken) as refused:
                check_record(connection)
            assert refused.value.index == at
            swap = encode({"seq": at})
            run(connection, "UPDATE entry SET bytes = ?, leaf = ? WHERE idx = ?", swap, leaf_hash(swap), at)
        connection.commit()
    engine.dispose()
