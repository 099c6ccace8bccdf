"""The fixture `store`: whatever storage promises is held by SQLite and by PostgreSQL, so every test runs on both."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from accessctl.storage.engine import make_engine
from accessctl.storage.migrations import migrate
from accessctl.storage.unit_of_work import SqlStore
from tests.stores import sqlite_store

BOTH = [pytest.param("sqlite", id="sqlite"), pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_url: str) -> str:
    """The name of a migrated, empty database, to be copied for each test."""
    name = f"template_{uuid4().hex}"
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    engine = make_engine(postgresql_url.replace("/postgres?", f"/{name}?"))
    migrate(engine)
    engine.dispose()
    return name


@pytest.fixture
def postgresql_address(postgresql_url: str, migrated_postgresql: str) -> Iterator[str]:
    """The address of a migrated PostgreSQL database of this test alone."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated_postgresql}"')
        yield postgresql_url.replace("/postgres?", f"/{name}?")
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=BOTH)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated database of this test alone, in either kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_address"))
    file = tmp_path / "accessctl.db"
    sqlite_store(file).close()
    return f"sqlite:///{file}"


@pytest.fixture
def store(address: str) -> Iterator[SqlStore]:
    """A migrated, empty store of this test alone."""
    store = SqlStore(make_engine(address), os.urandom)
    yield store
    store.close()
