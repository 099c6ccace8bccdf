"""Escort and visitor at a door: a machine of random people, moments and clocks against what the rule says."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from accessctl.domain.escorting import Companion, Escorting, Pairing, cardholder_shown, visitor_shown

START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
WITHIN = timedelta(seconds=20)
VISITS = {"v1": "t1", "v2": "t1", "v3": "t2", "v4": "boss"}  # visit -> who is on escort duty
ENTITLED = {"t1", "t2"}
MOST = 2


class DoorMachine(RuleBasedStateMachine):
    """One data-centre door. The model keeps every presentation with its moment, and asks the rule of it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.pairing = Pairing()
        self.cardholders: list[tuple[str, datetime]] = []  # let in by the door
        self.waiting: list[tuple[str, datetime]] = []
        self.inside: dict[str, str] = {}

    def companion(self, visit: str) -> Companion:
        person = VISITS[visit]
        others = sum(1 for one in self.inside if self.inside[one] == person and one != visit)
        return Companion(person=person, entitled=person in ENTITLED, visitors=others, most=MOST)

    def recent(self, seen: list[tuple[str, datetime]]) -> set[str]:
        """Who counts now; what lapsed once is forgotten, also when the clock comes back."""
        seen[:] = [(who, at) for who, at in seen if abs(self.now - at) <= WITHIN]
        return {who for who, _ in seen}

    @rule(seconds=st.sampled_from([0, 1, 5, 19, 20, 21, 3600, -1, -3600]))
    def time_passes_or_the_clock_is_set(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(visit=st.sampled_from(sorted(VISITS)))
    def visitor(self, visit: str) -> None:
        escort = self.companion(visit)
        self.pairing, outcome = visitor_shown(self.pairing, visit, escort, at=self.now, within=WITHIN)
        here = self.recent(self.cardholders)
        self.recent(self.waiting)
        if outcome is Escorting.PRESENT:
            assert escort.person in here
            assert escort.person in ENTITLED
            assert escort.visitors < MOST
            self.inside[visit] = escort.person
        elif outcome is Escorting.MISSING:
            assert not here
        if outcome in {Escorting.MISSING, Escorting.NOT_ENTITLED}:
            self.waiting = [one for one in self.waiting if one[0] != visit] + [(visit, self.now)]

    @rule(person=st.sampled_from(["t1", "t2", "boss", "other"]))
    def cardholder(self, person: str) -> None:
        at_door = self.recent(self.waiting)
        self.recent(self.cardholders)
        companions = {visit: self.companion(visit) for visit in VISITS}
        self.pairing, outcome, admitted = cardholder_shown(self.pairing, person, companions, at=self.now, within=WITHIN)
        if outcome is not Escorting.PRESENT:
            assert not admitted
            assert self.pairing.visits, "only somebody who waits can shut the door to a cardholder"
            return
        self.cardholders = [one for one in self.cardholders if one[0] != person] + [(person, self.now)]
        for visit in admitted:
            assert visit in at_door, "admitted without having shown a credential in time"
            assert VISITS[visit] == person
            assert person in ENTITLED
            self.inside[visit] = person
        self.waiting = [one for one in self.waiting if one[0] not in admitted]

    @rule(visit=st.sampled_from(sorted(VISITS)))
    def visitor_leaves(self, visit: str) -> None:
        self.inside.pop(visit, None)

    @invariant()
    def no_escort_has_too_many(self) -> None:
        for person in set(self.inside.values()):
            assert person in ENTITLED
            assert sum(1 for one in self.inside.values() if one == person) <= MOST


TestDoor = DoorMachine.TestCase
TestDoor.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


def _who(person: str = "t1", *, entitled: bool = True, visitors: int = 0) -> Companion:
    return Companion(person=person, entitled=entitled, visitors=visitors, most=MOST)


def test_either_order_within_the_pairing_time() -> None:
    pairing, outcome, _ = cardholder_shown(Pairing(), "t1", {}, at=START, within=WITHIN)
    assert outcome is Escorting.PRESENT
    assert visitor_shown(pairing, "v1", _who(), at=START + WITHIN, within=WITHIN)[1] is Escorting.PRESENT
    late = START + WITHIN + timedelta(microseconds=1)
    assert visitor_shown(pairing, "v1", _who(), at=late, within=WITHIN)[1] is Escorting.MISSING
    waiting, alone = visitor_shown(Pairing(), "v1", _who(), at=START, within=WITHIN)
    assert alone is Escorting.MISSING
    assert cardholder_shown(waiting, "t1", {"v1": _who()}, at=START + WITHIN, within=WITHIN)[1:] == (
        Escorting.PRESENT,
        ("v1",),
    )
    assert cardholder_shown(waiting, "t1", {"v1": _who()}, at=late, within=WITHIN)[1:] == (Escorting.PRESENT, ())


def test_while_a_visitor_waits_the_door_opens_for_no_other() -> None:
    waiting, _ = visitor_shown(Pairing(), "v1", _who(), at=START, within=WITHIN)
    for person in ("other", "t2"):
        same, outcome, admitted = cardholder_shown(waiting, person, {"v1": _who()}, at=START, within=WITHIN)
        assert (same, outcome, admitted) == (waiting, Escorting.NOT_ENTITLED, ())
    unfit = {"v1": _who(entitled=False)}
    assert cardholder_shown(waiting, "t1", unfit, at=START, within=WITHIN)[1] is Escorting.NOT_ENTITLED
    full = {"v1": _who(visitors=MOST)}
    assert cardholder_shown(waiting, "t1", full, at=START, within=WITHIN)[1] is Escorting.TOO_MANY


def test_a_clock_that_went_far_back_pairs_nobody_and_requests_may_overtake_each_other() -> None:
    pairing, _, _ = cardholder_shown(Pairing(), "t1", {}, at=START, within=WITHIN)
    before = START - WITHIN - timedelta(microseconds=1)
    assert visitor_shown(pairing, "v1", _who(), at=before, within=WITHIN)[1] is Escorting.MISSING
    overtaken = START - timedelta(milliseconds=3)
    assert visitor_shown(pairing, "v1", _who(), at=overtaken, within=WITHIN)[1] is Escorting.PRESENT
