"""The record's four tables, and the triggers that keep it append-only in the database itself.

`entry` holds the canonical bytes as they were hashed, one row for each index from 0 without a gap; `tile` the full
tiles of the tree over them (256 hashes joined, and the root over these); `checkpoint` the signed notes. Every leaf
hash stands a second time in a full tile or in a checkpoint, so that a rewritten entry is not only noticed but
named. These three are written once: UPDATE, DELETE and (PostgreSQL) TRUNCATE are refused by triggers, also for the
owner of the tables; in SQLite an entry is also refused unless it continues the record, which stops `INSERT OR
REPLACE`. Triggers stop mistakes, not an owner who drops them: against that stand the tree and the checkpoints held
elsewhere. `opening` (salt and text of a commitment) is personal data, and the one table here that may be erased.

`TRIGGERS` is plain SQL for each dialect, so that a migration can run it word for word.
"""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, SmallInteger, String, Table, Text

from accessctl.storage.metadata import metadata

_INDEX = BigInteger().with_variant(Integer(), "sqlite")  # INTEGER PRIMARY KEY is SQLite's own row number

entry = Table(
    "entry",
    metadata,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("bytes", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)
tile = Table(
    "tile",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),  # before the hashes, so that reading roots need not pass them
    Column("hashes", LargeBinary, nullable=False),
)
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", _INDEX, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", String(40), nullable=False),  # ISO 8601, UTC
    Column("leaves", LargeBinary, nullable=False),  # of the entries since the last one that no full tile repeats
)
opening = Table(
    "opening",
    metadata,
    Column("commitment", String(64), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("value", Text, nullable=False),
)

APPEND_ONLY = ("entry", "tile", "checkpoint")


def _sqlite() -> tuple[str, ...]:
    statements = [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'the record is append-only: no {verb} on {table}'); END"
        for table in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    ]
    statements.append(
        "CREATE TRIGGER entry_continues BEFORE INSERT ON entry "
        "WHEN NEW.idx <> (SELECT coalesce(max(idx), -1) + 1 FROM entry) "
        "BEGIN SELECT RAISE(ABORT, 'the record is append-only: an entry continues it'); END"
    )
    for table, key in (("tile", "level = NEW.level AND idx = NEW.idx"), ("checkpoint", "size = NEW.size")):
        statements.append(
            f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} "  # noqa: S608  # names of ours, no values
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key}) "
            f"BEGIN SELECT RAISE(ABORT, 'the record is append-only: no second {table}'); END"
        )
    return tuple(statements)


def _postgresql() -> tuple[str, ...]:
    refuse = "RAISE EXCEPTION USING MESSAGE = 'the record is append-only: no ' || TG_OP || ' on ' || TG_TABLE_NAME"
    statements = [
        f"CREATE FUNCTION record_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuse}; END $$"
    ]
    for table in APPEND_ONLY:
        statements.append(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION record_is_append_only()"
        )
        statements.append(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")  # in replica role too
    return tuple(statements)


TRIGGERS: Mapping[str, tuple[str, ...]] = {"sqlite": _sqlite(), "postgresql": _postgresql()}
DROP_TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "sqlite": tuple(f"DROP TRIGGER {statement.split()[2]}" for statement in TRIGGERS["sqlite"]),
    "postgresql": (
        *(f"DROP TRIGGER {table}_append_only ON {table}" for table in APPEND_ONLY),
        "DROP FUNCTION record_is_append_only()",
    ),
}


def install_triggers(connection: Connection) -> None:
    """Run `TRIGGERS` for this connection's database; the tables exist and the triggers do not."""
    for statement in TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
