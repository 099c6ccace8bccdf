"""The frame of an RDM6300: `02`, ten hexadecimal digits (version byte, four number bytes), two of checksum, `03`.

The checksum is the XOR of the five bytes. Fourteen bytes in all.
"""

from __future__ import annotations

from functools import reduce
from operator import xor

REPEAT_S = 0.065  # how often the module repeats while the card stays


class NotACard(ValueError):
    """Not ten hexadecimal digits."""


def frame(digits: str, *, spoil_checksum: bool = False) -> bytes:
    """The frame for a card such as `0F0184F07A`; with `spoil_checksum` one that no reader accepts."""
    try:
        card = bytes.fromhex(digits)
    except ValueError:
        raise NotACard(f"{digits!r}: ten hexadecimal digits are wanted") from None
    if len(card) != 5 or len(digits) != 10:
        raise NotACard(f"{digits!r}: ten hexadecimal digits are wanted")
    checksum = reduce(xor, card) ^ (0x5A if spoil_checksum else 0)
    return b"\x02" + card.hex().upper().encode() + f"{checksum:02X}".encode() + b"\x03"
