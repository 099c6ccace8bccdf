"""Procedure 10 at its two ends: who may register, authorise, assign, inform and cancel, and who may not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accessctl.domain.accounts import Account
from accessctl.domain.cards import CardState
from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Person, Role
from accessctl.domain.requests import GrantState, StoredTemplate
from accessctl.services.request_desk import RequestForm
from accessctl.services.uploads import LARGEST, Upload
from tests.services.premises import ANALYSIS, START, Premises
from tests.services.refusing import facts_since, recorded, refused

PDF = Upload(name="formulario.pdf", content=b"%PDF-1.7 firmado y sellado")


def form(premises: Premises, person: Person, **changes: object) -> RequestForm:
    jefe = premises.actors["jefe"]
    made = RequestForm(
        beneficiary=person.id,
        requester=jefe.person,
        authority=jefe.person,
        justification="Turno de noche",
        doors=("cd-1", "sub-1"),
        schedule="always",
        valid_from=START,
        valid_until=None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # each test names fields of the form


def hire(premises: Premises, name: str, *roles: Role, person: str = "") -> Actor:
    """One more account; on file anew unless `person` is given."""
    held = person or premises.person(name).id
    account = Account(
        id=f"account-{name.lower()}",
        username=name.lower(),
        person=held,
        roles=roles,
        password_hash="-",
        epoch=1,
        added_at=premises.now,
    )
    with premises.store.begin() as tx:
        tx.accounts.add(account)
        tx.record(Fact.ACCOUNT_ADDED, at=premises.now, actor=SYSTEM, person=held)
        tx.commit()
    return Actor(account=account.id, person=held, roles=frozenset(roles), name=name)


def test_reception_registers_and_the_head_signs_off(premises: Premises) -> None:
    person, size = premises.person("Nora Noj"), recorded(premises.store)
    case = premises.request(person)
    assert facts_since(premises.store, size) == [
        Fact.CASE_OPENED.value,
        Fact.CASE_STEP_DONE.value,
        Fact.REQUEST_AUTHORISED.value,
    ]
    with premises.store.view() as tx:
        request, stored = tx.requests.get(case), tx.cases.get(case)
    assert (request.folio, request.authorised_how, request.department) == (1, "sign_off", ANALYSIS)
    assert (stored.step, stored.parts["authoriser"]) == (2, premises.actors["jefe"].person)


@pytest.mark.parametrize("who", ["secretaria", "tecnico", "jefe", "auditor", "guardia"])
def test_only_reception_registers(premises: Premises, who: str) -> None:
    person, actor = premises.person("Nora Noj"), premises.actors[who]
    with refused(premises, actor, Reason.WRONG_ROLE, "P10.01"):
        premises.requests.register(actor, form(premises, person))


def test_a_form_that_bears_signature_and_stamp_authorises(premises: Premises) -> None:
    case = premises.requests.register(premises.actors["recepcion"], form(premises, premises.person("N"), scan=PDF))
    with premises.store.view() as tx:
        request = tx.requests.get(case)
        assert tx.attachments.get(request.form).content == PDF.content
    assert request.authorised_how == "scan"
    premises.requests.assign(premises.actors["secretaria"], case, technician="account-tecnico")


def test_the_form_may_arrive_later_and_once(premises: Premises) -> None:
    reception = premises.actors["recepcion"]
    case = premises.requests.register(reception, form(premises, premises.person("Nora")))
    premises.requests.attach_form(reception, case, PDF)
    with refused(premises, reception, Reason.ALREADY_DONE, "N10.3", case=case):
        premises.requests.attach_form(reception, case, PDF)


@pytest.mark.parametrize("who", ["tecnico", "jefe", "auditor", "guardia"])
def test_only_the_secretaries_attach_the_form(premises: Premises, who: str) -> None:
    case = premises.requests.register(premises.actors["recepcion"], form(premises, premises.person("Nora")))
    with refused(premises, premises.actors[who], Reason.WRONG_ROLE, "P10.01", case=case):
        premises.requests.attach_form(premises.actors[who], case, PDF)


@pytest.mark.parametrize(
    ("changes", "reason", "norm"),
    [
        ({"doors": ()}, Reason.FORM_INCOMPLETE, "P10.01"),
        ({"doors": tuple(f"d{n}" for n in range(201))}, Reason.FORM_INCOMPLETE, "P10.01"),
        ({"schedule": ""}, Reason.FORM_INCOMPLETE, "P10.01"),
        ({"valid_until": START - timedelta(days=1)}, Reason.FORM_INCOMPLETE, "P10.01"),
        ({"doors": ("no-such-door",)}, Reason.NOT_FOUND, ""),
        ({"doors": ("x';DROP TABLE doors",)}, Reason.NOT_FOUND, ""),
        ({"doors": ("\x00",)}, Reason.NOT_FOUND, ""),
        ({"beneficiary": "nobody"}, Reason.NOT_FOUND, ""),
        ({"authority": ""}, Reason.NOT_FOUND, ""),
        ({"schedule": "../../etc"}, Reason.NOT_FOUND, ""),
        ({"justification": " "}, Reason.TEXT_INVALID, ""),
        ({"justification": "x" * 1001}, Reason.TEXT_INVALID, ""),
        ({"justification": "bidi\u202e"}, Reason.TEXT_INVALID, ""),
        ({"scan": Upload(name="a.pdf", content=b"PK\x03\x04 a zip")}, Reason.UPLOAD_INVALID, "P10.01"),
        ({"scan": Upload(name="a.pdf", content=b"%PDF-" + b"x" * LARGEST)}, Reason.UPLOAD_INVALID, "P10.01"),
    ],
)
def test_a_form_that_is_wrong_opens_no_case(
    premises: Premises, changes: dict[str, object], reason: Reason, norm: str
) -> None:
    person, reception = premises.person("Nora Noj"), premises.actors["recepcion"]
    with refused(premises, reception, reason, norm):
        premises.requests.register(reception, form(premises, person, **changes))


SCANS = (None, PDF)


@pytest.mark.parametrize("scan", SCANS, ids=["sign-off", "scan"])
@pytest.mark.parametrize(
    ("role", "department", "asks"),
    [
        (Role.TECNICO_INFRA, ANALYSIS, ""),
        (Role.ADMIN, ANALYSIS, ""),
        (None, ANALYSIS, ""),  # on file, without an account
        (Role.JEFE, "Departamento de Soporte Técnico", "tecnico"),  # a head, but not of who asks or who receives
    ],
)
def test_a_form_names_one_who_may_authorise_it(
    premises: Premises, role: Role | None, department: str, asks: str, scan: Upload | None
) -> None:
    person, reception = premises.person("Nora Noj"), premises.actors["recepcion"]
    named = premises.person("Pedro Pic", department=department)
    if role is not None:
        hire(premises, "Pedro", role, person=named.id)
    requester = premises.actors[asks].person if asks else named.id
    with refused(premises, reception, Reason.AUTHORITY_NOT_ENTITLED, "P10.01"):
        premises.requests.register(
            reception, form(premises, person, authority=named.id, requester=requester, scan=scan)
        )


@pytest.mark.parametrize("scan", SCANS, ids=["sign-off", "scan"])
@pytest.mark.parametrize(
    ("role", "department"),
    [
        (Role.JEFE, ANALYSIS.upper()),  # where the beneficiary works
        (Role.DIRECTOR, "Dirección de Tecnología y Servicio"),
        (Role.SUBGERENTE, "Subgerencia de Tecnología"),
    ],
)
def test_the_head_and_whoever_is_above_may_be_named(
    premises: Premises, role: Role, department: str, scan: Upload | None
) -> None:
    person, reception = premises.person("Nora Noj"), premises.actors["recepcion"]
    named = hire(premises, "Pedro", role, person=premises.person("Pedro Pic", department=department).id)
    asks = premises.actors["tecnico"].person
    case = premises.requests.register(
        reception, form(premises, person, authority=named.person, requester=asks, scan=scan)
    )
    if scan is None:
        premises.requests.sign_off(named, case)
    with premises.store.view() as tx:
        assert tx.requests.get(case).authorised_at is not None


def test_a_form_that_comes_later_authorises_nothing_where_its_head_is_none_any_more(premises: Premises) -> None:
    person, reception = premises.person("Nora Noj"), premises.actors["recepcion"]
    head = hire(premises, "Pedro", Role.JEFE)
    case = premises.requests.register(reception, form(premises, person, authority=head.person))
    with premises.store.begin() as tx:
        tx.accounts.save(replace(tx.accounts.get(head.account), disabled_at=premises.now))
        tx.record(Fact.ACCOUNT_DISABLED, at=premises.now, actor=SYSTEM, person=head.person)
        tx.commit()
    with refused(premises, reception, Reason.AUTHORITY_NOT_ENTITLED, "P10.01", case=case):
        premises.requests.attach_form(reception, case, PDF)


def test_nobody_authorises_a_card_for_themselves(premises: Premises) -> None:
    reception, jefe = premises.actors["recepcion"], premises.actors["jefe"]
    with premises.store.view() as tx:
        head = tx.people.get(jefe.person)
    with refused(premises, reception, Reason.DUTIES_NOT_SEPARATED, "N10.3"):
        premises.requests.register(reception, form(premises, head))


def test_only_the_head_that_was_named_signs_off(premises: Premises) -> None:
    case = premises.requests.register(premises.actors["recepcion"], form(premises, premises.person("Nora")))
    other = hire(premises, "Otto", Role.DIRECTOR)
    with refused(premises, other, Reason.NOT_AUTHORISED, "N10.3", case=case):
        premises.requests.sign_off(other, case)
    for who in ("recepcion", "secretaria", "tecnico", "auditor"):
        with refused(premises, premises.actors[who], Reason.WRONG_ROLE, "N10.3", case=case):
            premises.requests.sign_off(premises.actors[who], case)
    premises.requests.sign_off(premises.actors["jefe"], case)
    with refused(premises, premises.actors["jefe"], Reason.ALREADY_DONE, "N10.3", case=case):
        premises.requests.sign_off(premises.actors["jefe"], case)


def test_a_removed_head_cannot_be_named(premises: Premises) -> None:
    reception, jefe = premises.actors["recepcion"], premises.actors["jefe"]
    filled_in = form(premises, premises.person("Nora"))
    with premises.store.begin() as tx:
        tx.people.save(replace(tx.people.get(jefe.person), removed=True))
        tx.record(Fact.PERSON_REMOVED, at=premises.now, actor=SYSTEM, person=jefe.person)
        tx.commit()
    with refused(premises, reception, Reason.NOT_AUTHORISED, "N10.3"):
        premises.requests.register(reception, filled_in)


def test_no_card_without_authorisation(premises: Premises) -> None:
    case = premises.requests.register(premises.actors["recepcion"], form(premises, premises.person("Nora")))
    secretary = premises.actors["secretaria"]
    with refused(premises, secretary, Reason.NOT_AUTHORISED, "N10.3", case=case):
        premises.requests.assign(secretary, case, technician="account-tecnico")


@pytest.mark.parametrize("who", ["recepcion", "tecnico", "jefe", "auditor", "guardia"])
def test_only_the_secretary_assigns(premises: Premises, who: str) -> None:
    case = premises.request(premises.person("Nora"))
    with refused(premises, premises.actors[who], Reason.WRONG_ROLE, "P10.02", case=case):
        premises.requests.assign(premises.actors[who], case, technician="account-tecnico")


def test_a_request_goes_to_a_technician_who_neither_authorised_nor_benefits(premises: Premises) -> None:
    person, secretary = premises.person("Nora"), premises.actors["secretaria"]
    case = premises.request(person)
    head_too = hire(premises, "Mixta", Role.TECNICO_INFRA, person=premises.actors["jefe"].person)
    user_too = hire(premises, "Propia", Role.TECNICO_INFRA, person=person.id)
    for account in (head_too, user_too):
        with refused(premises, secretary, Reason.DUTIES_NOT_SEPARATED, "N10.3", case=case):
            premises.requests.assign(secretary, case, technician=account.account)
    for account_id, reason, norm in (
        ("account-guardia", Reason.WRONG_ROLE, "P10.02"),
        ("no-such-account", Reason.NOT_FOUND, ""),
        ("", Reason.NOT_FOUND, ""),
    ):
        with refused(premises, secretary, reason, norm, case=case):
            premises.requests.assign(secretary, case, technician=account_id)


def test_an_authorisation_that_lapsed_goes_nowhere(premises: Premises) -> None:
    person = premises.person("Nora")
    unsigned = premises.requests.register(premises.actors["recepcion"], form(premises, person))
    signed = premises.request(person)
    premises.now += timedelta(days=30)
    for act, actor, case in (
        (premises.requests.sign_off, premises.actors["jefe"], unsigned),
        (lambda who, of: premises.requests.attach_form(who, of, PDF), premises.actors["recepcion"], unsigned),
        (
            lambda who, of: premises.requests.assign(who, of, technician="account-tecnico"),
            premises.actors["secretaria"],
            signed,
        ),
    ):
        with refused(premises, actor, Reason.REQUEST_EXPIRED, "N10.3", case=case):
            act(actor, case)


def test_steps_out_of_order_name_the_one_that_is_missing(premises: Premises) -> None:
    case = premises.request(premises.person("Nora"))
    secretary, tecnico = premises.actors["secretaria"], premises.actors["tecnico"]
    with refused(premises, secretary, Reason.STEP_OUT_OF_ORDER, "P10.06", case=case) as caught:
        premises.requests.inform(secretary, case)
    assert caught.value.details == {"missing_step": "P10.02"}
    with refused(premises, tecnico, Reason.STEP_OUT_OF_ORDER, "P10.05", case=case):
        premises.delivery.deliver(tecnico, case)


def test_informing_closes_the_case(premises: Premises) -> None:
    case, _ = premises.delivered()
    with refused(premises, premises.actors["tecnico"], Reason.WRONG_ROLE, "P10.06", case=case):
        premises.requests.inform(premises.actors["tecnico"], case)
    size = recorded(premises.store)
    premises.requests.inform(premises.actors["secretaria"], case)
    assert facts_since(premises.store, size) == [
        Fact.DOCUMENT_PRINTED.value,
        Fact.CASE_STEP_DONE.value,
        Fact.CASE_CLOSED.value,
    ]
    with refused(premises, premises.actors["secretaria"], Reason.CASE_CLOSED, "P10.06", case=case):
        premises.requests.inform(premises.actors["secretaria"], case)


def finger_of(premises: Premises, person: Person, finger: int = 2) -> None:
    template = StoredTemplate(
        id=premises.new_id(),
        person=person.id,
        finger=finger,
        flag=1,
        format="zk-finger-10",
        device="lobby",
        nonce=b"n" * 12,
        ciphertext=b"sealed",
        digest="d",
        at=premises.now,
    )
    with premises.store.begin() as tx:
        tx.templates.add(template)
        tx.record(Fact.FINGER_ENROLLED, at=premises.now, actor=SYSTEM, person=person.id)
        tx.commit()


def test_cancelling_gives_the_card_back_and_leaves_nothing_chosen(premises: Premises) -> None:
    person = premises.person("Nora")
    case = premises.request(person)
    premises.configure(case)
    finger_of(premises, person)
    size = recorded(premises.store)
    premises.requests.cancel(premises.actors["secretaria"], case, why="Se arrepintió")
    assert facts_since(premises.store, size) == [
        Fact.CARD_RELEASED.value,
        Fact.CASE_CANCELLED.value,
        Fact.FINGER_ERASED.value,
    ]
    with premises.store.view() as tx:
        [card] = tx.cards.find()
        assert (card.state, card.holder, card.case) == (CardState.IN_STOCK, None, None)
        assert {grant.state for grant in tx.grants.find(case=case)} == {GrantState.ENDED}
        assert tx.templates.count() == 0
        assert tx.health.get("lobby").wanted_at == tx.cases.get(case).closed_at  # its slot goes at once
    for actor in ("secretaria", "jefe"):
        with refused(premises, premises.actors[actor], Reason.CASE_CLOSED, "P10.05", case=case):
            premises.requests.cancel(premises.actors[actor], case, why="otra vez")


def test_cancelling_keeps_the_fingers_that_a_live_card_or_another_request_stands_on(premises: Premises) -> None:
    _, person = premises.delivered()
    finger_of(premises, person)
    second = premises.request(person)
    premises.requests.cancel(premises.actors["secretaria"], second, why="Duplicada")
    with premises.store.view() as tx:
        assert tx.templates.count(person=person.id) == 1
    other = premises.person("Nora")
    finger_of(premises, other)
    first = premises.request(other)
    premises.configure(first, card=0x0184F07B)
    premises.requests.cancel(premises.actors["secretaria"], premises.request(other), why="Duplicada")
    with premises.store.view() as tx:
        assert tx.templates.count(person=other.id) == 1


def test_a_delivered_case_is_not_cancelled_but_ended_by_a_removal(premises: Premises) -> None:
    case, _ = premises.delivered()
    with refused(premises, premises.actors["secretaria"], Reason.CASE_CLOSED, "P10.05", case=case):
        premises.requests.cancel(premises.actors["secretaria"], case, why="tarde")


@pytest.mark.parametrize("who", ["recepcion", "tecnico", "auditor", "guardia"])
def test_who_may_not_cancel(premises: Premises, who: str) -> None:
    case = premises.request(premises.person("Nora"))
    with refused(premises, premises.actors[who], Reason.WRONG_ROLE, "P10.02", case=case):
        premises.requests.cancel(premises.actors[who], case, why="porque sí")
