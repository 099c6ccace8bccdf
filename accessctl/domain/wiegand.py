"""Wiegand formats as data: where facility, number and parity bits sit, and which bits each parity bit covers.

A message is an `int` of `bits` bits, right-justified: bit 0, the first one sent, is the most significant. An even
parity bit is the XOR of what it covers, an odd one its complement. Layouts and test vectors: Proxmark3,
`client/src/wiegand_formats.c`; the parity spans of 26, 34 and 37 bits agree with ESPHome's `wiegand.cpp`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """One parity bit: its `position` (0 = first sent), and the mask of the right-justified bits that it covers."""

    position: int
    covers: int
    odd: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A format. `facility_bits` is 0 where there is none; `number` ends `tail` bits before the end of the message.

    `parities` are computed in their order: a later one may cover an earlier one.
    """

    bits: int
    facility_bits: int
    number_bits: int
    parities: tuple[Parity, ...]
    tail: int = 1

    @property
    def payload_bits(self) -> int:
        """Facility and number together, without parity."""
        return self.facility_bits + self.number_bits

    def encode(self, payload: int) -> int:
        """Put the parity bits around `payload` (facility above number). Raises `ValueError` if it does not fit."""
        if not 0 <= payload < 1 << self.payload_bits:
            raise ValueError(f"payload needs more than {self.payload_bits} bits")
        message = payload << self.tail
        for parity in self.parities:
            bit = ((message & parity.covers).bit_count() & 1) ^ parity.odd
            message |= bit << (self.bits - 1 - parity.position)
        return message

    def decode(self, message: int) -> int:
        """Take the payload out of a message. Raises `ValueError` on a wrong length or parity."""
        if not 0 <= message < 1 << self.bits:
            raise ValueError(f"message needs more than {self.bits} bits")
        payload = (message >> self.tail) & ((1 << self.payload_bits) - 1)
        if self.encode(payload) != message:
            raise ValueError("parity is wrong")
        return payload


def _halves(bits: int, *, even_to: int, odd_from: int) -> tuple[Parity, Parity]:
    """The usual pair: bit 0 even over bits 1 to `even_to`, the last bit odd over `odd_from` to the one before it."""

    def span(first: int, last: int) -> int:
        return (1 << (bits - first)) - (1 << (bits - 1 - last))

    return (
        Parity(position=0, covers=span(1, even_to), odd=False),
        Parity(position=bits - 1, covers=span(odd_from, bits - 2), odd=True),
    )


H10301 = Layout(bits=26, facility_bits=8, number_bits=16, parities=_halves(26, even_to=12, odd_from=13))
H10306 = Layout(bits=34, facility_bits=16, number_bits=16, parities=_halves(34, even_to=16, odd_from=17))
W34_CSN = Layout(bits=34, facility_bits=0, number_bits=32, parities=_halves(34, even_to=16, odd_from=17))
H10302 = Layout(bits=37, facility_bits=0, number_bits=35, parities=_halves(37, even_to=18, odd_from=18))  # 18 in both
H10304 = Layout(bits=37, facility_bits=16, number_bits=19, parities=_halves(37, even_to=18, odd_from=18))
C1K35S = Layout(
    bits=35,
    facility_bits=12,
    number_bits=20,
    parities=(
        Parity(position=1, covers=0x1_B6DB_6DB6, odd=False),
        Parity(position=34, covers=0x3_6DB6_DB6C, odd=True),
        Parity(position=0, covers=0x3_FFFF_FFFF, odd=True),
    ),
)
