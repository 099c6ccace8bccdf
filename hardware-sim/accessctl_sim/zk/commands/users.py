"""Users, fingers, clearing, enrolment (zk-protocol data-user.md, other.md; pyzk 0.9 for 88, 110 and 134)."""

from __future__ import annotations

import struct
from dataclasses import replace

from accessctl_sim.zk.codes import Command
from accessctl_sim.zk.commands.handler import Handler, acknowledge, ok, refused
from accessctl_sim.zk.commands.transfer import deliver
from accessctl_sim.zk.enrol import Request
from accessctl_sim.zk.machine import OP_DELETE_FINGER, OP_DELETE_USER, Machine
from accessctl_sim.zk.records import Template, unpack_user
from accessctl_sim.zk.session import Answer, Session
from accessctl_sim.zk.upload import checksum, parse_upload

_SLOT_FINGER = struct.Struct("<HB")
_TMP_WRITE = struct.Struct("<HBBH")
_BY_ID = struct.Struct("<24sB")
_ENROL_TCP = struct.Struct("<24sBB")
_ENROL_UDP = struct.Struct("<IB")


def write_user(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    machine.store.put_user(unpack_user(data))
    return ok()


def delete_user(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    """The slot comes first, whether the client sends two bytes or a whole record."""
    uid = int.from_bytes(data[:2], "little")
    if len(data) < 2 or not machine.store.delete_user(uid):
        return refused()
    machine.log_operation(OP_DELETE_USER, uid)
    return ok()


def _delete_fingers(machine: Machine, uid: int, finger: int | None) -> list[Answer]:
    doomed = [key for key in machine.store.templates if key[0] == uid and finger in {None, key[1]}]
    for key in doomed:
        del machine.store.templates[key]
        machine.log_operation(OP_DELETE_FINGER, *key)
    return ok() if doomed else refused()


def delete_finger(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    """Slot and finger; without a finger, all of the slot's."""
    uid = int.from_bytes(data[:2], "little")
    return _delete_fingers(machine, uid, data[2] if len(data) > 2 else None)


def delete_finger_by_id(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    raw_id, finger = _BY_ID.unpack_from(data)
    user = machine.store.by_id(raw_id.split(b"\0", 1)[0].decode("latin-1"))
    return refused() if user is None else _delete_fingers(machine, user.uid, finger)


def read_finger(machine: Machine, session: Session, data: bytes) -> list[Answer]:
    """One template and the byte that follows it on real terminals."""
    template = machine.store.templates.get(_SLOT_FINGER.unpack_from(data))
    return refused() if template is None else deliver(machine, session, template.block + b"\0")


def save_users(machine: Machine, session: Session, _data: bytes) -> list[Answer]:
    """CMD 110: take over the uploaded users and fingers, all or none."""
    if session.upload_size != len(session.upload):
        return refused()
    users, templates = parse_upload(bytes(session.upload))
    known = set(machine.store.users) | {user.uid for user in users}
    if any(template.uid not in known for template in templates):
        return refused()
    if len(known) > machine.store.user_cap or len(machine.store.templates) + len(templates) > machine.store.finger_cap:
        return refused()
    for user in users:
        machine.store.put_user(user)
    for template in templates:
        machine.store.put_template(template)
    session.free()
    return ok()


def upload_checksum(_machine: Machine, session: Session, _data: bytes) -> list[Answer]:
    return ok(checksum(bytes(session.upload)).to_bytes(4, "little"))


def write_finger(machine: Machine, session: Session, data: bytes) -> list[Answer]:
    """The uploaded buffer becomes one template: slot, finger, flag, size."""
    uid, finger, flag, size = _TMP_WRITE.unpack_from(data)
    if size != len(session.upload) or finger > 9:
        return refused()
    machine.store.put_template(Template(uid=uid, finger=finger, flag=flag, block=bytes(session.upload)))
    return ok()


def clear_data(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    """One kind of data, or all: 1 attendance, 2 fingers, 4 operations, 5 users."""
    kind = data[0] if data else 0
    store = machine.store
    if kind in {0, 1}:
        store.clear_punches()
    if kind in {0, 2}:
        store.templates.clear()
    if kind in {0, 4}:
        store.operations.clear()
    if kind in {0, 5}:
        store.clear_users()
    return ok()


def clear_attendance(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    machine.store.clear_punches()
    return ok()


def clear_operations(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    machine.store.operations.clear()
    return ok()


def clear_admins(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    machine.store.clear_admins()
    return ok()


def start_enrolment(machine: Machine, session: Session, data: bytes) -> list[Answer]:
    """Number as text, finger and flag; the old form of five bytes has the number as u32."""
    if len(data) >= _ENROL_TCP.size:
        raw_id, finger, flag = _ENROL_TCP.unpack_from(data)
        user_id = raw_id.split(b"\0", 1)[0].decode("latin-1")
    else:
        number, finger = _ENROL_UDP.unpack_from(data)
        user_id, flag = str(number), 1
    if not user_id or finger > 9 or flag not in {1, 3}:
        return refused()
    machine.start_enrolment(session, Request(user_id=user_id, finger=finger, flag=flag))
    return ok()


def cancel_capture(machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    machine.cancel_enrolment()
    return ok()


def write_verify(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    uid = int.from_bytes(data[:2], "little")
    if len(data) < 3 or uid not in machine.store.users:
        return refused()
    machine.store.verify_styles[uid] = data[2]
    return ok()


def read_verify(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    uid = int.from_bytes(data[:2], "little")
    if uid not in machine.store.users:
        return refused()
    return ok(struct.pack("<HB21x", uid, machine.store.verify_styles.get(uid, 0)))


def read_group(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    user = machine.store.users.get(int.from_bytes(data[:2], "little"))
    return refused() if user is None else ok(bytes((user.group or 1,)))


def write_group(machine: Machine, _session: Session, data: bytes) -> list[Answer]:
    user = machine.store.users.get(int.from_bytes(data[:2], "little"))
    if user is None or len(data) < 5 or not 1 <= data[4] <= 100:
        return refused()
    machine.store.put_user(replace(user, group=data[4]))
    return ok()


HANDLERS: dict[int, Handler] = {
    Command.USER_WRQ: write_user,
    Command.DELETE_USER: delete_user,
    Command.DELETE_USERTEMP: delete_finger,
    Command.DEL_FPTMP: delete_finger_by_id,
    Command.GET_USERTEMP: read_finger,
    Command.SAVE_USERTEMPS: save_users,
    Command.CHECKSUM_BUFFER: upload_checksum,
    Command.TMP_WRITE: write_finger,
    Command.CLEAR_DATA: clear_data,
    Command.CLEAR_ATTLOG: clear_attendance,
    Command.CLEAR_OPLOG: clear_operations,
    Command.CLEAR_ADMIN: clear_admins,
    Command.STARTENROLL: start_enrolment,
    Command.STARTVERIFY: acknowledge,
    Command.CANCELCAPTURE: cancel_capture,
    Command.VERIFY_WRQ: write_verify,
    Command.VERIFY_RRQ: read_verify,
    Command.USERGRP_RRQ: read_group,
    Command.USERGRP_WRQ: write_group,
}
