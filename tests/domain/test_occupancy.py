"""Who is inside: events in any order, twice and lost; limits, anti-passback, lockdown, and the list for a muster."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from accessctl.domain.occupancy import (
    AntiPassback,
    Entry,
    Obstacle,
    Presence,
    ZoneMap,
    ZoneState,
    doubted,
    entered,
    forgiven,
    inside,
    left,
    muster,
    obstacle,
)
from accessctl.domain.places import Zone

START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
ZONES = ZoneMap.of([Zone(id="sub", name=""), Zone(id="cdatos", name="", inside="sub"), Zone(id="otra", name="")])
NAMES = ("sub", "cdatos", "otra")
PEOPLE = ("ana", "beto", "caro")


class SiteMachine(RuleBasedStateMachine):
    """People walk; readers report late, twice, or never; clocks jump. The model replays what was seen in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.known: dict[str, Presence] = {}
        self.newest: dict[str, tuple[datetime, str]] = {}  # the last event by its own time, and where it leads

    def seen(self, person: str, zone: str, *, entering: bool, at: datetime) -> None:
        before = self.known.get(person)
        if entering:
            after = entered(before, person=person, zone=zone, door="d", at=at)
        else:
            after = left(before, ZONES, person=person, zone=zone, door="d", at=at)
        last = self.newest.get(person)
        if last is not None and at < last[0]:
            assert after is None, "an older event moved somebody"
            return
        assert after is not None
        self.known[person] = after
        self.newest[person] = (at, zone if entering else ZONES.around[zone])

    @rule(
        person=st.sampled_from(PEOPLE),
        zone=st.sampled_from(NAMES),
        entering=st.booleans(),
        late=st.sampled_from([0, 0, 1, 3600, 86400, -86400]),
        times=st.integers(1, 3),
    )
    def event(self, person: str, zone: str, entering: bool, late: int, times: int) -> None:
        for _ in range(times):
            self.seen(person, zone, entering=entering, at=self.now - timedelta(seconds=late))

    @rule(seconds=st.integers(0, 4000))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(zone=st.sampled_from(NAMES))
    def somebody_leaves_by_the_button(self, zone: str) -> None:
        there = {one.id for one in inside(self.known.values(), ZONES, zone)}
        for one in doubted(self.known.values(), ZONES, zone):
            assert one.id in there
            self.known[one.id] = one

    @invariant()
    def everybody_is_where_the_newest_event_put_them(self) -> None:
        for person, (_, place) in self.newest.items():
            assert self.known[person].zone == place

    @invariant()
    def the_muster_has_everybody_inside_once(self) -> None:
        found = [one.id for part in muster(self.known.values(), ZONES, (), "") for one in part.people]
        assert sorted(found) == sorted(one.id for one in self.known.values() if one.zone)

    @invariant()
    def who_is_in_an_inner_zone_is_in_the_outer_one(self) -> None:
        outer = {one.id for one in inside(self.known.values(), ZONES, "sub")}
        assert {one.id for one in inside(self.known.values(), ZONES, "cdatos")} <= outer


TestSite = SiteMachine.TestCase
TestSite.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

HERE = Presence(id="ana", zone="cdatos", since=START, seen_at=START)


def entry(state: ZoneState, *, occupied: int = 0, presence: Presence | None = None) -> Entry:
    return Entry(zone=state.id, states=(state,), occupied=occupied, presence=presence)


def test_anti_passback_is_off_soft_or_hard_and_forgives() -> None:
    for mode, expected in (
        (AntiPassback.OFF, None),
        (AntiPassback.SOFT, Obstacle.INSIDE_ALREADY_SOFT),
        (AntiPassback.HARD, Obstacle.INSIDE_ALREADY),
    ):
        state = ZoneState(id="cdatos", anti_passback=mode)
        assert obstacle(entry(state, presence=HERE), ZONES) is expected
        assert obstacle(entry(state, presence=forgiven(HERE)), ZONES) is None
        assert obstacle(entry(state), ZONES) is None


@given(st.integers(0, 10), st.integers(0, 10), st.integers(0, 5), st.booleans())
def test_nobody_enters_beyond_the_limit(limit: int, occupied: int, company: int, here: bool) -> None:
    state = ZoneState(id="cdatos", occupancy_limit=limit)
    found = obstacle(entry(state, occupied=occupied, presence=HERE if here else None), ZONES, company=company)
    arriving = company + (not here)
    assert (found is Obstacle.FULL) == bool(limit and arriving and occupied + arriving > limit)


def test_a_lockdown_counts_inwards_and_fire_is_one() -> None:
    for locked in (ZoneState(id="sub", locked_since=START), ZoneState(id="sub", fire_since=START)):
        around = Entry(zone="cdatos", states=(locked,), occupied=0, presence=None)
        assert obstacle(around, ZONES) is Obstacle.LOCKDOWN


def test_a_ring_of_zones_ends() -> None:
    ring = ZoneMap(around={"a": "b", "b": "a"})
    assert ring.chain("a") == ("a", "b")
    assert ring.outermost("a") == "b"
    assert not ring.is_within("", "a")


def test_the_muster_names_the_doubt_of_a_zone() -> None:
    state = ZoneState(id="cdatos", doubt_since=START, doubt_door="cd-1")
    parts = muster([HERE], ZONES, [state], "sub")
    assert [(part.zone, len(part.people), part.doubt_door) for part in parts] == [("sub", 0, ""), ("cdatos", 1, "cd-1")]
