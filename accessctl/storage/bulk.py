"""Many rows into one table, past SQLAlchemy's conversions: the hot path of everything that is recorded.

SQLite takes fifty rows in one statement: each statement on a table with triggers begins by keeping what it may have to
undo, which costs as much as the row itself. PostgreSQL takes many rows as one binary COPY, which says each row's values
and nothing else; a few are sent as statements, because a COPY is a conversation of its own.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection

AT_ONCE = 50
_MARKS = {"sqlite": "?", "postgresql": "%s"}
_KINDS: dict[str, list[int]] = {}  # of a table's columns, as PostgreSQL numbers its types: these never change


def insert_rows(connection: Connection, table: str, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows whose values are as the driver takes them. `table` and `names` are ours, never input.

    A row that PostgreSQL refuses within a COPY raises the driver's own error; the transaction is over either way.
    """
    dialect = connection.dialect.name
    if dialect == "postgresql" and len(rows) >= AT_ONCE:
        _copy(connection, table, names, rows)
        return
    whole = len(rows) // AT_ONCE * AT_ONCE if dialect == "sqlite" else 0
    for start in range(0, whole, AT_ONCE):
        values = tuple(chain.from_iterable(rows[start : start + AT_ONCE]))
        connection.exec_driver_sql(_statement(table, names, dialect, AT_ONCE), values)
    if whole < len(rows):
        connection.exec_driver_sql(_statement(table, names, dialect, 1), list(rows[whole:]))


def _copy(connection: Connection, table: str, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    into = f"{table} ({_quoted(names)})"
    driver: Any = connection.connection.driver_connection  # psycopg's own, which alone knows COPY
    with driver.cursor() as cursor:
        if into not in _KINDS:
            cursor.execute(f"SELECT {_quoted(names)} FROM {table} LIMIT 0")  # noqa: S608  # our own names, no value
            _KINDS[into] = [column.type_code for column in cursor.description]
        with cursor.copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(_KINDS[into])
            for row in rows:
                copy.write_row(row)


@cache
def _statement(table: str, names: tuple[str, ...], dialect: str, rows: int) -> str:
    row = f"({', '.join([_MARKS[dialect]] * len(names))})"
    return f"INSERT INTO {table} ({_quoted(names)}) VALUES {', '.join([row] * rows)}"  # noqa: S608  # our own names


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)
