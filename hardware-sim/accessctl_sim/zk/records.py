"""What a terminal holds, and its layouts on the wire: users (28, 72), punches (8, 16, 40, 49), templates, operations.

Layouts: zk-protocol data-user.md and data-record.md (72, 40), pyzk 0.9 (28, 8, 16), pyzk issue 174 (49). Little endian.
Text stays bytes: a terminal stores what it was sent, whatever the encoding, cut to its field.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

from accessctl_sim.zk.times import decode_time

USER_28 = struct.Struct("<HB5s8sIxBhI")
USER_72 = struct.Struct("<HB8s24sIBHHHH24s")
PUNCH_8 = struct.Struct("<HBIB")
PUNCH_16 = struct.Struct("<IIBB2xI")
PUNCH_40 = struct.Struct("<H24sBIB8s")
TEMPLATE_HEAD = struct.Struct("<HHBB")
OPERATION = struct.Struct("<2xBxI4H")
USER_FORMATS = (28, 72)
PUNCH_FORMATS = (8, 16, 40, 49)


class BadRecord(ValueError):
    """A record from a client that no terminal could store."""


def _text(field: bytes) -> bytes:
    return field.split(b"\0", 1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One slot of the user memory: `uid` is the slot, `user_id` the person's number; `privilege` bit 0 is disabled."""

    uid: int
    user_id: str
    name: bytes = b""
    card: int = 0
    privilege: int = 0
    password: bytes = b""
    group: int = 1
    own_tz: int = 0
    tz: tuple[int, int, int] = (0, 0, 0)

    @property
    def disabled(self) -> bool:
        return bool(self.privilege & 1)

    @property
    def is_admin(self) -> bool:
        return self.privilege & 0x0E != 0

    def pack(self, size: int) -> bytes:
        """The record of 28 or 72 bytes."""
        if size == 28:
            zone = self.tz[0] & 0x7FFF if self.own_tz else 0  # the old field is signed
            number = int(self.user_id) & 0xFFFFFFFF if self.user_id.isdecimal() else 0
            return USER_28.pack(
                self.uid, self.privilege, self.password[:5], self.name[:8], self.card, self.group & 0xFF, zone, number
            )
        return USER_72.pack(
            self.uid,
            self.privilege,
            self.password[:8],
            self.name[:24],
            self.card,
            self.group & 0xFF,
            self.own_tz,
            *self.tz,
            self.user_id.encode("latin-1", "replace")[:24],
        )


def unpack_user(record: bytes) -> User:
    """A user record of either size, as a client wrote it; the length tells which."""
    if len(record) == 28:
        uid, privilege, password, name, card, group, zone, number = USER_28.unpack(record)
        own = int(zone > 0)
        tz, user_id = (max(zone, 0), 0, 0), str(number or uid)
    elif len(record) == 72:
        uid, privilege, password, name, card, group, own, tz1, tz2, tz3, raw_id = USER_72.unpack(record)
        tz, user_id = (tz1, tz2, tz3), _text(raw_id).decode("latin-1") or str(uid)
    else:
        raise BadRecord(f"user record of {len(record)} bytes")
    return User(
        uid=uid,
        user_id=user_id,
        name=_text(name),
        card=card,
        privilege=privilege,
        password=_text(password),
        group=group,
        own_tz=own,
        tz=tz,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Punch:
    """One attendance record: who, when (the u32 of the wire), verified how, in which state (0 in, 1 out)."""

    uid: int
    user_id: str
    time: int
    verify: int = 1
    state: int = 0

    @property
    def at(self) -> datetime:
        return decode_time(self.time)

    def pack(self, size: int) -> bytes:
        """The record of 8, 16, 40 or 49 bytes."""
        if size == 8:
            return PUNCH_8.pack(self.uid, self.verify, self.time, self.state)
        if size == 16:
            number = int(self.user_id) if self.user_id.isdecimal() else self.uid
            return PUNCH_16.pack(number & 0xFFFFFFFF, self.time, self.verify, self.state, 0)
        tail = b"\0\0\0\0\xff\0\0\0"
        head = PUNCH_40.pack(
            self.uid, self.user_id.encode("latin-1", "replace")[:24], self.verify, self.time, self.state, tail
        )
        return head.ljust(size, b"\0")


def unpack_punch(record: bytes) -> Punch:
    """Invert `Punch.pack`; in the 8-byte form the person's number is lost, in the 16-byte form the slot."""
    if len(record) == 8:
        uid, verify, time, state = PUNCH_8.unpack(record)
        return Punch(uid=uid, user_id=str(uid), time=time, verify=verify, state=state)
    if len(record) == 16:
        number, time, verify, state, _ = PUNCH_16.unpack(record)
        return Punch(uid=0, user_id=str(number), time=time, verify=verify, state=state)
    uid, raw_id, verify, time, state, _ = PUNCH_40.unpack_from(record)
    return Punch(uid=uid, user_id=_text(raw_id).decode("latin-1"), time=time, verify=verify, state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A finger as the terminal holds it: an opaque block. `flag` 0 invalid, 1 valid, 3 duress."""

    uid: int
    finger: int
    flag: int
    block: bytes

    def pack(self) -> bytes:
        """The entry of the read-all answer: size of the entry, slot, finger, flag, block."""
        return TEMPLATE_HEAD.pack(len(self.block) + TEMPLATE_HEAD.size, self.uid, self.finger, self.flag) + self.block

    def __repr__(self) -> str:
        return f"Template(uid={self.uid}, finger={self.finger}, flag={self.flag}, {len(self.block)} bytes)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One line of the operation log: what the terminal or somebody at its menu did."""

    code: int
    time: int
    params: tuple[int, int, int, int] = (0, 0, 0, 0)

    def pack(self) -> bytes:
        return OPERATION.pack(self.code, self.time, *self.params)
