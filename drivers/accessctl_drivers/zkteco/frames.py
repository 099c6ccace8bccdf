"""Frames of the ZKTeco terminal protocol: bytes to values and back. No socket, no clock.

A packet is `u16 command | u16 checksum | u16 session | u16 reply | data`, all little endian. Over TCP eight bytes stand
before it, `50 50 82 7D | u32 length of the packet`; over UDP the datagram is the packet (zk-protocol protocol.md).

The checksum is the one's complement of the one's-complement sum of the packet's 16-bit words with the checksum field
zero. A number written in base 65536 is congruent to the sum of its digits modulo 65535, so a whole packet, checksum
included, is right exactly if it is a multiple of 65535 as one little-endian integer: one division, where the loop that
everybody writes takes milliseconds on a frame of 64 KiB.

Everything that comes from a terminal is hostile: a length outside 8..MAX_PACKET, a wrong magic or a wrong checksum is
`DeviceMisbehaved`, and the session ends.
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from accessctl.ports import DeviceMisbehaved

TOP = Struct("<4sI")
HEADER = Struct("<4H")
MAGIC = b"\x50\x50\x82\x7d"
MAX_DATA = 0x10000  # the largest max_frame that a terminal was seen to announce
MAX_PACKET = HEADER.size + MAX_DATA


class Command(IntEnum):
    """The commands and answers that we use; names of zk-protocol protocol.md, without `CMD_`."""

    DB_RRQ = 7
    USER_WRQ = 8
    USERTEMP_RRQ = 9
    OPTIONS_RRQ = 11
    ATTLOG_RRQ = 13
    DELETE_USER = 18
    DELETE_USERTEMP = 19
    TZ_RRQ = 27
    TZ_WRQ = 28
    GET_FREE_SIZES = 50
    DOORSTATE_RRQ = 75
    TMP_WRITE = 87
    USER_TEMPLATE_RRQ = 88
    SAVE_USERS = 110
    CHECKSUM_BUFFER = 119
    GET_TIME = 201
    SET_TIME = 202
    REG_EVENT = 500
    CONNECT = 1000
    EXIT = 1001
    ENABLEDEVICE = 1002
    DISABLEDEVICE = 1003
    REFRESHDATA = 1013
    GET_VERSION = 1100
    AUTH = 1102
    PREPARE_DATA = 1500
    DATA = 1501
    FREE_DATA = 1502
    PREPARE_BUFFER = 1503
    READ_BUFFER = 1504
    ACK_OK = 2000
    ACK_ERROR = 2001
    ACK_RETRY = 2003
    ACK_REPEAT = 2004
    ACK_UNAUTH = 2005


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One packet whose checksum was right. `session` carries the flag in events and a counter in long data."""

    command: int
    session: int
    reply: int
    data: bytes


def checksum(packet: bytes) -> int:
    """The checksum of a packet whose checksum field holds zero."""
    total = int.from_bytes(packet, "little")
    folded = total % 0xFFFF
    if folded == 0 and total:
        folded = 0xFFFF
    return folded ^ 0xFFFF


def encode(command: int, session: int, reply: int, data: bytes = b"") -> bytes:
    """A packet with its checksum, without the TCP top."""
    bare = HEADER.pack(command, 0, session, reply) + data
    return HEADER.pack(command, checksum(bare), session, reply) + data


def with_top(packet: bytes) -> bytes:
    """The packet as it goes over TCP."""
    return TOP.pack(MAGIC, len(packet)) + packet


def decode(packet: bytes) -> Frame:
    """A frame from a whole packet; DeviceMisbehaved where its length or checksum is wrong."""
    if not HEADER.size <= len(packet) <= MAX_PACKET:
        raise DeviceMisbehaved(f"packet of {len(packet)} bytes, allowed are {HEADER.size} to {MAX_PACKET}")
    command, said, session, reply = HEADER.unpack_from(packet)
    if int.from_bytes(packet, "little") % 0xFFFF:
        bare = HEADER.pack(command, 0, session, reply) + packet[HEADER.size :]
        raise DeviceMisbehaved(f"checksum {said:04x}, expected {checksum(bare):04x} in reply {reply}")
    return Frame(command=command, session=session, reply=reply, data=packet[HEADER.size :])


class Splitter:
    """Cuts a TCP stream into packets however the segments fall: split at any byte, or several in one."""

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def waiting(self) -> int:
        """Bytes of a packet that is not complete yet."""
        return len(self._held)

    def feed(self, received: bytes) -> None:
        """Take what one `recv` brought."""
        self._held += received

    def next_packet(self) -> bytes | None:
        """The next whole packet, None where more bytes are needed; DeviceMisbehaved at a wrong top."""
        held = self._held
        if not MAGIC.startswith(held[:4]):
            raise DeviceMisbehaved(f"stream out of step: {bytes(held[:4]).hex()} where a packet should begin")
        if len(held) < TOP.size:
            return None
        _, length = TOP.unpack_from(held)
        if not HEADER.size <= length <= MAX_PACKET:
            raise DeviceMisbehaved(f"packet of {length} bytes announced, allowed are {HEADER.size} to {MAX_PACKET}")
        if len(held) < TOP.size + length:
            return None
        packet = bytes(held[TOP.size : TOP.size + length])
        del held[: TOP.size + length]
        return packet
