"""Door, time zones, groups, unlock combinations (zk-protocol access.md)."""

from __future__ import annotations

import struct
from dataclasses import replace

from accessctl_sim.zk.codes import Command
from accessctl_sim.zk.commands.handler import Handler, ok, refused
from accessctl_sim.zk.machine import Machine
from accessctl_sim.zk.session import Answer, Session
from accessctl_sim.zk.zones import TIMEZONE_NUMBERS, pack_spans, unpack_group, unpack_spans

_USER_TZ_WRITE = struct.Struct("<5I")
_ZONE_TAIL = b"\xa7\x1c"


def unlock(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    """Tenths of a second, as pyzk and the vendor's tool send them; at most 254 s, at least one tenth."""
    tenths = int.from_bytes(data[:4], "little") if data else 30
    machine.door.unlock(min(max(tenths, 1), 2540) / 10)
    return ok()


def door_state(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    return ok(bytes((machine.door.open,)))


def read_zone(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    number = int.from_bytes(data[:4], "little")
    if number not in TIMEZONE_NUMBERS:
        return refused()
    return ok(number.to_bytes(2, "little") + pack_spans(machine.store.zones.spans_of(number)) + _ZONE_TAIL)


def write_zone(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    number = int.from_bytes(data[:4], "little")
    if number not in TIMEZONE_NUMBERS:
        return refused()
    machine.store.zones.spans[number] = unpack_spans(data[4:])
    return ok()


def read_group(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    number = data[0] if data else 0
    return ok(machine.store.zones.group(number).pack()) if 1 <= number <= 100 else refused()


def write_group(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    machine.store.zones.set_group(unpack_group(data))
    return ok()


def read_user_zones(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    """Flag 1 says that the group's zones count, the opposite of the flag in the user record."""
    user = machine.store.users.get(int.from_bytes(data[:2], "little"))
    return refused() if user is None else ok(struct.pack("<4H", int(not user.own_tz), *user.tz))


def write_user_zones(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    uid, own, *tz = _USER_TZ_WRITE.unpack_from(data)
    user = machine.store.users.get(uid)
    if user is None or any(number and number not in TIMEZONE_NUMBERS for number in tz):
        return refused()
    machine.store.put_user(replace(user, own_tz=int(bool(own)), tz=(tz[0], tz[1], tz[2])))
    return ok()


def read_combination(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    number = data[0] if data else 0
    if not 1 <= number <= 10:
        return refused()
    factory = bytes((number, int(number == 1), 0, 0, 0, 0, int(number == 1), 0))
    return ok(machine.store.zones.combinations.get(number, factory))


def write_combination(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    if len(data) < 8 or not 1 <= data[0] <= 10:
        return refused()
    machine.store.zones.combinations[data[0]] = data[:8]
    return ok()


def clear_access(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    machine.store.zones.reset()
    return ok()


HANDLERS: dict[int, Handler] = {
    Command.UNLOCK: unlock,
    Command.DOORSTATE_RRQ: door_state,
    Command.TZ_RRQ: read_zone,
    Command.TZ_WRQ: write_zone,
    Command.GRPTZ_RRQ: read_group,
    Command.GRPTZ_WRQ: write_group,
    Command.USERTZ_RRQ: read_user_zones,
    Command.USERTZ_WRQ: write_user_zones,
    Command.ULG_RRQ: read_combination,
    Command.ULG_WRQ: write_combination,
    Command.CLEAR_ACC: clear_access,
}
