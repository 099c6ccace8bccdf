"""Copies of an embedded database, made while the service runs, and put back where there is none.

SQLite's own online copy gives one moment of the database whatever is written meanwhile. A PostgreSQL server has its own
tools (`pg_dump`), which this does not wrap.
"""

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

PAGES_AT_ONCE = 2048  # 8 MiB, so that a copy of a large record lets writers in between
_BLOCK = 1024 * 1024


class NotEmbedded(Exception):
    """The database is a server's: its own tools copy it."""


class CopyBroken(Exception):
    """A copy does not hold together: SQLite itself says so, or its digest is another."""


def database_file(address: str) -> Path:
    """The file of an embedded database. Raises `NotEmbedded`."""
    url = make_url(address)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise NotEmbedded("pg_dump")
    return Path(url.database)


def copy_database(address: str, target: Path) -> str:
    """Copy to a new file of mode 0600 and check it. Returns its SHA-256 in hex. Raises `OSError` where it is there."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.close(handle)
    with closing(sqlite3.connect(database_file(address))) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy, pages=PAGES_AT_ONCE)
        copy.execute("PRAGMA journal_mode=DELETE")
    check_copy(target)
    return digest_of(target)


def check_copy(file: Path) -> None:
    """Whether SQLite finds the file whole. Raises `CopyBroken`."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
            found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise CopyBroken(str(error)) from None
    if found != "ok":
        raise CopyBroken(str(found)[:200])


def put_back(copy: Path, address: str, *, sha256: str) -> None:
    """Put a copy in the place of a database that is not there. Raises `FileExistsError`, `CopyBroken`."""
    target = database_file(address)
    if digest_of(copy) != sha256:
        raise CopyBroken("sha256")
    check_copy(copy)
    if target.exists():
        raise FileExistsError(str(target))
    part = target.with_name(target.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as out, copy.open("rb") as source:
        while block := source.read(_BLOCK):
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    part.rename(target)


def digest_of(file: Path) -> str:
    """SHA-256 of a file in hex."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
