"""Stores for tests: a real, migrated SQLite store in a few milliseconds, and its fixture `fresh_store`.

    def test_something(fresh_store: SqlStore) -> None:
        with fresh_store.begin() as tx: …

The database is migrated once in each process and copied for each test. `sqlite_store(file)` makes one elsewhere, or
opens the one that is there (a second store on the same file is a second process, as far as the database can tell).
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from accessctl.storage.engine import make_engine
from accessctl.storage.migrations import migrate
from accessctl.storage.unit_of_work import SqlStore


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="accessctl-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = make_engine(f"sqlite:///{folder / 'template.db'}")
    migrate(engine)
    engine.dispose()  # the last connection to close folds the WAL into the file
    return folder / "template.db"


def sqlite_store(file: Path) -> SqlStore:
    """A store on this file, which is made and migrated where it does not exist."""
    if not file.exists():
        shutil.copyfile(_template(), file)
    return SqlStore(make_engine(f"sqlite:///{file}"), os.urandom)


@pytest.fixture
def fresh_store(tmp_path: Path) -> Iterator[SqlStore]:
    """An empty SQLite store of this test alone."""
    store = sqlite_store(tmp_path / "accessctl.db")
    yield store
    store.close()
