"""Frames of the terminal protocol: eight-byte header, checksum, and the TCP top in front of it.

Payload, little endian: `u16 command, u16 checksum, u16 session, u16 reply, data`. Over TCP each payload follows
`50 50 82 7D` and its u32 length; over UDP a datagram is a payload. Source: zk-protocol protocol.md.
No socket, no clock: bytes in, packets out.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

TCP_MAGIC = b"\x50\x50\x82\x7d"
HEADER_BYTES = 8
LONGEST_PAYLOAD = 1 << 20  # nothing a client sends comes near; a longer length is a lie or a lost frame
_HEADER = struct.Struct("<4H")


class BadFrame(ValueError):
    """The bytes are no frame of this protocol: too short, or the checksum does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One payload, its checksum already verified or not yet computed."""

    command: int
    session: int = 0
    reply: int = 0
    data: bytes = b""


def _ones_complement_sum(payload: bytes) -> int:
    # Folding the carries of a sum of u16 back in is arithmetic modulo 65535, where a non-zero sum never folds to 0.
    number = int.from_bytes(payload, "little")
    return (number % 0xFFFF or 0xFFFF) if number else 0


def pack(packet: Packet, *, spoil_checksum: bool = False) -> bytes:
    """The payload of `packet`; with `spoil_checksum` one that no strict reader accepts."""
    bare = _HEADER.pack(packet.command, 0, packet.session & 0xFFFF, packet.reply & 0xFFFF) + packet.data
    checksum = 0xFFFF - _ones_complement_sum(bare)
    if spoil_checksum:
        checksum ^= 0x5A5A
    return bare[:2] + checksum.to_bytes(2, "little") + bare[4:]


def unpack(payload: bytes) -> Packet:
    """Read a payload, strictly: a wrong checksum raises `BadFrame`."""
    if len(payload) < HEADER_BYTES:
        raise BadFrame(f"payload of {len(payload)} bytes, the header alone has {HEADER_BYTES}")
    if int.from_bytes(payload, "little") % 0xFFFF:
        raise BadFrame(f"checksum {payload[2:4].hex()} does not fit command {payload[:2].hex()}")
    command, _, session, reply = _HEADER.unpack_from(payload)
    return Packet(command=command, session=session, reply=reply, data=payload[HEADER_BYTES:])


def tcp_frame(payload: bytes) -> bytes:
    """Put the TCP top in front of a payload."""
    return TCP_MAGIC + len(payload).to_bytes(4, "little") + payload


class Deframer:
    """Cuts a TCP byte stream into payloads, however it was segmented; skips what is no frame and counts it."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.skipped_bytes = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Payloads completed by `data`, oldest first. A partial frame is kept for the next call."""
        self._buffer += data
        payloads: list[bytes] = []
        while True:
            self._resynchronise()
            if len(self._buffer) < HEADER_BYTES:
                return payloads
            length = int.from_bytes(self._buffer[4:8], "little")
            if not HEADER_BYTES <= length <= LONGEST_PAYLOAD:
                self._skip(len(TCP_MAGIC))
                continue
            if len(self._buffer) < 8 + length:
                return payloads
            length += self._unannounced(8 + length) if length == HEADER_BYTES else 0
            payloads.append(bytes(self._buffer[8 : 8 + length]))
            del self._buffer[: 8 + length]

    def _unannounced(self, end: int) -> int:
        """Data behind a header announced alone: npm zklib writes 8 into every TCP top, and terminals cope."""
        rest = bytes(self._buffer[end:])
        if not rest or TCP_MAGIC.startswith(rest[:4]):
            return 0
        start = rest.find(TCP_MAGIC)
        return len(rest) if start < 0 else start

    def _resynchronise(self) -> None:
        if self._buffer.startswith(TCP_MAGIC) or TCP_MAGIC.startswith(bytes(self._buffer[:4])):
            return
        start = self._buffer.find(TCP_MAGIC)
        self._skip(start if start >= 0 else max(len(self._buffer) - 3, 1))

    def _skip(self, count: int) -> None:
        self.skipped_bytes += count
        del self._buffer[:count]
