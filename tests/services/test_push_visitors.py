"""Visitors on a controller that decides alone: placed while they may come in, and never open past their window."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device, Transport
from accessctl.domain.visits import VisitState
from accessctl.services.desired import desired_of
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.visit_register_desk import RegisterForm
from accessctl_sim.push.codes import Happening
from tests.services.premises import Premises
from tests.services.push_house import HERE, PushHouse
from tests.services.visiting import OUT, Visiting
from tests.services.wired import Wired, told

SERIAL = "T2"
CENTRE, PREMISES = 1, 2  # the controller's doors
CARD = 0x0000_0001  # of the visitors' pool, as a controller says it
REFUSED = {Happening.EXPIRED, Happening.NOT_IN_TIME, Happening.UNKNOWN_CARD, Happening.NO_RIGHT}


@dataclass
class Reception:
    """The premises with visits, and a controller that decides alone at both doors. One clock for all of them."""

    premises: Premises
    in_seconds: bool = False
    visiting: Visiting = field(init=False)
    house: PushHouse = field(init=False)
    line: Wired = field(init=False)

    def __post_init__(self) -> None:
        self.visiting = Visiting(self.premises)
        self.house = PushHouse(self.premises, now=self.premises.now)
        with self.premises.store.begin() as tx:
            both = Device(id="two", transport=Transport.PUSH, serial=SERIAL, source=HERE, doors=("cd-1", "sub-1"))
            tx.devices.add(both)
            tx.record(Fact.SITE_APPLIED, at=self.premises.now, actor=SYSTEM)
            tx.commit()
        host = self.premises.person("Hugo Anfitrión")
        self.host = host.id
        self.host_card = self.visiting.card(host.id, 50, doors=("sub-1",))
        self.passes(seconds=5)
        self.line = Wired(self.house, self.house.caller(SERIAL), doors=2, dates_in_seconds=self.in_seconds)
        self.staff = len(self.settle() and self.line.pins())

    def passes(self, **lapse: float) -> None:
        self.visiting.wait(**lapse)
        self.house.now = self.visiting.now

    def settle(self) -> list[str]:
        self.house.now = self.visiting.now
        return told(self.line.settle())

    def visitors(self) -> set[str]:
        """The pins of who is there beside the staff."""
        with self.premises.store.view() as tx:
            visits = tx.visits.find()
            numbers = {str(tx.people.get(one.visitor).number) for one in visits if one.visitor}
        return self.line.pins() & numbers

    def shows(self, door: int = PREMISES, **ahead: float) -> Happening:
        return self.line.shows(CARD, door, at=self.line.later(**ahead))

    def signed(self, *, hours: int = 4) -> str:
        """A visit to the premises up to P4.04's signature and the card; the host is not inside yet."""
        visiting = self.visiting
        form = visiting.form(zone="sub", host=self.host, hours=hours)
        visit = visiting.desk.authorise(visiting.actor("jefe"), form)
        data = RegisterForm(document_kind="pasaporte", document_number="H1")
        visiting.register_desk.register(visiting.actor("recepcion"), visit, data)
        visiting.sign(visit)
        visiting.visitor_cards.give(visiting.actor("recepcion"), visit, visiting.pool[0].id)
        return visit

    def placed(self, *, hours: int = 4) -> str:
        """A visit whose card the controller holds: the host came in."""
        visit = self.signed(hours=hours)
        assert self.visiting.show(self.host_card, door="sub-1").granted
        self.settle()
        assert len(self.visitors()) == 1
        return visit

    def state(self, visit: str) -> VisitState:
        return self.visiting.visit(visit).state


@pytest.fixture(params=[False, True], ids=["whole days", "seconds"])
def reception(premises: Premises, request: pytest.FixtureRequest) -> Iterator[Reception]:
    made = Reception(premises, in_seconds=request.param)
    yield made
    made.line.house.desk.close()


def test_a_visitor_is_placed_when_they_may_come_in_and_not_before(reception: Reception) -> None:
    visiting = reception.visiting
    visit = visiting.desk.authorise(visiting.actor("jefe"), visiting.form(zone="sub", host=reception.host))
    assert (reception.settle(), reception.visitors()) == ([], set())
    form = RegisterForm(document_kind="pasaporte", document_number="H1")
    visiting.register_desk.register(visiting.actor("recepcion"), visit, form)
    visiting.visitor_cards.give(visiting.actor("recepcion"), visit, visiting.pool[0].id)
    assert (reception.settle(), reception.visitors()) == ([], set())  # «Falta P4 paso 04»
    visiting.sign(visit)
    assert (reception.settle(), reception.visitors()) == ([], set())  # the host is not inside
    visiting.show(reception.host_card, door="sub-1")
    assert reception.settle() == ["UPDATE timezone", "UPDATE user", "UPDATE userauthorize"]
    assert reception.shows() is Happening.GRANTED
    assert reception.shows(CENTRE) is Happening.NO_RIGHT  # N4.3
    assert reception.settle() == []
    lobby = next(one for one in _devices(reception) if one.id == "lobby")
    with reception.premises.store.view() as tx:
        held = {one.user_id for one in desired_of(tx, lobby, reception.house.now, town="Guatemala").users}
    assert not held & reception.visitors()  # a terminal knows no end of a validity


def _devices(reception: Reception) -> list[Device]:
    with reception.premises.store.view() as tx:
        return tx.devices.find()


def _leaves(reception: Reception, visit: str) -> None:
    reception.line.present(CARD, PREMISES)
    reception.line.present(CARD, PREMISES, leaving=True)
    reception.line.upload()
    assert reception.state(visit) is VisitState.OUTSIDE


def _host_leaves(reception: Reception, visit: str) -> None:
    assert reception.visiting.show(reception.host_card, OUT, door="sub-1").granted
    assert visit


def _window_ends(reception: Reception, visit: str) -> None:
    reception.visiting.premises.now = reception.visiting.visit(visit).valid_until


def _card_is_back(reception: Reception, visit: str) -> None:
    visiting = reception.visiting
    visiting.visitor_cards.take_back(visiting.actor("guardia"), visiting.visit(visit).card)


def _card_is_missing(reception: Reception, visit: str) -> None:
    visiting = reception.visiting
    visiting.visitor_cards.report_missing(visiting.actor("guardia"), visiting.visit(visit).card, why="No la devolvió")


def _visit_is_cancelled(reception: Reception, visit: str) -> None:
    visiting = reception.visiting
    visiting.desk.cancel(visiting.actor("jefe"), visit, why="Se pospone")


def _access_ends(reception: Reception, visit: str) -> None:
    visiting = reception.visiting
    removals = RemovalDesk(reception.house.office)
    reception.house.now = visiting.premises.tick()
    visitor, head = visiting.visit(visit).visitor, visiting.person("jefe")
    removals.request(visiting.actor("jefe"), person=visitor, requested_by=head, reason="Se retira")


def _zone_is_locked(reception: Reception, visit: str) -> None:
    visiting = reception.visiting
    visiting.zones.lock_down(visiting.actor("guardia"), "sub", why="Simulacro")
    assert visit


ENDS: list[Callable[[Reception, str], None]] = [
    _leaves,
    _host_leaves,
    _window_ends,
    _card_is_back,
    _card_is_missing,
    _visit_is_cancelled,
    _access_ends,
    _zone_is_locked,
]


@pytest.mark.parametrize("ends", ENDS)
def test_a_visitor_is_taken_off_when_they_may_not_come_in_any_more(
    premises: Premises, ends: Callable[[Reception, str], None]
) -> None:
    reception = Reception(premises)
    visit = reception.placed()
    ends(reception, visit)
    gone = reception.settle()
    assert gone == ["DELETE userauthorize", "DELETE templatev10", "DELETE user"]
    assert (reception.visitors(), reception.shows()) == (set(), Happening.UNKNOWN_CARD)
    reception.house.desk.close()


@pytest.mark.parametrize("hours", [1, 4, 20])
def test_cut_off_it_ends_with_the_window_by_itself(reception: Reception, hours: int) -> None:
    """The network is gone from here on: the controller alone refuses from the window's last minute, in every week."""
    visit = reception.visiting.visit(reception.placed(hours=hours))
    left = (visit.valid_until - reception.house.now).total_seconds()
    assert reception.shows(seconds=left - 120) is Happening.GRANTED
    for after in (0, 1, 59, 3600, 86_400, 7 * 86_400 - 120, 7 * 86_400 - 60, 28 * 86_400 - 120):
        assert reception.shows(seconds=left + after) in REFUSED, after


@pytest.mark.parametrize("polls", range(1, 10, 2))
def test_cut_off_at_any_moment_nothing_is_left_open_past_the_window(premises: Premises, polls: int) -> None:
    """While it is placed, moved to other hours and taken off: after each command the line is cut, and time passes."""
    reception = Reception(premises)
    visit = reception.visiting.visit(reception.signed())
    reception.visiting.show(reception.host_card, door="sub-1")
    reception.house.now = reception.visiting.now
    left = (visit.valid_until - reception.house.now).total_seconds()
    for number in range(polls):
        if number == 5:
            _host_leaves(reception, visit.id)
        reception.line.poll(answers=number < polls - 1)
        for after in (0, 60, 3600, 86_400, 7 * 86_400 - 90):
            assert reception.shows(seconds=left + after) in REFUSED, (number, after)
    reception.passes(seconds=left + 61)
    assert reception.shows() in REFUSED
    reception.house.caller(SERIAL)
    reception.settle()  # the network is back
    assert reception.visitors() == set()
    assert reception.line.pins()
    reception.house.desk.close()


def test_what_happened_while_the_network_was_gone_is_followed_afterwards(reception: Reception) -> None:
    """The visitor comes and goes, and everybody has left before the events arrive: nobody is blamed."""
    visit = reception.placed()
    reception.passes(minutes=5)
    assert reception.line.present(CARD, PREMISES) is Happening.GRANTED
    reception.passes(minutes=30)
    assert reception.line.present(CARD, PREMISES, leaving=True) is Happening.GRANTED
    reception.passes(minutes=2)
    assert reception.visiting.show(reception.host_card, OUT, door="sub-1").granted
    _card_is_back(reception, visit)
    reception.passes(minutes=10)
    assert reception.line.upload() == 2
    after = reception.visiting.visit(visit)
    assert (after.state, after.entered_at is not None, after.left_at is not None) == (VisitState.OUTSIDE, True, True)
    rows = reception.house.rows(Fact.DOOR_GRANTED, Fact.DOOR_EXITED, device="two")
    assert [(row.person, row.visit) for row in rows] == [(after.visitor, visit)] * 2
    assert "policy_mismatch" not in reception.visiting.alarms()


def test_a_passage_of_a_visitor_moves_them_and_their_visit(reception: Reception) -> None:
    visit = reception.placed()
    reception.line.present(CARD, PREMISES)
    reception.line.upload()
    visitor = reception.visiting.visit(visit).visitor
    assert (reception.state(visit), reception.visiting.place(visitor)) == (VisitState.INSIDE, "sub")
    assert reception.settle() == []  # may go out and in again while the host is there
    assert reception.visiting.alarms() == {}


def test_into_the_data_centre_only_the_way_there_is_placed(reception: Reception) -> None:
    """N4.3: the data centre's own door, deciding alone, cannot wait for the escort."""
    visit = reception.visiting.signed()
    assert (reception.settle(), reception.visitors()) == ([], set())
    assert reception.visiting.show("tecnico", door="sub-1").granted
    reception.settle()
    assert reception.shows(PREMISES) is Happening.GRANTED
    assert reception.shows(CENTRE) is Happening.NO_RIGHT
    assert visit


def test_a_door_that_never_opens_to_a_visitor_is_named_where_the_visit_is_prepared(premises: Premises) -> None:
    """N4.3 where the data centre's door decides alone; N10.6 where only a terminal guards the premises' door."""
    visiting = Visiting(premises)
    host = premises.person("Hugo Anfitrión").id
    centre = visiting.authorised()
    lobby = visiting.desk.authorise(visiting.actor("jefe"), visiting.form(zone="sub", host=host))

    def shut(visit: str) -> list[str]:
        return [door.id for door in visiting.files.file(visiting.actor("jefe"), visit).shut]

    assert (shut(centre), shut(lobby)) == ([], ["sub-1"])  # the centre's doors ask, the lobby is a terminal's
    with premises.store.begin() as tx:
        for key in ("cd-in", "lobby"):
            tx.devices.save(replace(tx.devices.get(key), transport=Transport.PUSH, online=False))
        tx.record(Fact.SITE_APPLIED, at=premises.now, actor=SYSTEM)
        tx.commit()
    assert (shut(centre), shut(lobby)) == (["cd-1"], [])


def test_a_clock_in_doubt_ends_no_window(reception: Reception) -> None:
    reception.placed()
    with reception.premises.store.begin() as tx:
        tx.health.save(replace(tx.health.get("two"), skew_s=-3600))
        tx.commit()
    reception.settle()
    assert reception.visitors() == set()
