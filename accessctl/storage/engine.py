"""Opening a database: SQLite in a file (the default) or PostgreSQL, set up so that a commit is on the disk.

SQLite, on every connection: WAL, `synchronous=FULL`, foreign keys, no memory map (an I/O error must be an error, not a
signal), and transactions that begin where we say so, not where the driver guesses. What a transaction is to be
(`write` or not) is an execution option of its connection, see `WRITES`.
"""

import os
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from accessctl.storage.reader import Address

WRITES = "accessctl_writes"
WRITER_LOCK = 0x616363657373  # "access": the advisory lock that a writer of ours holds in PostgreSQL
PRIVATE = 0o600


class DatabaseNotReady(Exception):
    """The database does not answer, or has not the shape that this program needs. The message holds no address."""


class UnknownDatabase(ValueError):
    """The address names no database that we know; what it says is not repeated, it may hold a password."""


def make_engine(address: str, *, wait_s: float = 30.0, connections: int = 16) -> Engine:
    """The engine for `sqlite:///FILE` or `postgresql://…`.

    `wait_s` is how long a writer waits for the one before it; `connections` bounds the pool (twice as many in need).
    Raises `UnknownDatabase`. The SQLite file is made here if it is missing, readable by its owner alone.
    """
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, wait_s=wait_s, connections=connections)
    if url.get_backend_name() == "postgresql":
        return _postgresql(url, wait_s=wait_s, connections=connections)
    raise UnknownDatabase("a database is sqlite:///FILE or postgresql://…")


def driver_address(address: str | URL) -> Address:
    """The same database for a driver alone (see `accessctl.storage.reader`). It may hold a password."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        return "sqlite", str(url.database)
    return "postgresql", url.set(drivername="postgresql").render_as_string(hide_password=False)


def _sqlite(url: URL, *, wait_s: float, connections: int) -> Engine:
    if url.database in {None, "", ":memory:"} or url.query:
        raise UnknownDatabase("SQLite needs a file: sqlite:///FILE, without parameters")
    _make_private(Path(str(url.database)))
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        pool_size=connections,
        max_overflow=connections,
        connect_args={"timeout": wait_s, "isolation_level": None, "cached_statements": 512},
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(file: Path) -> None:
    """Before the database is opened: its WAL takes over its mode."""
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE))
    if file.stat().st_mode & 0o077:
        file.chmod(PRIVATE)


def _set_up_sqlite(connection: SqliteConnection, entry: ConnectionPoolEntry) -> None:
    del entry
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # so that REPLACE cannot pass by the triggers that forbid deleting
        "trusted_schema=OFF",
        "mmap_size=0",
        "cache_size=-16384",  # 16 MiB
        "journal_size_limit=67108864",
        "wal_autocheckpoint=4000",  # pages, 16 MiB: the ends of the indexes are written into the file less often
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its turn at once; a reader sees one moment and can write nothing."""
    if connection.get_execution_options().get(WRITES, False):
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        # What a statement may have to undo stays in memory; half of all that is written would be temporary files.
        connection.exec_driver_sql("PRAGMA temp_store=MEMORY")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("PRAGMA query_only=ON")
        connection.exec_driver_sql("PRAGMA temp_store=DEFAULT")  # a large answer is sorted in a file
        connection.exec_driver_sql("BEGIN")


def _postgresql(url: URL, *, wait_s: float, connections: int) -> Engine:
    wait_ms = int(wait_s * 1000)
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=connections,
        pool_pre_ping=True,
        connect_args={
            "options": f"-c timezone=UTC -c lock_timeout={wait_ms} -c idle_in_transaction_session_timeout=600000",
            "application_name": "accessctl",
            "connect_timeout": 10,
        },
    )


def begin_writing(engine: Engine) -> Connection:
    """A connection whose transaction writes, alone: in both databases the next writer waits until it ends."""
    if engine.dialect.name == "sqlite":
        connection = engine.connect().execution_options(**{WRITES: True})
    else:
        # READ COMMITTED: every statement after the lock sees all that earlier writers committed.
        connection = engine.connect().execution_options(isolation_level="READ COMMITTED")
    try:
        connection.begin()
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
    except BaseException:
        connection.close()
        raise
    return connection


def begin_reading(engine: Engine) -> Connection:
    """A connection whose transaction sees one moment, writes nothing and makes no writer wait."""
    if engine.dialect.name == "sqlite":
        connection = engine.connect()
    else:
        connection = engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        connection.begin()
    except BaseException:
        connection.close()
        raise
    return connection
