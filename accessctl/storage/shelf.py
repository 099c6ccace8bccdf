"""A shelf: the rows of one table as values, with bounded questions. One class serves every kind of value.

What a kind needs beyond its dataclass stands in its `Kind`: the order in which its values are listed, columns derived
from the value, and whether it is operational (an observation, which may change without a fact in the record).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Select, Table, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from accessctl.domain.errors import AccessError, Reason
from accessctl.storage.mapper import Mapper
from accessctl.storage.transaction import Transaction, is_taken

V = TypeVar("V")
LARGEST_ANSWER = 100_000  # of one question; whoever needs more streams
PAGE = 1000


class Kind(Generic[V]):
    """How values of one dataclass are kept. `order` is oldest first; the key breaks ties."""

    def __init__(
        self,
        made: type[V],
        table: Table,
        *,
        order: tuple[str, ...] = (),
        derived: Mapping[str, Callable[[V], object]] | None = None,
        operational: bool = False,
    ) -> None:
        self.table = table
        self.mapper = Mapper(made, table, derived)
        self.order: tuple[Column[Any], ...] = (*(table.c[name] for name in order), table.c.id)
        self.operational = operational
        # Made once: to build a statement takes longer than to run it.
        self.one = select(*self.mapper.columns).where(table.c.id == bindparam("row_id"))
        self.change = update(table).where(table.c.id == bindparam("row_id"))


class SqlShelf(Generic[V]):
    """The values of one table, inside one transaction (see `accessctl.services.store.Shelf`)."""

    def __init__(self, transaction: Transaction, kind: Kind[V]) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._kind = kind
        self._mapper = kind.mapper
        self._table = kind.table
        self._id: Column[str] = kind.table.c.id

    def get(self, key: str) -> V:
        """Raises `AccessError(NOT_FOUND)`."""
        value = self.maybe(key)
        if value is None:
            raise AccessError(Reason.NOT_FOUND, kind=self._table.name)
        return value

    def maybe(self, key: str) -> V | None:
        """The value with that key, if there is one."""
        for plain in self._mapper.sought("id", key):
            row = self._connection.execute(self._kind.one, {"row_id": plain}).one_or_none()
            return None if row is None else self._mapper.value(row)
        return None

    def find(self, *, limit: int = 500, newest: bool = False, **equal: object) -> list[V]:
        """Values whose columns equal what is given, in the shelf's order; `newest` turns it round."""
        return self._listed(*self._mapper.matching(equal), limit=limit, newest=newest)

    def count(self, **equal: object) -> int:
        """How many there are whose columns equal what is given."""
        counted = select(func.count()).select_from(self._table).where(*self._mapper.matching(equal))
        return self._connection.execute(counted).scalar_one()

    def all(self) -> Iterator[V]:
        """Everything, by key, a page at a time: flat memory, and no cursor left open on the connection."""
        last: str | None = None
        while True:
            page = select(*self._mapper.columns).order_by(self._id).limit(PAGE)
            rows = self._connection.execute(page if last is None else page.where(self._id > last)).all()
            yield from map(self._mapper.value, rows)
            if len(rows) < PAGE:
                return
            last = rows[-1].id

    def add(self, value: V) -> None:
        """Raises `AccessError(ALREADY_EXISTS)`, and the transaction goes on."""
        self._transaction.touch(operational=self._kind.operational)
        row = self._mapper.row(value)
        made: sqlite.Insert | postgresql.Insert = (
            postgresql.insert(self._table)
            if self._connection.dialect.name == "postgresql"
            else sqlite.insert(self._table)
        )
        one = made.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        if self._connection.execute(one, row).rowcount == 0:
            raise self._taken(row)

    def save(self, value: V) -> None:
        """Write a value over the one with its key. Raises `NOT_FOUND`, or `ALREADY_EXISTS`; the transaction goes on."""
        self._transaction.touch(operational=self._kind.operational)
        row = self._mapper.row(value)
        # PostgreSQL goes on after a violation only behind a savepoint; SQLite undoes the statement alone.
        guard = self._connection.begin_nested() if self._connection.dialect.name == "postgresql" else nullcontext()
        try:
            with guard:
                rows = self._connection.execute(self._kind.change, {**row, "row_id": row["id"]}).rowcount
        except IntegrityError as error:
            if is_taken(error):
                raise self._taken(row) from None
            raise
        if rows == 0:
            raise AccessError(Reason.NOT_FOUND, kind=self._table.name)

    def delete(self, key: str) -> None:
        """Raises `NOT_FOUND`; refused by the database itself (a trigger) for everything that is history."""
        self._transaction.touch(operational=self._kind.operational)
        if self._connection.execute(delete(self._table).where(*self._mapper.matching({"id": key}))).rowcount == 0:
            raise AccessError(Reason.NOT_FOUND, kind=self._table.name)

    def _taken(self, row: Mapping[str, object]) -> AccessError:
        """The refusal where a key or a unique column is taken."""
        del row
        return AccessError(Reason.ALREADY_EXISTS, kind=self._table.name)

    def _listed(self, *where: ColumnElement[bool], limit: int, newest: bool = False) -> list[V]:
        if not 0 <= limit <= LARGEST_ANSWER:
            raise ValueError(f"an answer of {limit} values: at most {LARGEST_ANSWER}")
        order = [
            column.desc().nulls_last() if newest else column.asc().nulls_first() if column.nullable else column
            for column in self._kind.order
        ]
        return self._values(select(*self._mapper.columns).where(*where).order_by(*order).limit(limit))

    def _values(self, query: Select[Any]) -> list[V]:
        return [self._mapper.value(row) for row in self._connection.execute(query)]
