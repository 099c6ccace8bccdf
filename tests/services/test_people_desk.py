"""The people's file: who may write in it, what is refused, and that names enter the record as commitments only."""

import pytest

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Person
from accessctl.services.people_desk import PeopleDesk, checked_email
from accessctl.services.store import EventFilter
from tests.services.premises import Premises
from tests.services.refusing import facts_since, recorded, refused
from tests.services.test_request_desk import finger_of

FORM = {
    "full_name": "María José  Ñandú",
    "document_kind": "dpi",
    "document_number": "2000 00004 0101",
    "email": "mj@igss.example",
    "department": "Análisis",
    "position": "Analista",
}
CORRECTED = {key: FORM[key] for key in ("full_name", "email", "department", "position")}
LONG_NAME = "María José 🙂" + "x" * 188  # 200 characters


@pytest.fixture
def desk(premises: Premises) -> PeopleDesk:
    return PeopleDesk(premises.office)


def nora(premises: Premises, desk: PeopleDesk, **changes: str) -> Person:
    return desk.register(premises.actors["recepcion"], **(FORM | changes))


def test_a_person_is_registered_once_with_a_number_of_their_own(premises: Premises, desk: PeopleDesk) -> None:
    person = nora(premises, desk)
    assert (person.full_name, person.document.number) == ("María José Ñandú", "2000000040101")
    other = nora(premises, desk, document_kind="pasaporte", document_number="AB1")
    assert other.number == person.number + 1
    reception = premises.actors["recepcion"]
    with refused(premises, reception, Reason.ALREADY_EXISTS, "N10.2"):
        nora(premises, desk, document_number="2000-000040101")


@pytest.mark.parametrize("who", ["secretaria", "tecnico", "jefe", "auditor", "guardia"])
def test_only_reception_writes_in_the_file(premises: Premises, desk: PeopleDesk, who: str) -> None:
    person, actor = premises.person("Nora"), premises.actors[who]
    with refused(premises, actor, Reason.WRONG_ROLE, "N10.2"):
        desk.register(actor, **FORM)
    with refused(premises, actor, Reason.WRONG_ROLE, "N10.2"):
        desk.correct(actor, person.id, **CORRECTED)


@pytest.mark.parametrize(
    ("field", "text", "reason", "norm"),
    [
        ("full_name", LONG_NAME, Reason.TEXT_INVALID, ""),
        ("full_name", "", Reason.TEXT_INVALID, ""),
        ("full_name", "a\x00b", Reason.TEXT_INVALID, ""),
        ("full_name", "\u202eabc", Reason.TEXT_INVALID, ""),
        ("full_name", "x" * 1_000_000, Reason.TEXT_INVALID, ""),
        ("document_kind", "cedula", Reason.DOCUMENT_INVALID, ""),
        ("document_number", "2000000050101", Reason.DOCUMENT_INVALID, ""),
        ("document_number", "1' OR '1'='1", Reason.DOCUMENT_INVALID, ""),
        ("email", "nobody", Reason.TEXT_INVALID, "P10.01"),
        ("email", "a@b@c.d", Reason.TEXT_INVALID, "P10.01"),
        ("department", "x" * 121, Reason.TEXT_INVALID, ""),
        ("position", "\x1b[2J", Reason.TEXT_INVALID, ""),
    ],
)
def test_what_is_wrong_is_refused_never_cut(
    premises: Premises, desk: PeopleDesk, field: str, text: str, reason: Reason, norm: str
) -> None:
    with refused(premises, premises.actors["recepcion"], reason, norm):
        nora(premises, desk, **{field: text})


@pytest.mark.parametrize(
    "name", ["1' OR '1'='1", "x';DROP TABLE people", "<svg onload=1>", "$(touch x)", "=cmd|x", "%"]
)
def test_a_hostile_name_is_only_a_name(premises: Premises, desk: PeopleDesk, name: str) -> None:
    person = nora(premises, desk, full_name=name)
    assert desk.get(person.id).full_name == name
    assert person.id in {found.id for found in desk.find(name)}
    assert len(desk.find("%")) == (1 if name == "%" else 0)
    assert desk.find("zzz' OR '1'='1") == []


def test_names_and_documents_are_in_the_record_as_commitments_only(premises: Premises, desk: PeopleDesk) -> None:
    person = nora(premises, desk)
    desk.correct(premises.actors["recepcion"], person.id, **(CORRECTED | {"full_name": "María Ñandú"}))
    with premises.store.view() as tx:
        entries = [data for row, data in tx.events.stream(EventFilter(person=person.id))]
    assert len(entries) == 2
    for data in entries:
        assert "Ñandú".encode() not in data
        assert b"2000000040101" not in data


def test_a_correction_leaves_number_and_document(premises: Premises, desk: PeopleDesk) -> None:
    person, size = nora(premises, desk), recorded(premises.store)
    changed = desk.correct(premises.actors["recepcion"], person.id, **(CORRECTED | {"full_name": "Ñandú Pérez"}))
    assert (changed.number, changed.document) == (person.number, person.document)
    assert facts_since(premises.store, size) == [Fact.PERSON_CORRECTED.value]
    with refused(premises, premises.actors["recepcion"], Reason.NOT_FOUND, ""):
        desk.correct(premises.actors["recepcion"], "nobody", **CORRECTED)
    with refused(premises, premises.actors["recepcion"], Reason.TEXT_INVALID, ""):
        desk.correct(premises.actors["recepcion"], person.id, **(CORRECTED | {"full_name": LONG_NAME}))


def test_people_are_found_by_name_document_and_number(premises: Premises, desk: PeopleDesk) -> None:
    person = nora(premises, desk)
    for text in ("nandu", "JOSÉ maría", str(person.number), "2000-00004-0101"):
        assert [found.id for found in desk.find(text)] == [person.id]
    assert desk.find("", limit=1) == [person]
    assert desk.find("\x00") == []


def test_the_file_holds_everything_but_a_template(premises: Premises, desk: PeopleDesk) -> None:
    case, person = premises.delivered()
    finger_of(premises, person, 3)
    found = desk.file(person.id)
    assert [request.id for request in found.requests] == [case]
    assert (len(found.cards), len(found.grants) >= 2, found.fingers, found.removals) == (1, True, (3,), [])
    assert "sealed" not in repr(found)
    assert {row.person for row in found.events} == {person.id}
    with pytest.raises(AccessError, match="not_found"):
        desk.file("nobody")


@pytest.mark.parametrize("email", ["", "a@b.c", "ana.lopez@igss.gob.gt"])
def test_an_address_is_empty_or_has_both_sides(email: str) -> None:
    assert checked_email(email) == email
