"""Column types that mean the same in both databases: instants in UTC, closed vocabularies.

SQLite has no type for an instant, so `Utc` is a whole number of microseconds since 1970 there: it sorts and compares as
the instants do. PostgreSQL gets its own `timestamptz`. A naive datetime is a bug and is refused before it is stored.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """The instant as SQLite holds it. Raises `ValueError` for a datetime that names no instant."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime is no instant: it needs its offset")
    return (at - EPOCH) // _MICROSECOND


class Utc(TypeDecorator[datetime]):
    """An instant: aware datetimes in, aware datetimes in UTC out, to the microsecond."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """`timestamptz` where there is one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        """Into the database."""
        if value is None:
            return None
        whole = microseconds(value)
        return value.astimezone(UTC) if dialect.name == "postgresql" else whole

    def process_result_value(self, value: datetime | int | None, dialect: Dialect) -> datetime | None:
        """Out of the database."""
        del dialect  # the value says by its type which database it came from
        if value is None:
            return None
        return EPOCH + timedelta(microseconds=value) if isinstance(value, int) else value.astimezone(UTC)


def one_of(column: str, vocabulary: type[StrEnum]) -> CheckConstraint:
    """A CHECK that a column holds one of the words of a closed vocabulary."""
    words = ", ".join(f"'{word.value}'" for word in vocabulary)
    return CheckConstraint(f"{column} IN ({words})", name=column)
