"""The policy in force: in increments it is what compiling anew would give, whatever happened, in whatever order."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessctl.domain.cards import CardEvent, CardState
from accessctl.domain.errors import AccessError
from accessctl.domain.people import Person
from accessctl.domain.policy import Shown, Snapshot, decide
from accessctl.domain.requests import AccessRequest
from accessctl.services.policy_source import PolicySource
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.uploads import Upload
from accessctl.storage.unit_of_work import SqlStore
from tests.services.premises import Premises
from tests.stores import sqlite_store

ACT = Upload(name="acta.pdf", content=b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")
CARDS = (0x0184F07A, 0x01161DD6, 0x01000003, 0x01000004)
DOORS = ("sub-1", "cd-1", "nowhere")


class Actions:
    """What people can do to who may open what, each as the desks do it; a refusal is part of the game."""

    def __init__(self, premises: Premises, lots: Random) -> None:
        self.site = premises
        self.lots = lots
        self.removals = RemovalDesk(premises.office)

    def people(self) -> list[Person]:
        with self.site.store.view() as tx:
            return [one for one in tx.people.find(limit=100) if one.full_name.startswith("Beneficiaria")]

    def open_requests(self) -> list[AccessRequest]:
        with self.site.store.view() as tx:
            return [one for one in tx.requests.find(delivered_at=None) if tx.cases.get(one.id).is_open]

    def register(self) -> None:
        self.site.person(f"Beneficiaria {len(self.people())}")

    def request(self) -> None:
        if people := self.people():
            self.site.request(self.lots.choice(people))

    def configure(self) -> None:
        for request in self.open_requests()[:1]:
            self.site.configure(request.id, card=self.lots.choice(CARDS))

    def sign(self) -> None:
        for request in self.open_requests()[:1]:
            with self.site.store.view() as tx:
                person = tx.people.get(request.beneficiary)
            self.site.sign(request.id, person)

    def deliver(self) -> None:
        for request in self.open_requests()[:1]:
            self.site.deliver(request.id)

    def cancel(self) -> None:
        for request in self.open_requests()[:1]:
            self.site.requests.cancel(self.site.actors["secretaria"], request.id, why="Ya no hace falta")

    def whole_procedure(self) -> None:
        person = self.site.person(f"Beneficiaria {len(self.people())}")
        case = self.site.request(person)
        self.site.configure(case, card=self.lots.choice(CARDS))
        self.site.sign(case, person)
        self.site.deliver(case)

    def happen(self) -> None:
        with self.site.store.view() as tx:
            cards = tx.cards.find(limit=100)
        if cards:
            card, event = self.lots.choice(cards), self.lots.choice(list(CardEvent))
            act = ACT if self.lots.random() < 0.7 else None
            self.site.stock.happen(self.site.actors["tecnico"], card.id, event, why="Así fue", act=act)

    def remove(self) -> None:
        if people := self.people():
            jefe = self.site.actors["jefe"]
            person = self.lots.choice(people)
            self.removals.request(jefe, person=person.id, requested_by=jefe.person, reason="Deja el cargo")


ACTIONS: tuple[Callable[[Actions], None], ...] = (
    Actions.register,
    Actions.request,
    Actions.configure,
    Actions.sign,
    Actions.deliver,
    Actions.cancel,
    Actions.whole_procedure,
    Actions.happen,
    Actions.happen,
    Actions.remove,
)


def everything(site: Premises, snapshot: Snapshot) -> dict[tuple[str, str], object]:
    """What the snapshot says of every credential at every door."""
    with site.store.view() as tx:
        shown = {card.number.family_key for card in tx.cards.find(limit=500)}
        shown |= {f"pin:{person.number}" for person in tx.people.find(limit=500)}
    return {
        (key, door): decide(snapshot, Shown(door=door, credential=key), site.now)
        for key in sorted(shown)
        for door in DOORS
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from(range(len(ACTIONS))), st.booleans()), min_size=5, max_size=20),
    seed=st.integers(0, 2**32),
)
def test_in_increments_as_compiled_anew(
    steps: list[tuple[int, bool]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("policy")
    store = sqlite_store(folder / "accessctl.db")
    try:
        site = Premises(store=store)
        actions = Actions(site, Random(seed))
        source = PolicySource(store, town="Guatemala")
        source.current()
        for action, look in steps:
            with suppress(AccessError):  # a refusal changes nothing
                ACTIONS[action](actions)
            if look:
                source.current()
        anew = PolicySource(store, town="Guatemala").current()
        assert everything(site, source.current()) == everything(site, anew)
    finally:
        store.close()


def test_the_same_record_gives_the_same_snapshot(premises: Premises) -> None:
    source = PolicySource(premises.store, town="Guatemala")
    before = source.current()
    assert source.current() is before
    _, person = premises.delivered()
    after = source.current()
    assert after is not before
    shown = Shown(door="cd-1", credential=f"pin:{person.number}")
    assert (decide(before, shown, premises.now).granted, decide(after, shown, premises.now).granted) == (False, True)


def test_threads_that_ask_at_once_get_what_was_committed_before_they_asked(fresh_store: SqlStore) -> None:
    site = Premises(store=fresh_store)
    source = PolicySource(fresh_store, town="Guatemala")
    known: list[str] = []
    wrong: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            credentials = list(known)
            snapshot = source.current()
            opens = {key: decide(snapshot, Shown(door="cd-1", credential=key), site.now).granted for key in credentials}
            wrong.extend(key for key, granted in opens.items() if not granted)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(8):
            _, person = site.delivered(f"Persona {number}", card=0x02000000 + number)
            known.append(f"pin:{person.number}")
    finally:
        done.set()
        for thread in threads:
            thread.join(10)
    assert wrong == []


def test_a_number_in_its_second_life_counts_as_that(premises: Premises) -> None:
    """Handed in, back in stock, given to somebody else: the first life counts no more, its holder has no card."""
    source = PolicySource(premises.store, town="Guatemala")
    _, first = premises.delivered("Primera Vida", card=CARDS[0])
    source.current()
    removals = RemovalDesk(premises.office)
    jefe = premises.actors["jefe"]
    removals.request(jefe, person=first.id, requested_by=jefe.person, reason="Deja el cargo")
    source.current()
    with premises.store.view() as tx:
        (card,) = tx.cards.find(holder=first.id)
    premises.stock.happen(premises.actors["tecnico"], card.id, CardEvent.TAKE_BACK, why="Entregada")
    source.current()
    _, second = premises.delivered("Segunda Vida", card=CARDS[0])
    for snapshot in (source.current(), PolicySource(premises.store, town="Guatemala").current()):
        decision = decide(snapshot, Shown(door="cd-1", credential=card.number.family_key), premises.now)
        assert (decision.granted, decision.person) == (True, second.id)
    with premises.store.view() as tx:
        assert {life.state for life in tx.cards.find()} == {CardState.RETURNED, CardState.ACTIVE}
