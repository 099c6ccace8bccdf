"""What belongs to one process of an installation, wherever it runs: held in PostgreSQL by a session of its own.

The lock is the session's (PostgreSQL, "Advisory Locks"): it ends with it, whatever ends it. So whoever holds it has to
ask again and again whether the session is still there, and stops where it is not. On both sides a line that went dead
is given up in a bounded time, and on ours first: the server frees the lock only after we have stopped relying on it.
"""

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from accessctl.storage.engine import DatabaseNotReady

DEVICES_LOCK = 0x64657669636573  # "devices": the advisory lock of the process that keeps them

# A dead line: ours is given up 10 s after something was sent that nobody took; the server's after 20 s of silence and
# four questions 5 s apart. Asked every few seconds, we know at least 20 s before the server frees the lock.
OURS = {"tcp_user_timeout": 10_000, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
THEIRS = "-c tcp_keepalives_idle=20 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4"

TAKE = "SELECT pg_try_advisory_lock(:key)"
# Asked of the locks, not only of the line: a pool between us and the server may answer with another session.
HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid = pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32 | objid::bigint) = :key
)
"""


class SessionHold:
    """One advisory lock. Not for two threads at once."""

    def __init__(self, address: str, key: int) -> None:
        self._engine = create_engine(
            make_url(address).set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"application_name": "accessctl hold", "connect_timeout": 10, "options": THEIRS, **OURS},
        )
        self._key = key
        self._session: Connection | None = None

    def take(self) -> bool:
        """Whether it is ours now; False where another session holds it. Raises `DatabaseNotReady`."""
        try:
            self._session = self._engine.connect()
            taken = bool(self._session.execute(text(TAKE), {"key": self._key}).scalar())
        except OperationalError:
            self.release()
            raise DatabaseNotReady("the database does not answer") from None
        if not taken:
            self.release()
        return taken

    def held(self) -> bool:
        """Whether the server still says that it is ours. Once it was lost it is never ours again."""
        if self._session is None:
            return False
        try:
            held = bool(self._session.execute(text(HELD), {"key": self._key}).scalar())
        except DBAPIError:
            held = False
        if not held:
            self.release()
        return held

    def release(self) -> None:
        """End the session, and the lock with it."""
        session, self._session = self._session, None
        if session is not None:
            session.invalidate()  # closes the line; a session that was lost is not asked to roll back first
            session.close()
