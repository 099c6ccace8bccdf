"""Between a row and a frozen dataclass: one column for each field, by name, converted as the field's type says.

A field that is a small dataclass of its own and has no column of its name is spread over several (`document` over
`document_kind` and `document_number`). Where a text field's column allows NULL, `""` is stored as NULL: a reference to
nothing. Text is refused (`TEXT_INVALID`, naming the field) where it is longer than its column or holds what a database
cannot: nothing is ever cut, and both databases refuse the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar, get_type_hints

from sqlalchemy import Column, ColumnElement, String, Table, Text, false

from accessctl.domain.errors import AccessError, Reason
from accessctl.storage.plain import SAME, Codec, Convert, as_text, codec_of, is_composed, optional

V = TypeVar("V")
MOST_ALTERNATIVES = 10_000  # of a "one of": each is a bound parameter


def is_storable(text: str, *, longest: int) -> bool:
    """Whether a column of that length takes the text: no NUL, no lone surrogate (PostgreSQL has no bytes for them)."""
    if len(text) > longest or "\x00" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """One column: where its value comes from, and how it is written and read."""

    column: Column[Any]
    path: tuple[str, ...]  # attribute, or attribute of attribute
    codec: Codec


def _writer(column: Column[Any], plain: Convert, *, empty_is_null: bool) -> Convert:
    """`plain`, with the bound of a text column and the NULL of an empty reference."""
    if not isinstance(column.type, String) or isinstance(column.type, Text):
        return plain
    name, longest = column.name, column.type.length or 0

    def write(value: object) -> str | None:
        text = plain(value)
        if text is None or (empty_is_null and text == ""):
            return None
        if not is_storable(text, longest=longest):
            raise AccessError(Reason.TEXT_INVALID, field=name, longest=longest)
        return str(text)

    return write


def _cell(column: Column[Any], path: tuple[str, ...], hint: Any) -> _Cell:
    inner, may_be_none = optional(hint)
    codec = SAME if inner in (bytes, datetime, date) else codec_of(hint)
    if is_composed(hint):
        codec = as_text(codec)
    empty_is_null = bool(column.nullable) and not may_be_none
    if bool(column.nullable) != may_be_none and not (empty_is_null and inner is str):
        raise TypeError(f"{column}: NULL and {hint!r} do not go together")
    made: Convert = (lambda value: "" if value is None else value) if empty_is_null else codec.made
    return _Cell(
        column=column,
        path=path,
        codec=Codec(plain=_writer(column, codec.plain, empty_is_null=empty_is_null), made=made),
    )


class Mapper(Generic[V]):
    """Rows of one table as values of one dataclass. Raises `TypeError` when the two do not fit, as it is made."""

    def __init__(self, made: type[V], table: Table, derived: Mapping[str, Callable[[V], object]] | None = None) -> None:
        self.table = table
        self._made = made
        self._derived = {
            name: (_writer(table.c[name], lambda value: value, empty_is_null=False), derive)
            for name, derive in (derived or {}).items()
        }
        self._cells: list[_Cell] = []
        self._parts: dict[str, tuple[type, int, int]] = {}  # spread fields: dataclass, first cell, end
        self._plain_fields: list[tuple[str, int]] = []
        for part, hint in get_type_hints(made).items():
            if part not in table.c and isinstance(hint, type) and is_dataclass(hint):
                first = len(self._cells)
                for inner, inner_hint in get_type_hints(hint).items():
                    self._cells.append(_cell(table.c[f"{part}_{inner}"], (part, inner), inner_hint))
                self._parts[part] = (hint, first, len(self._cells))
            elif part not in table.c:
                raise TypeError(f"{table.name}: no column for {part}; it needs one in `tables`, and a version")
            else:
                self._plain_fields.append((part, len(self._cells)))
                self._cells.append(_cell(table.c[part], (part,), hint))
        self.columns: tuple[Column[Any], ...] = tuple(cell.column for cell in self._cells)
        self._by_name = {cell.column.name: cell for cell in self._cells}
        if missing := set(table.c.keys()) - set(self._by_name) - set(self._derived):
            raise TypeError(f"{table.name}: columns without a field: {sorted(missing)}")

    def row(self, value: V) -> dict[str, object]:
        """The row of a value. Raises `AccessError(TEXT_INVALID)`."""
        row: dict[str, object] = {}
        for cell in self._cells:
            found: object = value
            for name in cell.path:
                found = getattr(found, name)
            row[cell.column.name] = cell.codec.plain(found)
        for name, (write, derive) in self._derived.items():
            row[name] = write(derive(value))
        return row

    def value(self, row: Sequence[Any]) -> V:
        """The value of a row that holds `columns` in their order."""
        read = [cell.codec.made(plain) for cell, plain in zip(self._cells, row, strict=True)]
        given: dict[str, object] = {name: read[at] for name, at in self._plain_fields}
        for name, (made, first, end) in self._parts.items():
            given[name] = made(**{cell.path[1]: read[first + at] for at, cell in enumerate(self._cells[first:end])})
        return self._made(**given)

    def matching(self, equal: Mapping[str, object]) -> list[ColumnElement[bool]]:
        """Conditions that columns equal what is given: a value, None for NULL, or a collection for "one of".

        A column that does not exist, or holds JSON, is a bug of the caller (`KeyError`, `TypeError`).
        """
        return [self._matches(self._by_name[name], wanted) for name, wanted in equal.items()]

    def sought(self, name: str, wanted: object) -> list[Any]:
        """What to compare a column with: one value, or none where no row can hold it."""
        return _sought(self._by_name[name], wanted)

    def _matches(self, cell: _Cell, wanted: object) -> ColumnElement[bool]:
        if isinstance(cell.column.type, Text):
            raise TypeError(f"{cell.column}: composed values are not searched")
        if isinstance(wanted, tuple | list | frozenset | set):
            if len(wanted) > MOST_ALTERNATIVES:
                raise ValueError(f"{cell.column}: {len(wanted)} alternatives, at most {MOST_ALTERNATIVES}")
            return cell.column.in_([plain for one in wanted for plain in _sought(cell, one)])
        for plain in _sought(cell, wanted):
            return cell.column.is_(None) if plain is None else cell.column == plain
        return false()


def _sought(cell: _Cell, wanted: object) -> list[Any]:
    """What to compare a column with: one value, or none where the text is such that no row can hold it.

    Words of a vocabulary and card numbers may be given as themselves or as their text.
    """
    if wanted is None:
        return [None]
    if type(wanted) is str and wanted:
        longest = cell.column.type.length if isinstance(cell.column.type, String) else None
        return [wanted] if is_storable(wanted, longest=longest or 0) else []
    return [cell.codec.plain(wanted)]
