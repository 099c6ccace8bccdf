"""Layouts of users, punches, templates and uploads, against entries captured by others."""

from __future__ import annotations

import struct
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl_sim.zk import commkey
from accessctl_sim.zk.records import BadRecord, Operation, Punch, Template, User, unpack_punch, unpack_user
from accessctl_sim.zk.times import decode_time, encode_time
from accessctl_sim.zk.upload import checksum, parse_upload
from accessctl_sim.zk.zones import ALWAYS, Group, Zones, unpack_group, unpack_spans

MOMENTS = st.datetimes(
    datetime.fromisoformat("2000-01-01T00:00:00"), datetime.fromisoformat("2099-12-31T00:00:00")
).map(lambda at: at.replace(microsecond=0))
DIGITS = st.text("0123456789", min_size=1, max_size=9)
TEXT = st.binary(max_size=23).filter(lambda raw: b"\0" not in raw)


def test_user_entries_of_others() -> None:
    """zk-protocol data-user.md: the read entry of Ned, and the write of Nuevo."""
    ned = bytes.fromhex(
        "0d0000" + "34343400c69a807c" + b"Ned".ljust(24, b"\0").hex() + "de000000" + "02" + "0100010002000000"
    )
    user = unpack_user(ned + b"555".ljust(24, b"\0"))
    assert (user.uid, user.name, user.card, user.group, user.own_tz, user.tz) == (13, b"Ned", 0xDE, 2, 1, (1, 2, 0))
    assert (user.user_id, user.password) == ("555", b"444")
    with pytest.raises(BadRecord):
        unpack_user(ned)


def test_punch_and_operation_entries_of_others() -> None:
    """zk-protocol data-record.md."""
    entry = bytes.fromhex("0d00" + b"999111333".ljust(24, b"\0").hex() + "01" + "6bb36823" + "00" + "00000000ff000000")
    punch = unpack_punch(entry)
    assert (punch.uid, punch.user_id, punch.at) == (13, "999111333", datetime.fromisoformat("2018-06-25T17:50:35"))
    assert punch.pack(40) == entry
    operation = Operation(code=6, time=0x23689BC2, params=(3, 0, 7, 0x0502))
    assert operation.pack() == bytes.fromhex("00000600c29b68230300000007000205")


@given(st.integers(1, 65_534), DIGITS, TEXT, st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 2, 6, 14, 15]))
def test_users_are_read_back_from_either_size(uid: int, number: str, name: bytes, card: int, privilege: int) -> None:
    user = User(uid=uid, user_id=str(int(number) or uid), name=name, card=card, privilege=privilege)
    assert unpack_user(user.pack(72)) == user
    short = unpack_user(user.pack(28))
    assert (short.uid, short.user_id, short.card, short.name) == (uid, user.user_id, card, name[:8])


@given(st.integers(0, 65_535), DIGITS, MOMENTS, st.integers(0, 15), st.integers(0, 5))
def test_punches_are_read_back(uid: int, number: str, at: datetime, verify: int, state: int) -> None:
    punch = Punch(uid=uid, user_id=str(int(number)), time=encode_time(at), verify=verify, state=state)
    for size in (40, 49):
        assert unpack_punch(punch.pack(size)) == punch
        assert len(punch.pack(size)) == size
    for size in (8, 16):
        short = unpack_punch(punch.pack(size))
        assert (short.at, short.verify, short.state) == (at, verify, state)


@given(MOMENTS)
def test_times_are_read_back(at: datetime) -> None:
    assert decode_time(encode_time(at)) == at


def test_times_of_others() -> None:
    assert encode_time(datetime.fromisoformat("2018-02-22T14:54:54")) == 583_080_894
    with pytest.raises(ValueError, match="day is out of range"):
        decode_time(encode_time(datetime.fromisoformat("2026-01-31T00:00:00")) + 31 * 86_400)


@pytest.mark.parametrize(
    ("key", "session", "scrambled"),
    [(12, 17871, "614d323c"), (45, 17871, "61c9323c"), (0, 1, "617d3279"), (123456, 4660, "267f32eb")],
)
def test_commkeys_of_others(key: int, session: int, scrambled: str) -> None:
    """pyzk 0.9 make_commkey, and its captured AUTH packets."""
    assert commkey.scramble(key, session).hex() == scrambled
    assert commkey.opens(bytes.fromhex(scrambled), key=key, session=session)
    assert not commkey.opens(bytes.fromhex(scrambled), key=key + 1, session=session)
    assert not commkey.opens(b"", key=key, session=session)


def test_an_upload_that_does_not_add_up_is_refused() -> None:
    user = b"\x02" + User(uid=7, user_id="7").pack(72)
    row = struct.pack("<BHBI", 2, 7, 0x13, 0)
    finger = b"\x04\x00abcd"
    good = struct.pack("<III", len(user), len(row), len(finger)) + user + row + finger
    users, templates = parse_upload(good)
    assert [u.uid for u in users] == [7]
    assert templates == [Template(uid=7, finger=3, flag=1, block=b"abcd")]
    for bad in (good[:-1], good + b"\0", good[:8], struct.pack("<III", 3, 0, 0) + b"\x02ab"):
        with pytest.raises(BadRecord):
            parse_upload(bad)


@given(st.binary(max_size=200))
def test_hostile_uploads_raise_one_error_only(buffer: bytes) -> None:
    try:
        parse_upload(buffer)
    except BadRecord:
        return


def test_a_template_never_shows_in_its_repr() -> None:
    assert "secret" not in repr(Template(uid=1, finger=0, flag=1, block=b"secret"))


def test_the_buffer_checksum_is_the_elf_hash() -> None:
    assert checksum(b"jdfgsdhfsdfsd 6445dsfsd7fg/*/+bfjsdgf%$^") == 248446350 % 0x00FEFFFF


def test_zones_of_others_and_what_they_allow() -> None:
    """zk-protocol access.md: zone 48 on Sunday is 17:12 to 17:13; group 77 has the zones 8, 7, 6."""
    zones = Zones()
    zones.spans[48] = unpack_spans(bytes.fromhex("110c110d" + "11251125" * 5 + "11231124"))
    sunday = datetime.fromisoformat("2026-11-22T17:12:00")
    assert zones.allow(own=(48, 0, 0), group=1, at=sunday)
    assert not zones.allow(own=(48, 0, 0), group=1, at=sunday.replace(minute=14))
    group = unpack_group(bytes.fromhex("4d0800070006008e"))
    assert group == Group(number=77, tz=(8, 7, 6), verify=0x8E)
    assert zones.allow(own=(), group=1, at=sunday)
    zones.spans[1] = ((23, 59, 0, 0),) * 7  # starts after its end: never
    assert not zones.allow(own=(), group=0, at=sunday)
    zones.reset()
    assert zones.spans_of(1) == ALWAYS
