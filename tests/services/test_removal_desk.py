"""N10.4: one request ends everything at once, each device is followed, and what ended does not come back by itself."""

from datetime import timedelta

import pytest

from accessctl.domain.cards import CardEvent, CardState
from accessctl.domain.devices import HeldUser
from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Person, Role
from accessctl.domain.places import Device, Transport
from accessctl.domain.policy import Shown, decide
from accessctl.domain.requests import GrantState
from accessctl.services.policy_source import PolicySource
from accessctl.services.removal_desk import RemovalDesk
from tests.services.premises import ANALYSIS, Premises
from tests.services.refusing import contents, entries_since, facts_since, recorded, refused
from tests.services.test_request_desk import finger_of, hire


@pytest.fixture
def desk(premises: Premises) -> RemovalDesk:
    with premises.store.begin() as tx:
        tx.devices.add(Device(id="cd-panel", transport=Transport.PUSH, serial="33831542", doors=("cd-1",)))
        tx.record(Fact.SITE_APPLIED, at=premises.now, actor=SYSTEM)
        tx.commit()
    return RemovalDesk(premises.office)


def removed(premises: Premises, desk: RemovalDesk, person: Person) -> str:
    head = premises.actors["jefe"]
    return desk.request(head, person=person.id, requested_by=head.person, reason="Renuncia")


def opens(premises: Premises, card: str = "em:0184F07A") -> tuple[bool, Reason | None]:
    decision = decide(
        PolicySource(premises.store, town="Guatemala").current(), Shown(door="sub-1", credential=card), premises.tick()
    )
    return decision.granted, decision.reason


def test_everything_of_the_person_ends_with_the_commit(premises: Premises, desk: RemovalDesk) -> None:
    _, person = premises.delivered()
    finger_of(premises, person)
    account = hire(premises, "Maria", Role.GUARDIA, person=person.id)
    assert opens(premises) == (True, None)
    size = recorded(premises.store)
    removed(premises, desk, person)
    assert opens(premises) == (False, Reason.REVOKED)
    assert facts_since(premises.store, size) == [
        Fact.REMOVAL_REQUESTED.value,
        Fact.CARD_REVOKED.value,
        Fact.ACCESS_ENDED.value,
        Fact.ACCESS_ENDED.value,
        Fact.FINGER_ERASED.value,
        Fact.ACCOUNT_DISABLED.value,
        Fact.PERSON_REMOVED.value,
    ]
    with premises.store.view() as tx:
        [card] = tx.cards.find(holder=person.id)
        assert (card.state, card.owed_by) == (CardState.REVOKED, ANALYSIS)
        assert tx.cards.outstanding() == [card]
        assert {grant.state for grant in tx.grants.find(person=person.id)} == {GrantState.ENDED}
        assert tx.templates.count(person=person.id) == 0
        assert tx.people.get(person.id).removed
        ended = tx.accounts.get(account.account)
        assert (ended.disabled_at is not None, ended.epoch) == (True, 2)


def test_a_request_on_its_way_ends_too_and_its_card_was_never_out(premises: Premises, desk: RemovalDesk) -> None:
    person = premises.person("Nora")
    case = premises.request(person)
    premises.configure(case)
    finger_of(premises, person)
    removed(premises, desk, person)
    with premises.store.view() as tx:
        assert tx.cases.get(case).cancelled
        assert [card.state for card in tx.cards.find()] == [CardState.IN_STOCK]
        assert tx.cards.outstanding() == []
        assert tx.templates.count() == 0


def test_the_removal_is_followed_device_by_device(premises: Premises, desk: RemovalDesk) -> None:
    _, person = premises.delivered()
    removal = removed(premises, desk, person)
    progress = desk.progress(removal)
    assert (progress.reached_doors, progress.all_doors, progress.exposed_doors) == (0, 2, ("cd-1", "sub-1"))
    size = recorded(premises.store)
    desk.confirm("lobby", frozenset())
    desk.confirm("lobby", frozenset({"somebody else"}))
    assert recorded(premises.store) == size
    premises.now += timedelta(minutes=3)
    desk.confirm("lobby", frozenset({person.id}))
    desk.confirm("lobby", frozenset({person.id}))  # said twice, recorded once
    assert facts_since(premises.store, size) == [Fact.REMOVAL_CONFIRMED.value]
    progress = desk.progress(removal)
    assert (progress.reached_doors, progress.all_doors, progress.exposed_doors) == (1, 2, ("cd-1",))
    assert progress.exposed_s >= 180
    assert progress.removal.completed_at is None
    desk.confirm("cd-panel", frozenset({person.id}))
    progress = desk.progress(removal)
    assert (progress.reached_doors, progress.exposed_doors, progress.exposed_s) == (2, (), 0)
    assert progress.removal.completed_at is not None
    assert desk.recent()[0] == progress


def test_a_device_that_still_holds_the_person_without_a_grant_is_a_target_too(
    premises: Premises, desk: RemovalDesk
) -> None:
    person = premises.person("Nora")
    held = HeldUser(
        id="lobby/7",
        device="lobby",
        uid=7,
        user_id=str(person.number),
        person=person.id,
        card=1,
        disabled=False,
        templates=0,
        digest="",
        read_at=premises.now,
    )
    with premises.store.begin() as tx:
        tx.held_users.add(held)
        tx.commit()
    removal = removed(premises, desk, person)
    assert [target.device for target in desk.progress(removal).targets] == ["lobby"]


def test_nothing_to_reach_is_complete_at_once(premises: Premises, desk: RemovalDesk) -> None:
    removal = removed(premises, desk, premises.person("Nora"))
    assert desk.progress(removal).removal.completed_at == desk.progress(removal).removal.at


@pytest.mark.parametrize("who", ["tecnico", "auditor", "guardia"])
def test_who_may_not_remove(premises: Premises, desk: RemovalDesk, who: str) -> None:
    _, person = premises.delivered()
    actor = premises.actors[who]
    with refused(premises, actor, Reason.WRONG_ROLE, "N10.4"):
        desk.request(actor, person=person.id, requested_by=premises.actors["jefe"].person, reason="x")


@pytest.mark.parametrize("who", ["recepcion", "secretaria"])
def test_what_a_head_asked_in_writing_is_registered_for_them(premises: Premises, desk: RemovalDesk, who: str) -> None:
    _, person = premises.delivered()
    head = premises.actors["jefe"].person
    removal = desk.request(premises.actors[who], person=person.id, requested_by=head, reason="Oficio 12")
    assert desk.progress(removal).removal.requested_by == head
    assert not opens(premises)[0]


def test_a_head_asks_in_their_own_name_and_never_for_themselves(premises: Premises, desk: RemovalDesk) -> None:
    _, person = premises.delivered()
    head, other = premises.actors["jefe"], premises.actors["secretaria"].person
    with refused(premises, head, Reason.NOT_AUTHORISED, "N10.4"):
        desk.request(head, person=person.id, requested_by=other, reason="x")
    with refused(premises, head, Reason.DUTIES_NOT_SEPARATED, "N10.4"):
        desk.request(head, person=head.person, requested_by=head.person, reason="x")


@pytest.mark.parametrize(
    ("person", "reason_text", "reason"),
    [
        ("nobody", "x", Reason.NOT_FOUND),
        ("x';DROP TABLE people", "x", Reason.NOT_FOUND),
        (None, " ", Reason.TEXT_INVALID),
        (None, "x" * 501, Reason.TEXT_INVALID),
        (None, "a\x00", Reason.TEXT_INVALID),
    ],
)
def test_bad_input_removes_nobody(
    premises: Premises, desk: RemovalDesk, person: str | None, reason_text: str, reason: Reason
) -> None:
    _, held = premises.delivered()
    head = premises.actors["jefe"]
    with refused(premises, head, reason, ""):
        desk.request(head, person=person or held.id, requested_by=head.person, reason=reason_text)
    assert opens(premises)[0]


def test_the_same_person_is_removed_once(premises: Premises, desk: RemovalDesk) -> None:
    _, person = premises.delivered()
    removed(premises, desk, person)
    head = premises.actors["jefe"]
    with refused(premises, head, Reason.ALREADY_DONE, "N10.4"):
        desk.request(head, person=person.id, requested_by=head.person, reason="x")


def test_who_comes_back_gets_what_the_new_request_gives_and_nothing_of_before(
    premises: Premises, desk: RemovalDesk
) -> None:
    _, person = premises.delivered()
    finger_of(premises, person)
    removed(premises, desk, person)
    [old] = premises.stock.outstanding()
    case = premises.request(person, doors=("sub-1",))
    tecnico, secretary = premises.actors["tecnico"], premises.actors["secretaria"]
    premises.requests.assign(secretary, case, technician=tecnico.account)
    with refused(premises, tecnico, Reason.CARD_ALREADY_LIVE, "N10.4", case=case):
        premises.enrolment.choose_card(tecnico, case, old.number)  # the card that is still owed
    premises.stock.happen(tecnico, old.id, CardEvent.TAKE_BACK, why="Devuelta")
    premises.stock.add(tecnico, old.number)
    premises.enrolment.choose_card(tecnico, case, old.number)
    premises.enrolment.choose_access(tecnico, case, doors=("sub-1",), schedule="always")
    premises.enrolment.waive_finger(tecnico, case, why="Lesión")
    premises.enrolment.complete(tecnico, case)
    premises.sign(case, person)
    assert opens(premises)[0] is False
    premises.deliver(case)
    assert opens(premises) == (True, None)
    with premises.store.view() as tx:
        granted = tx.grants.find(person=person.id, state=(GrantState.OPEN, GrantState.CHOSEN))
        assert [(grant.case, grant.door) for grant in granted] == [(case, "sub-1")]
        assert tx.templates.count() == 0
        assert not tx.people.get(person.id).removed
    elsewhere = decide(
        PolicySource(premises.store, town="Guatemala").current(),
        Shown(door="cd-1", credential="em:0184F07A"),
        premises.tick(),
    )
    assert (elsewhere.granted, elsewhere.reason) == (False, Reason.NO_RIGHT)


def test_a_removal_that_is_interrupted_has_not_happened(
    premises: Premises, desk: RemovalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, person = premises.delivered()
    before, size = contents(premises.store), recorded(premises.store)

    def fails(*_: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr(RemovalDesk, "_name_targets", fails)
    with pytest.raises(OSError, match="disk"):
        removed(premises, desk, person)
    assert contents(premises.store) == before
    assert entries_since(premises.store, size) == []
