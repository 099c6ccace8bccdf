"""The decision: every reason in a table, and invariants 1 and 6 against a slow and obvious second opinion."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from accessctl.domain.cards import CardState
from accessctl.domain.errors import Reason
from accessctl.domain.places import Direction, Door
from accessctl.domain.policy import (
    Change,
    CredentialFact,
    CredentialGone,
    Decision,
    Factor,
    PersonFact,
    PersonGrants,
    Shown,
    Snapshot,
    decide,
)
from accessctl.domain.requests import AccessGrant, GrantState
from accessctl.domain.schedules import (
    ALWAYS,
    GUATEMALA,
    NO_HOLIDAYS,
    OFFICE_HOURS,
    Calendar,
    Opening,
    WeeklySchedule,
    guatemalan_holidays,
)

HOLIDAYS = Calendar.of(guatemalan_holidays(2026), town="Guatemala")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=GUATEMALA).astimezone(UTC)
LONG_AGO, FAR_OFF = MONDAY - timedelta(days=300), MONDAY + timedelta(days=300)
LOBBY, LAB, OLD = (Door(id=name, name=name, zone="sgt", retired=name == "old") for name in ("lobby", "lab", "old"))
ANA = "em:01161DD6"


def grant(
    person: str = "ana",
    door: str = "lobby",
    schedule: str = "office",
    valid_from: datetime = LONG_AGO,
    valid_until: datetime | None = None,
    state: GrantState = GrantState.OPEN,
) -> AccessGrant:
    return AccessGrant(
        id=f"{person}-{door}",
        person=person,
        door=door,
        schedule=schedule,
        valid_from=valid_from,
        valid_until=valid_until,
        case="P10-1",
        state=state,
    )


def site(*changes: Change) -> Snapshot:
    """Ana (1) with an active card and the lobby in office hours; then `changes`."""
    return Snapshot.compile(
        people=[PersonFact(id="ana", number=1), PersonFact(id="beto", number=2)],
        credentials=[CredentialFact(key=ANA, state=CardState.ACTIVE, person="ana")],
        grants=[grant()],
        doors=[LOBBY, LAB, OLD],
        schedules=[ALWAYS, OFFICE_HOURS],
        calendar=HOLIDAYS,
    ).updated(*changes)


def card(state: CardState, *, signed: bool = False) -> CredentialFact:
    return CredentialFact(key=ANA, state=state, person="ana", receipt_signed=signed)


def grants(*given_grants: AccessGrant) -> PersonGrants:
    return PersonGrants(person="ana", grants=given_grants)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=GUATEMALA).astimezone(UTC)


S = CardState
UNKNOWN = (Reason.UNKNOWN_CREDENTIAL, "N10.3", "")
NO_CARD = (Reason.NOT_DELIVERED, "P10.05", "P10.03")
UNSIGNED = (Reason.NOT_DELIVERED, "P10.05", "P10.04")
UNDELIVERED = (Reason.NOT_DELIVERED, "P10.05", "P10.05")
SUSPENDED = (Reason.SUSPENDED, "N10.2", "")
REVOKED = (Reason.REVOKED, "N10.4", "")
LOST = (Reason.LOST_OR_STOLEN, "N10.3", "")
NO_RIGHT = (Reason.NO_RIGHT, "N10.2", "")
NOT_YET = (Reason.NOT_YET_VALID, "N10.2", "")
EXPIRED = (Reason.EXPIRED, "N10.2", "")
OUTSIDE = (Reason.OUTSIDE_SCHEDULE, "N10.2", "")
HOLIDAY = (Reason.HOLIDAY, "N10.2", "")
REMOVAL = PersonFact(id="ana", number=1, removed=True)
TABLE: list[tuple[str, list[Change], str, str, datetime, tuple[Reason, str, str]]] = [
    ("unknown card", [], "em:FFFFFFFF", "lobby", MONDAY, UNKNOWN),
    ("unknown number", [], "pin:77", "lobby", MONDAY, UNKNOWN),
    ("corrected away", [CredentialGone(key=ANA)], ANA, "lobby", MONDAY, UNKNOWN),
    ("in stock", [card(S.IN_STOCK)], ANA, "lobby", MONDAY, NO_CARD),
    ("unsigned", [card(S.ENROLLED)], ANA, "lobby", MONDAY, UNSIGNED),
    ("signed", [card(S.ENROLLED, signed=True)], ANA, "lobby", MONDAY, UNDELIVERED),
    ("suspended", [card(S.SUSPENDED)], ANA, "lobby", MONDAY, SUSPENDED),
    ("revoked", [card(S.REVOKED)], ANA, "lobby", MONDAY, REVOKED),
    ("lost", [card(S.LOST)], ANA, "lobby", MONDAY, LOST),
    ("stolen", [card(S.STOLEN)], ANA, "lobby", MONDAY, LOST),
    ("damaged", [card(S.DAMAGED)], ANA, "lobby", MONDAY, REVOKED),
    ("returned", [card(S.RETURNED)], ANA, "lobby", MONDAY, REVOKED),
    ("destroyed", [card(S.DESTROYED)], ANA, "lobby", MONDAY, REVOKED),
    ("removed", [REMOVAL], ANA, "lobby", MONDAY, REVOKED),
    ("removed, by finger", [REMOVAL], "pin:1", "lobby", MONDAY, REVOKED),
    ("other door", [], ANA, "lab", MONDAY, NO_RIGHT),
    ("no such door", [], ANA, "nowhere", MONDAY, NO_RIGHT),
    ("retired door", [grants(grant(door="old"))], ANA, "old", MONDAY, NO_RIGHT),
    ("right ended", [grants(grant(state=GrantState.ENDED))], ANA, "lobby", MONDAY, NO_RIGHT),
    ("rights taken", [grants()], ANA, "lobby", MONDAY, NO_RIGHT),
    ("chosen only", [grants(grant(state=GrantState.CHOSEN))], ANA, "lobby", MONDAY, UNDELIVERED),
    ("not yet", [grants(grant(valid_from=MONDAY + timedelta(microseconds=1)))], ANA, "lobby", MONDAY, NOT_YET),
    ("over", [grants(grant(valid_until=MONDAY))], ANA, "lobby", MONDAY, EXPIRED),
    ("late", [], ANA, "lobby", at("2026-11-23T17:00"), OUTSIDE),
    ("no such schedule", [grants(grant(schedule="gone"))], ANA, "lobby", MONDAY, OUTSIDE),
    ("schedule retired", [replace(OFFICE_HOURS, retired=True)], ANA, "lobby", MONDAY, OUTSIDE),
    ("holiday", [], ANA, "lobby", at("2026-04-02T10:00"), HOLIDAY),
    ("half day", [], ANA, "lobby", at("2026-12-24T12:00"), HOLIDAY),
    ("finger, card unsigned", [card(S.ENROLLED)], "pin:1", "lobby", MONDAY, UNSIGNED),
    ("finger, card signed", [card(S.ENROLLED, signed=True)], "pin:1", "lobby", MONDAY, UNDELIVERED),
    ("finger, card suspended", [card(S.SUSPENDED)], "pin:1", "lobby", MONDAY, SUSPENDED),
    ("finger, card lost", [card(S.LOST)], "pin:1", "lobby", MONDAY, REVOKED),
    ("finger, no card", [], "pin:2", "lobby", MONDAY, NO_CARD),
    ("finger, card gone", [CredentialGone(key=ANA)], "pin:1", "lobby", MONDAY, NO_CARD),
]


@pytest.mark.parametrize(
    ("changes", "credential", "door", "moment", "expected"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_every_refusal_and_the_exit_beside_it(
    changes: list[Change], credential: str, door: str, moment: datetime, expected: tuple[Reason, str, str]
) -> None:
    reason, norm, step = expected
    snapshot = site(*changes)
    answer = decide(snapshot, Shown(door=door, credential=credential), moment)
    assert (answer.granted, answer.reason, answer.norm, answer.missing_step) == (False, reason, norm, step)
    assert answer.exception is None
    leaving = decide(snapshot, Shown(door=door, credential=credential, direction=Direction.OUT), moment)
    noted = None if reason in {Reason.OUTSIDE_SCHEDULE, Reason.HOLIDAY} else reason
    assert (leaving.granted, leaving.reason, leaving.exception) == (True, None, noted)
    assert (leaving.person, leaving.missing_step) == (answer.person, step)


def test_every_reason_at_a_door_of_this_policy_is_in_the_table() -> None:
    reasons = {row[5][0] for row in TABLE}
    assert {
        Reason.UNKNOWN_CREDENTIAL,
        Reason.NOT_DELIVERED,
        Reason.SUSPENDED,
        Reason.REVOKED,
        Reason.LOST_OR_STOLEN,
        Reason.NO_RIGHT,
        Reason.NOT_YET_VALID,
        Reason.EXPIRED,
        Reason.OUTSIDE_SCHEDULE,
        Reason.HOLIDAY,
    } == reasons


@pytest.mark.parametrize("credential", [ANA, "pin:1"])
def test_granted(credential: str) -> None:
    for moment in (at("2026-11-23T07:00"), MONDAY, at("2026-11-23T16:59:59.999999")):
        answer = decide(site(), Shown(door="lobby", credential=credential, factor=Factor.FINGER), moment)
        assert answer == Decision(granted=True, person="ana", card=credential)


@pytest.mark.parametrize("state", CardState)
def test_only_an_active_card_opens(state: CardState) -> None:
    answer = decide(site(card(state)), Shown(door="lobby", credential=ANA), MONDAY)
    assert answer.granted is (state is CardState.ACTIVE)


def test_a_second_card_keeps_the_finger_good() -> None:
    other = CredentialFact(key="em:00000002", state=CardState.ACTIVE, person="ana")
    snapshot = site(other, card(S.LOST))
    assert decide(snapshot, Shown(door="lobby", credential="pin:1"), MONDAY).granted
    assert not decide(snapshot, Shown(door="lobby", credential=ANA), MONDAY).granted


def test_removal_outweighs_everything_that_comes_after_it() -> None:
    snapshot = site(PersonFact(id="ana", number=1, removed=True)).updated(
        card(S.ACTIVE), CredentialFact(key="em:0A", state=S.ACTIVE, person="ana"), grants(grant(schedule="always"))
    )
    for credential in (ANA, "em:0A", "pin:1"):
        assert decide(snapshot, Shown(door="lobby", credential=credential), MONDAY).reason is Reason.REVOKED
    back = snapshot.updated(PersonFact(id="ana", number=1))
    assert decide(back, Shown(door="lobby", credential=ANA), MONDAY).granted


def test_of_several_rights_to_one_door_one_that_opens_is_enough_and_the_nearest_explains() -> None:
    late = at("2026-11-23T20:00")
    over, never = grant(valid_until=LONG_AGO + timedelta(days=1)), grant(state=GrantState.CHOSEN)
    for order in ([over, grant(), never], [never, over, grant()]):
        assert decide(site(grants(*order)), Shown(door="lobby", credential=ANA), MONDAY).granted
        assert decide(site(grants(*order)), Shown(door="lobby", credential=ANA), late).reason is Reason.OUTSIDE_SCHEDULE
    assert decide(site(grants(never, over)), Shown(door="lobby", credential=ANA), MONDAY).reason is Reason.EXPIRED


def test_delivery_is_one_change_and_older_snapshots_stay() -> None:
    before = site(card(S.ENROLLED, signed=True), grants(grant(state=GrantState.CHOSEN)))
    after = before.updated(card(S.ACTIVE), grants(grant()))
    revoked = after.updated(card(S.REVOKED), PersonFact(id="ana", number=1, removed=True))
    shown = Shown(door="lobby", credential=ANA)
    assert [decide(it, shown, MONDAY).granted for it in (before, after, revoked, after, before)] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_grants_of_somebody_else_are_a_bug() -> None:
    with pytest.raises(ValueError, match="beto-lobby"):
        site().updated(grants(grant(person="beto")))


@pytest.mark.parametrize(
    "naive", [grant(valid_from=LONG_AGO.replace(tzinfo=None)), grant(valid_until=FAR_OFF.replace(tzinfo=None))]
)
def test_grants_with_a_time_without_a_zone_are_a_bug(naive: AccessGrant) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        site().updated(grants(naive))


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ([S.RETURNED, S.ACTIVE], None),
        ([S.ACTIVE, S.RETURNED], None),
        ([S.RETURNED, S.ACTIVE, S.REVOKED], None),
        ([S.LOST, S.ACTIVE], Reason.LOST_OR_STOLEN),  # a lost number never opens again
        ([S.ACTIVE, S.STOLEN, S.RETURNED], Reason.LOST_OR_STOLEN),
        ([S.REVOKED, S.RETURNED], Reason.REVOKED),
    ],
)
def test_of_several_lives_of_a_number(states: list[CardState], reason: Reason | None) -> None:
    snapshot = Snapshot.compile(
        people=[PersonFact(id="ana", number=1)],
        credentials=[card(state) for state in states],
        grants=[grant()],
        doors=[LOBBY],
        schedules=[OFFICE_HOURS],
    )
    assert decide(snapshot, Shown(door="lobby", credential=ANA), MONDAY).reason is reason
    assert decide(snapshot, Shown(door="lobby", credential="pin:1"), MONDAY).granted is (
        S.ACTIVE in states and not reason
    )


def test_an_entry_is_not_judged_at_a_moment_without_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        decide(site(), Shown(door="lobby", credential=ANA), datetime(2026, 11, 23, 10))  # noqa: DTZ001 -- what is tried


HOSTILE = ["", "1' OR '1'='1", "%", "\0", "x" * 10_240, "\ud800", "\u202e01", "pin:", "pin:0", "pin:01", "pin:-1"]
HOSTILE += [
    "pin:" + "9" * 5_000,
    "pin:١",
    "pin:1 ",
    "pin:1\n",
    "PIN:1",
    f"{ANA}\n",
    f" {ANA}",
    ANA.lower(),
    "em:",
    "$(touch x)",
]


@pytest.mark.parametrize("credential", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_credentials_are_refused_and_bounded_and_may_leave(credential: str) -> None:
    answer = decide(site(), Shown(door="lobby", credential=credential), MONDAY)
    assert answer.reason in {Reason.UNKNOWN_CREDENTIAL, Reason.MALFORMED_CREDENTIAL}
    assert (answer.norm, answer.person) == ("N10.3", "")
    assert len(answer.card) <= 64
    assert decide(site(), Shown(door=credential, credential=credential, direction=Direction.OUT), MONDAY).granted


@given(st.text(max_size=80), st.text(max_size=20), st.datetimes(timezones=st.just(UTC)))
def test_leaving_is_never_refused_whatever_is_shown(credential: str, door: str, moment: datetime) -> None:
    shown = Shown(door=door, credential=credential, direction=Direction.OUT)
    assert decide(site(), shown, moment).granted


# --- the second opinion -----------------------------------------------------------------------------------------------

PERSONS = {f"p{number}": number for number in range(1, 5)}
KEYS = [f"em:{number:08X}" for number in range(5)]
DOORS = [LOBBY, LAB, OLD]
SCHEDULES = [ALWAYS, OFFICE_HOURS, WeeklySchedule(id="never", name="Nunca", week=((),) * 7)]
moments = st.integers(0, 365 * 24 * 60).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute))
some_grants = st.lists(
    st.builds(
        AccessGrant,
        id=st.just("g"),
        person=st.just(""),
        door=st.sampled_from(["lobby", "lab", "old", "nowhere"]),
        schedule=st.sampled_from(["always", "office", "never", "gone"]),
        valid_from=moments,
        valid_until=st.none() | moments,
        case=st.just(""),
        state=st.sampled_from(GrantState),
    ),
    max_size=4,
)


@dataclass
class Facts:
    """The same facts as plain dicts, read slowly."""

    cards: dict[str, CredentialFact] = field(default_factory=dict)
    grants: dict[str, tuple[AccessGrant, ...]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    doors: dict[str, Door] = field(default_factory=dict)
    schedules: dict[str, WeeklySchedule] = field(default_factory=dict)
    calendar: Calendar = NO_HOLIDAYS

    def admits(self, credential: str, door: str, moment: datetime) -> bool:
        if credential.startswith("pin:"):
            person = f"p{credential[4:]}"
            delivered = any(it.person == person and it.state is S.ACTIVE for it in self.cards.values())
        else:
            fact = self.cards.get(credential)
            person = fact.person if fact else ""
            delivered = fact is not None and fact.state is S.ACTIVE
        if not delivered or person in self.removed or person not in self.people:
            return False
        if door not in self.doors or self.doors[door].retired:
            return False
        return any(
            it.door == door
            and it.state is GrantState.OPEN
            and it.valid_from <= moment
            and (it.valid_until is None or moment < it.valid_until)
            and it.schedule in self.schedules
            and not self.schedules[it.schedule].retired
            and self.schedules[it.schedule].opening(moment, self.calendar) is Opening.OPEN
            for it in self.grants.get(person, ())
        )

    def compiled(self) -> Snapshot:
        return Snapshot.compile(
            people=[PersonFact(id=it, number=PERSONS[it], removed=it in self.removed) for it in sorted(self.people)],
            credentials=self.cards.values(),
            grants=[it for person in self.grants for it in self.grants[person]],
            doors=self.doors.values(),
            schedules=self.schedules.values(),
            calendar=self.calendar,
        )


class PolicyUnderChange(RuleBasedStateMachine):
    """Changes in any order; after each, the updated snapshot, a fresh one and the slow reading agree everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = Facts()
        self.snapshot = self.facts.compiled()
        self.moment = MONDAY
        for name, number in PERSONS.items():
            self.change(PersonFact(id=name, number=number))
            self.facts.people.add(name)

    def change(self, *changes: Change) -> None:
        self.snapshot = self.snapshot.updated(*changes)

    @rule(
        key=st.sampled_from(KEYS),
        state=st.sampled_from(CardState),
        person=st.sampled_from([*PERSONS]),
        signed=st.booleans(),
    )
    def card_lives_on(self, key: str, state: CardState, person: str, signed: bool) -> None:
        holder = "" if state is S.IN_STOCK else person
        self.facts.cards[key] = CredentialFact(key=key, state=state, person=holder, receipt_signed=signed)
        self.change(self.facts.cards[key])

    @rule(key=st.sampled_from(KEYS))
    def card_was_a_mistake(self, key: str) -> None:
        self.facts.cards.pop(key, None)
        self.change(CredentialGone(key=key))

    @rule(person=st.sampled_from([*PERSONS]), given_grants=some_grants)
    def rights_are_chosen(self, person: str, given_grants: list[AccessGrant]) -> None:
        self.facts.grants[person] = tuple(replace(it, person=person) for it in given_grants)
        self.change(PersonGrants(person=person, grants=self.facts.grants[person]))

    @rule(person=st.sampled_from([*PERSONS]), removed=st.booleans())
    def removal(self, person: str, removed: bool) -> None:
        self.facts.removed = self.facts.removed | {person} if removed else self.facts.removed - {person}
        self.change(PersonFact(id=person, number=PERSONS[person], removed=removed))

    @rule(door=st.sampled_from(DOORS), retired=st.booleans())
    def door(self, door: Door, retired: bool) -> None:
        self.facts.doors[door.id] = replace(door, retired=retired)
        self.change(self.facts.doors[door.id])

    @rule(schedule=st.sampled_from(SCHEDULES), retired=st.booleans(), holidays=st.booleans())
    def schedule(self, schedule: WeeklySchedule, retired: bool, holidays: bool) -> None:
        self.facts.schedules[schedule.id] = replace(schedule, retired=retired)
        self.facts.calendar = HOLIDAYS if holidays else NO_HOLIDAYS
        self.change(self.facts.schedules[schedule.id], self.facts.calendar)

    @rule(moment=moments)
    def time_passes(self, moment: datetime) -> None:
        self.moment = moment

    @invariant()
    def all_agree_and_nothing_opens_that_must_not(self) -> None:
        fresh = self.facts.compiled()
        for credential in (*KEYS, "em:DEADBEEF", *(f"pin:{number}" for number in range(1, 6))):
            for door in ("lobby", "lab", "old", "nowhere"):
                entering = Shown(door=door, credential=credential)
                answer = decide(self.snapshot, entering, self.moment)
                assert answer == decide(fresh, entering, self.moment)
                assert answer.granted is self.facts.admits(credential, door, self.moment)
                assert answer.granted is (answer.reason is None)
                assert bool(answer.norm) is not answer.granted
                leaving = decide(self.snapshot, replace(entering, direction=Direction.OUT), self.moment)
                assert leaving.granted
                if not answer.granted and answer.reason not in {Reason.OUTSIDE_SCHEDULE, Reason.HOLIDAY}:
                    assert leaving.exception is not None


TestPolicyUnderChange = PolicyUnderChange.TestCase
TestPolicyUnderChange.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
