"""The versions make the tables that the program was written for, and their triggers hold, in both databases."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DBAPIError

from accessctl.domain.alarms import N3_5, AlertType
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.record import Checkpoint
from accessctl.storage import migrations
from accessctl.storage.engine import DatabaseNotReady, begin_reading, begin_writing, make_engine
from accessctl.storage.guards import GUARDS, KEPT
from accessctl.storage.metadata import metadata
from accessctl.storage.migrations import is_current, migrate
from accessctl.storage.record_store import keep_checkpoint
from accessctl.storage.record_tables import APPEND_ONLY, TRIGGERS
from accessctl.storage.tables import event_block
from accessctl.storage.unit_of_work import SqlStore
from tests.storage.test_shelves import fill
from tests.storage.values import NOW

INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
CONSTRAINTS = (
    "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace AND conrelid <> coalesce(to_regclass('alembic_version'), 0)"
)
TRIGGERS_MADE = "SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal"
COLUMNS = (
    "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable "
    "|| coalesce(character_maximum_length, 0) FROM information_schema.columns "
    "WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
)
FUNCTIONS = "SELECT proname || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"

FIRST = import_module("accessctl.storage.migrations.versions.0001_first_shape")
VISITS = import_module("accessctl.storage.migrations.versions.0002_visits")


def test_the_migrated_shape_is_that_of_the_tables(store: SqlStore) -> None:
    with begin_reading(store.engine) as connection:
        assert is_current(connection)
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []


def shape(connection: Connection) -> set[str]:
    """Every definition as the database itself tells it: columns, constraints, partial indexes, triggers."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND sql NOTNULL"))
        return {_sorted_parts(sql) for sql in found.scalars()}
    queries = (INDEXES, CONSTRAINTS, TRIGGERS_MADE, COLUMNS, FUNCTIONS)
    return {line for query in queries for line in connection.execute(text(query)).scalars()}


def _sorted_parts(sql: str) -> str:
    """A definition with its lines in order: where a constraint stands in CREATE TABLE means nothing.

    Nor does it mean anything that SQLite writes the name of a table that was made anew in quotation marks.
    """
    sql = re.sub(r'^CREATE TABLE "(\w+)"', r"CREATE TABLE \1", sql)
    lines = (re.sub(r"\s+", " ", line).strip().rstrip(",") for line in sql.replace("\t", "").splitlines())
    return "\n".join(sorted(line for line in lines if line))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    address = f"sqlite:///{tmp_path / 'empty.db'}"
    if request.param == "postgresql":
        address = request.getfixturevalue("postgresql_database")
    engine = make_engine(address)
    yield engine
    engine.dispose()


def test_the_versions_and_the_tables_define_the_same_to_the_letter(empty: Engine) -> None:
    with begin_writing(empty) as connection:
        metadata.create_all(connection)
        for statement in (*TRIGGERS[empty.dialect.name], *GUARDS[empty.dialect.name]):
            connection.execute(text(statement))
        made = shape(connection)
        connection.rollback()
    migrate(empty)
    with begin_reading(empty) as connection:
        assert shape(connection) == made
    assert len(made) > 80


def test_the_frozen_lists_are_those_of_the_program() -> None:
    assert (*FIRST.KEPT, *VISITS.KEPT) == KEPT
    assert FIRST.APPEND_ONLY == APPEND_ONLY


def test_migrating_again_changes_nothing(empty: Engine) -> None:
    with begin_reading(empty) as connection:
        assert not is_current(connection)
    migrate(empty)
    with begin_reading(empty) as connection:
        before = shape(connection)
    migrate(empty)
    with begin_reading(empty) as connection:
        assert is_current(connection)
        assert shape(connection) == before


def test_a_migration_that_fails_has_not_happened(empty: Engine) -> None:
    with begin_writing(empty) as connection:  # a table of the same name stands in the way of the last ones
        connection.execute(text("CREATE TABLE opening_subject (x INTEGER)"))
        connection.commit()
    with pytest.raises(DBAPIError, match="opening_subject"):
        migrate(empty)
    with begin_writing(empty) as connection:
        assert not is_current(connection)
        connection.execute(text("DROP TABLE opening_subject"))
        connection.commit()
    migrate(empty)
    with begin_reading(empty) as connection:
        assert is_current(connection)


OLD_ALARM = (
    "INSERT INTO alarms (id, kind, key, state, raised_at, device, door, person, detail, count, handled_by, comment, "
    "cause) VALUES (:id, :kind, 'k', :state, :at, '', '', '', 'd', 3, 'a1', 'c', 'x')"
)


def test_alarms_of_before_get_their_area_and_may_be_assigned(empty: Engine) -> None:
    at: object = 1_772_460_000_000_000 if empty.dialect.name == "sqlite" else NOW
    before = [("a", "device_offline", "raised"), ("b", "gap", "verified"), ("c", "door_forced", "acknowledged")]
    with begin_writing(empty) as connection:
        command.upgrade(migrations.configuration(connection), "0003")
        for key, kind, state in before:
            connection.execute(text(OLD_ALARM), {"id": key, "kind": kind, "state": state, "at": at})
        connection.commit()
    migrate(empty)
    with begin_writing(empty) as connection:
        columns = "id, kind, state, area, responsible, assigned_to, count, waiting_since = raised_at"
        found = connection.execute(text(f"SELECT {columns} FROM alarms ORDER BY id")).all()  # noqa: S608 -- the words above
        assert [(*row[:3], *row[4:7], bool(row[7])) for row in found] == [
            ("a", "device_offline", "raised", "tecnico_telecom", "", 3, True),
            ("b", "gap", "verified", "analista_calidad", "", 3, True),
            ("c", "door_forced", "acknowledged", "tecnico_infra", "", 3, True),
        ]
        assert found[0].area == N3_5[AlertType.ENLACE].area
        connection.execute(text("UPDATE alarms SET state = 'assigned' WHERE id = 'a'"))
        with pytest.raises(DBAPIError, match="history is kept"):
            connection.execute(text("DELETE FROM alarms"))
        connection.rollback()


def test_a_draft_of_what_is_already_there_is_empty(
    empty: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty)
    newest = ScriptDirectory.from_config(migrations.configuration()).get_current_head()
    shutil.copytree(migrations.HERE, tmp_path / "migrations")
    monkeypatch.setattr(migrations, "HERE", tmp_path / "migrations")
    migrations.draft(empty, "9999", "Nothing new")
    drafted = (tmp_path / "migrations" / "versions" / "9999_nothing_new.py").read_text()
    assert f"down_revision = {newest!r}" in drafted
    assert "op." not in drafted.partition("def upgrade")[2]


MIGRATE = """
import sys
from accessctl.storage.engine import make_engine
from accessctl.storage.migrations import migrate
migrate(make_engine(sys.argv[1]))
"""


def test_processes_that_start_together_migrate_once(empty: Engine) -> None:
    address = empty.url.set(drivername=empty.dialect.name).render_as_string(hide_password=False)
    started = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, address], stderr=subprocess.PIPE, env={**os.environ})
        for _ in range(3)
    ]
    assert [(process.communicate(timeout=60)[1], process.returncode) for process in started] == [(b"", 0)] * 3
    with begin_reading(empty) as connection:
        assert is_current(connection)


def full(store: SqlStore) -> None:
    """A store with a row in every guarded table."""
    fill(store)
    with store.begin() as tx:
        for _ in range(300):  # more than a tile
            tx.record(Fact.SETTING_CHANGED, at=NOW, actor=SYSTEM)
        tx.commit()
    with begin_writing(store.engine) as connection:
        keep_checkpoint(connection, Checkpoint(origin="test", size=1, root=b"\0" * 32), "note", NOW)
        connection.commit()


def test_the_times_of_blocks_are_made_from_what_is_there(store: SqlStore) -> None:
    full(store)
    with begin_writing(store.engine) as connection:
        written = connection.execute(select(event_block)).all()
        command.stamp(migrations.configuration(connection), "0004")  # what came later cannot be undone, and stays
        command.downgrade(migrations.configuration(connection), "0003")
        command.upgrade(migrations.configuration(connection), "0004")
        assert connection.execute(select(event_block)).all() == written
        assert written
        connection.rollback()


def attempt(store: SqlStore, statement: str) -> None:
    with begin_writing(store.engine) as connection:
        connection.execute(text(statement))
        connection.commit()


def test_history_is_not_deleted_and_the_record_not_changed(store: SqlStore) -> None:
    full(store)
    tables = (*KEPT, *APPEND_ONLY, "event")
    columns = {"entry": "bytes", "tile": "root", "checkpoint": "note", "event": "device"}
    statements = [f"DELETE FROM {table}" for table in tables]  # noqa: S608  # names of ours
    statements += [f"UPDATE {table} SET {column} = {column}" for table, column in columns.items()]  # noqa: S608
    if store.engine.dialect.name == "sqlite":
        statements += [
            "INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE idx = 3",
            "INSERT OR REPLACE INTO event SELECT * FROM event WHERE idx = 3",
            "INSERT OR REPLACE INTO people SELECT * FROM people",
            "UPDATE OR REPLACE people SET number = 1001",
        ]
    else:
        statements += [f"TRUNCATE {table} CASCADE" for table in tables]
    for statement in statements:
        with pytest.raises(DBAPIError, match=r"history is kept|append-only"):
            attempt(store, statement)


def test_a_database_that_is_copied_still_guards_itself(store: SqlStore, tmp_path: Path) -> None:
    """Without our connection's settings: any program that opens the SQLite file is refused too."""
    full(store)
    if store.engine.dialect.name != "sqlite":
        with begin_writing(store.engine) as connection:
            connection.execute(text("SET session_replication_role = replica"))  # as a superuser would, to pass triggers
            with pytest.raises(DBAPIError, match="append-only"):
                connection.execute(text("DELETE FROM entry"))
        return
    file: Any = store.engine.url.database
    store.close()
    plain = sqlite3.connect(file)
    try:
        for statement in ("DELETE FROM entry", "UPDATE event SET door = ''", "REPLACE INTO entry SELECT * FROM entry"):
            with pytest.raises(sqlite3.IntegrityError, match=r"append-only|history is kept"):
                plain.execute(statement)
    finally:
        plain.close()


def test_a_database_that_is_not_ready_says_so_without_its_address(empty: Engine) -> None:
    with pytest.raises(DatabaseNotReady, match="accessctl init"):
        migrations.require_current(empty)
    migrate(empty)
    migrations.require_current(empty)


@pytest.mark.parametrize("ask", [migrate, migrations.require_current])
def test_a_database_that_does_not_answer_is_not_waited_for(ask: Callable[[Engine], None]) -> None:
    engine = make_engine("postgresql://somebody:secret@127.0.0.1:9/none")  # nobody listens on the discard port
    with pytest.raises(DatabaseNotReady) as refused:
        ask(engine)
    assert "secret" not in str(refused.value)
    engine.dispose()
