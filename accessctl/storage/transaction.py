"""One transaction on one connection, and what it has done so far: what shelves and the record write through."""

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

_SQLITE_UNSYNCED = {"SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC"}
_SQLITE_TAKEN = {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
_POSTGRESQL_TAKEN = "23505"  # unique_violation, PostgreSQL appendix A


class Transaction:
    """A connection inside its transaction. `changed` says that something must have been recorded by the commit."""

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        self.connection = connection
        self.changed = False
        self._writable = writable
        self._over = False

    def touch(self, *, operational: bool) -> None:
        """Say that something is about to be written. Raises `RuntimeError` in a view, or after the commit."""
        if not self._writable or self._over:
            raise RuntimeError("a view writes nothing, and neither does a unit of work after its commit")
        self.changed = self.changed or not operational

    def finish(self) -> None:
        """Commit; nothing is written through this transaction again. Raises `RuntimeError` as `touch` does."""
        self.touch(operational=True)
        self.connection.commit()
        self._over = True


def sync_failed(error: DBAPIError) -> bool:
    """Whether SQLite asked the disk to keep what was written, in vain. A PostgreSQL server ends by itself then."""
    return getattr(error.orig, "sqlite_errorname", None) in _SQLITE_UNSYNCED


def is_taken(error: IntegrityError) -> bool:
    """Whether a key or a unique column was taken: the one violation that a caller may run into without a bug."""
    cause = error.orig
    return (
        getattr(cause, "sqlite_errorname", None) in _SQLITE_TAKEN
        or getattr(cause, "sqlstate", None) == _POSTGRESQL_TAKEN
    )
