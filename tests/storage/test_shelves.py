"""The contract of every shelf, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from accessctl.domain.alarms import AlarmState
from accessctl.domain.cards import LIVE, CardState
from accessctl.domain.devices import CaptureState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, DocumentKind, IdentityDocument
from accessctl.domain.visitor_cards import VisitorCardState
from accessctl.domain.visits import VisitState
from accessctl.services.store import Store, VisitFilter, Work
from accessctl.storage.kinds import folded
from accessctl.storage.unit_of_work import SqlStore
from tests.storage import values
from tests.storage.values import BARE, EVERYTHING, NOW

ALL = (*EVERYTHING, *BARE)
DELETABLE = {"saved_searches", "sign_in_tries", "templates", "health", "held_users", "captures", "holidays", "presence"}


def note(tx: Work) -> None:
    tx.record(Fact.SETTING_CHANGED, at=NOW, actor=SYSTEM)


def fill(store: Store) -> None:
    with store.begin() as tx:
        for shelf, value in ALL:
            getattr(tx, shelf).add(value)
        note(tx)
        tx.commit()


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    fill(store)
    return store


def refused(reason: Reason, norm: str = "") -> Any:
    return pytest.raises(AccessError, match=f"^{reason.value}{f' .{norm}.' if norm else ''}$")


def test_what_is_added_is_there_again_in_the_next_unit_of_work(filled: SqlStore) -> None:
    with filled.view() as tx:
        for shelf, value in ALL:
            assert getattr(tx, shelf).get(value.id) == value
            assert getattr(tx, shelf).maybe(value.id) == value
            assert getattr(tx, shelf).find(id=value.id) == [value]
            assert getattr(tx, shelf).count(id=value.id) == 1
            kept = {one.id: one for one in getattr(tx, shelf).all()}
            assert kept == {one.id: one for name, one in ALL if name == shelf}


def test_what_is_not_there_is_not_found(store: SqlStore) -> None:
    with store.begin() as tx:
        for shelf, value in EVERYTHING:
            for key in ("nobody", "", "x" * 5000, "nul\x00", "\ud800"):
                assert getattr(tx, shelf).maybe(key) is None
                with refused(Reason.NOT_FOUND):
                    getattr(tx, shelf).get(key)
            with refused(Reason.NOT_FOUND):
                getattr(tx, shelf).save(value)
            if shelf in DELETABLE:
                with refused(Reason.NOT_FOUND):
                    getattr(tx, shelf).delete("nobody")
            assert getattr(tx, shelf).find() == []
            assert getattr(tx, shelf).count() == 0


def test_nothing_is_added_twice_and_the_unit_of_work_goes_on(filled: SqlStore) -> None:
    with filled.begin() as tx:
        for shelf, value in ALL:
            with refused(Reason.ALREADY_EXISTS):
                getattr(tx, shelf).add(value)
        tx.zones.add(replace(values.ZONE, id="another"))
        note(tx)
        tx.commit()
    with filled.view() as tx:
        assert tx.zones.get("another").name == values.ZONE.name


def test_what_is_saved_is_there_again(filled: SqlStore) -> None:
    with filled.begin() as tx:
        tx.people.save(replace(values.PERSON, full_name="Ana Ix", removed=False))
        tx.cases.save(replace(values.CASE, done=(), evidence=frozenset(), parts={}, closed_at=None))
        tx.requests.save(replace(values.REQUEST, form="", card="", receipt="", valid_until=None))
        note(tx)
        tx.commit()
    with filled.view() as tx:
        assert tx.people.get("p1").full_name == "Ana Ix"
        assert tx.people.search("ana") == [tx.people.get("p1")]
        assert tx.cases.get("c1").parts == {}
        assert tx.requests.get("c1").card == ""
        assert [one.id for one in tx.requests.find(card="", newest=True)] == ["c2", "c1"]


def test_only_observations_and_templates_are_ever_deleted(filled: SqlStore) -> None:
    for shelf, value in EVERYTHING:
        with filled.begin() as tx:
            if shelf in DELETABLE:
                getattr(tx, shelf).delete(value.id)
                assert getattr(tx, shelf).maybe(value.id) is None
            else:
                with pytest.raises(DBAPIError, match="history is kept"):
                    getattr(tx, shelf).delete(value.id)


def test_a_reference_to_nobody_is_refused_at_the_commit(store: SqlStore) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"), store.begin() as tx:  # noqa: PT012  # begin belongs to it
        tx.accounts.add(values.ACCOUNT)
        note(tx)
        tx.commit()


TAKEN: tuple[tuple[str, Any], ...] = (
    ("people", replace(values.HEAD, id="p3", number=1001)),
    ("people", replace(values.HEAD, id="p3", number=5)),  # the document
    ("accounts", replace(values.ACCOUNT, id="a2", username="MJosé".replace("é", "e"))),
    ("requests", replace(values.REQUEST, id="c9")),
    ("captures", replace(values.CAPTURE, id="cp9")),
    ("alarms", replace(values.ALARM, id="al9")),
    ("held_users", replace(values.HELD_USER, id="other/7")),
    ("visits", replace(values.VISIT, id="v9")),
    ("visitor_cards", replace(values.VISITOR_CARD, id="vc9", number=values.TWIN)),
)


def test_what_must_be_unique_is(filled: SqlStore) -> None:
    with filled.begin() as tx:
        for shelf, value in TAKEN:
            with refused(Reason.ALREADY_EXISTS):
                getattr(tx, shelf).add(value)
            assert getattr(tx, shelf).maybe(value.id) is None


def test_what_is_over_makes_room(filled: SqlStore) -> None:
    with filled.begin() as tx:
        tx.captures.save(replace(values.CAPTURE, state=CaptureState.READ))
        tx.captures.add(replace(values.CAPTURE, id="cp9"))
        tx.alarms.save(replace(values.ALARM, state=AlarmState.RESOLVED))
        tx.alarms.add(replace(values.ALARM, id="al9"))
        with refused(Reason.ALREADY_EXISTS):
            tx.alarms.save(replace(values.ALARM, state=AlarmState.RAISED))
        with refused(Reason.ALREADY_EXISTS):
            tx.people.save(replace(values.PERSON, number=1002))
        assert tx.people.get("p1").number == 1001
        note(tx)
        tx.commit()


def test_a_card_number_is_live_at_most_once(filled: SqlStore) -> None:
    twin = replace(values.CARD, id="k9", number=values.TWIN, holder="p2")
    over = replace(values.CARD, state=CardState.LOST)
    with filled.begin() as tx:
        for state in LIVE:
            with refused(Reason.CARD_ALREADY_LIVE, "N10.3"):
                tx.cards.add(replace(twin, state=state))
        tx.cards.add(replace(twin, state=CardState.RETURNED))
        with refused(Reason.CARD_ALREADY_LIVE, "N10.3"):
            tx.cards.save(twin)
        tx.cards.save(over)
        tx.cards.save(twin)
        with refused(Reason.ALREADY_EXISTS):
            tx.cards.add(replace(over, label="same id"))
        assert tx.cards.by_family(values.NUMBER.family_key, states=frozenset(CardState)) == [over, twin]
        assert tx.cards.by_family(values.NUMBER.family_key, states=LIVE) == [twin]
        assert tx.cards.by_family("em:00000000", states=LIVE) == []


def test_cards_owed_are_listed_the_longest_owed_first(filled: SqlStore) -> None:
    with filled.begin() as tx:
        assert tx.cards.outstanding() == []
        tx.cards.save(replace(values.CARD, state=CardState.REVOKED, since=values.LATER))
        damaged = replace(values.CARD, id="k8", number=values.TWIN, state=CardState.DAMAGED, since=NOW)
        tx.cards.add(damaged)
        tx.cards.add(replace(damaged, id="k7", holder=None))
        tx.cards.add(replace(damaged, id="k6", state=CardState.LOST))
        assert [card.id for card in tx.cards.outstanding()] == ["k8", "k1"]
        assert [card.id for card in tx.cards.outstanding(limit=1)] == ["k8"]


def test_cases_waiting_are_those_with_a_step(filled: SqlStore) -> None:
    with filled.begin() as tx:
        assert [case.id for case in tx.cases.waiting()] == ["c2"]
        tx.cases.save(replace(values.CASE, cancelled=False))
        assert [case.id for case in tx.cases.waiting()] == ["c1", "c2"]
        tx.cases.save(replace(values.CASE, cancelled=False, step=0))
        assert [case.id for case in tx.cases.waiting()] == ["c2"]


def test_finding_compares_columns(filled: SqlStore) -> None:
    with filled.view() as tx:
        assert [one.id for one in tx.people.find(number=(1001, 1002, 7))] == ["p1", "p2"]
        assert [one.id for one in tx.people.find(number=(1001, 1002), newest=True, limit=1)] == ["p2"]
        assert tx.people.find(number=()) == []
        assert tx.people.find(document_kind=DocumentKind.DPI) == tx.people.find(document_kind="dpi") == [values.HEAD]
        assert tx.people.count(removed=False) == 1
        assert tx.cards.find(state=CardState.ACTIVE, number=values.NUMBER) == [values.CARD]
        assert tx.cards.find(holder=None) == [values.BARE[0][1]]
        assert tx.grants.find(case="") == tx.grants.find(case=None) == [values.BARE[7][1]]
        assert tx.cases.count(opened_at=NOW) == 2
        assert tx.accounts.find(username="x\x00") == tx.accounts.find(username="x" * 1000) == []


def test_questions_that_make_no_sense_are_bugs(filled: SqlStore) -> None:
    with filled.view() as tx:
        with pytest.raises(KeyError):
            tx.people.find(nickname="x")
        with pytest.raises(TypeError):
            tx.devices.find(doors="cd-1")
        with pytest.raises(ValueError, match="at most"):
            tx.people.find(limit=10**9)
        with pytest.raises(ValueError, match="at most"):
            tx.people.find(number=tuple(range(20_000)))


def test_visits_are_numbered_and_known_by_who_escorts_them(filled: SqlStore) -> None:
    with filled.begin() as tx:
        assert tx.visits.next_number() == 13
        assert tx.visits.escorted_by("p2") == [values.VISIT]
        assert tx.visits.escorted_by("p1") == []
        tx.visits.save(replace(values.VISIT, state=VisitState.CLOSED))
        assert tx.visits.escorted_by("p2") == []


def test_a_visitor_card_is_found_by_its_number_while_it_is_in_the_pool(filled: SqlStore) -> None:
    with filled.begin() as tx:
        assert tx.visitor_cards.in_pool(values.TWIN.family_key) == values.VISITOR_CARD
        for hostile in ("", "x" * 5000, "nul\x00", "\ud800", "' OR 1=1 --"):
            assert tx.visitor_cards.in_pool(hostile) is None
        tx.visitor_cards.save(replace(values.VISITOR_CARD, state=VisitorCardState.RETIRED))
        assert tx.visitor_cards.in_pool(values.TWIN.family_key) is None
        tx.visitor_cards.add(replace(values.VISITOR_CARD, id="vc9"))
        assert {card.id for card in tx.visitor_cards.lives(values.TWIN.family_key)} == {"vc1", "vc9"}


SEARCHES: tuple[tuple[str, list[str]], ...] = (
    ("maria", ["p1"]),
    ("NANDU  avila", ["p1"]),
    ("d'a", ["p1"]),
    ("p", ["p2"]),
    ("perez óscar", ["p2"]),
    ("%", ["p2"]),
    ("_", ["p2"]),
    ("100%_", ["p2"]),
    ("100_%", []),
    ("\\", []),
    ("'; DROP TABLE people; --", []),
    ("1001", ["p1"]),
    ("ab-1234567", ["p1"]),
    ("AB1234567", ["p1"]),
    ("2000 00009 0101", ["p2"]),
    ("99999999999999999999999999", []),
    ("٣", []),
    ("nul\x00", []),
    ("", []),
    ("  ", []),
    ("x" * 100_000, []),
)


def test_people_are_found_by_name_number_or_document(filled: SqlStore) -> None:
    with filled.view() as tx:
        for text, found in SEARCHES:
            assert [person.id for person in tx.people.search(text)] == found, text


def test_names_are_folded() -> None:
    assert folded("  Ñandú   PÉREZ Straße ") == "nandu perez strasse"


def test_numbers_and_folios_go_on(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.people.next_number() == 1001
        assert tx.requests.next_folio() == 1
        tx.people.add(replace(values.PERSON, number=7))
        assert tx.people.next_number() == 1001
        for shelf, value in ALL[1:]:
            getattr(tx, shelf).add(value)
        assert tx.people.next_number() == 1003
        assert tx.requests.next_folio() == 3
        last = IdentityDocument(kind=DocumentKind.PASSPORT, number="LAST")
        tx.people.add(replace(values.HEAD, id="last", number=999_999_999, document=last))
        assert tx.people.next_number() == 1001
        tx.people.save(replace(values.PERSON, number=1001))
        assert tx.people.next_number() == 1003


def test_everything_is_streamed_a_page_at_a_time(store: SqlStore) -> None:
    many = list(values.people(2500))
    with store.begin() as tx:
        for person in many:
            tx.people.add(person)
        seen = 0
        for person in tx.people.all():
            tx.people.save(replace(person, position="Visto"))  # writing meanwhile disturbs nothing
            seen += 1
        assert seen == len(many)
        assert tx.people.count(position="Visto") == len(many)


def test_text_that_no_column_takes_is_refused_and_never_cut(store: SqlStore) -> None:
    with store.begin() as tx:
        for text in ("x" * 201, "nul\x00", "half \ud83d"):
            with pytest.raises(AccessError) as refusal:
                tx.people.add(replace(values.PERSON, full_name=text))
            assert refusal.value.reason is Reason.TEXT_INVALID
            assert refusal.value.details["field"] == "full_name"
        tx.people.add(replace(values.PERSON, full_name="😀" * 200))
        assert tx.people.get("p1").full_name == "😀" * 200


def test_one_more_of_the_same_alarm_is_counted_without_a_fact(filled: SqlStore) -> None:
    with filled.begin() as tx:
        before = tx.alarms.get(values.ALARM.id)
        for _ in range(3):
            tx.alarms.count_again(before.id)
        tx.commit()  # an observation: nothing was recorded, and that is no bug
    with filled.view() as tx:
        assert tx.alarms.get(before.id) == replace(before, count=before.count + 3)
        with pytest.raises(RuntimeError, match="a view writes nothing"):
            tx.alarms.count_again(before.id)


def test_half_a_character_is_found_nowhere(filled: SqlStore) -> None:
    with filled.view() as tx:
        assert tx.people.search("\ud800") == []


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (VisitFilter(), True),
        (VisitFilter(zones=(values.VISIT.zone, "other")), True),
        (VisitFilter(zones=("other",)), False),
        (VisitFilter(person=values.VISIT.visitor), True),
        (VisitFilter(person=values.VISIT.escorts[0].person), True),
        (VisitFilter(person="p"), False),
        (VisitFilter(person="%"), False),
        (VisitFilter(person="' OR '1'='1"), False),
        (VisitFilter(until=values.VISIT.entered_at), False),
        (VisitFilter(since=values.LATER + timedelta(days=900)), True),
    ],
)
def test_visits_are_found_by_what_is_asked(filled: SqlStore, which: VisitFilter, found: bool) -> None:
    with filled.begin() as tx:
        tx.visits.save(replace(values.VISIT, state=VisitState.INSIDE, exited_at=None, left_at=None))
        tx.record(Fact.VISIT_WORK_NOTED, at=values.NOW, actor=SYSTEM)
        tx.commit()
    with filled.view() as tx:
        assert (values.VISIT.id in [one.id for one in tx.visits.matching(which)]) is found
        assert values.VISIT not in tx.visits.matching(which, after=values.VISIT.number)


def test_a_visit_that_ended_is_of_the_time_in_which_it_went_on(filled: SqlStore) -> None:
    entered, left = values.NOW, values.NOW + timedelta(hours=2)
    ended = replace(values.VISIT, state=VisitState.CLOSED, entered_at=entered, left_at=left, exited_at=left)
    fortuitous = replace(ended, fortuitous="Fuga", regularised_at=None)
    with filled.begin() as tx:
        tx.visits.save(fortuitous)
        tx.record(Fact.VISIT_WORK_NOTED, at=values.NOW, actor=SYSTEM)
        tx.commit()
    with filled.view() as tx:
        for which, found in (
            (VisitFilter(since=left + timedelta(seconds=1)), 0),
            (VisitFilter(since=left, until=left + timedelta(days=1)), 1),
            (VisitFilter(until=entered), 0),
            (VisitFilter(awaits_regularisation=True), 1),
        ):
            assert [one.id for one in tx.visits.matching(which)].count(ended.id) == found, which
