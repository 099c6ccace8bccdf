"""The plan, against a model of a terminal: what it leads to, what it never touches, and who can come in on the way."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.schedules import ALWAYS, GUATEMALA, NO_HOLIDAYS, OFFICE_HOURS, WeeklySchedule
from accessctl.ports import TerminalUser, TimeZoneWeek
from accessctl.services.contents import (
    FIRST_ZONE,
    LAST_ZONE,
    ZONES_EACH,
    HeldFinger,
    Plan,
    WantedUser,
    plan,
    zone_indexes,
    zone_weeks,
)

NIGHT = WeeklySchedule(id="night", name="Noche", week=(((0, 360), (1320, 1440)),) * 7)
SPLIT = WeeklySchedule(id="split", name="Partido", week=(((420, 720), (780, 1020)),) * 5 + ((), ()))
SCHEDULES = {one.id: one for one in (ALWAYS, OFFICE_HOURS, NIGHT, SPLIT)}
MONDAY = date(2026, 3, 2)
NEVER = ((0, 0),) * 7


@dataclass
class Model:
    """A terminal as the protocol describes it: slots, fingers by digest, time zones."""

    users: dict[int, TerminalUser]
    fingers: dict[tuple[int, int], tuple[int, str]]
    zones: dict[int, tuple[tuple[int, int], ...]]

    def held_fingers(self) -> list[HeldFinger]:
        return [
            HeldFinger(user_id=self.users[uid].user_id, finger=finger, flag=flag, digest=digest)
            for (uid, finger), (flag, digest) in self.fingers.items()
        ]

    def held_zones(self, wanted: list[TimeZoneWeek]) -> list[TimeZoneWeek]:
        return [TimeZoneWeek(index=zone.index, days=self.zones.get(zone.index, NEVER)) for zone in wanted]

    def opens(self, day: int, minute: int) -> set[tuple[str, int]]:
        """Who comes in with which card at that minute of that day (Sunday = 0). Minute 0 to 0 is closed."""
        return {
            (user.user_id, user.card)
            for user in self.users.values()
            if not user.disabled and any(self._open(zone, day, minute) for zone in user.time_zones or (1,))
        }

    def _open(self, zone: int, day: int, minute: int) -> bool:
        if zone == 1:
            return True
        start, end = self.zones.get(zone, NEVER)[day]
        return start <= minute <= end and (start, end) != (0, 0)

    def carry_out(self, planned: Plan, wanted: list[WantedUser]) -> Iterator[str]:
        """As `Fleet` does, one step after the other."""
        for uid in planned.remove:
            del self.users[uid]
            self.fingers = {key: one for key, one in self.fingers.items() if key[0] != uid}
            yield "remove"
        for uid, fingers in planned.strip:
            for finger in fingers:
                del self.fingers[uid, finger]
            yield "strip"
        self.users |= {slot.uid: slot for slot in planned.hold}
        yield "hold"
        for week in planned.zones:
            self.zones[week.index] = week.days
            yield "zone"
        self.users |= {slot.uid: slot for slot in planned.put}
        uids = {user.user_id: user.uid for user in self.users.values()}
        for want in wanted:
            for person, finger in planned.fingers:
                if person == want.person:
                    self.fingers[uids[want.user_id], finger] = want.fingers[finger]
        yield "put"


digests = st.sampled_from(["d1", "d2", "d3"])


@st.composite
def wanted_users(draw: st.DrawFn) -> list[WantedUser]:
    ids = draw(st.lists(st.integers(1001, 1012), unique=True, max_size=8))
    found = []
    for number in ids:
        enabled = draw(st.booleans())
        fingers = draw(st.dictionaries(st.integers(0, 9), st.tuples(st.sampled_from([1, 3]), digests), max_size=2))
        found.append(
            WantedUser(
                person=f"p{number}",
                user_id=str(number),
                name=draw(st.sampled_from(["Ana", "Beto"])),
                card=draw(st.integers(1, 5)) * 10_000 + number,
                enabled=enabled,
                schedule=draw(st.sampled_from([*SCHEDULES, "retired"])),
                fingers=fingers if enabled else {},
            )
        )
    return found


@st.composite
def models(draw: st.DrawFn) -> Model:
    slots: dict[int, TerminalUser] = {}
    ids = draw(st.lists(st.integers(1001, 1018), unique=True, max_size=10))
    uids = draw(st.lists(st.integers(1, 20), unique=True, min_size=len(ids), max_size=len(ids)))
    for uid, number in zip(uids, ids, strict=True):
        slots[uid] = TerminalUser(
            uid=uid,
            user_id=str(number),
            name=draw(st.sampled_from(["Ana", "Beto", "Otro"])),
            card=draw(st.integers(0, 5)) * 10_000 + number,
            privilege=draw(st.sampled_from([0, 14])),
            disabled=draw(st.booleans()),
            time_zones=tuple(range(start, start + 3)) if (start := draw(st.sampled_from([0, 2, 5, 8, 11]))) else (),
        )
    fingers = {}
    if slots:
        keys = st.tuples(st.sampled_from(sorted(slots)), st.integers(0, 9))
        fingers = draw(st.dictionaries(keys, st.tuples(st.sampled_from([1, 3]), digests), max_size=6))
    days = st.sampled_from([NEVER, ((0, 1439),) * 7, ((480, 959),) * 7])
    zones = draw(st.dictionaries(st.integers(FIRST_ZONE, 13), days, max_size=12))
    return Model(users=slots, fingers=fingers, zones=zones)


def wanted_zones(wanted: list[WantedUser], zone_of: dict[str, tuple[int, ...]]) -> list[TimeZoneWeek]:
    used = sorted({one.schedule for one in wanted if one.enabled} & zone_of.keys())
    return [week for key in used for week in zone_weeks(SCHEDULES[key], zone_of[key], MONDAY, NO_HOLIDAYS)]


def planned_for(
    model: Model, wanted: list[WantedUser], zone_of: dict[str, tuple[int, ...]], ours: frozenset[str]
) -> Plan:
    zones = wanted_zones(wanted, zone_of)
    held = list(model.users.values())
    return plan(wanted, zones, zone_of, held, model.held_fingers(), model.held_zones(zones), ours)


OURS = st.frozensets(st.integers(1001, 1018).map(str))
MINUTES = [(day, minute) for day in (0, 1, 6) for minute in (0, 1, 479, 480, 719, 720, 959, 1439)]


@given(model=models(), wanted=wanted_users(), ours=OURS, room=st.sampled_from([1, 3]))
def test_the_plan_leads_to_exactly_what_is_wanted(
    model: Model, wanted: list[WantedUser], ours: frozenset[str], room: int
) -> None:
    zone_of = {key: indexes[:room] for key, indexes in zone_indexes(SCHEDULES.values()).items()}
    before = dict(model.users)
    planned = planned_for(model, wanted, zone_of, ours)
    wanted_ids = {one.user_id for one in wanted}
    rogues = {user for user in before.values() if user.user_id not in ours | wanted_ids}
    steps = list(model.carry_out(planned, wanted))

    assert steps == sorted(steps, key=["remove", "strip", "hold", "zone", "put"].index)
    assert set(planned.rogues) == rogues
    assert {user for user in model.users.values() if user.user_id not in wanted_ids} == rogues  # there, as they were
    ours_now = {user.user_id: user for user in model.users.values() if user.user_id in wanted_ids}
    assert ours_now.keys() == wanted_ids
    assert len({user.uid for user in model.users.values()}) == len(model.users)
    fingers = {(finger.user_id, finger.finger): (finger.flag, finger.digest) for finger in model.held_fingers()}
    for want in wanted:
        slot = ours_now[want.user_id]
        opens = want.enabled and want.schedule in zone_of
        assert (slot.card, slot.disabled, slot.privilege) == (want.card if opens else 0, not opens, 0)
        assert slot.time_zones == (zone_of[want.schedule] if opens else ())
        assert {key[1]: one for key, one in fingers.items() if key[0] == want.user_id} == dict(want.fingers)
        for uid, old in before.items():  # nobody who was there moves to another slot
            assert old.user_id != want.user_id or uid == slot.uid
    again = planned_for(model, wanted, zone_of, ours)
    assert again.is_empty
    assert again.changes == 0
    assert set(again.rogues) == rogues


@given(model=models(), wanted=wanted_users(), ours=OURS)
def test_on_the_way_nobody_comes_in_who_could_not_before_and_should_not_after(
    model: Model, wanted: list[WantedUser], ours: frozenset[str]
) -> None:
    """Between two steps the terminal goes on working: what it opens then, it opened before or opens afterwards."""
    zone_of = zone_indexes(SCHEDULES.values())
    rogue_ids = {user.user_id for user in model.users.values()} - ours - {one.user_id for one in wanted}
    before = {at: model.opens(*at) for at in MINUTES}
    after_model = Model(dict(model.users), dict(model.fingers), dict(model.zones))
    planned = planned_for(model, wanted, zone_of, ours)
    for _ in after_model.carry_out(planned, wanted):
        pass
    after = {at: after_model.opens(*at) for at in MINUTES}
    removed = {user.user_id for user in model.users.values() if user.uid in planned.remove}
    for step in model.carry_out(planned, wanted):
        for at in MINUTES:
            now = {one for one in model.opens(*at) if one[0] not in rogue_ids}
            assert now <= before[at] | after[at], (step, at)
            if step != "remove":
                assert not removed & {user_id for user_id, _ in now}  # who is to go is gone before anything else


@given(st.sampled_from(sorted(SCHEDULES)), st.integers(0, 30))
def test_a_terminals_week_opens_when_the_schedule_does(key: str, days: int) -> None:
    """Every minute of a day, for today and the six days that follow, no holiday among them."""
    schedule = SCHEDULES[key]
    start = MONDAY + timedelta(days=days)
    weeks = zone_weeks(schedule, (2, 3, 4), start, NO_HOLIDAYS)
    for ahead in range(7):
        day = start + timedelta(days=ahead)
        column = (day.weekday() + 1) % 7  # a terminal's week begins on Sunday
        intervals = [week.days[column] for week in weeks]
        for minute in range(0, 1440, 7):
            at = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=GUATEMALA).astimezone(UTC)
            shown = any(start <= minute <= end for start, end in intervals if (start, end) != (0, 0))
            assert shown == schedule.is_open(at, NO_HOLIDAYS), (key, day, minute)


def test_schedules_beyond_the_terminals_room_never_open() -> None:
    many = [replace(ALWAYS, id=f"s{number:02}") for number in range(20)]
    zone_of = zone_indexes(reversed(many))
    assert list(zone_of) == [f"s{number:02}" for number in range(16)]
    indexes = [index for triple in zone_of.values() for index in triple]
    assert indexes == list(range(FIRST_ZONE, FIRST_ZONE + 16 * ZONES_EACH))
    assert indexes[-1] <= LAST_ZONE
    want = WantedUser(person="p", user_id="1001", name="Ana", card=7, enabled=True, schedule="s19")
    planned = plan([want], [], zone_of, [], [], [], frozenset())
    assert [(slot.disabled, slot.card, slot.time_zones) for slot in planned.put] == [(True, 0, ())]
