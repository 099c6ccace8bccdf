"""Connection, key, state, time, options, sizes, power: the terminal as a whole (zk-protocol terminal.md, other.md)."""

from __future__ import annotations

import struct

from accessctl_sim.zk import commkey
from accessctl_sim.zk.codes import Ack, Command, Event
from accessctl_sim.zk.commands.handler import Handler, acknowledge, ok, refused
from accessctl_sim.zk.content import FIRMWARE
from accessctl_sim.zk.machine import Machine
from accessctl_sim.zk.session import Answer, Session
from accessctl_sim.zk.times import decode_time, encode_time

_U32 = struct.Struct("<I")
LONGEST_OPTION = 255
MOST_OPTIONS = 256
LAST_YEAR = 2099  # the u32 could say more, what answers it cannot


def connect(machine: Machine, session: Session, _data: bytes) -> list[Answer]:
    """A session id in either case; without the key no more than that."""
    session.begin(machine.random.randrange(1, 65_535), authorised=machine.config.commkey == 0)
    return [Answer(command=Ack.OK if session.authorised else Ack.UNAUTH)]


def authorise(machine: Machine, session: Session, data: bytes) -> list[Answer]:
    if not session.connected or not commkey.opens(data, key=machine.config.commkey, session=session.id):
        return refused(Ack.UNAUTH)
    session.authorised = True
    return ok()


def leave(_machine: Machine, session: Session, _data: bytes) -> list[Answer]:
    answer = [Answer(session=session.id)]
    session.end()
    return answer


def enable(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    machine.set_enabled(True)
    return ok()


def disable(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    """Out of use until enabled, or for the given seconds."""
    seconds = _U32.unpack_from(data)[0] if len(data) >= 4 else 0
    machine.set_enabled(False, again_after_s=float(seconds))
    return ok()


def restart(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    machine.power_request(machine.config.restart_s)
    return ok()


def power_off(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    machine.power_request(None)
    return ok()


def get_time(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    return ok(_U32.pack(encode_time(machine.clock.now())))


def set_time(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    wanted = decode_time(_U32.unpack_from(data)[0])
    if wanted.year > LAST_YEAR:
        return refused()
    machine.clock.set(wanted)
    return ok()


def version(_machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    return ok(FIRMWARE.encode() + b"\0")


def state(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    """The state travels in the session field: 1 enrolling, 2 identifying, 4 busy (out of use)."""
    number = 1 if machine.enrolling else 2 if machine.enabled else 4
    return [Answer(session=number)]


def read_option(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    name = data.split(b"\0", 1)[0].decode("latin-1")
    value = machine.store.options.get(name)
    if value is None:
        return refused()
    return ok(f"{name}={value}".encode("latin-1", "replace") + b"\0")


def write_option(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    """`NAME=VALUE`, with or without the closing NUL. Names with a tilde are read only."""
    name, equals, value = data.split(b"\0", 1)[0].decode("latin-1").partition("=")
    options = machine.store.options
    if not equals or not name or name.startswith("~") or max(len(name), len(value)) > LONGEST_OPTION:
        return refused()
    if name not in options and len(options) >= MOST_OPTIONS:
        return refused()
    options[name] = value
    return ok()


def free_sizes(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    """Twenty i32 counters, and three more about faces on the newer format."""
    store = machine.store
    fields = [0] * (23 if store.user_format == 72 else 20)
    fields[4] = len(store.users)
    fields[6] = len(store.templates)
    fields[8] = store.punch_count
    fields[10] = len(store.operations)
    fields[12] = sum(user.is_admin for user in store.users.values())
    fields[13] = sum(bool(user.password) for user in store.users.values())
    fields[14:17] = [store.finger_cap, store.user_cap, store.punch_cap]
    fields[17] = max(store.finger_cap - len(store.templates), 0)
    fields[18] = max(store.user_cap - len(store.users), 0)
    fields[19] = 0 if machine.log_is_full else store.punch_cap - store.punch_count
    return ok(struct.pack(f"<{len(fields)}i", *fields))


def pin_width(_machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    return ok(b"\x09")


def register_events(_machine: Machine, session: Session, data: bytes) -> list[Answer]:
    session.mask = Event(_U32.unpack_from(data)[0] & 0xFFFF) if data else Event(0)
    return ok()


HANDLERS: dict[int, Handler] = {
    Command.CONNECT: connect,
    Command.AUTH: authorise,
    Command.EXIT: leave,
    Command.ENABLEDEVICE: enable,
    Command.DISABLEDEVICE: disable,
    Command.RESTART: restart,
    Command.POWEROFF: power_off,
    Command.GET_TIME: get_time,
    Command.SET_TIME: set_time,
    Command.GET_VERSION: version,
    Command.STATE_RRQ: state,
    Command.OPTIONS_RRQ: read_option,
    Command.OPTIONS_WRQ: write_option,
    Command.GET_FREE_SIZES: free_sizes,
    Command.GET_PINWIDTH: pin_width,
    Command.REG_EVENT: register_events,
    Command.REFRESHDATA: acknowledge,
    Command.REFRESHOPTION: acknowledge,
    Command.TESTVOICE: acknowledge,
    Command.ENABLE_CLOCK: acknowledge,
    Command.WRITE_LCD: acknowledge,
    Command.CLEAR_LCD: acknowledge,
    Command.SLEEP: acknowledge,
    Command.RESUME: acknowledge,
}
