"""Card numbers: what a reader sends, what is printed on the plastic, and what a terminal can hold.

One value, `CardNumber`, keeps the bits exactly as the card gave them; everything else (prints, the 32-bit number of a
ZK terminal, keys) is derived. 26 bits alone do not tell cards apart, so the identity is (format, bits, raw) = `.key`.

An EM4100 has 40 bits: a version byte and 32 bits. Its usual print, ten decimal digits, and the terminals carry only the
32: a number typed from the print is therefore a format of its own (`em4100_32`), and `.family_key`, which both forms
share, is what must be unique. Where two cards differ in the version byte alone no terminal can tell them apart, so they
count as one. `facility,number` holds 24 of the 32 bits: it confirms an EM4100 and never identifies one by itself.

Refusals are `AccessError` with P10.03, the step in which cards are entered. Prints: Proxmark3 `cmdlfem410x.c`, checked
against the Nitgen eNCard-i manual; the card field of terminals: pyzk 0.9 `zk/base.py`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from accessctl.domain import wiegand
from accessctl.domain.errors import AccessError, Reason

STEP = "P10.03"
LONGEST_TYPED = 64
ByteOrder = Literal["big", "little"]


class CardFormat(StrEnum):
    """How the bits of a card are to be read."""

    EM4100 = "em4100"
    EM4100_32 = "em4100_32"  # typed from the ten-digit print: the version byte is not known
    H10301 = "h10301"
    H10306 = "h10306"
    W34CSN = "w34csn"
    H10302 = "h10302"
    H10304 = "h10304"
    C1K35S = "c1k35s"
    CSN4 = "csn4"
    CSN7 = "csn7"


WIEGAND: dict[CardFormat, wiegand.Layout] = {
    CardFormat.H10301: wiegand.H10301,
    CardFormat.H10306: wiegand.H10306,
    CardFormat.W34CSN: wiegand.W34_CSN,
    CardFormat.H10302: wiegand.H10302,
    CardFormat.H10304: wiegand.H10304,
    CardFormat.C1K35S: wiegand.C1K35S,
}
BITS: dict[CardFormat, int] = {
    CardFormat.EM4100: 40,
    CardFormat.EM4100_32: 32,
    CardFormat.CSN4: 32,
    CardFormat.CSN7: 56,
} | {card_format: layout.bits for card_format, layout in WIEGAND.items()}

_EM = frozenset({CardFormat.EM4100, CardFormat.EM4100_32})
_CSN = frozenset({CardFormat.CSN4, CardFormat.CSN7})
_KEY = re.compile(r"([a-z0-9_]{4,9}):([0-9]{2}):([0-9A-F]{8,14})", re.ASCII)


def _invalid(why: str) -> AccessError:
    return AccessError(Reason.CARD_NUMBER_INVALID, STEP, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardNumber:
    """The number of one card, checked when made.

    `raw` is big-endian and right-justified in as few bytes as `bits` needs: the whole Wiegand message with its parity,
    the UID in the order of the air (UID0 first), the five bytes of an EM4100 (or the four that are printed).
    """

    format: CardFormat
    bits: int
    raw: bytes

    def __post_init__(self) -> None:
        """Refuse a wrong length or a wrong parity: such a number was misread."""
        if self.bits != BITS[self.format] or len(self.raw) != (self.bits + 7) // 8:
            raise _invalid("length")
        if layout := WIEGAND.get(self.format):
            try:
                layout.decode(int.from_bytes(self.raw))
            except ValueError:
                raise _invalid("parity") from None

    @classmethod
    def from_bytes(cls, card_format: CardFormat, raw: bytes) -> "CardNumber":
        """What a reader of this format sent, as `raw` above."""
        return cls(format=card_format, bits=BITS[card_format], raw=raw)

    @classmethod
    def from_payload(cls, card_format: CardFormat, payload: int) -> "CardNumber":
        """Make one from its number without parity; for Wiegand formats the parity bits are computed."""
        bits = BITS[card_format]
        layout = WIEGAND.get(card_format)
        if not 0 <= payload < 1 << (layout.payload_bits if layout else bits):
            raise _invalid("too_long")
        message = layout.encode(payload) if layout else payload
        return cls(format=card_format, bits=bits, raw=message.to_bytes((bits + 7) // 8))

    @classmethod
    def from_wiegand(cls, card_format: CardFormat, *, facility: int, number: int) -> "CardNumber":
        """Make one from facility code (0 where the format has none) and card number."""
        layout = WIEGAND[card_format]
        if not (0 <= facility < 1 << layout.facility_bits and 0 <= number < 1 << layout.number_bits):
            raise _invalid("too_long")
        return cls.from_payload(card_format, facility << layout.number_bits | number)

    @classmethod
    def from_key(cls, key: str) -> "CardNumber":
        """Read back what `.key` gave; anything else is refused."""
        match = _KEY.fullmatch(key)
        if match is None or match[1] not in BITS or len(match[3]) % 2:
            raise _invalid("key")
        return cls(format=CardFormat(match[1]), bits=int(match[2]), raw=bytes.fromhex(match[3]))

    @property
    def key(self) -> str:
        """Canonical text, such as `em4100:40:0F0184F07A`."""
        return f"{self.format.value}:{self.bits}:{self.raw.hex().upper()}"

    @property
    def family_key(self) -> str:
        """What at most one live card may have: `em:0184F07A` for both forms of an EM4100, else `.key`."""
        return f"em:{self.raw[-4:].hex().upper()}" if self.format in _EM else self.key

    @property
    def payload(self) -> int:
        """The number without parity bits; for a UID, big-endian in the order of the air."""
        message = int.from_bytes(self.raw)
        layout = WIEGAND.get(self.format)
        return layout.decode(message) if layout else message

    @property
    def facility_and_number(self) -> tuple[int, int]:
        """Facility code and card number of a Wiegand format (facility 0 where there is none)."""
        layout = WIEGAND[self.format]
        return self.payload >> layout.number_bits, self.payload & ((1 << layout.number_bits) - 1)

    def device_number(self, bits: int = 32, *, order: ByteOrder = "big") -> int:
        """The number that a terminal stores, in `bits` bits: the ten-digit print for EM4100, else the payload.

        `order` is how that terminal reads a 4-byte UID (it depends on its model and setting). Never masked: what does
        not fit is refused, a 7-byte UID always; so is 0, which terminals take for "no card".
        """
        number = int.from_bytes(self.raw, order) if self.format in _CSN else self.payload
        width = number.bit_length()
        if self.format in _EM:
            number &= 0xFFFF_FFFF  # not a cut: terminals and prints leave the version byte out (see `family_key`)
            width = number.bit_length()
        elif self.format is CardFormat.CSN7:
            width = self.bits  # leading zeros of a UID count
        if width > bits:
            raise AccessError(Reason.CARD_TOO_LONG_FOR_DEVICE, STEP, bits=bits, needed=width)
        if number == 0:
            raise _invalid("zero")
        return number

    def look_alikes(self) -> frozenset[str]:
        """The family keys of all cards, of whatever format, that a terminal cannot tell from this one (this included).

        H10301 118/1603 and the EM4100 0007734851 are one number there. Raises as `device_number` does.
        """
        number = self.device_number()
        keys = {self.family_key}
        for card_format in CardFormat:
            try:
                other = CardNumber.from_payload(card_format, number)
                if other.device_number() == number:
                    keys.add(other.family_key)
            except AccessError:
                continue  # the number is too long for that format, or never on a terminal in it
        return frozenset(keys)

    def printed(self) -> dict[str, str]:
        """Every form in which this number may stand on the card or on a reader's display, by the form's name."""
        if self.format in _CSN:
            return {
                "HEX": self.raw.hex(":").upper(),
                "BE": str(int.from_bytes(self.raw, "big")),
                "LE": str(int.from_bytes(self.raw, "little")),
            }
        if self.format not in _EM:
            facility, number = self.facility_and_number
            both = f"{facility},{number}" if WIEGAND[self.format].facility_bits else str(number)
            return {"FC,CN": f"{facility:03d},{number:05d}" if self.bits == 26 else both, "HEX": self.raw.hex().upper()}
        number = int.from_bytes(self.raw[-4:])
        low, high = number & 0xFFFF, number >> 16
        forms = {
            "10D": f"{number:010d}",
            "8D": f"{number & 0xFF_FFFF:08d}",
            "3,5D": f"{high & 0xFF:03d},{low:05d}",
            "5.5D": f"{high:05d}.{low:05d}",
            "3.5B": f"{high >> 8:03d}.{low:05d}",
        }
        if self.format is CardFormat.EM4100:
            forms["3.5A"] = f"{self.raw[0]:03d}.{low:05d}"
            forms["13-14D"] = f"{int.from_bytes(self.raw):014d}"
            forms["10H"] = self.raw.hex().upper()
        return forms


def same_card(one: CardNumber, other: CardNumber) -> bool:
    """Whether two numbers are to be taken for one card, as far as any of our devices can tell."""
    return one.family_key == other.family_key


def parse_typed(text: str, *, cross_check: str = "", format: CardFormat = CardFormat.EM4100) -> CardNumber:  # noqa: A002 -- the field of the form has this name
    """Read what somebody typed from a card; `cross_check` is the second number printed on it, if there is one.

    EM4100: `0018226646` (10D), `00278.07638` (5.5D), 13 or 14 digits, ten hex digits (`0x` before them when none is
    a letter: ten decimal digits are always the print); `022,07638` and 8D only beside one of those, in either field
    or order, or in the same field after a space. Wiegand: `118,1603` (also `/` or `-`), the number alone where there
    is no facility, or the whole payload in decimal as the cross-check. UID: hex in the order of the air, with `:`,
    `-` or spaces; its decimal print, in either byte order, only as the cross-check.

    Raises `AccessError`: CARD_NUMBERS_DISAGREE, or CARD_NUMBER_INVALID with `why` and the `field`.
    """
    first = _bounded(text, "number")
    second = _bounded(cross_check, "cross_check")
    if not first:
        raise AccessError(Reason.CARD_NUMBER_INVALID, STEP, why="empty", field="number")
    if format in _EM:
        card = _em_from_prints(first.split() + second.split())
    elif format in _CSN:
        card = _csn_from_text(format, first, second)
    else:
        card = _wiegand_from_text(format, first)
        if second and second not in _wiegand_prints(card):
            other = _wiegand_from_text(format, second)
            if other != card:
                raise AccessError(Reason.CARD_NUMBERS_DISAGREE, STEP)
    if card.payload == 0:
        raise _invalid("zero")
    return card


def _bounded(text: str, field: str) -> str:
    """Short plain ASCII or nothing: looked at before any other work, and before any pattern sees it."""
    if len(text) > LONGEST_TYPED or not text.isascii() or not text.isprintable():
        raise AccessError(Reason.CARD_NUMBER_INVALID, STEP, why="characters", field=field)
    return text.strip(" ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Print:
    """What one print of an EM4100 says: `value`, and the mask of the bits that it says something about."""

    value: int
    known: int


_ALL, _LOW_32, _LOW_24 = 0xFF_FFFF_FFFF, 0xFFFF_FFFF, 0xFF_FFFF


def _pair(match: re.Match[str], *, high_bits: int, known: int) -> _Print | None:
    high, low = int(match[1]), int(match[2])
    return _Print(value=high << 16 | low, known=known) if high < 1 << high_bits and low <= 0xFFFF else None


def _decimal(match: re.Match[str], known: int) -> _Print | None:
    return _Print(value=int(match[0]), known=known) if int(match[0]) <= known else None


_EM_PRINTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], _Print | None]], ...] = (
    (re.compile(r"\d{10}", re.ASCII), lambda match: _decimal(match, _LOW_32)),
    (re.compile(r"(\d{1,3}),(\d{1,5})", re.ASCII), lambda match: _pair(match, high_bits=8, known=_LOW_24)),
    (re.compile(r"(\d{5})\.(\d{5})", re.ASCII), lambda match: _pair(match, high_bits=16, known=_LOW_32)),
    (re.compile(r"\d{8}", re.ASCII), lambda match: _decimal(match, _LOW_24)),
    (re.compile(r"\d{13,14}", re.ASCII), lambda match: _decimal(match, _ALL)),
    (
        re.compile(r"(?:0[xX])?([0-9A-Fa-f]{10})", re.ASCII),  # after the ten digits: those were the print
        lambda match: _Print(value=int(match[1], 16), known=_ALL),
    ),
)


def _em_print(token: str) -> _Print:
    for pattern, read in _EM_PRINTS:
        if match := pattern.fullmatch(token):
            found = read(match)
            if found is None:
                raise _invalid("too_long")
            return found
    raise _invalid("form")


def _em_from_prints(tokens: list[str]) -> CardNumber:
    """Lay the prints over one another: they must agree where they overlap, and cover at least the low 32 bits."""
    if len(tokens) > 3:
        raise _invalid("form")
    value = known = 0
    for found in map(_em_print, tokens):
        if (value ^ found.value) & known & found.known:
            raise AccessError(Reason.CARD_NUMBERS_DISAGREE, STEP)
        value, known = value | found.value, known | found.known
    if known == _ALL:
        return CardNumber.from_payload(CardFormat.EM4100, value)
    if known == _LOW_32:
        return CardNumber.from_payload(CardFormat.EM4100_32, value)
    raise _invalid("ten_digits_needed")


_HEX_BYTES = re.compile(r"[0-9A-Fa-f]{2}(?:[: -]?[0-9A-Fa-f]{2}){3,6}", re.ASCII)
_DECIMAL = re.compile(r"\d{1,17}", re.ASCII)


def _uid(text: str, card_format: CardFormat) -> CardNumber:
    if _HEX_BYTES.fullmatch(text) is None:
        raise _invalid("form")
    return CardNumber.from_bytes(card_format, bytes.fromhex(re.sub("[: -]", "", text)))


def _csn_from_text(card_format: CardFormat, first: str, second: str) -> CardNumber:
    card = _uid(first, card_format)
    if second:
        # a decimal print and a hex one can have the same length (eight digits): agreeing with either is agreeing
        decimals = {int.from_bytes(card.raw, "big"), int.from_bytes(card.raw, "little")}
        as_decimal = _DECIMAL.fullmatch(second) is not None and int(second) in decimals
        if not as_decimal:
            if _DECIMAL.fullmatch(second) is None:
                _uid(second, card_format)  # refuses what is no number at all
            if re.sub("[: -]", "", second).upper() != card.raw.hex().upper():
                raise AccessError(Reason.CARD_NUMBERS_DISAGREE, STEP)
    return card


_FACILITY_NUMBER = re.compile(r"(\d{1,5}) ?[,/-] ?(\d{1,7})", re.ASCII)


def _wiegand_from_text(card_format: CardFormat, text: str) -> CardNumber:
    layout = WIEGAND[card_format]
    if card_format is CardFormat.W34CSN and _HEX_BYTES.fullmatch(text):
        return CardNumber.from_payload(card_format, int(re.sub("[: -]", "", text), 16))
    if layout.facility_bits and (match := _FACILITY_NUMBER.fullmatch(text)):
        return CardNumber.from_wiegand(card_format, facility=int(match[1]), number=int(match[2]))
    if not layout.facility_bits and card_format is not CardFormat.W34CSN and _DECIMAL.fullmatch(text):
        return CardNumber.from_wiegand(card_format, facility=0, number=int(text))
    raise _invalid("form")


def _wiegand_prints(card: CardNumber) -> set[str]:
    """Decimal prints of the whole payload, with and without leading zeros."""
    return {str(card.payload), f"{card.payload:08d}", f"{card.payload:010d}"}
