"""Real-time events: command 500, the event's flag in the session field, reply 0 (zk-protocol realtime.md)."""

from __future__ import annotations

import struct

from accessctl_sim.zk.codes import Command, EnrolResult, Event
from accessctl_sim.zk.records import Punch
from accessctl_sim.zk.times import event_time
from accessctl_sim.zk.wire import Packet

UNKNOWN_USER = 0xFFFFFFFF
_DURESS = 0x20


def event_packet(event: Event, body: bytes) -> Packet:
    return Packet(command=Command.REG_EVENT, session=int(event), reply=0, data=body)


def attlog_body(punch: Punch, length: int) -> bytes:
    """EF_ATTLOG in one of the lengths that firmwares send: 10, 12 (numbers), 32, 36, 52 (text)."""
    when = event_time(punch.at)
    if length in {10, 12}:
        number = int(punch.user_id) if punch.user_id.isdecimal() else punch.uid
        layout = "<HBB6s" if length == 10 else "<IBB6s"
        number &= 0xFFFF if length == 10 else 0xFFFFFFFF
        return struct.pack(layout, number, punch.verify, punch.state, when)
    user_id = punch.user_id.encode("latin-1", "replace")[:24]
    return struct.pack("<24sBB6s", user_id, punch.verify, punch.state, when).ljust(length, b"\0")


def verify_body(uid: int | None) -> bytes:
    """EF_VERIFY of an attempt that did not open: the slot, or `ffffffff` for nobody known, and 01."""
    return struct.pack("<IB", UNKNOWN_USER if uid is None else uid, 1)


def duress_body(uid: int) -> bytes:
    return struct.pack("<IHHI", UNKNOWN_USER, _DURESS, uid, 1)


def enrolled_body(result: EnrolResult, *, size: int = 0, user_id: str = "", finger: int = 0) -> bytes:
    """EF_ENROLLFINGER: a failure is the code alone."""
    if result is not EnrolResult.OK:
        return struct.pack("<H", result)
    return struct.pack("<HH9sB", result, size, user_id.encode("latin-1", "replace")[:9], finger)
