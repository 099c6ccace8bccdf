"""What entries say in identifiers, said with names: for whoever reads a report on the screen or on paper.

CSV files and programs keep the identifiers, which hold an entry together with everything else that is said of it. What
nobody on file is called by any more is left as it stands.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import orjson

from accessctl.domain.card_numbers import CardNumber
from accessctl.domain.errors import AccessError
from accessctl.services.report_rows import Cell, Row
from accessctl.services.store import Work

Told: TypeAlias = Mapping[str, object]  # what a cell says: what was asked, or what a blind spot was, by short keys

_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?: (.+))?")
_PLURALS = {"doors": "door", "credentials": "credential"}


class Names:
    """Names as they are now, each looked up once."""

    def __init__(self, tx: Work) -> None:
        self._tx = tx
        self._known: dict[tuple[str, str], str] = {}

    def doors(self, text: str) -> str:
        """The names of doors, given by their ids with commas between them."""
        return ", ".join(self._of("door", one, self._door) for one in text.split(", ")) if text else ""

    def person(self, key: str) -> str:
        """The full name of a person."""
        return self._of("person", key, self._person) if key else ""

    def account(self, key: str) -> str:
        """The full name of whoever stands behind an account."""
        return self._of("account", key, self._account) if key else ""

    def row(self, columns: Sequence[str], row: Row) -> Row:
        """A row of a report with names where it has identifiers."""
        ways: Mapping[str, Callable[[str], str]] = {
            "door": self.doors,
            "person_id": self.person,
            "actor": self.account,
            "card": card_text,
        }
        return tuple(
            ways[column](value) if column in ways and isinstance(value, str) else value
            for column, value in zip(columns, row, strict=True)
        )

    def told(self, text: str) -> Told:
        """What a cell of `about` or of `detail` says; a text without a form of ours is told as `text`."""
        try:
            said = orjson.loads(text)
        except orjson.JSONDecodeError:
            return self._plain(text)
        if not isinstance(said, dict):
            return self._plain(text)
        named = {_PLURALS.get(str(key), str(key)): value for key, value in said.items()}
        return {key: self._value(key, value) for key, value in named.items()}

    def _value(self, key: str, value: object) -> object:
        if key == "door":
            return self.doors(", ".join(map(str, value)) if isinstance(value, list) else str(value))
        if key == "credential":
            texts = [str(one) for one in value] if isinstance(value, list) else [str(value)]
            read = [said for one in texts if (said := card_text(one)) != one]
            return ", ".join(dict.fromkeys(read or texts))  # the other texts of a card say nothing more of it
        if key == "person":
            return self.person(str(value))
        if key == "visit":
            visit = self._tx.visits.maybe(str(value))
            return visit.number if visit else value
        return value

    def _plain(self, text: str) -> Told:
        """A day with its zone, a zone, or the case that a paper was about."""
        if not text:
            return {}
        if of_day := _DAY.fullmatch(text):
            zone = of_day[2] or ""
            return {"day": of_day[1]} | ({"zone": self._zone(zone)} if zone else {})
        if request := self._tx.requests.maybe(text):
            return {"request": request.folio}
        if visit := self._tx.visits.maybe(text):
            return {"visit": visit.number}
        return {"zone": self._zone(text)} if self._tx.zones.maybe(text) else {"text": text}

    def _of(self, kind: str, key: str, way: Callable[[str], str]) -> str:
        if (kind, key) not in self._known:
            self._known[kind, key] = way(key)
        return self._known[kind, key]

    def _door(self, key: str) -> str:
        found = self._tx.doors.maybe(key)
        return found.name if found else key

    def _zone(self, key: str) -> str:
        found = self._tx.zones.maybe(key)
        return found.name if found else key

    def _person(self, key: str) -> str:
        found = self._tx.people.maybe(key)
        return found.full_name if found else key

    def _account(self, key: str) -> str:
        found = self._tx.accounts.maybe(key)
        return self.person(found.person) if found else key


def card_text(key: str) -> str:
    """A card as it is read off it, `0025489530 (10D)`, of the text that the record has; any other text stands."""
    try:
        form, number = next(iter(CardNumber.from_key(key).printed().items()))
    except AccessError:
        return key
    return f"{number} ({form})"


def told_of(names: Names, columns: Sequence[str], row: Sequence[Cell]) -> Told:
    """What the column `about` or `detail` of a row says; nothing where it has neither."""
    for column, value in zip(columns, row, strict=True):
        if column in {"about", "detail"} and isinstance(value, str):
            return names.told(value)
    return {}
