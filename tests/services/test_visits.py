"""Procedure 4 through its desks: the order of the steps, who may do them, what each refusal says and records."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.visitor_cards import VisitorCardState
from accessctl.domain.visits import Equipment, VisitState
from accessctl.services.uploads import Upload
from accessctl.services.visit_register_desk import RegisterForm
from tests.services.premises import INK
from tests.services.visiting import DISK, INFRA, OUT, Visiting


def refused(reason: Reason, norm: str = "") -> "pytest.RaisesExc[AccessError]":
    return pytest.raises(AccessError, match=f"^{reason.value}{f' .{norm}.' if norm else ''}$")


def test_a_visit_from_the_authorisation_to_its_end(visiting: Visiting) -> None:
    visit = visiting.inside()
    assert visiting.visit(visit).state is VisitState.INSIDE
    assert visiting.show(visiting.key(0), OUT).granted
    assert visiting.show("tecnico", OUT).granted
    visiting.closed(visit)
    closed = visiting.visit(visit)
    assert closed.state is VisitState.CLOSED
    assert visiting.steps(visit) == [f"P4.0{number}" for number in range(1, 9)]
    assert closed.document is not None
    fourteen = (
        *(closed.name, closed.organisation, closed.document.number, closed.signature, closed.entered_at),
        *(closed.exited_at, closed.purpose, closed.department, closed.authority, closed.escorts, closed.verified_by),
        *(closed.exit_recorded_by, closed.card_back_at, closed.briefed_at),
    )
    assert all(fourteen)
    assert closed.escort == ""
    assert visiting.alarms() == {}
    assert visiting.visitor_cards.find(state=VisitorCardState.GIVEN) == []
    with visiting.store.view() as tx:
        assert not tx.cases.get(visit).is_open
        assert {row.visit for row in visiting.rows(Fact.VISIT_ENTERED, Fact.VISIT_LEFT)} == {visit}
        record = b"".join(data for _, data, _ in tx.ledger.entries(0, tx.ledger.size()))
        assert b"P4.08" in record
        assert b"Visitante X1234567" not in record, "names enter the record as commitments only"


def test_each_step_is_done_by_the_role_that_the_manual_names(visiting: Visiting) -> None:
    for who in ("tecnico", "guardia", "recepcion", "auditor"):
        with refused(Reason.WRONG_ROLE, "P4.01"):
            visiting.desk.authorise(visiting.actor(who), visiting.form())
    visit = visiting.authorised()
    with refused(Reason.WRONG_ROLE, "P4.02"):
        visiting.register_desk.register(visiting.actor("jefe"), visit, visiting.data())
    with refused(Reason.WRONG_ROLE, "P4.02"):
        visiting.register_desk.register(visiting.actor("guardia"), visit, visiting.data())
    with refused(Reason.ESCORT_NOT_ENTITLED, "N4.3"):
        visiting.register_desk.register(visiting.actor("tecnico"), visit, visiting.data(escort="jefe"))
    with refused(Reason.VISIT_STEP_MISSING, "P4.02"):
        visiting.visitor_cards.give(visiting.actor("guardia"), visit, visiting.pool[0].id)
    visiting.register_desk.register(visiting.actor("tecnico"), visit, visiting.data())
    with refused(Reason.STEP_OUT_OF_ORDER, "P4.02"):
        visiting.register_desk.register(visiting.actor("tecnico"), visit, visiting.data())
    with refused(Reason.RECEIPT_UNSIGNED, "P4.04"):
        visiting.register_desk.sign(visiting.actor("guardia"), visit, strokes=[], width=600, height=200)
    visiting.sign(visit)
    with refused(Reason.ALREADY_DONE, "P4.04"):
        visiting.sign(visit)
    assert visiting.rows(Fact.CASE_STEP_REFUSED), "a refusal is on the record"


def test_authoriser_registrar_and_visitor_are_three(visiting: Visiting) -> None:
    jefe = visiting.premises.store
    with jefe.view() as tx:
        head = tx.people.get(visiting.person("jefe"))
        technician = tx.people.get(visiting.person("tecnico"))
    visit = visiting.authorised()
    with refused(Reason.DUTIES_NOT_SEPARATED, "P4.01"):
        visiting.register_desk.register(visiting.actor("tecnico"), visit, visiting.data(head.document.number))
    with refused(Reason.DUTIES_NOT_SEPARATED, "N4.3"):
        visiting.register_desk.register(visiting.actor("tecnico"), visit, visiting.data(technician.document.number))
    itself = replace(visiting.form(), visitor=head.id)
    with refused(Reason.DUTIES_NOT_SEPARATED, "P4.01"):
        visiting.desk.authorise(visiting.actor("jefe"), itself)


def test_the_exit_is_recorded_after_it_was_verified_by_the_escort(visiting: Visiting) -> None:
    visit = visiting.inside()
    with refused(Reason.STEP_OUT_OF_ORDER, "P4.08"):
        visiting.escorts.record_exit(visiting.actor("tecnico"), visit)
    with refused(Reason.NOT_ASSIGNED_TO_YOU, "P4.07"):
        visiting.escorts.verify_exit(visiting.actor("telecom"), visit, activities="x")
    with refused(Reason.WRONG_ROLE, "P4.07"):
        visiting.escorts.verify_exit(visiting.actor("guardia"), visit, activities="x")
    with refused(Reason.FORM_INCOMPLETE, "P4.06"):
        visiting.escorts.verify_exit(visiting.actor("tecnico"), visit)
    laptop = Equipment(description="Laptop", serial="L-1")
    difference = visiting.escorts.verify_exit(
        visiting.actor("tecnico"), visit, taken=(laptop,), activities="Cambió el disco"
    )
    assert (difference.stays, difference.unknown) == ((DISK,), (laptop,))
    with refused(Reason.FORM_INCOMPLETE, "P4.08"):  # the card is not back
        visiting.escorts.record_exit(visiting.actor("tecnico"), visit)
    visiting.visitor_cards.report_missing(visiting.actor("guardia"), visiting.pool[0].id, why="Se la llevó")
    with refused(Reason.FORM_INCOMPLETE, "P4.08"):
        visiting.escorts.record_exit(visiting.actor("tecnico"), visit, at=visiting.now + timedelta(hours=1))
    visiting.escorts.record_exit(visiting.actor("tecnico"), visit)
    assert [card.id for card in visiting.visitor_cards.missing()] == [visiting.pool[0].id]
    assert not visiting.show(visiting.key(0)).granted
    kinds = {one.kind for one in visiting.differences.differences(visiting.actor("auditor"), visiting.now.date())}
    assert kinds == {"exit_line_without_reader", "equipment", "card_not_back"}
    visiting.visitor_cards.take_back(visiting.actor("guardia"), visiting.pool[0].id)
    assert visiting.visitor_cards.missing() == []


def test_a_fortuitous_entry_names_its_authority_and_is_regularised_by_it(visiting: Visiting) -> None:
    tecnico = visiting.actor("tecnico")
    with refused(Reason.NOT_AUTHORISED, "N4.2"):
        visiting.desk.declare_fortuitous(
            tecnico, visiting.form(), authority=visiting.person("telecom"), reason="Aire acondicionado caído"
        )
    with refused(Reason.WRONG_ROLE, "N4.2"):
        visiting.desk.declare_fortuitous(
            visiting.actor("guardia"), visiting.form(), authority=visiting.person("director"), reason="x"
        )
    visit = visiting.desk.declare_fortuitous(
        tecnico, visiting.form(), authority=visiting.person("director"), reason="Aire acondicionado caído"
    )
    assert visiting.visit(visit).awaits_regularisation
    with visiting.store.view() as tx:
        first = tx.cases.get(visit).done[0]
    assert (first.account, first.person) == (tecnico.account, visiting.person("director"))
    today = visiting.now.date()
    found = visiting.differences.differences(visiting.actor("auditor"), today)
    assert [one.kind for one in found] == ["fortuitous"]
    visiting.register_desk.register(tecnico, visit, visiting.data())
    with refused(Reason.NOT_AUTHORISED, "N4.2"):
        visiting.desk.regularise(visiting.actor("jefe"), visit, comment="ok")
    visiting.desk.regularise(visiting.actor("director"), visit, comment="Confirmado por teléfono")
    assert not visiting.visit(visit).awaits_regularisation
    with refused(Reason.ALREADY_DONE, "N4.2"):
        visiting.desk.regularise(visiting.actor("director"), visit, comment="otra vez")


def test_own_staff_without_visitors_get_their_exit_recorded(visiting: Visiting) -> None:
    """P4.03 no: no signature, no escort, and P4.08 all the same."""
    telecom = visiting.person("telecom")
    with visiting.store.view() as tx:
        document = tx.people.get(telecom).document.number
    form = replace(visiting.form(), visitor=telecom, name="")
    visit = visiting.desk.authorise(visiting.actor("jefe"), form)
    alone = replace(visiting.data(document, escort="tecnico"), third_party=False)
    visiting.register_desk.register(visiting.actor("tecnico"), visit, alone)
    assert visiting.visit(visit).state is VisitState.CLEARED
    assert visiting.show("telecom").granted
    assert visiting.visit(visit).state is VisitState.WORKING
    assert visiting.show("telecom", OUT).granted
    assert visiting.visit(visit).state is VisitState.GONE
    visiting.escorts.record_exit(visiting.actor("telecom"), visit)
    assert visiting.steps(visit) == ["P4.01", "P4.02", "P4.03", "P4.08"]
    assert visiting.visit(visit).state is VisitState.CLOSED


def test_nobody_from_outside_passes_for_own_staff(visiting: Visiting) -> None:
    visit = visiting.authorised()
    alone = replace(visiting.data(), third_party=False)
    with refused(Reason.NOT_AUTHORISED, "P4.03"):
        visiting.register_desk.register(visiting.actor("tecnico"), visit, alone)


def test_paper_is_typed_in_afterwards_with_its_folio(visiting: Visiting) -> None:
    visit = visiting.registered()
    scan = Upload(name="../../hoja.pdf", content=b"%PDF-1.4 hoja firmada")
    visiting.register_desk.sign_on_paper(visiting.actor("guardia"), visit, scan=scan, folio="C-0007")
    signed_at = visiting.now
    visiting.wait(hours=1)
    with refused(Reason.FORM_INCOMPLETE, "N4.1"):
        visiting.escorts.record_entry(visiting.actor("tecnico"), visit, at=signed_at, folio="")
    with refused(Reason.NOT_ASSIGNED_TO_YOU, "P4.05"):
        visiting.escorts.record_entry(visiting.actor("telecom"), visit, at=signed_at, folio="C-0007")
    visiting.escorts.record_entry(visiting.actor("tecnico"), visit, at=signed_at, folio="C-0007")
    entered = visiting.visit(visit)
    assert (entered.state, entered.folio, entered.entered_at) == (VisitState.INSIDE, "C-0007", signed_at)
    visiting.escorts.verify_exit(visiting.actor("tecnico"), visit, taken=(DISK,), activities="Cambió el disco")
    visiting.escorts.record_exit(visiting.actor("tecnico"), visit)
    assert visiting.steps(visit) == [f"P4.0{number}" for number in range(1, 9)]
    kinds = [one.kind for one in visiting.differences.differences(visiting.actor("auditor"), visiting.now.date())]
    assert kinds == ["entry_without_reader", "exit_line_without_reader"]


def test_a_slip_serves_one_visit_once(visiting: Visiting) -> None:
    visit = visiting.registered()
    visiting.sign(visit)
    slip = visiting.visitor_cards.give_slip(visiting.actor("guardia"), visit)
    assert visiting.show("tecnico").granted
    assert visiting.show(slip.number.family_key).granted
    with refused(Reason.ALREADY_DONE, "P4.04"):
        visiting.visitor_cards.give_slip(visiting.actor("guardia"), visit)
    assert visiting.visitor_cards.take_back(visiting.actor("guardia"), slip.id).state is VisitorCardState.RETIRED
    assert visiting.show(slip.number.family_key).reason is Reason.UNKNOWN_CREDENTIAL


def test_a_number_is_never_live_in_stock_and_in_the_pool(visiting: Visiting) -> None:
    with refused(Reason.CARD_ALREADY_LIVE, "N10.3"):
        visiting.premises.stock.add(visiting.actor("tecnico"), visiting.pool[0].number)
    with refused(Reason.CARD_ALREADY_LIVE, "N10.3"):
        visiting.visitor_cards.add(visiting.actor("tecnico"), visiting.pool[0].number, label="otra")
    with visiting.store.view() as tx:
        staff = tx.cards.find(holder=visiting.person("tecnico"))[0].number
    with refused(Reason.CARD_ALREADY_LIVE, "N10.3"):
        visiting.visitor_cards.add(visiting.actor("tecnico"), staff, label="otra")


def test_a_hand_over_is_to_somebody_entitled_with_room_and_inside(visiting: Visiting) -> None:
    visit = visiting.inside()
    tecnico, telecom = visiting.actor("tecnico"), visiting.person("telecom")
    with refused(Reason.ESCORT_NOT_ENTITLED, "N4.3"):
        visiting.escorts.hand_over(tecnico, visit, to=visiting.person("jefe"))
    with refused(Reason.ESCORT_MISSING, "N4.3"):  # not inside
        visiting.escorts.hand_over(tecnico, visit, to=telecom)
    visiting.wait(seconds=30)
    assert visiting.show("telecom").granted
    visiting.escorts.hand_over(visiting.actor("telecom"), visit, to=telecom)
    assert visiting.visit(visit).escort == telecom
    assert visiting.show("tecnico", OUT).granted
    assert visiting.alarms() == {}
    visiting.closed(visit, escort="telecom")
    assert [duty.person for duty in visiting.visit(visit).escorts] == [tecnico.person, telecom]


def test_an_escort_has_at_most_five(visiting: Visiting) -> None:
    for number in range(5):
        visiting.inside(f"X{number}", card=number)
        visiting.wait(seconds=30)
    sixth = visiting.signed("X6", card=5)
    assert visiting.show("tecnico").granted
    assert visiting.show(visiting.key(5)).reason is Reason.ESCORT_RATIO
    visiting.wait(seconds=30)
    assert visiting.show("telecom").granted
    visiting.escorts.hand_over(visiting.actor("telecom"), sixth, to=visiting.person("telecom"))
    assert visiting.show(visiting.key(5)).granted
    with refused(Reason.ESCORT_RATIO, "N4.3"):
        visiting.escorts.hand_over(visiting.actor("tecnico"), sixth, to=visiting.person("tecnico"))


def test_the_department_follows_a_visit_to_the_premises(visiting: Visiting) -> None:
    """N10.5–6: the host accompanies; somebody of the same department may take over, nobody else."""
    host = visiting.somebody("Hugo Huésped", department=INFRA)
    with refused(Reason.FORM_INCOMPLETE, "N10.6"):
        visiting.desk.authorise(visiting.actor("jefe"), visiting.form(zone="sub"))
    visit = visiting.desk.authorise(visiting.actor("jefe"), visiting.form(zone="sub", host=host.id))
    form = RegisterForm(document_kind="pasaporte", document_number="H1")
    visiting.register_desk.register(visiting.actor("recepcion"), visit, form)
    visiting.sign(visit)
    visiting.visitor_cards.give(visiting.actor("recepcion"), visit, visiting.pool[0].id)
    card = visiting.card(host.id, 50, doors=("sub-1",))
    absent = visiting.show(visiting.key(0), door="sub-1")
    assert (absent.reason, absent.norm) == (Reason.HOST_ABSENT, "N10.6")
    assert visiting.show(card, door="sub-1").granted
    assert visiting.show(visiting.key(0), door="sub-1").granted
    assert visiting.show(visiting.key(0), door="cd-1").reason is Reason.NO_RIGHT
    assert visiting.show(card, OUT, door="sub-1").granted
    assert visiting.alarms() == {"host_left": "raised"}
    with refused(Reason.ESCORT_NOT_ENTITLED, "N10.5"):
        visiting.escorts.hand_over(visiting.actor("tecnico"), visit, to=visiting.person("jefe"))
    visiting.escorts.hand_over(visiting.actor("tecnico"), visit, to=visiting.person("tecnico"))
    assert visiting.alarms() == {"host_left": "resolved"}
    assert visiting.show(visiting.key(0), OUT, door="sub-1").granted
    with refused(Reason.NOT_ASSIGNED_TO_YOU, "N10.5"):
        visiting.escorts.verify_exit(visiting.actor("jefe"), visit)
    visiting.escorts.verify_exit(visiting.actor("tecnico"), visit)
    visiting.visitor_cards.take_back(visiting.actor("recepcion"), visiting.pool[0].id)
    visiting.escorts.record_exit(visiting.actor("recepcion"), visit)
    assert visiting.visit(visit).state is VisitState.CLOSED


def test_cancelling_before_and_never_inside(visiting: Visiting) -> None:
    visit = visiting.signed()
    visiting.desk.cancel(visiting.actor("jefe"), visit, why="Ya no viene")
    assert visiting.visit(visit).state is VisitState.CANCELLED
    assert not visiting.show(visiting.key(0)).granted
    other = visiting.inside("X2", card=1)
    with refused(Reason.ALREADY_DONE, "P4.01"):
        visiting.desk.cancel(visiting.actor("jefe"), other, why="x")


def test_pages_show_a_visit_with_its_steps(visiting: Visiting) -> None:
    visit = visiting.inside()
    file = visiting.files.file(visiting.actor("guardia"), visit)
    assert [step.state for step in file.steps] == ["done"] * 5 + ["current", "waiting", "waiting"]
    assert file.line.escort is not None
    assert (file.line.step, file.line.escort.full_name) == (6, "Tomás Tzul")
    assert {row.visit for row in file.events} == {visit}
    assert [line.visit.id for line in visiting.files.today(visiting.actor("guardia"))] == [visit]
    there = visiting.files.inside(visiting.actor("guardia"), "cdatos")
    assert [(line.person.full_name, line.visit is not None) for line in there] == [
        ("Tomás Tzul", False),
        ("Visitante X1234567", True),
    ]
    assert [person.full_name for person in visiting.files.escorts()] == ["Teo Tot", "Tomás Tzul"]
    with refused(Reason.WRONG_ROLE, "P4.01"):
        visiting.files.today(visiting.actor("secretaria"))


def test_a_signature_outside_its_canvas_is_none(visiting: Visiting) -> None:
    visit = visiting.registered()
    with refused(Reason.SIGNATURE_INVALID, "P4.04"):
        visiting.register_desk.sign(visiting.actor("guardia"), visit, strokes=INK, width=10, height=10)
