"""The buffer of CMD 110: many users and their templates in one upload (pyzk 0.9 save_user_template).

`u32 length of users, u32 length of table, u32 length of fingers`, then the users (each `02` and a 28- or 72-byte
record), the table (each `02, u16 uid, u8 0x10 + finger, u32 offset`), and at each offset `u16 size` and the block.
"""

from __future__ import annotations

import struct

from accessctl_sim.zk.records import BadRecord, Template, User, unpack_user

_LENGTHS = struct.Struct("<III")
_ROW = struct.Struct("<BHBI")
LONGEST_TEMPLATE = 4096


def parse_upload(buffer: bytes) -> tuple[list[User], list[Template]]:
    """Users and templates of one upload. Anything that does not add up raises `BadRecord` and nothing is stored."""
    if len(buffer) < _LENGTHS.size:
        raise BadRecord("upload shorter than its three lengths")
    user_bytes, table_bytes, finger_bytes = _LENGTHS.unpack_from(buffer)
    if _LENGTHS.size + user_bytes + table_bytes + finger_bytes != len(buffer):
        raise BadRecord(f"upload of {len(buffer)} bytes announces {user_bytes}+{table_bytes}+{finger_bytes}")
    body = memoryview(buffer)[_LENGTHS.size :]
    users = _users(bytes(body[:user_bytes]))
    table = body[user_bytes : user_bytes + table_bytes]
    if len(table) % _ROW.size:
        raise BadRecord(f"finger table of {len(table)} bytes")
    fingers = bytes(body[user_bytes + table_bytes :])
    return users, [_template(fingers, *row) for row in _ROW.iter_unpack(table)]


def _users(block: bytes) -> list[User]:
    for size in (73, 29):
        if len(block) % size == 0 and all(block[start] == 2 for start in range(0, len(block), size)):
            return [unpack_user(block[start + 1 : start + size]) for start in range(0, len(block), size)]
    raise BadRecord(f"user block of {len(block)} bytes")


def _template(fingers: bytes, mark: int, uid: int, finger: int, offset: int) -> Template:
    if mark != 2 or not 0x10 <= finger <= 0x19:
        raise BadRecord(f"finger table row {mark} {finger:#x}")
    size = int.from_bytes(fingers[offset : offset + 2], "little")
    block = fingers[offset + 2 : offset + 2 + size]
    if not 0 < size <= LONGEST_TEMPLATE or len(block) != size:
        raise BadRecord(f"template of {size} bytes at {offset}")
    return Template(uid=uid, finger=finger - 0x10, flag=1, block=block)


def checksum(buffer: bytes) -> int:
    """The answer to CMD_CHECKSUM_BUFFER: the ELF hash of the buffer modulo 0xFEFFFF (zk-protocol, Checksum32)."""
    number = 0
    for byte in buffer:
        number = (number << 4) + byte
        high = number & 0xF0000000
        number = (number ^ high ^ (high >> 24)) & 0xFFFFFFFF
    return number % 0x00FEFFFF
