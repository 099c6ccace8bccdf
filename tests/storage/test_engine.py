"""How databases are opened."""

import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from accessctl.storage.engine import UnknownDatabase, begin_reading, begin_writing, make_engine
from accessctl.storage.unit_of_work import SqlStore
from tests.storage import values
from tests.stores import sqlite_store


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_the_file_and_its_wal_belong_to_their_owner_alone(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path / "made.db")
    with store.begin() as tx:
        tx.sign_in_tries.add(values.SIGN_IN_TRY)
        tx.commit()
    assert {file.name for file in tmp_path.iterdir()} == {"made.db", "made.db-wal", "made.db-shm"}
    assert modes(tmp_path) == {0o600}
    store.close()


def test_a_file_that_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    file.touch(mode=0o644)
    file.chmod(0o644)
    make_engine(f"sqlite:///{file}").dispose()
    assert modes(tmp_path) == {0o600}


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="link"):
        make_engine(f"sqlite:///{tmp_path / 'link.db'}")


@pytest.mark.parametrize(
    "address", ["sqlite://", "sqlite:///:memory:", "sqlite:///x.db?mode=ro", "mysql://u:secret@h/d"]
)
def test_other_addresses_are_refused_without_repeating_them(address: str) -> None:
    with pytest.raises(UnknownDatabase) as refusal:
        make_engine(address)
    assert "secret" not in str(refusal.value)


def test_a_commit_in_sqlite_is_on_the_disk(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "mmap_size": 0, "query_only": 0}
    with begin_writing(engine) as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
    assert found == expected
    engine.dispose()


def test_a_reader_can_write_nothing_even_by_hand(store: SqlStore) -> None:
    with begin_reading(store.engine) as connection, pytest.raises(DBAPIError, match=r"(?i)read.?only"):
        connection.execute(text("DELETE FROM sign_in_tries"))
    with begin_writing(store.engine) as connection:  # the same connection, from the pool, writes again
        connection.execute(text("DELETE FROM sign_in_tries"))


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes(b"not a database, but long enough to be read as one" * 100)
    engine = make_engine(f"sqlite:///{file}")
    with pytest.raises((DBAPIError, sqlite3.DatabaseError), match="not a database"):
        begin_reading(engine)
    engine.dispose()


@pytest.mark.postgresql
def test_a_password_shows_in_no_repr(postgresql_url: str) -> None:
    engine = make_engine(postgresql_url.replace("postgres@", "postgres:hunter2@"))
    assert "hunter2" not in repr(engine)
    engine.dispose()
