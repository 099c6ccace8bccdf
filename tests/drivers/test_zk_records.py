"""Users, templates, logs, dates, zones, sizes and events: round trips, captures of real devices, hostile bytes."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from struct import pack, unpack_from

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.ports import DeviceMisbehaved, LiveKind, TerminalTemplate, TerminalUser, TimeZoneWeek
from accessctl_drivers.zkteco import attlog, dates, live, memory, templates, users, zones
from accessctl_drivers.zkteco.frames import decode
from accessctl_drivers.zkteco.names import clean_name, fit_name
from accessctl_drivers.zkteco.uploads import UPLOAD_BYTES, uploads

moment = datetime.fromisoformat
VECTORS = {
    v["what"]: bytes.fromhex(v["hex"])
    for v in json.loads((Path(__file__).parents[1] / "vectors" / "zk_vectors.json").read_text())["vectors"]
}


def vector(start: str) -> bytes:
    """The data of the shared vector whose description begins so."""
    return decode(next(packet for what, packet in VECTORS.items() if what.startswith(start))).data


def with_total(records: bytes) -> bytes:
    return len(records).to_bytes(4, "little") + records


def a_user(size: int = 72) -> st.SearchStrategy[TerminalUser]:
    return st.builds(
        TerminalUser,
        uid=st.integers(1, 0xFFFF),
        user_id=st.integers(1, 999_999_999).map(str),
        name=st.text(max_size=40).map(lambda name: fit_name(name, users.NAME_BYTES[size])),
        card=st.integers(0, 0xFFFFFFFF),
        privilege=st.sampled_from([0, 2, 6, 14]),
        disabled=st.booleans(),
        group=st.integers(0, 255),
        time_zones=st.lists(st.integers(1, 50), max_size=1 if size == 28 else 3).map(tuple),
    )


class TestUsers:
    def test_capture_of_the_vendor_s_sdk(self) -> None:
        record = vector("USER_WRQ")
        (user,) = users.decode_users(with_total(record), 72)
        assert user == TerminalUser(uid=14, user_id="11224488", name="Nuevo", card=6543, privilege=6, group=1)
        written = bytearray(users.encode_user(user, 72))
        written[3:11] = record[3:11]  # its password, which we never write; and rubbish that the SDK leaves behind it
        assert bytes(written) == record

    @pytest.mark.parametrize("size", [28, 72])
    def test_round_trip(self, size: int) -> None:
        @given(st.lists(a_user(size), max_size=5, unique_by=(lambda u: u.uid, lambda u: u.user_id)))
        def check(people: list[TerminalUser]) -> None:
            dataset = with_total(b"".join(users.encode_user(user, size) for user in people))
            assert list(users.decode_users(dataset, size)) == people

        check()

    @pytest.mark.parametrize(
        "change",
        [
            {"uid": 0},
            {"uid": 65536},
            {"user_id": ""},
            {"user_id": "1234567890"},
            {"user_id": "1' OR '1'='1"},
            {"user_id": "٣"},
            {"card": 2**32},
            {"card": -1},
            {"privilege": 1},
            {"name": "B" * 24},
            {"name": "Ñ" * 12},
            {"name": "B" * 1_000_000},
            {"name": "x\0y"},
            {"name": "abc\u202edef"},
            {"group": 256},
            {"time_zones": (1, 2, 3, 4)},
            {"time_zones": (51,)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_what_does_not_fit_is_refused_before_it_goes_out(self, change: dict[str, object]) -> None:
        user = replace(TerminalUser(uid=1, user_id="1", name="A"), **change)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r".") as refused:
            users.encode_user(user, 72)
        assert len(str(refused.value)) < 300

    @pytest.mark.parametrize(("encoding", "name"), [("latin-1", "Ñandú Peña"), ("gbk", "王小明")])
    def test_names_in_the_firmware_s_own_encoding(self, encoding: str, name: str) -> None:
        user = TerminalUser(uid=1, user_id="1", name=name)
        record = users.encode_user(user, 72, encoding)
        assert record[11:35].rstrip(b"\0") == name.encode(encoding)
        assert users.decode_users(with_total(record), 72, encoding) == (user,)
        with pytest.raises(ValueError, match="codec"):
            users.encode_user(replace(user, name="🙂"), 72, encoding)

    def test_seven_bytes_in_small_records(self) -> None:
        with pytest.raises(ValueError, match="7 bytes"):
            users.encode_user(TerminalUser(uid=1, user_id="1", name="12345678"), 28)
        with pytest.raises(ValueError, match="leading zeros"):
            users.encode_user(TerminalUser(uid=1, user_id="007", name="A"), 28)

    @pytest.mark.parametrize(
        ("first", "second", "why"),
        [((1, b"1"), (1, b"2"), "twice"), ((1, b"1"), (2, b"1"), "two slots"), ((1, b"x"), (2, b"2"), "digits")],
    )
    def test_memory_that_cannot_be_is_not_believed(
        self, first: tuple[int, bytes], second: tuple[int, bytes], why: str
    ) -> None:
        record = b"".join(
            pack("<HB8s24sIB4H24s", uid, 0, b"", b"A", 0, 1, 0, 0, 0, 0, user_id) for uid, user_id in (first, second)
        )
        with pytest.raises(DeviceMisbehaved, match=why):
            users.decode_users(with_total(record), 72)

    @given(st.binary(max_size=400), st.sampled_from([28, 72]))
    def test_hostile_datasets(self, dataset: bytes, size: int) -> None:
        with suppress(DeviceMisbehaved):
            users.decode_users(dataset, size)

    def test_size_survives_a_user_who_came_in_between(self) -> None:
        assert users.record_size(72 * 8, 7) == 72
        assert users.record_size(28 * 8, 7) == 28
        assert users.record_size(504 * 10, 70) == 72  # 504 divides by both
        assert users.record_size(504 * 10, 180) == 28
        with pytest.raises(DeviceMisbehaved):
            users.record_size(73, 1)

    def test_bulk_upload_lies_as_described(self) -> None:
        people = [TerminalUser(uid=7, user_id="1007", name="Ana"), TerminalUser(uid=8, user_id="1008", name="Eva")]
        fingers = [
            TerminalTemplate(user_id="1008", finger=6, data=b"first"),
            TerminalTemplate(user_id="1007", finger=0, data=b"second"),
        ]
        buffer = users.bulk_upload(people, fingers, 72)
        assert buffer[:12] == pack("<3I", 146, 16, 15)
        assert buffer[12] == buffer[12 + 73] == 2
        assert buffer[12 + 146 :][:16] == pack("<BHBI", 2, 8, 0x16, 0) + pack("<BHBI", 2, 7, 0x10, 7)
        assert buffer[12 + 146 + 16 :] == b"\x05\0first\x06\0second"

    def test_a_duress_finger_goes_the_way_that_keeps_its_flag(self) -> None:
        people = [TerminalUser(uid=7, user_id="1007", name="Ana")]
        fingers = [TerminalTemplate(user_id="1007", finger=4, flag=3, data=b"duress")]
        with pytest.raises(ValueError, match="ordinary"):
            users.bulk_upload(people, fingers, 72)
        buffers, special = uploads(people, fingers, 72, "utf-8")
        assert buffers == [users.bulk_upload(people, [], 72)]
        assert special == [(pack("<HBBH", 7, 4, 3, 6), b"duress")]

    def test_uploads_are_bounded_and_keep_fingers_with_their_users(self) -> None:
        people = [TerminalUser(uid=n, user_id=str(n), name="A") for n in range(1, 5001)]
        fingers = [TerminalTemplate(user_id=str(n), finger=0, data=bytes(1500)) for n in range(1, 301)]
        buffers, _ = uploads(people, fingers, 72, "utf-8")
        assert max(map(len, buffers)) <= UPLOAD_BYTES + 12
        lengths = [unpack_from("<3I", buffer) for buffer in buffers]
        assert [sum(column) for column in zip(*lengths, strict=True)] == [5000 * 73, 300 * 8, 300 * 1502]
        with pytest.raises(ValueError, match="without its user"):
            uploads(people[1:], fingers, 72, "utf-8")
        with pytest.raises(ValueError, match="share"):
            uploads([*people, people[0]], [], 72, "utf-8")

    def test_a_finger_without_its_person_does_not_go_out(self) -> None:
        with pytest.raises(ValueError, match="without its user"):
            users.bulk_upload([], [TerminalTemplate(user_id="1", finger=0, data=b"x")], 72)


class TestTemplates:
    @given(
        st.lists(st.tuples(st.integers(0, 9), st.sampled_from([1, 3]), st.binary(min_size=1, max_size=50)), max_size=5)
    )
    def test_round_trip(self, fingers: list[tuple[int, int, bytes]]) -> None:
        entries = b"".join(
            pack("<HHBB", len(data) + 6, slot, finger, flag) + data
            for slot, (finger, flag, data) in enumerate(fingers, start=1)
        )
        ids = {slot: str(1000 + slot) for slot in range(1, 7)}
        assert [
            (t.user_id, t.finger, t.flag, t.data) for t in templates.decode_templates(with_total(entries), ids)
        ] == [(str(1000 + slot), *finger) for slot, finger in enumerate(fingers, start=1)]

    @given(st.binary(max_size=200))
    def test_hostile_datasets(self, dataset: bytes) -> None:
        with suppress(DeviceMisbehaved):
            templates.decode_templates(dataset, {1: "1"})
            templates.decode_templates(with_total(dataset), {1: "1"})

    def test_template_never_shows_itself(self) -> None:
        assert "secret" not in repr(TerminalTemplate(user_id="1", finger=0, data=b"secret"))


LAYOUTS = {
    8: lambda uid, time: pack("<HBIB", uid, 1, time, 0),
    16: lambda uid, time: pack("<IIBB2xI", 1000 + uid, time, 1, 0, 0),
    40: lambda uid, time: pack("<H24sBIB8s", uid, str(1000 + uid).encode(), 1, time, 0, b"\0\0\0\0\xff"),
    49: lambda uid, time: pack("<H24sBIB17s", uid, str(1000 + uid).encode(), 1, time, 0, b""),
}


class TestLog:
    @pytest.mark.parametrize("size", [8, 16, 40, 49])
    def test_round_trip(self, size: int) -> None:
        slots = {uid: str(1000 + uid) for uid in range(1, 10)}

        @given(
            st.lists(
                st.tuples(st.integers(1, 9), st.datetimes(moment("2000-01-01"), moment("2099-12-31"))), max_size=20
            ).map(lambda rows: sorted(rows, key=lambda row: row[1]))
        )
        def check(rows: list[tuple[int, datetime]]) -> None:
            records = [LAYOUTS[size](uid, dates.encode_time(at)) for uid, at in rows]
            log = attlog.AttendanceLog(memoryview(b"".join(records)), size, first=5, user_ids=slots)
            assert [(r.sequence, r.user_id, r.at, r.raw) for r in log] == [
                (5 + n, slots[uid], at.replace(microsecond=0), records[n]) for n, (uid, at) in enumerate(rows)
            ]
            assert [log[n] for n in range(len(log))] == list(log) == list(log[:])

        check()

    def test_impossible_date_keeps_the_record_and_the_rest(self) -> None:
        thirtieth_of_february = ((26 * 12 + 1) * 31 + 29) * 86400
        good = dates.encode_time(moment("2026-11-23 12:00"))
        raw = b"".join(
            LAYOUTS[40](uid, time) for uid, time in ((1, good), (2, thirtieth_of_february), (3, 0xFFFFFFFF), (4, good))
        )
        log = list(attlog.AttendanceLog(memoryview(raw), 40))
        assert [record.at is None for record in log] == [False, True, False, False] or log[2].at is None
        assert log[1].at is None
        assert [record.user_id for record in log] == ["1001", "1002", "1003", "1004"]

    def test_other_layout_of_eight_bytes_is_recognised(self) -> None:
        times = [moment("2026-01-01 07:00") + timedelta(minutes=minute) for minute in range(0, 50, 7)]
        raw = b"".join(pack("<HBBI", 3, 1, 0, dates.encode_time(at)) for at in times)
        log = attlog.AttendanceLog(memoryview(raw), 8, user_ids={3: "1003"})
        assert [(r.at, r.user_id, r.verify) for r in log] == [(at, "1003", 1) for at in times]

    def test_slot_that_nobody_holds_gives_nobody(self) -> None:
        log = attlog.AttendanceLog(memoryview(LAYOUTS[8](9, 1)), 8, user_ids={1: "1001"})
        assert log[0].user_id == ""

    @pytest.mark.parametrize("size", [8, 16, 40, 49])
    @given(extra=st.integers(0, 3), count=st.integers(1, 3000))
    def test_size_survives_punches_in_between(self, size: int, extra: int, count: int) -> None:
        chosen = attlog.log_record_size(size * (count + extra), count)
        assert chosen == size or extra

    def test_count_race_of_pyzk(self) -> None:
        assert attlog.log_record_size(40 * 41, 40) == 40
        assert attlog.log_record_size(40 * 2, 1) == 40
        assert attlog.log_record_size(16, 0) == 16
        with pytest.raises(DeviceMisbehaved):
            attlog.log_record_size(41, 1)

    @given(st.binary(max_size=300), st.sampled_from([8, 16, 40, 49]))
    def test_hostile_records_never_break(self, raw: bytes, size: int) -> None:
        whole = raw[: len(raw) // size * size]
        assert len(list(attlog.AttendanceLog(memoryview(whole), size))) == len(whole) // size


class TestDates:
    @pytest.mark.parametrize(
        ("number", "at"),
        [
            (583080894, moment("2018-02-22 14:54:54")),
            (0x2368B36B, moment("2018-06-25 17:50:35")),
            (864388800, moment("2026-11-23 12:00:00")),
        ],
    )
    def test_published_moments(self, number: int, at: datetime) -> None:
        assert dates.decode_time(number) == at
        assert dates.encode_time(at) == number

    @given(st.integers(0, 0xFFFFFFFF))
    def test_any_number_is_a_date_or_none(self, number: int) -> None:
        at = dates.decode_time(number)
        if at is not None and at.year < 2100:
            assert dates.encode_time(at) == number

    def test_clock_that_says_nonsense_is_not_believed(self) -> None:
        for data in (b"", b"\1\2\3", (((26 * 12 + 1) * 31 + 29) * 86400).to_bytes(4, "little")):
            with pytest.raises(DeviceMisbehaved):
                dates.unpack_time(data)


class TestZones:
    def test_capture(self) -> None:
        week = zones.decode_zone(vector("TZ_RRQ"), 48)
        assert week.days[0] == (17 * 60 + 12, 17 * 60 + 13)
        assert week.days[1:5] == ((17 * 60 + 37, 17 * 60 + 37),) * 4
        assert week.days[6] == (17 * 60 + 35, 17 * 60 + 36)

    @given(
        st.integers(1, 50),
        st.lists(
            st.one_of(
                st.just((0, 0)), st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda d: d[0] <= d[1])
            ),
            min_size=7,
            max_size=7,
        ),
    )
    def test_round_trip(self, index: int, days: list[tuple[int, int]]) -> None:
        week = TimeZoneWeek(index=index, days=tuple(days))
        sent = zones.encode_zone(week)
        assert zones.decode_zone(sent[:2] + sent[4:] + b"\xa7\x1c", index) == week

    @pytest.mark.parametrize("days", [((0, 1440),) * 7, ((600, 500),) * 7, ((0, 10),) * 6])
    def test_weeks_that_no_terminal_takes(self, days: tuple[tuple[int, int], ...]) -> None:
        with pytest.raises(ValueError, match=r"interval|seven"):
            zones.encode_zone(TimeZoneWeek(index=1, days=days))

    @given(st.binary(max_size=40))
    def test_hostile_answers(self, data: bytes) -> None:
        with suppress(DeviceMisbehaved):
            zones.decode_zone(data, 1)


def test_sizes_of_a_real_terminal() -> None:
    sizes = memory.decode_sizes(vector("sizes"))
    assert (sizes.users, sizes.templates, sizes.records) == (7, 6, 605)
    assert (sizes.template_capacity, sizes.user_capacity, sizes.record_capacity) == (3000, 10000, 100000)


@given(st.binary(max_size=100))
def test_hostile_sizes(data: bytes) -> None:
    with suppress(DeviceMisbehaved):
        memory.decode_sizes(data)


class TestEvents:
    def test_capture(self) -> None:
        event = live.decode_event(1, vector("REG_EVENT"))
        assert (event.kind, event.user_id, event.verify) == (LiveKind.GRANTED, "999111333", 1)
        assert event.at == moment("2018-06-25 17:41:05")

    CLOCK = bytes([26, 11, 23, 8, 30, 15])

    @pytest.mark.parametrize(
        ("payload", "who"),
        [
            (pack("<HBB6s", 7, 1, 0, CLOCK), (7, None)),
            (pack("<HBB6s4x", 7, 1, 0, CLOCK), (7, None)),
            (pack("<IBB6s", 1007, 1, 0, CLOCK), (None, "1007")),
            (pack("<24sBB6s", b"1007", 1, 0, CLOCK), (None, "1007")),
            (pack("<24sBB6s4x", b"1007", 1, 0, CLOCK), (None, "1007")),
            (pack("<24sBB6s5x", b"1007", 1, 0, CLOCK), (None, "1007")),
            (pack("<24sBB6s20x", b"1007", 1, 0, CLOCK), (None, "1007")),
        ],
        ids=lambda value: str(len(value)) if isinstance(value, bytes) else "",
    )
    def test_every_length_that_was_seen(self, payload: bytes, who: tuple[int | None, str | None]) -> None:
        event = live.decode_event(live.ATTLOG, payload)
        assert (event.uid, event.user_id) == who
        assert event.at == moment("2026-11-23 08:30:15")

    @pytest.mark.parametrize(
        ("flag", "payload", "kind"),
        [
            (live.VERIFY, b"\xff\xff\xff\xff\x01", LiveKind.REFUSED),
            (live.BUTTON, b"", LiveKind.EXIT_BUTTON),
            (live.UNLOCK, b"", LiveKind.UNLOCKED),
            (live.ALARM, b"\x37\0\0\0", LiveKind.TAMPER),
            (live.ALARM, b"\x35\0\0\0", LiveKind.EXIT_BUTTON),
            (live.ALARM, b"\x54" + bytes(7), LiveKind.DOOR_CLOSED),
            (live.ALARM, pack("<IHHI", 0xFFFFFFFF, 0x20, 7, 1), LiveKind.DURESS),
            (live.ALARM, pack("<IHHI", 0xFFFFFFFF, 0x22, 7, 1), LiveKind.PASSBACK),
            (live.ALARM, b"", LiveKind.OTHER),
            (live.FINGER, b"", LiveKind.OTHER),
        ],
    )
    def test_what_else_happens_at_a_door(self, flag: int, payload: bytes, kind: LiveKind) -> None:
        assert live.decode_event(flag, payload).kind is kind

    @given(st.integers(0, 0xFFFF), st.binary(max_size=80))
    def test_no_event_breaks_the_session(self, flag: int, payload: bytes) -> None:
        assert live.decode_event(flag, payload).raw == payload

    def test_somebody_who_is_let_in_was_not_refused(self) -> None:
        feed = live.LiveFeed()
        verify = live.decode_event(live.VERIFY, pack("<IB", 7, 1))
        granted = live.decode_event(live.ATTLOG, pack("<24sBB6s", b"1007", 1, 0, self.CLOCK))
        assert feed.feed(verify, 10.0) == []
        assert [(e.kind, e.user_id, e.uid) for e in feed.feed(granted, 10.2)] == [(LiveKind.GRANTED, "1007", 7)]
        assert feed.tick(99.0) == []

    def test_somebody_who_is_not_let_in_was_refused(self) -> None:
        feed = live.LiveFeed()
        feed.feed(live.decode_event(live.VERIFY, pack("<IB", 7, 1)), 10.0)
        assert feed.due == 10.0 + live.GRANT_FOLLOWS_SECONDS
        assert feed.tick(10.3) == []
        assert [(e.kind, e.uid) for e in feed.tick(11.0)] == [(LiveKind.REFUSED, 7)]
        assert feed.due is None


class TestNames:
    @given(st.text(max_size=60), st.integers(1, 30))
    def test_fits_and_goes_through_the_wire(self, name: str, limit: int) -> None:
        fitted = fit_name(name, limit)
        assert len(fitted.encode()) <= limit
        assert clean_name(fitted) == fitted

    @pytest.mark.parametrize(
        ("name", "limit", "fitted"),
        [
            ("María Ñandú López de la Cruz García", 23, "María Ñandú López d"),
            ("José", 7, "José"),
            ("Ñáñez Ibáñez", 7, "Nanez I"),
            ("e\u0301" * 30, 23, "é" * 11),
            ("a\u202eb\x00c\x1bd", 23, "abcd"),
            ("👩🏽👩🏽👩🏽", 9, "👩🏽"),
            ("🇬🇹🇬🇹", 12, "🇬🇹"),
            ("  Ana \n  Pérez ", 23, "Ana Pérez"),
            ("x" * 200, 23, "x" * 23),
            ("\ud800Ana", 23, "Ana"),
        ],
    )
    def test_examples(self, name: str, limit: int, fitted: str) -> None:
        assert fit_name(name, limit) == fitted
