"""Bulk data both ways (zk-protocol ex_data.md; pyzk's captures for the frames of 1,008 bytes).

Reading: 1503 names a data set, small ones come back at once, of larger ones a stat; 1504 then asks for parts. A part is
PREPARE_DATA, the DATA frames and a closing OK under one reply number. Real terminals count 0, 1, 2 … in the session
field of
those DATA frames, and the closing OK carries the last count: so do we. Old clients ask 7, 9 or 13 directly and get
the same.
"""

from __future__ import annotations

import struct
import zlib

from accessctl_sim.zk.codes import Ack, Command
from accessctl_sim.zk.commands.handler import Handler, ok, refused
from accessctl_sim.zk.machine import Machine
from accessctl_sim.zk.session import Answer, Session

AT_ONCE_BYTES = 1008
LARGEST_UPLOAD = 8 << 20
_REQUEST = struct.Struct("<bhii")
_PART = struct.Struct("<ii")
_STAT = struct.Struct("<BIII")
_PREPARE = struct.Struct("<II")
FCT_ATTLOG, FCT_FINGER, FCT_OPLOG, FCT_USER = 1, 2, 4, 5


def _data_set(machine: Machine, command: int, fct: int) -> bytes | None:
    store = machine.store
    if command == Command.ATTLOG_RRQ or (command == Command.DB_RRQ and fct == FCT_ATTLOG):
        return store.packed_punches()
    if command == Command.OPLOG_RRQ or (command == Command.DB_RRQ and fct == FCT_OPLOG):
        return store.packed_operations()
    if command in {Command.USERTEMP_RRQ, Command.DB_RRQ}:
        if fct == FCT_USER:
            return store.packed_users()
        return store.packed_templates() if fct == FCT_FINGER else b"\0\0\0\0"  # messages and work codes: none
    return None


def frames(machine: Machine, session: Session, data: bytes) -> list[Answer]:
    """PREPARE_DATA, the data in frames of the size in force, and the closing OK."""
    size = min(machine.config.max_frame, session.largest)
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    prepare = Answer(command=Command.PREPARE_DATA, data=_PREPARE.pack(len(data), machine.config.max_frame))
    numbered = [Answer(command=Command.DATA, data=piece, session=i) for i, piece in enumerate(pieces)]
    return [prepare, *numbered, Answer(session=max(len(pieces) - 1, 0))]


def deliver(machine: Machine, session: Session, data: bytes) -> list[Answer]:
    """A small block in one DATA frame, a larger one in frames, without being asked for parts."""
    if len(data) <= AT_ONCE_BYTES:
        return [Answer(command=Command.DATA, data=data)]
    return frames(machine, session, data)


def prepare_buffer(machine: Machine, session: Session, data: bytes) -> list[Answer]:
    _, command, fct, _ = _REQUEST.unpack_from(data)
    found = _data_set(machine, command, fct)
    if found is None:
        return refused()
    if len(found) <= AT_ONCE_BYTES:
        return [Answer(command=Command.DATA, data=found)]
    session.readable = found
    return ok(_STAT.pack(0, len(found), len(found), zlib.crc32(found)))


def read_buffer(machine: Machine, session: Session, data: bytes) -> list[Answer]:
    """A part of the buffer; what lies past its end is not there, and an empty part is just acknowledged."""
    start, size = _PART.unpack_from(data)
    if start < 0 or size < 0 or start > len(session.readable) or not session.readable:
        return refused(Ack.ERROR_DATA)
    part = session.readable[start : start + size]
    return frames(machine, session, part) if part else ok()


def free_buffer(_machine: Machine, session: Session, _data: bytes) -> list[Answer]:
    session.free()
    return ok()


def read_directly(command: int) -> Handler:
    """The old direct reads 7, 9 and 13: one byte says what, or three bytes say whose finger."""

    def handle(machine: Machine, session: Session, data: bytes) -> list[Answer]:
        if command == Command.USERTEMP_RRQ and len(data) == 3:
            template = machine.store.templates.get((int.from_bytes(data[:2], "little"), data[2]))
            return refused() if template is None else frames(machine, session, template.block)
        fct = data[0] if data else FCT_USER if command == Command.USERTEMP_RRQ else FCT_ATTLOG
        found = _data_set(machine, command, fct)
        return refused() if found is None else frames(machine, session, found)

    return handle


def begin_upload(_machine: Machine, session: Session, data: bytes) -> list[Answer]:
    size = int.from_bytes(data[:4], "little")
    if len(data) < 2 or not 0 < size <= LARGEST_UPLOAD:
        return refused(Ack.ERROR_DATA)
    session.upload.clear()
    session.upload_size = size
    return ok()


def take_upload(_machine: Machine, session: Session, data: bytes) -> list[Answer]:
    """One piece; more than was announced is refused and forgotten."""
    if not session.upload_size or len(session.upload) + len(data) > session.upload_size:
        return refused(Ack.ERROR_DATA)
    session.upload += data
    return ok()


HANDLERS: dict[int, Handler] = {
    Command.DATA_WRRQ: prepare_buffer,
    Command.DATA_RDY: read_buffer,
    Command.FREE_DATA: free_buffer,
    Command.DB_RRQ: read_directly(Command.DB_RRQ),
    Command.USERTEMP_RRQ: read_directly(Command.USERTEMP_RRQ),
    Command.ATTLOG_RRQ: read_directly(Command.ATTLOG_RRQ),
    Command.OPLOG_RRQ: read_directly(Command.OPLOG_RRQ),
    Command.PREPARE_DATA: begin_upload,
    Command.DATA: take_upload,
}
