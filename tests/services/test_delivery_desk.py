"""P10.04 and P10.05: who signs, before whom, with which document; and that nothing opens before both are done."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.cards import CardEvent, CardState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Person, Role
from accessctl.domain.policy import Shown, decide
from accessctl.domain.requests import GrantState
from accessctl.services.delivery_desk import MOST_POINTS, MOST_STROKES, SHORTEST_INK, SIDE, Strokes, canonical_strokes
from accessctl.services.policy_source import PolicySource
from accessctl.services.uploads import Upload
from tests.services.premises import INK, Premises
from tests.services.refusing import facts_since, recorded, refused
from tests.services.test_request_desk import hire

SCAN = Upload(name="constancia.pdf", content=b"%PDF-1.7 firmada")
CARD = "em:0184F07A"


def ready(premises: Premises) -> tuple[str, Person]:
    """A request that waits for the user's signature."""
    person = premises.person("Nora Noj")
    case = premises.request(person)
    premises.configure(case)
    return case, person


def opens(premises: Premises) -> tuple[bool, Reason | None, str]:
    decision = decide(
        PolicySource(premises.store, town="Guatemala").current(), Shown(door="sub-1", credential=CARD), premises.tick()
    )
    return decision.granted, decision.reason, decision.missing_step


def test_the_card_opens_from_the_delivery_on_and_not_before(premises: Premises) -> None:
    case, person = ready(premises)
    assert opens(premises) == (False, Reason.NOT_DELIVERED, "P10.04")
    premises.sign(case, person)
    assert opens(premises) == (False, Reason.NOT_DELIVERED, "P10.05")
    size = recorded(premises.store)
    premises.deliver(case)
    assert opens(premises) == (True, None, "")
    assert facts_since(premises.store, size) == [
        Fact.CASE_STEP_DONE.value,
        Fact.CARD_DELIVERED.value,
        Fact.ACCESS_GRANTED.value,
        Fact.ACCESS_GRANTED.value,
    ]


def test_without_the_signature_there_is_no_delivery(premises: Premises) -> None:
    case, _ = ready(premises)
    tecnico = premises.actors["tecnico"]
    with refused(premises, tecnico, Reason.STEP_OUT_OF_ORDER, "P10.05", case=case) as caught:
        premises.delivery.deliver(tecnico, case)
    assert caught.value.details == {"missing_step": "P10.04"}


@pytest.mark.parametrize(
    ("strokes", "reason"),
    [
        ([], Reason.RECEIPT_UNSIGNED),
        ([[]], Reason.RECEIPT_UNSIGNED),
        ([[(10.0, 10.0)]], Reason.RECEIPT_UNSIGNED),
        ([[(10.0, 10.0), (10.0, 12.0)]], Reason.RECEIPT_UNSIGNED),
        ([[(0.0, 0.0), (700.0, 10.0)]], Reason.SIGNATURE_INVALID),
        ([[(0.0, 0.0), (float("nan"), 10.0)]], Reason.SIGNATURE_INVALID),
        ([[(0.0, 0.0), (float("inf"), 10.0)]], Reason.SIGNATURE_INVALID),
        ([[(0, 0), (10**400, 10)]], Reason.SIGNATURE_INVALID),
        ([[(1.0, 1.0)]] * (MOST_STROKES + 1), Reason.SIGNATURE_INVALID),
        ([[(1.0, 1.0)] * (MOST_POINTS + 1)], Reason.SIGNATURE_INVALID),
    ],
)
def test_what_is_no_signature_is_refused(premises: Premises, strokes: Strokes, reason: Reason) -> None:
    case, person = ready(premises)
    tecnico, shown = premises.actors["tecnico"], person.document.number
    with refused(premises, tecnico, reason, "P10.04", case=case):
        premises.delivery.sign_receipt(tecnico, case, strokes=strokes, width=600, height=200, document_shown=shown)


@pytest.mark.parametrize("size", [(0, 200), (600, 0), (-1, 200), (SIDE + 1, 200), (600, SIDE + 1)])
def test_a_canvas_of_no_size_bears_no_signature(size: tuple[int, int]) -> None:
    with pytest.raises(AccessError, match="signature_invalid"):
        canonical_strokes(INK, width=size[0], height=size[1])


points = st.tuples(st.floats(-1, 601, width=32), st.floats(-1, 201, width=32))


@given(st.lists(st.lists(points, max_size=30), max_size=8))
def test_canonical_strokes_keep_the_shape_and_are_canonical(strokes: Strokes) -> None:
    refusal = None
    try:
        ink = canonical_strokes(strokes, width=600, height=200)
    except AccessError as error:
        refusal = error
    if refusal is not None:
        assert refusal.reason is Reason.RECEIPT_UNSIGNED
        assert sum(len(stroke) - 1 for stroke in strokes if stroke) * 640 >= 0
        return
    kept = json.loads(ink)
    assert [len(stroke) for stroke in kept] == [len(stroke) for stroke in strokes]
    for stroke, given_stroke in zip(kept, strokes, strict=True):
        for (x, y), (given_x, given_y) in zip(stroke, given_stroke, strict=True):
            assert abs(x - given_x) <= 0.0501
            assert abs(y - given_y) <= 0.0501
    again = canonical_strokes([[(x, y) for x, y in stroke] for stroke in kept], width=600, height=200)
    assert again == ink
    assert b" " not in ink


@given(st.floats(SHORTEST_INK + 0.2, 500), st.floats(0, 60))
def test_ink_is_measured_not_counted(length: float, offset: float) -> None:
    line = [[(offset, offset), (offset + length, offset)]]
    assert canonical_strokes(line, width=600, height=200)
    dots = [[(offset, offset), (offset, offset)]] * 50
    with pytest.raises(AccessError, match="receipt_unsigned"):
        canonical_strokes(dots, width=600, height=200)


@pytest.mark.parametrize("shown", ["", "A9999999", "1' OR '1'='1", "\x00", "\u202e", "x" * 10_000])
def test_the_document_in_the_hand_must_be_the_one_on_file(premises: Premises, shown: str) -> None:
    case, _ = ready(premises)
    tecnico = premises.actors["tecnico"]
    with refused(premises, tecnico, Reason.IDENTITY_NOT_CHECKED, "P10.04", case=case):
        premises.delivery.sign_receipt(tecnico, case, strokes=INK, width=600, height=200, document_shown=shown)
    with refused(premises, tecnico, Reason.IDENTITY_NOT_CHECKED, "P10.04", case=case):
        premises.delivery.sign_on_paper(tecnico, case, scan=SCAN, document_shown=shown)


@pytest.mark.parametrize("who", ["recepcion", "secretaria", "jefe", "auditor", "guardia"])
def test_nobody_else_attends_or_delivers(premises: Premises, who: str) -> None:
    case, person = ready(premises)
    actor = premises.actors[who]
    with refused(premises, actor, Reason.WRONG_ROLE, "P10.04", case=case):
        premises.delivery.sign_receipt(
            actor, case, strokes=INK, width=600, height=200, document_shown=person.document.number
        )
    premises.sign(case, person)
    with refused(premises, actor, Reason.WRONG_ROLE, "P10.05", case=case):
        premises.delivery.deliver(actor, case)


def test_the_technician_it_was_assigned_to_and_no_other(premises: Premises) -> None:
    case, person = ready(premises)
    other = hire(premises, "Otro", Role.TECNICO_INFRA)
    with refused(premises, other, Reason.NOT_ASSIGNED_TO_YOU, "P10.04", case=case):
        premises.delivery.sign_on_paper(other, case, scan=SCAN, document_shown=person.document.number)


def test_whoever_authorised_does_not_deliver_either(premises: Premises) -> None:
    case, person = ready(premises)
    premises.sign(case, person)
    head_too = hire(premises, "Mixta", Role.TECNICO_INFRA, person=premises.actors["jefe"].person)
    with refused(premises, head_too, Reason.NOT_ASSIGNED_TO_YOU, "P10.05", case=case):
        premises.delivery.deliver(head_too, case)


def test_a_receipt_is_signed_once(premises: Premises) -> None:
    case, person = ready(premises)
    premises.sign(case, person)
    tecnico = premises.actors["tecnico"]
    with refused(premises, tecnico, Reason.STEP_OUT_OF_ORDER, "P10.04", case=case):
        premises.sign(case, person)
    premises.deliver(case)
    with refused(premises, tecnico, Reason.STEP_OUT_OF_ORDER, "P10.05", case=case):
        premises.deliver(case)


def test_an_expired_request_is_neither_signed_nor_delivered(premises: Premises) -> None:
    case, person = ready(premises)
    tecnico = premises.actors["tecnico"]
    begun = premises.now
    premises.now += timedelta(days=31)
    with refused(premises, tecnico, Reason.REQUEST_EXPIRED, "N10.3", case=case):
        premises.sign(case, person)
    premises.now = begun
    premises.sign(case, person)
    premises.now += timedelta(days=31)
    with refused(premises, tecnico, Reason.REQUEST_EXPIRED, "N10.3", case=case):
        premises.deliver(case)
    assert not opens(premises)[0]


def test_a_receipt_signed_on_paper_counts_as_much(premises: Premises) -> None:
    case, person = ready(premises)
    tecnico = premises.actors["tecnico"]
    for bad in (Upload(name="a.pdf", content=b"PK\x03\x04"), Upload(name="a.pdf", content=b"")):
        with refused(premises, tecnico, Reason.UPLOAD_INVALID, "P10.01", case=case):
            premises.delivery.sign_on_paper(tecnico, case, scan=bad, document_shown=person.document.number)
    premises.delivery.sign_on_paper(tecnico, case, scan=SCAN, document_shown=person.document.number.lower())
    premises.deliver(case)
    assert opens(premises)[0]


def test_a_card_that_was_lost_before_its_delivery_is_not_delivered(premises: Premises) -> None:
    case, person = ready(premises)
    premises.sign(case, person)
    tecnico = premises.actors["tecnico"]
    [card] = premises.stock.find()
    premises.stock.happen(tecnico, card.id, CardEvent.REPORT_LOST, why="Se cayó", act=SCAN)
    with refused(premises, tecnico, Reason.CARD_TRANSITION, "P10.05", case=case):
        premises.deliver(case)
    with premises.store.view() as tx:
        assert tx.cards.get(card.id).state is CardState.LOST
        assert {grant.state for grant in tx.grants.find(case=case)} == {GrantState.CHOSEN, GrantState.ENDED}
