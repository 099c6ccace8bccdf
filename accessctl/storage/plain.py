"""Domain values as plain ones and back, driven by their type hints.

A `Codec` turns what one field holds (a card number, a role, a tuple of steps done, a map of parts) into what JSON and a
column can hold, and makes the same value of it again. Whatever is composed (tuples, sets, maps, nested dataclasses) is
one canonical JSON text in a column: keys sorted, no spaces. Hints that nobody has needed yet are refused when the
table is bound to its dataclass, that is, when the module is imported.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson

from accessctl.domain.card_numbers import CardNumber

Hint = Any  # a type, or a special form of typing; the language has no narrower name for it
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """`plain` makes a value storable, `made` makes it again."""

    plain: Convert
    made: Convert


def _same(value: object) -> object:
    return value


SAME = Codec(plain=_same, made=_same)
_HEX = Codec(plain=bytes.hex, made=bytes.fromhex)
_ISO: dict[type, Codec] = {
    datetime: Codec(plain=datetime.isoformat, made=datetime.fromisoformat),
    date: Codec(plain=date.isoformat, made=date.fromisoformat),
    time: Codec(plain=time.isoformat, made=time.fromisoformat),
}
_CARD = Codec(plain=lambda number: number.key, made=CardNumber.from_key)


def optional(hint: Hint) -> tuple[Hint, bool]:
    """The hint without its `None`, and whether it had one."""
    origin: Hint = get_origin(hint)
    if origin in (Union, UnionType):
        rest = [part for part in get_args(hint) if part is not NoneType]
        if len(rest) == 1:
            return rest[0], True
    return hint, False


def _element(codec: Codec) -> Codec:
    if codec is SAME:
        return Codec(plain=list, made=tuple)
    plain, made = codec.plain, codec.made
    return Codec(
        plain=lambda values: [plain(value) for value in values],
        made=lambda values: tuple(made(value) for value in values),
    )


def _or_none(codec: Codec) -> Codec:
    if codec is SAME:
        return SAME
    plain, made = codec.plain, codec.made
    return Codec(
        plain=lambda value: None if value is None else plain(value),
        made=lambda value: None if value is None else made(value),
    )


def _of_dataclass(cls: type) -> Codec:
    hints = get_type_hints(cls)
    inner = {part.name: codec_of(hints[part.name]) for part in fields(cls)}
    return Codec(
        plain=lambda value: {name: codec.plain(getattr(value, name)) for name, codec in inner.items()},
        made=lambda plain: cls(**{name: codec.made(plain[name]) for name, codec in inner.items()}),
    )


def _of_container(hint: Hint) -> Codec | None:
    origin: Hint = get_origin(hint)
    parts = get_args(hint)
    if origin is tuple and len(parts) == 2 and parts[1] is Ellipsis:
        return _element(codec_of(parts[0]))
    if origin is tuple:
        inner = [codec_of(part) for part in parts]
        return Codec(
            plain=lambda values: [codec.plain(value) for codec, value in zip(inner, values, strict=True)],
            made=lambda values: tuple(codec.made(value) for codec, value in zip(inner, values, strict=True)),
        )
    if origin is frozenset:
        element = codec_of(parts[0])
        return Codec(
            plain=lambda values: sorted(element.plain(value) for value in values),
            made=lambda values: frozenset(element.made(value) for value in values),
        )
    if origin in (Mapping, dict) and parts[0] is str:
        value_codec = codec_of(parts[1])
        return Codec(
            plain=lambda values: {key: value_codec.plain(value) for key, value in values.items()},
            made=lambda values: {key: value_codec.made(value) for key, value in values.items()},
        )
    return None


def codec_of(hint: Hint) -> Codec:
    """How a value of this type is written in JSON. Raises `TypeError` for a type that has no rule."""
    inner, may_be_none = optional(hint)
    if may_be_none:
        return _or_none(codec_of(inner))
    if hint in (str, int, bool):
        return SAME
    if hint is bytes:
        return _HEX
    if hint in _ISO:
        return _ISO[hint]
    if hint is CardNumber:
        return _CARD
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Codec(plain=lambda word: word.value, made=hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _of_dataclass(hint)
    composed = _of_container(hint)
    if composed is None:
        raise TypeError(f"no rule for storing {hint!r}")
    return composed


def is_composed(hint: Hint) -> bool:
    """Whether values of this type are stored as JSON text."""
    inner, _ = optional(hint)
    if get_origin(inner) is not None:
        return True
    return isinstance(inner, type) and is_dataclass(inner) and inner is not CardNumber


def as_text(codec: Codec) -> Codec:
    """The same values, as canonical JSON text."""
    return Codec(
        plain=lambda value: orjson.dumps(codec.plain(value), option=orjson.OPT_SORT_KEYS).decode(),
        made=lambda text: codec.made(orjson.loads(text)),
    )
