"""The plan for a controller, carried out to the letter by the driver on a simulated one: who can come in, and when.

The oracle is the simulator, which shares no line with the product: it gets the text of each command, and decides at the
reader by its own reading of its tables.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from accessctl.domain.schedules import ALWAYS, GUATEMALA, NO_HOLIDAYS, OFFICE_HOURS, WeeklySchedule
from accessctl.ports import PushOrderKind, PushRight, PushUser
from accessctl.services.push_contents import (
    FIRST_ZONE,
    SCHEDULES,
    WINDOWS,
    Contents,
    plan,
    rights_at,
    schedule_week,
    schedule_zones,
    validity,
    window_week,
    window_zone,
)
from accessctl_drivers.push.commands import command
from accessctl_drivers.push.fields import rows_of
from accessctl_drivers.push.tables import right_rows, user_rows, zone_rows
from accessctl_sim.push.codes import Happening, Verified
from accessctl_sim.push.commands import Order, execute
from accessctl_sim.push.config import PushConfig
from accessctl_sim.push.machine import Controller

MONDAY = datetime.fromisoformat("2026-03-02")
NIGHT = WeeklySchedule(id="night", name="Noche", week=(((0, 360), (1320, 1440)),) * 7)
SPLIT = WeeklySchedule(id="split", name="Partido", week=(((420, 720), (780, 1020)),) * 5 + ((), ()))
OTHERS = [ALWAYS, OFFICE_HOURS, NIGHT, SPLIT]
DOORS = 3
MOMENTS = [
    MONDAY + timedelta(days=day, minutes=minute)
    for day in (-1, 0, 1, 5, 7)
    for minute in (0, 359, 360, 480, 719, 720, 1019, 1020, 1439)
]


def holding(contents: Contents, *, by_number: bool, in_seconds: bool = False) -> Controller:
    """A simulated controller that holds this: written to it as the driver would."""
    controller = Controller(
        PushConfig(server="http://127.0.0.1:1", doors=DOORS, dates_in_seconds=in_seconds, doors_by_number=by_number)
    )
    for step in plan(contents, Contents(), frozenset(), dates_in_seconds=in_seconds).steps:
        assert _does(controller, command(1, step)) == 0
    return controller


def _does(controller: Controller, text: str) -> int:
    return execute(controller, Order(id="1", text=text.partition(":")[2].partition(":")[2])).code


def read(controller: Controller, *, in_seconds: bool = False) -> Contents:
    """What the controller says that it holds, through the driver's eyes."""

    def rows(table: str) -> Iterator[str]:
        return iter(execute(controller, Order(id="1", text=f"DATA QUERY tablename={table},fielddesc=*,filter=*")).rows)

    users = user_rows(rows_of(list(rows("user"))), dates_in_seconds=in_seconds)
    return Contents(
        users={one.pin: one for one in users},
        rights=frozenset(right_rows(rows_of(list(rows("userauthorize"))))),
        weeks=dict(zone_rows(rows_of(list(rows("timezone"))))),
    )


def opens(controller: Controller, at: datetime) -> set[tuple[str, int, int]]:
    """Who comes in at that moment, with which card, at which door."""
    found = set()
    for row in controller.tables.rows["user"].values():
        card = int(row["cardno"] or 0)
        for door in range(1, DOORS + 1):
            if controller.decide(row["pin"], door, at, Verified.CARD) is Happening.GRANTED:
                found.add((row["pin"], card, door))
    return found


@st.composite
def contents(draw: st.DrawFn, *, by_number: bool, schedules: int = 4) -> Contents:
    """A state that we may have wanted at some time: people, their doors by schedule, the schedules that are used."""
    zone_of = schedule_zones(OTHERS[:schedules])
    users: dict[str, PushUser] = {}
    rights: frozenset[PushRight] = frozenset()
    for pin in draw(st.lists(st.integers(1001, 1008).map(str), unique=True, max_size=6)):
        start, end = validity(
            draw(st.sampled_from([None, MONDAY - timedelta(days=1)])),
            draw(st.sampled_from([None, MONDAY + timedelta(days=1), MONDAY + timedelta(days=6)])),
            in_seconds=False,
        )
        users[pin] = PushUser(pin=pin, card=draw(st.integers(1, 9)) * 10_000 + int(pin), start=start, end=end)
        doors = draw(
            st.dictionaries(
                st.sampled_from(sorted(zone_of.values())),
                st.sets(st.integers(1, DOORS), min_size=1),
                min_size=1,
                max_size=2,
            )
        )
        rights |= rights_at(pin, doors, by_number=by_number)
    used = {right.zone for right in rights}
    weeks = {
        zone: schedule_week(schedule, MONDAY.date(), NO_HOLIDAYS)
        for schedule in OTHERS[:schedules]
        if (zone := zone_of[schedule.id]) in used
    }
    return Contents(users=users, rights=rights, weeks=weeks)


@given(st.data(), st.booleans(), st.frozensets(st.integers(1001, 1008).map(str)))
def test_the_plan_leads_to_exactly_what_is_wanted_and_leaves_rogues_alone(
    data: st.DataObject, by_number: bool, ours: frozenset[str]
) -> None:
    before = data.draw(contents(by_number=by_number, schedules=3))
    wanted = data.draw(contents(by_number=by_number))
    controller = holding(before, by_number=by_number)
    held = read(controller)
    planned = plan(wanted, held, ours, dates_in_seconds=False)
    rogues = {pin: user for pin, user in before.users.items() if pin not in ours | wanted.users.keys()}
    assert {user.pin for user in planned.rogues} == rogues.keys()
    expected = held
    for step in planned.steps:
        assert step.pin not in rogues
        assert _does(controller, command(1, step)) == 0
        expected = expected.after(step)
    after = read(controller)
    assert (after.users, after.rights, after.weeks) == (expected.users, expected.rights, expected.weeks)
    assert {pin: user for pin, user in after.users.items() if pin in rogues} == rogues
    assert {pin: user for pin, user in after.users.items() if pin not in rogues} == wanted.users
    assert {right for right in after.rights if right.pin not in rogues} == wanted.rights
    again = plan(wanted, after, ours, dates_in_seconds=False)
    assert (again.steps, {user.pin for user in again.rogues}) == ((), rogues.keys())


@given(st.data(), st.booleans())
def test_on_the_way_nobody_comes_in_who_could_not_before_and_should_not_after(
    data: st.DataObject, by_number: bool
) -> None:
    before = data.draw(contents(by_number=by_number, schedules=3))
    wanted = data.draw(contents(by_number=by_number))
    ours = frozenset(before.users)
    controller, afterwards = (holding(one, by_number=by_number) for one in (before, wanted))
    allowed = {at: opens(controller, at) | opens(afterwards, at) for at in MOMENTS}
    planned = plan(wanted, read(controller), ours, dates_in_seconds=False)
    gone = before.users.keys() - wanted.users.keys()
    for number, step in enumerate(planned.steps):
        _does(controller, command(1, step))
        for at in MOMENTS:
            now = opens(controller, at)
            assert now <= allowed[at], (number, step, at)
            later = {one.pin for one in planned.steps[number + 1 :] if one.kind is PushOrderKind.REMOVE_RIGHT}
            assert not {pin for pin, _, _ in now} & gone - later  # whose rights were taken opens nothing any more
    for at in MOMENTS:
        assert opens(controller, at) == opens(afterwards, at)


@given(st.sampled_from(OTHERS), st.integers(0, 30))
def test_a_controllers_week_opens_when_the_schedule_does(schedule: WeeklySchedule, ahead: int) -> None:
    start = MONDAY + timedelta(days=ahead)
    zone = schedule_zones(OTHERS)[schedule.id]
    user = PushUser(pin="1", card=7)
    rights = rights_at("1", {zone: [2]}, by_number=False)
    week = schedule_week(schedule, start.date(), NO_HOLIDAYS)
    controller = holding(Contents(users={"1": user}, rights=rights, weeks={zone: week}), by_number=False)
    for minute in range(0, 7 * 1440, 13):
        at = start + timedelta(minutes=minute)
        shown = opens(controller, at) == {("1", 7, 2)}
        assert shown == schedule.is_open(at.replace(tzinfo=GUATEMALA), NO_HOLIDAYS), at


@given(
    st.booleans(),
    st.integers(0, 3 * 1440 * 60),
    st.integers(1, 24 * 3600),
    st.lists(st.integers(-8 * 86400, 30 * 86400), min_size=20, max_size=20),
)
def test_a_window_is_never_left_whatever_the_controller_counts(
    in_seconds: bool, begins: int, lasts: int, offsets: list[int]
) -> None:
    """Whole days or seconds: outside the window the credential opens nothing, in no week; well inside it opens.

    It begins with its minute: nobody is placed before it begins.
    """
    start = MONDAY + timedelta(seconds=begins)
    end = start + timedelta(seconds=lasts)
    week = window_week(start, end)
    assert week is not None
    zone = window_zone(12, ())
    assert zone is not None
    first, last = validity(start, end, in_seconds=in_seconds)
    user = PushUser(pin="1", card=7, start=first, end=last)
    wanted = Contents(users={"1": user}, rights=rights_at("1", {zone: [1]}, by_number=False), weeks={zone: week})
    controller = holding(wanted, by_number=False, in_seconds=in_seconds)
    assert read(controller, in_seconds=in_seconds).users == {"1": user}
    edges = [start - timedelta(seconds=1), start, end - timedelta(seconds=1), end, end + timedelta(days=7, minutes=-5)]
    for at in [*edges, *(start + timedelta(seconds=offset) for offset in offsets)]:
        inside = start.replace(second=0) <= at < end
        assert not opens(controller, at) or inside, at
    middle = start + (end - start) / 2
    if end - start > timedelta(minutes=5):
        assert opens(controller, middle.replace(microsecond=0)) == {("1", 7, 1)}


@given(st.lists(st.integers(1, 400), unique=True, max_size=WINDOWS + 3))
def test_visits_have_time_zones_of_their_own_apart_from_the_schedules(numbers: list[int]) -> None:
    taken: set[int] = set()
    for number in numbers:
        zone = window_zone(number, taken)
        assert (zone is None) == (len(taken) == WINDOWS)
        if zone is not None:
            assert zone not in taken
            assert FIRST_ZONE + SCHEDULES <= zone <= 50
            taken.add(zone)


def test_a_window_that_a_week_cannot_hold_is_none() -> None:
    assert window_week(MONDAY, MONDAY + timedelta(days=6, seconds=1)) is None
    assert window_week(MONDAY, MONDAY) is None


@given(st.sets(st.integers(1, 32), min_size=1))
def test_doors_that_a_mask_cannot_name_are_left_out(doors: set[int]) -> None:
    masks = rights_at("1", {2: doors}, by_number=False)
    assume(masks)
    (right,) = masks
    assert {door for door in range(1, 33) if right.doors & 1 << (door - 1)} == {door for door in doors if door <= 8}
    assert {one.doors for one in rights_at("1", {2: doors}, by_number=True)} == doors
