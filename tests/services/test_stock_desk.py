"""Cards in stock and what becomes of them: one number, one life; lost for ever is for ever."""

import pytest

from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.cards import CARD_TRANSITIONS, CardEvent, CardState
from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.policy import Shown, decide
from accessctl.domain.visitor_cards import VisitorCard, VisitorCardState
from accessctl.services.policy_source import PolicySource
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.stock_desk import NEEDS_ACT
from accessctl.services.uploads import Upload
from tests.services.premises import ANALYSIS, Premises
from tests.services.refusing import facts_since, recorded, refused, refused_quietly
from tests.services.test_enrolment_desk import em

ACT = Upload(name="acta.pdf", content=b"%PDF-1.7 acta")
THEIR_OWN = sorted(set(CardEvent) - {CardEvent.ENROL, CardEvent.RELEASE, CardEvent.DELIVER, CardEvent.REVOKE})


def opens(premises: Premises) -> bool:
    shown = Shown(door="sub-1", credential="em:0184F07A")
    return decide(PolicySource(premises.store, town="Guatemala").current(), shown, premises.tick()).granted


def test_a_number_is_never_live_twice_in_whatever_form_it_is_typed(premises: Premises) -> None:
    tecnico = premises.actors["tecnico"]
    premises.stock.add(tecnico, em(0x0184F07A), label="A-001")
    for number in (
        em(0x0184F07A),
        CardNumber.from_bytes(CardFormat.EM4100, bytes.fromhex("220184F07A")),  # another version byte: same print
        CardNumber.from_bytes(CardFormat.EM4100_32, bytes.fromhex("0184F07A")),
    ):
        with refused(premises, tecnico, Reason.CARD_ALREADY_LIVE, "N10.3"):
            premises.stock.add(tecnico, number)


def test_cards_that_a_terminal_cannot_tell_apart_do_not_live_together(premises: Premises) -> None:
    tecnico = premises.actors["tecnico"]
    wiegand = CardNumber.from_wiegand(CardFormat.H10301, facility=118, number=1603)
    premises.stock.add(tecnico, wiegand)
    with refused(premises, tecnico, Reason.CARD_ALREADY_LIVE, "N10.3"):
        premises.stock.add_typed(tecnico, typed="0007734851")
    [card] = premises.stock.find()
    premises.stock.happen(tecnico, card.id, CardEvent.REPORT_STOLEN, why="Asalto", act=ACT)
    with refused(premises, tecnico, Reason.CARD_NEVER_AGAIN, "N10.4"):
        premises.stock.add_typed(tecnico, typed="0007734851")  # it would let the stolen one in


def test_a_card_of_the_visitors_pool_is_nobodys_own(premises: Premises) -> None:
    tecnico = premises.actors["tecnico"]
    with premises.store.begin() as tx:
        tx.visitor_cards.add(VisitorCard(id="v", number=em(9), label="V-01", state=VisitorCardState.FREE))
        tx.record(Fact.VISITOR_CARD_CHANGED, at=premises.now, actor=tecnico)
        tx.commit()
    with refused(premises, tecnico, Reason.CARD_ALREADY_LIVE, "N10.3"):
        premises.stock.add(tecnico, em(9))


@pytest.mark.parametrize("who", ["recepcion", "secretaria", "jefe", "auditor", "guardia"])
def test_only_technicians_keep_the_stock(premises: Premises, who: str) -> None:
    actor = premises.actors[who]
    card = premises.stock.add(premises.actors["tecnico"], em(7))
    with refused(premises, actor, Reason.WRONG_ROLE, "P10.03"):
        premises.stock.add(actor, em(8))
    with refused(premises, actor, Reason.WRONG_ROLE, "N10.4"):
        premises.stock.happen(actor, card.id, CardEvent.REPORT_DAMAGED, why="x")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (CardNumber.from_payload(CardFormat.H10302, 2**32), Reason.CARD_TOO_LONG_FOR_DEVICE),  # 33 bits
        (CardNumber.from_payload(CardFormat.H10304, 2**32 + 5), Reason.CARD_TOO_LONG_FOR_DEVICE),
        (CardNumber.from_bytes(CardFormat.CSN7, bytes(range(7))), Reason.CARD_TOO_LONG_FOR_DEVICE),
        (CardNumber.from_bytes(CardFormat.EM4100, b"\x0f\0\0\0\0"), Reason.CARD_NUMBER_INVALID),
    ],
)
def test_what_no_terminal_can_hold_is_refused_not_cut(premises: Premises, number: CardNumber, reason: Reason) -> None:
    tecnico = premises.actors["tecnico"]
    with refused(premises, tecnico, reason, "P10.03"):
        premises.stock.add(tecnico, number)


@pytest.mark.parametrize(
    ("typed", "cross_check", "reason"),
    [
        ("0018226646", "022,07639", Reason.CARD_NUMBERS_DISAGREE),
        ("", "", Reason.CARD_NUMBER_INVALID),
        ("1' OR '1'='1", "", Reason.CARD_NUMBER_INVALID),
        ("%", "", Reason.CARD_NUMBER_INVALID),
        ("\x00", "", Reason.CARD_NUMBER_INVALID),
        ("\u202e0018226646", "", Reason.CARD_NUMBER_INVALID),
        ("x" * 10_240, "", Reason.CARD_NUMBER_INVALID),
        ("0018226646", "x" * 10_240, Reason.CARD_NUMBER_INVALID),
        ("022,07638", "", Reason.CARD_NUMBER_INVALID),
        ("99999999999", "", Reason.CARD_NUMBER_INVALID),
    ],
    ids=range(10),
)
def test_a_hostile_or_half_number_is_no_card(premises: Premises, typed: str, cross_check: str, reason: Reason) -> None:
    with refused_quietly(premises, reason, "P10.03"):
        premises.stock.add_typed(premises.actors["tecnico"], typed=typed, cross_check=cross_check)


@pytest.mark.parametrize("label", ["x" * 41, "a\x00", "\u202e"])
def test_a_label_is_text(premises: Premises, label: str) -> None:
    tecnico = premises.actors["tecnico"]
    with refused(premises, tecnico, Reason.TEXT_INVALID, ""):
        premises.stock.add(tecnico, em(7), label=label)


@pytest.mark.parametrize("event", sorted(NEEDS_ACT))
@pytest.mark.parametrize("act", [None, Upload(name="a.pdf", content=b"PK\x03\x04"), Upload(name="a.pdf", content=b"")])
def test_what_cannot_be_undone_needs_its_act(premises: Premises, event: CardEvent, act: Upload | None) -> None:
    tecnico = premises.actors["tecnico"]
    card = premises.stock.add(tecnico, em(7))
    if event is CardEvent.DESTROY:
        premises.stock.happen(tecnico, card.id, CardEvent.REPORT_DAMAGED, why="Rota")
    reason, norm = (Reason.FORM_INCOMPLETE, "N10.4") if act is None else (Reason.UPLOAD_INVALID, "P10.01")
    with refused(premises, tecnico, reason, norm):
        premises.stock.happen(tecnico, card.id, event, why="x", act=act)


@pytest.mark.parametrize("event", [CardEvent.ENROL, CardEvent.RELEASE, CardEvent.DELIVER, CardEvent.REVOKE])
def test_what_belongs_to_a_request_is_not_done_at_this_desk(premises: Premises, event: CardEvent) -> None:
    tecnico = premises.actors["tecnico"]
    card = premises.stock.add(tecnico, em(7))
    with refused(premises, tecnico, Reason.CARD_TRANSITION, "P10.03"):
        premises.stock.happen(tecnico, card.id, event, why="x", act=ACT)


@pytest.mark.parametrize("event", THEIR_OWN)
def test_the_table_decides_what_can_happen_to_a_card_in_stock(premises: Premises, event: CardEvent) -> None:
    tecnico = premises.actors["tecnico"]
    card = premises.stock.add(tecnico, em(7))
    if (CardState.IN_STOCK, event) in CARD_TRANSITIONS:
        after = premises.stock.happen(tecnico, card.id, event, why="x", act=ACT)
        assert after.state is CARD_TRANSITIONS[CardState.IN_STOCK, event]
        return
    with refused(premises, tecnico, Reason.CARD_TRANSITION, "N10.4"):
        premises.stock.happen(tecnico, card.id, event, why="x", act=ACT)


@pytest.mark.parametrize("why", ["", " ", "x" * 501, "a\x00"])
def test_a_reason_is_given(premises: Premises, why: str) -> None:
    tecnico = premises.actors["tecnico"]
    card = premises.stock.add(tecnico, em(7))
    with refused(premises, tecnico, Reason.TEXT_INVALID, ""):
        premises.stock.happen(tecnico, card.id, CardEvent.REPORT_DAMAGED, why=why)
    with refused(premises, tecnico, Reason.NOT_FOUND, ""):
        premises.stock.happen(tecnico, "x';DROP TABLE cards", CardEvent.REPORT_DAMAGED, why="x")


def test_a_suspended_card_opens_nothing_until_it_is_resumed_and_a_lost_one_never(premises: Premises) -> None:
    premises.delivered()
    tecnico = premises.actors["tecnico"]
    [card] = premises.stock.find(state=CardState.ACTIVE)
    size = recorded(premises.store)
    premises.stock.happen(tecnico, card.id, CardEvent.SUSPEND, why="Vacaciones")
    assert not opens(premises)
    with premises.store.view() as tx:
        assert tx.health.get("lobby").wanted_at is not None  # the terminal is told at once
    premises.stock.happen(tecnico, card.id, CardEvent.RESUME, why="De vuelta")
    assert opens(premises)
    premises.stock.happen(tecnico, card.id, CardEvent.REPORT_LOST, why="Bus", act=ACT)
    assert not opens(premises)
    assert facts_since(premises.store, size) == [
        Fact.CARD_SUSPENDED.value,
        Fact.CARD_RESUMED.value,
        Fact.CARD_LOST.value,
    ]
    with premises.store.view() as tx:
        [attachment] = tx.attachments.find(kind="act")
    assert attachment.content == ACT.content


def test_a_damaged_card_is_owed_until_it_is_handed_in(premises: Premises) -> None:
    premises.delivered()
    tecnico = premises.actors["tecnico"]
    [card] = premises.stock.find(state=CardState.ACTIVE)
    premises.stock.happen(tecnico, card.id, CardEvent.REPORT_DAMAGED, why="Partida")
    assert [(one.id, one.owed_by) for one in premises.stock.outstanding()] == [(card.id, ANALYSIS)]
    premises.stock.happen(tecnico, card.id, CardEvent.TAKE_BACK, why="Devuelta")
    assert premises.stock.outstanding() == []


def test_a_card_in_its_second_life_is_not_destroyed_through_its_first(premises: Premises) -> None:
    _, person = premises.delivered()
    tecnico, head = premises.actors["tecnico"], premises.actors["jefe"]
    RemovalDesk(premises.office).request(head, person=person.id, requested_by=head.person, reason="Renuncia")
    [first] = premises.stock.outstanding()
    with refused(premises, tecnico, Reason.CARD_ALREADY_LIVE, "N10.4"):
        premises.stock.add(tecnico, first.number)  # still owed
    premises.stock.happen(tecnico, first.id, CardEvent.TAKE_BACK, why="Devuelta")
    second = premises.stock.add(tecnico, first.number)
    with refused(premises, tecnico, Reason.CARD_ALREADY_LIVE, "N10.3"):
        premises.stock.happen(tecnico, first.id, CardEvent.DESTROY, why="Rota", act=ACT)
    premises.stock.happen(tecnico, second.id, CardEvent.REPORT_DAMAGED, why="Rota")
    premises.stock.happen(tecnico, second.id, CardEvent.DESTROY, why="Rota", act=ACT)
    with refused(premises, tecnico, Reason.CARD_NEVER_AGAIN, "N10.4"):
        premises.stock.add(tecnico, first.number)


def test_cards_are_listed_by_state_and_one_is_got(premises: Premises) -> None:
    tecnico = premises.actors["tecnico"]
    made = [premises.stock.add(tecnico, em(number)) for number in (1, 2)]
    assert premises.stock.find(state=CardState.IN_STOCK) == made
    assert premises.stock.find() == made[::-1]
    assert premises.stock.find(state=CardState.LOST) == []
    assert premises.stock.get(made[0].id) == made[0]
