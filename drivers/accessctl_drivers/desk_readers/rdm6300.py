"""RDM6300 and its kin (125 kHz, EM4100): bytes of the serial line to cards. No port, no clock.

A frame is `02 | ten hex digits | two hex digits of checksum | 03`, fourteen bytes at 9600 8N1, sent about every 65 ms
while the card is near; ID-12LA and ID-20LA put CR LF before the 03, sixteen bytes. The checksum is the XOR of the five
bytes. Sources: arduino12/rdm6300, ESPHome rdm6300.cpp. (A public client sums modulo 256 instead and is wrong:
2E00AF0EC9 has 46, not B4.)

Whatever is not a frame is skipped to the next 02, also to one inside the broken frame, so a lost byte costs one frame.
"""

from dataclasses import dataclass

START, END = 0x02, 0x03
_BODY = 12
_SHORT, _LONG = 14, 16
_HEX = frozenset(b"0123456789ABCDEFabcdef")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFrame:
    """A frame whose checksum was right: version byte and four bytes of number, in the order of the air."""

    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFrame:
    """A frame that began and could not be believed; `why` is one of `digits`, `checksum`, `end`."""

    why: str


def encode(raw: bytes, *, long: bool = False) -> bytes:
    """The frame of a card of five bytes, as the module sends it."""
    if len(raw) != 5:
        raise ValueError(f"an EM4100 card has five bytes, not {len(raw)}")
    tail = b"\r\n" if long else b""
    return bytes([START]) + f"{raw.hex().upper()}{_xor(raw):02X}".encode() + tail + bytes([END])


def _xor(raw: bytes) -> int:
    total = 0
    for byte in raw:
        total ^= byte
    return total


class Decoder:
    """Feed it what the line brings; it gives frames and broken frames in order."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, received: bytes) -> list[CardFrame | BadFrame]:
        """All that became certain with these bytes. Never raises; holds at most one unfinished frame."""
        self._held += received
        found: list[CardFrame | BadFrame] = []
        while True:
            start = self._held.find(START)
            del self._held[: len(self._held) if start < 0 else start]
            if not self._held:
                return found
            length, why = self._judge()
            if why is not None:
                found.append(BadFrame(why=why))
                del self._held[0]
            elif length is None:
                return found
            else:
                found.append(CardFrame(raw=bytes.fromhex(self._held[1:11].decode("ascii"))))
                del self._held[:length]

    def _judge(self) -> tuple[int | None, str | None]:
        """The length of the frame at the front, or what is wrong with it; neither while bytes are missing."""
        held = self._held
        body = held[1 : 1 + _BODY]
        if not _HEX.issuperset(body):
            return None, "digits"
        if len(held) < _SHORT:
            return None, None
        if held[13] == END:
            length = _SHORT
        elif not b"\r\n\x03".startswith(held[13:_LONG]):
            return None, "end"
        elif len(held) < _LONG:
            return None, None
        else:
            length = _LONG
        card = bytes.fromhex(body.decode("ascii"))
        return (length, None) if _xor(card) == 0 else (None, "checksum")
