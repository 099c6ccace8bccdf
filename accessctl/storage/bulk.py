"""Many rows into one table, past SQLAlchemy's conversions: the hot path of everything that is recorded.

SQLite takes fifty rows in one statement: each statement on a table with triggers begins by keeping what it may have to
undo, which costs as much as the row itself. PostgreSQL's driver sends its rows in a pipeline and needs no such help.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection

AT_ONCE = 50
_MARKS = {"sqlite": "?", "postgresql": "%s"}


def insert_rows(connection: Connection, table: str, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows whose values are as the driver takes them. `table` and `names` are ours, never input."""
    dialect = connection.dialect.name
    whole = len(rows) // AT_ONCE * AT_ONCE if dialect == "sqlite" else 0
    for start in range(0, whole, AT_ONCE):
        values = tuple(chain.from_iterable(rows[start : start + AT_ONCE]))
        connection.exec_driver_sql(_statement(table, names, dialect, AT_ONCE), values)
    if whole < len(rows):
        connection.exec_driver_sql(_statement(table, names, dialect, 1), list(rows[whole:]))


@cache
def _statement(table: str, names: tuple[str, ...], dialect: str, rows: int) -> str:
    row = f"({', '.join([_MARKS[dialect]] * len(names))})"
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {table} ({quoted}) VALUES {', '.join([row] * rows)}"  # noqa: S608  # our own names, no value
