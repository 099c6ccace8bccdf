"""The people's file: registered, corrected, found. Names and documents enter the record as commitments only."""

from dataclasses import dataclass, replace

from accessctl.domain.cards import Card
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, IdentityDocument, Permission, Person, clean_text
from accessctl.domain.requests import AccessGrant, AccessRequest, Removal
from accessctl.services.office import Office
from accessctl.services.store import EventFilter, EventRow, Work

NAME_LONGEST = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFile:
    """Everything that is held on one person, for their page."""

    person: Person
    cards: list[Card]
    grants: list[AccessGrant]
    requests: list[AccessRequest]
    removals: list[Removal]
    fingers: tuple[int, ...]  # which fingers have a template; never the template
    events: list[EventRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonForm:
    """What somebody typed about a person who is not on file yet."""

    full_name: str
    document_kind: str
    document_number: str
    email: str
    department: str
    position: str


class PeopleDesk:
    """Registering and finding people."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def register(
        self,
        actor: Actor,
        *,
        full_name: str,
        document_kind: str,
        document_number: str,
        email: str,
        department: str,
        position: str,
    ) -> Person:
        """A new person on file. Refuses a document that somebody on file already has."""
        form = PersonForm(
            full_name=full_name,
            document_kind=document_kind,
            document_number=document_number,
            email=email,
            department=department,
            position=position,
        )
        self._office.require(actor, Permission.PEOPLE_EDIT, norm="N10.2")
        with self._office.begin(actor) as tx:
            if on_file(tx, form) is not None:
                raise AccessError(Reason.ALREADY_EXISTS, "N10.2", field="document_number")
            person = put_on_file(tx, self._office, actor, form)
            tx.commit()
        return person

    def correct(
        self, actor: Actor, person_id: str, *, full_name: str, email: str, department: str, position: str
    ) -> Person:
        """Correct what was typed; the document and the number stay."""
        self._office.require(actor, Permission.PEOPLE_EDIT, norm="N10.2")
        with self._office.begin(actor) as tx:
            person = replace(
                tx.people.get(person_id),
                full_name=clean_text(full_name, field="full_name", longest=NAME_LONGEST),
                email=checked_email(email),
                department=clean_text(department, field="department", longest=120),
                position=clean_text(position, field="position", longest=120),
            )
            tx.people.save(person)
            tx.record(Fact.PERSON_CORRECTED, at=self._office.clock(), actor=actor, person=person.id, norm="N10.2")
            tx.commit()
        return person

    def find(self, text: str, *, limit: int = 50) -> list[Person]:
        """By name, document or number; the newest where the text is empty."""
        with self._office.store.view() as tx:
            if not text.strip():
                return tx.people.find(limit=limit, newest=True)
            return tx.people.search(text[:120], limit=limit)

    def get(self, person_id: str) -> Person:
        """Raises `AccessError(NOT_FOUND)`."""
        with self._office.store.view() as tx:
            return tx.people.get(person_id)

    def file(self, person_id: str) -> PersonFile:
        """The person with everything held on them; fingers as numbers only."""
        with self._office.store.view() as tx:
            return PersonFile(
                person=tx.people.get(person_id),
                cards=tx.cards.find(holder=person_id),
                grants=tx.grants.find(person=person_id),
                requests=tx.requests.find(beneficiary=person_id, newest=True),
                removals=tx.removals.find(person=person_id, newest=True),
                fingers=tuple(sorted(template.finger for template in tx.templates.find(person=person_id, limit=10))),
                events=tx.events.rows(EventFilter(person=person_id), limit=50, newest=True),
            )


def on_file(tx: Work, form: PersonForm) -> Person | None:
    """Whoever has this document. Raises `AccessError(DOCUMENT_INVALID)`."""
    document = IdentityDocument.parse(form.document_kind, form.document_number)
    found = tx.people.find(document_number=document.number, document_kind=document.kind.value, limit=1)
    return found[0] if found else None


def put_on_file(tx: Work, office: Office, actor: Actor, form: PersonForm) -> Person:
    """Register a person inside somebody's transaction. Commits nothing."""
    person = Person(
        id=office.new_id(),
        number=tx.people.next_number(),
        full_name=clean_text(form.full_name, field="full_name", longest=NAME_LONGEST),
        document=IdentityDocument.parse(form.document_kind, form.document_number),
        email=checked_email(form.email),
        department=clean_text(form.department, field="department", longest=120),
        position=clean_text(form.position, field="position", longest=120),
    )
    tx.people.add(person)
    tx.record(
        Fact.PERSON_REGISTERED,
        at=office.clock(),
        actor=actor,
        person=person.id,
        norm="N10.2",
        data={"number": person.number, "department": person.department},
        personal={"document": f"{person.document.kind.value}:{person.document.number}"},
    )
    return person


def checked_email(email: str) -> str:
    """Empty, or one `@` with something on both sides; no white space. Delivery is the only real check."""
    text = clean_text(email, field="email", longest=200, empty=True)
    local, at, domain = text.partition("@")
    if text and (not local or not at or "@" in domain or "." not in domain or " " in text):
        raise AccessError(Reason.TEXT_INVALID, "P10.01", field="email", longest=200)
    return text
