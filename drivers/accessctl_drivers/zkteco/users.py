"""User slots of a terminal as bytes: records of 28 and 72 bytes, and the buffer that writes many users at once.

Layouts (little endian):

* 72 bytes: uid u16 | privilege u8 | password[8] | name[24] | card u32 | group u8 | own-zones flag u16 | three zones
  u16 | user id[9] | 15 zeros. Source: zk-protocol data-user.md, from captures of the vendor's SDK. pyzk skips the group
  and writes its own "group" as text over the flag, so a user written by it loses his group.
* 28 bytes: uid u16 | privilege u8 | password[5] | name[8] | card u32 | pad | group u8 | zone i16 | user id u32.

The privilege byte: bit 0 disabled, bits 1 to 3 the level (0 user, 2 enroller, 6 manager, 14 super administrator).

Reading believes nothing: totals, slots, ids and duplicates are checked (`DeviceMisbehaved`). Writing refuses with
ValueError whatever does not fit, before a byte goes out: overlong names crash terminals (CVE-2023-3943 and its kin),
and a card of 33 bits cut to 32 is another person's card.
"""

from collections.abc import Iterable, Sequence
from struct import Struct

from accessctl.ports import DeviceMisbehaved, TerminalTemplate, TerminalUser
from accessctl_drivers.zkteco.datasets import strip_total
from accessctl_drivers.zkteco.names import clean_name
from accessctl_drivers.zkteco.templates import check_template

SMALL, LARGE = 28, 72
RECORD_SIZES = (SMALL, LARGE)
NAME_BYTES = {SMALL: 7, LARGE: 23}
MAX_UID = 0xFFFF
MAX_CARD = 0xFFFFFFFF
PRIVILEGES = frozenset({0, 2, 6, 14})
MAX_ID_DIGITS = 9

_LARGE = Struct("<HB8s24sIB4H24s")
_SMALL = Struct("<HB5s8sIxBhI")
_BULK_HEAD = Struct("<3I")
_TABLE = Struct("<BHBI")
_SIZE = Struct("<H")
_USER_MARK = b"\x02"


def _digits(field: bytes, uid: int) -> str:
    """A user id out of its field: one to nine digits, or the terminal is not to be believed."""
    text = field.partition(b"\0")[0]
    if not (text.isdigit() and 1 <= len(text) <= MAX_ID_DIGITS):
        raise DeviceMisbehaved(f"slot {uid} holds the user id {text!r}, which is not one to nine digits")
    return text.decode("ascii")


def _name(field: bytes, encoding: str) -> str:
    return field.partition(b"\0")[0].decode(encoding, "replace").strip()


def record_size(total: int, users: int) -> int:
    """28 or 72, from the bytes of a dataset and the number of users counted before it was taken.

    The count may be older than the dataset (somebody enrolled in between), so the size that divides the total and
    comes nearest to the count wins. DeviceMisbehaved where neither divides.
    """
    fitting = [size for size in RECORD_SIZES if total % size == 0]
    if not fitting:
        raise DeviceMisbehaved(f"{total} bytes of users are neither records of 28 nor of 72 bytes")
    return min(fitting, key=lambda size: abs(total // size - users))


def _decode_large(records: memoryview, encoding: str) -> Iterable[TerminalUser]:
    for uid, level, _password, name, card, group, own, zone1, zone2, zone3, user_id in _LARGE.iter_unpack(records):
        yield TerminalUser(
            uid=uid,
            user_id=_digits(user_id, uid),
            name=_name(name, encoding),
            card=card,
            privilege=level & 0x0E,
            disabled=bool(level & 1),
            group=group,
            time_zones=tuple(zone for zone in (zone1, zone2, zone3) if zone) if own else (),
        )


def _decode_small(records: memoryview, encoding: str) -> Iterable[TerminalUser]:
    for uid, level, _password, name, card, group, zone, user_id in _SMALL.iter_unpack(records):
        yield TerminalUser(
            uid=uid,
            user_id=_digits(str(user_id).encode(), uid),
            name=_name(name, encoding),
            card=card,
            privilege=level & 0x0E,
            disabled=bool(level & 1),
            group=group,
            time_zones=(zone,) if zone > 0 else (),
        )


def decode_users(dataset: bytes, size: int, encoding: str = "utf-8") -> tuple[TerminalUser, ...]:
    """All users of a dataset (with its leading total), in the terminal's order.

    DeviceMisbehaved at wrong lengths, slot 0, ids that are no digits, a slot or an id that appears twice.
    """
    records = strip_total(dataset)
    if len(records) % size:
        raise DeviceMisbehaved(f"{len(records)} bytes of users are not records of {size} bytes")
    users = tuple(_decode_large(records, encoding) if size == LARGE else _decode_small(records, encoding))
    uids: set[int] = set()
    ids: set[str] = set()
    for user in users:
        if user.uid == 0 or user.uid in uids:
            raise DeviceMisbehaved(f"slot {user.uid} appears twice or is zero")
        if user.user_id in ids:
            raise DeviceMisbehaved(f"user id {user.user_id} is in two slots")
        uids.add(user.uid)
        ids.add(user.user_id)
    return users


def check_user(user: TerminalUser, size: int, encoding: str = "utf-8") -> None:
    """ValueError, saying what, where a terminal with records of `size` bytes cannot hold this user as given."""
    if not 1 <= user.uid <= MAX_UID:
        raise ValueError(f"slot {user.uid} is outside 1 to {MAX_UID}")
    if not (user.user_id.isascii() and user.user_id.isdigit() and len(user.user_id) <= MAX_ID_DIGITS):
        raise ValueError(f"user id {user.user_id!r} is not one to nine digits")
    if size == SMALL and user.user_id != str(int(user.user_id)):
        raise ValueError(f"user id {user.user_id} has leading zeros, which a record of 28 bytes loses")
    if not 0 <= user.card <= MAX_CARD:
        raise ValueError(f"card of {user.card.bit_length()} bits does not fit the terminal's 32")
    if user.privilege not in PRIVILEGES:
        raise ValueError(f"privilege {user.privilege} is none of 0, 2, 6, 14")
    if not 0 <= user.group <= 0xFF:
        raise ValueError(f"group {user.group} is outside 0 to 255")
    if clean_name(user.name) != user.name:
        raise ValueError("name holds characters that a terminal must not get; use fit_name")
    if len(user.name.encode(encoding)) > NAME_BYTES[size]:
        raise ValueError(f"name takes more than {NAME_BYTES[size]} bytes; use fit_name")
    zones = 1 if size == SMALL else 3
    if len(user.time_zones) > zones or not all(1 <= zone <= 50 for zone in user.time_zones):
        raise ValueError(f"at most {zones} time zones, each 1 to 50; got {user.time_zones}")


def encode_user(user: TerminalUser, size: int, encoding: str = "utf-8") -> bytes:
    """One record; ValueError where it does not fit (see `check_user`). No password goes out: PINs are not used."""
    check_user(user, size, encoding)
    level = user.privilege | int(user.disabled)
    name = user.name.encode(encoding)
    if size == SMALL:
        zone = user.time_zones[0] if user.time_zones else 0
        return _SMALL.pack(user.uid, level, b"", name, user.card, user.group, zone, int(user.user_id))
    zone1, zone2, zone3 = (*user.time_zones, 0, 0, 0)[:3]
    own = int(bool(user.time_zones))
    user_id = user.user_id.encode()
    return _LARGE.pack(user.uid, level, b"", name, user.card, user.group, own, zone1, zone2, zone3, user_id)


def bulk_upload(
    users: Sequence[TerminalUser], templates: Sequence[TerminalTemplate], size: int, encoding: str = "utf-8"
) -> bytes:
    """The buffer that command 110 turns into users and their fingers, all in one go.

    Three lengths, the user records each behind a 02, a table (02, uid, 0x10 + finger, offset) and the templates
    each behind its u16 size. The table's third byte is 0x10 + finger in every client seen and knows no flag, so a
    duress finger cannot go this way (see `template_write`). ValueError where a user does not fit, appears twice, or a
    template belongs to none of them.
    """
    slots: dict[str, int] = {}
    for user in users:
        if user.user_id in slots:
            raise ValueError(f"user id {user.user_id} is in this upload twice")
        slots[user.user_id] = user.uid
    if len(set(slots.values())) != len(users):
        raise ValueError("two users of this upload share a slot")
    records = b"".join(_USER_MARK + encode_user(user, size, encoding) for user in users)
    table = bytearray()
    bodies = bytearray()
    for template in templates:
        if template.user_id not in slots:
            raise ValueError(f"a template of user {template.user_id} comes without its user")
        check_template(template)
        if template.flag != 1:
            raise ValueError("a duress finger does not go into a bulk upload: it would become an ordinary one")
        slot = slots[template.user_id]
        table += _TABLE.pack(2, slot, 0x10 + template.finger, len(bodies))
        bodies += _SIZE.pack(len(template.data)) + template.data
    return _BULK_HEAD.pack(len(records), len(table), len(bodies)) + records + table + bodies
