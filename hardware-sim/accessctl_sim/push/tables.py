"""The tables of a controller: rows as the server sent them, found again by their keys, and what they say about a card.

Field names are compared without case, as firmwares spell them differently. Card numbers come decimal, in brackets
with the least significant byte first, or plain hexadecimal in `mulcarduser` (Security PUSH, sections on `user` and
`mulcarduser`).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime

from accessctl_sim.zk.times import encode_time

KEYS: dict[str, tuple[str, ...]] = {
    "user": ("pin",),
    "extuser": ("pin",),
    "mulcarduser": ("pin", "cardno"),
    "userauthorize": ("pin", "authorizetimezoneid", "authorizedoorid", "devid"),
    "timezone": ("timezoneid",),
    "holiday": ("holiday",),
    "firstcard": ("doorid", "timezoneid", "pin"),
    "multimcard": ("index", "doorid"),
    "templatev10": ("pin", "fingerid"),
    "biodata": ("pin", "no", "index", "type"),
    "inoutfun": ("index",),
    "userinfo": ("pin",),
}
MOST_ROWS = 200_000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Row = dict[str, str]


class BadRow(ValueError):
    """A row without its keys, or a field that is not `name=value`."""


class TableFull(Exception):
    """No room for another row."""


def parse_row(text: str) -> Row:
    """`Pin=1\\tCardNo=…` as a row with lower-case names."""
    row: Row = {}
    for word in text.strip("\r\n").split("\t"):
        name, equals, value = word.partition("=")
        if word and not equals:
            raise BadRow(f"field {word[:20]!r}")
        if word:
            row[name.strip().lower()] = value
    return row


def card_number(text: str) -> int:
    """`123456789`, or `[15CD5B07]` least significant byte first; anything else is no card (0)."""
    if text.startswith("[") and text.endswith("]"):
        try:
            return int.from_bytes(bytes.fromhex(text[1:-1]), "little")
        except ValueError:
            return 0
    return int(text) if text.isdecimal() else 0


def hex_card(text: str) -> int:
    """The plain hexadecimal of `mulcarduser`."""
    try:
        return int(text, 16)
    except ValueError:
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finger:
    """Whose finger was recognised."""

    pin: str
    duress: bool


@dataclass(slots=True)
class Tables:
    """Every table, keyed."""

    rows: dict[str, dict[tuple[str, ...], Row]] = field(default_factory=lambda: {name: {} for name in KEYS})
    dates_in_seconds: bool = False
    doors_by_number: bool = False

    def known(self, table: str) -> bool:
        return table.lower() in KEYS

    def update(self, table: str, rows: list[Row]) -> None:
        """Write rows, all or none."""
        name = table.lower()
        keyed = {self._key(name, row): row for row in rows}
        if len(self.rows[name]) + len(keyed) > MOST_ROWS:
            raise TableFull(name)
        for key, row in keyed.items():
            self.rows[name][key] = {**self.rows[name].get(key, {}), **row}

    def delete(self, table: str, condition: Row) -> int:
        """Forget the rows that match, all of them for an empty condition; how many that were."""
        rows = self.rows[table.lower()]
        doomed = [key for key, row in rows.items() if all(row.get(name) == value for name, value in condition.items())]
        for key in doomed:
            del rows[key]
        return len(doomed)

    def _key(self, table: str, row: Row) -> tuple[str, ...]:
        names = KEYS[table]
        if not row.get(names[0]):
            raise BadRow(f"{table} without {names[0]}")
        return tuple(row.get(name, "") for name in names)

    # -- what they say -------------------------------------------------------------------------------------------------

    def pin_of_card(self, card: int) -> str | None:
        """Whose card this is."""
        if not card:
            return None
        for row in self.rows["mulcarduser"].values():
            if hex_card(row.get("cardno", "")) == card and row.get("losscardflag", "0") == "0":
                return row["pin"]
        for table, name in (("user", "cardno"), ("userinfo", "card")):
            for row in self.rows[table].values():
                if card_number(row.get(name, "")) == card:
                    return row["pin"]
        return None

    def owner_of_finger(self, block: bytes) -> Finger | None:
        """Whose template this is; one that the server sent as valid 3 is a duress finger."""
        for row in self.rows["templatev10"].values():
            try:
                held = base64.b64decode(row.get("template", ""), validate=True)
            except binascii.Error:
                continue
            if held == block:
                return Finger(pin=row["pin"], duress=row.get("valid") == "3")
        return None

    def valid_on(self, pin: str, at: datetime) -> bool:
        """Whether a moment lies between the user's limits; 0 or nothing is none.

        Packed seconds, both counted in, or whole days as YYYYMMDD; a limit that is no number lets nobody in.
        """
        row = self.rows["user"].get((pin,), {})
        now = encode_time(at) if self.dates_in_seconds else int(f"{at:%Y%m%d}")
        limits = [row.get(name, "") or "0" for name in ("starttime", "endtime")]
        if not all(limit.isdecimal() for limit in limits):
            return False
        start, end = (int(limit) for limit in limits)
        return (not start or start <= now) and (not end or now <= end)

    def disabled(self, pin: str) -> bool:
        return self.rows["user"].get((pin,), {}).get("disable", "0") not in {"", "0"}

    def authorised(self, pin: str, door: int) -> list[int]:
        """The time zones in which somebody may open a door; a row's door is a bit mask, or a number."""
        zones = []
        for row in self.rows["userauthorize"].values():
            doors, zone = row.get("authorizedoorid", "0"), row.get("authorizetimezoneid", "1")
            if row["pin"] != pin or not doors.isdecimal() or not zone.isdecimal():
                continue
            if int(doors) == door if self.doors_by_number else int(doors) & 1 << (door - 1):
                zones.append(int(zone))
        return zones

    def in_zone(self, number: int, at: datetime) -> bool:
        """Whether a moment lies in a time zone: up to three spans a day, `(HHMM << 16) + HHMM`. Zone 1 is always."""
        row = self.rows["timezone"].get((str(number),))
        if row is None:
            return number == 1
        now = at.hour * 100 + at.minute
        for span in range(1, 4):
            text = row.get(f"{DAYS[at.weekday()]}time{span}", "0")
            packed = int(text) if text.isdecimal() else 0
            if packed and packed >> 16 <= now <= packed & 0xFFFF:
                return True
        return False
