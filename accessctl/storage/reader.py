"""One reader: a process that reads the record, does what its caller asked for with it, and answers (see `readers`).

`python -m accessctl.storage.reader` is what is started. It loads no more than its job needs, and no SQLAlchemy.
"""

import gc
import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, TypeAlias

from accessctl.storage.record_rows import RecordRows

Address: TypeAlias = tuple[str, str]  # the dialect, and a file's path or a libpq URI, which may hold a password
WAIT_S = 60.0
_PRAGMAS = ("query_only=ON", "trusted_schema=OFF", "mmap_size=0", "cache_size=-16384")


def connected(address: Address) -> RecordRows:
    """A connection that only reads, and sees with each statement what is committed by then."""
    dialect, where = address
    if dialect == "sqlite":
        import sqlite3  # noqa: PLC0415 -- a reader of PostgreSQL has no use for it

        file = sqlite3.connect(where, timeout=WAIT_S, isolation_level=None)
        for pragma in _PRAGMAS:
            file.execute(f"PRAGMA {pragma}")
        return RecordRows(lambda say, values: file.execute(say, values).fetchall(), dialect, errors=(sqlite3.Error,))
    import psycopg  # noqa: PLC0415 -- and one of SQLite none for this

    options = "-c timezone=UTC -c default_transaction_read_only=on"
    server = psycopg.connect(where, autocommit=True, options=options, application_name="accessctl", connect_timeout=10)
    return RecordRows(lambda say, values: server.execute(say, values).fetchall(), dialect, errors=(psycopg.Error,))


def work(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer until nobody asks any more (`EOFError`) or nobody is there (`BrokenPipeError`)."""
    address, job = _next(asked)
    do: Callable[[Any], Any] = job(connected(address))
    gc.collect()
    gc.freeze()  # what was loaded stays: looking through it again and again would be for nothing
    while True:
        answer = do(_next(asked))
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _next(asked: BinaryIO) -> Any:
    return pickle.load(asked)  # noqa: S301 -- from whoever started this process, through its own pipe


if __name__ == "__main__":
    if sys.platform.startswith("linux"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # whoever waits at a door goes first
    with suppress(EOFError, BrokenPipeError):
        work(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
