"""Erasing what is held on a person once it need not be held any more.

The record is never touched: names and documents stand in it as salted commitments, and what opens them is forgotten, so
that every proof and every old export verifies as before. In the tables the person becomes a number; texts that people
typed about them, scans, ink and templates are emptied (their digests stay in the record). Before the time is over, or
while something still runs (a card, a right, an account, a visit), it is refused. Erasing is an entry.

Exports that still lie in the panel are taken away, whosever they are: they can be made again. Copies that left the
house, exports and backups, are the institution's to find: the entries say which.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accessctl.domain.cards import CardState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, DocumentKind, IdentityDocument, Permission, Person, clean_text
from accessctl.domain.requests import GrantState
from accessctl.domain.visits import OPEN as OPEN_VISITS
from accessctl.services.office import Office
from accessctl.services.store import EventFilter, Work

NORM = "N10.2"
MOST = 10_000  # of anything of one person
WHY_LONGEST = 300
RUNNING_CARDS = (CardState.ENROLLED, CardState.ACTIVE, CardState.SUSPENDED)
OPENED_CARDS = (*RUNNING_CARDS, CardState.REVOKED)  # one that is revoked and not handed in is still owed (N10.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long after the last entry about them what identifies people is kept: staff, and visitors."""

    people: timedelta
    visitors: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was forgotten: openings of commitments, templates, texts, scans and signatures that were emptied, and the
    exports of the panel that were taken away.
    """

    openings: int
    templates: int
    emptied: int
    exports: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Somebody whose time is over."""

    person: Person
    last_at: datetime


class ErasureDesk:
    """Erases. `scrub` is the store's: no copy of what was erased stays in its files. `clear` takes away the exports
    that wait to be fetched, and says how many.
    """

    def __init__(
        self, office: Office, retention: Retention, scrub: Callable[[], None], clear: Callable[[], int]
    ) -> None:
        self._office = office
        self._retention = retention
        self._scrub = scrub
        self._clear = clear

    def due(self, actor: Actor, *, limit: int = 200) -> list[Due]:
        """Whose time is over and whom nothing holds, up to `limit`, by their number."""
        self._office.require(actor, Permission.ACCOUNTS_MANAGE, norm=NORM)
        found: list[Due] = []
        with self._office.store.view() as tx:
            now = self._office.clock()
            for person in tx.people.all():
                last_at = self._over(tx, person, now)
                if last_at is not None and not is_erased(person) and not _holds(tx, person):
                    found.append(Due(person=person, last_at=last_at))
                    if len(found) == limit:
                        break
        return found

    def erase(self, actor: Actor, person_id: str, *, why: str) -> Erased:
        """Forget who it was. Raises `AccessError`: not found, done already, not due yet, or something still runs."""
        self._office.require(actor, Permission.ACCOUNTS_MANAGE, norm=NORM)
        reason = clean_text(why, field="why", longest=WHY_LONGEST)
        with self._office.begin(actor) as tx:
            person, now = tx.people.get(person_id), self._office.clock()
            if is_erased(person):
                raise AccessError(Reason.ALREADY_DONE, NORM)
            if self._over(tx, person, now) is None:
                raise AccessError(Reason.NOT_AUTHORISED, NORM, needed="retention")
            if held := _holds(tx, person):
                raise AccessError(Reason.NOT_AUTHORISED, NORM, needed=held)
            openings = tx.ledger.erase_openings([person.id, *cases_about(tx, person)])
            templates = tx.templates.find(person=person.id, limit=MOST)
            for template in templates:
                tx.templates.delete(template.id)
            emptied = _empty(tx, person)
            tx.people.save(_nobody(person))
            data: dict[str, str | int | bool | None] = {
                "why": reason,
                "openings": openings,
                "templates": len(templates),
                "emptied": emptied,
            }
            tx.record(Fact.PERSON_ERASED, at=now, actor=actor, person=person.id, norm=NORM, data=data)
            tx.commit()
        self._scrub()
        exports = self._clear()  # after the commit: what is begun from now on names nobody
        return Erased(openings=openings, templates=len(templates), emptied=emptied, exports=exports)

    def _over(self, tx: Work, person: Person, now: datetime) -> datetime | None:
        """The last entry about them, where the time since then is over."""
        staff = tx.requests.count(beneficiary=person.id) or tx.accounts.count(person=person.id)
        keep = self._retention.people if staff else self._retention.visitors
        last = tx.events.rows(EventFilter(person=person.id), limit=1, newest=True)
        return last[0].at if last and now - last[0].at >= keep else None


def is_erased(person: Person) -> bool:
    """Whether the person is a number already."""
    return person.document == _nobody(person).document


def _nobody(person: Person) -> Person:
    """Who it was is gone; the number and the id stay, and hold the record together."""
    document = IdentityDocument(kind=DocumentKind.PASSPORT, number=f"ERASED-{person.number}")
    name = f"#{person.number}"
    return replace(person, full_name=name, document=document, email="", department="", position="", removed=True)


def _holds(tx: Work, person: Person) -> str:
    """What of the person still runs; empty where nothing does."""
    if tx.cards.count(holder=person.id, state=OPENED_CARDS):
        return "card"
    if tx.grants.count(person=person.id, state=tuple(state for state in GrantState if state is not GrantState.ENDED)):
        return "access"
    if tx.accounts.count(person=person.id, disabled_at=None):
        return "account"
    running = tuple(OPEN_VISITS)
    if tx.visits.count(visitor=person.id, state=running) or tx.visits.count(host=person.id, state=running):
        return "visit"
    if tx.visits.escorted_by(person.id, limit=1):
        return "visit"
    return "removal" if tx.removals.count(person=person.id, completed_at=None) else ""


def cases_about(tx: Work, person: Person) -> list[str]:
    """The cases that were about the person."""
    asked = [request.id for request in tx.requests.find(beneficiary=person.id, limit=MOST)]
    visited = [visit.case or visit.id for visit in tx.visits.find(visitor=person.id, limit=MOST)]
    return list(dict.fromkeys([*asked, *visited]))


def _empty(tx: Work, person: Person) -> int:
    """Empty what people typed, scanned and drew about the person; how many pieces."""
    return _empty_cases(tx, person) + _empty_own(tx, person)


def _empty_cases(tx: Work, person: Person) -> int:
    count = 0
    for request in tx.requests.find(beneficiary=person.id, limit=MOST):
        tx.requests.save(replace(request, justification="", waiver="", cancelled="#" if request.cancelled else ""))
        count += 1
    for removal in tx.removals.find(person=person.id, limit=MOST):
        tx.removals.save(replace(removal, reason=""))
        count += 1
    cases = cases_about(tx, person)
    nobody = f"#{person.number}"
    for visit in tx.visits.find(visitor=person.id, limit=MOST):
        gone = replace(visit, name=nobody, organisation="", document=None, vehicle="", purpose="", activities="")
        tx.visits.save(replace(gone, fortuitous=visit.fortuitous and "#", why=visit.why and "#"))
        count += 1
    for case in cases:
        for attachment in tx.attachments.find(case=case, limit=MOST):
            tx.attachments.save(replace(attachment, name=attachment.kind, content=b""))
            count += 1
    return count


def _empty_own(tx: Work, person: Person) -> int:
    count = 0
    for signature in tx.signatures.find(person=person.id, limit=MOST):
        tx.signatures.save(replace(signature, strokes=b"[]", document_shown=""))
        count += 1
    for alarm in tx.alarms.find(person=person.id, limit=MOST):
        tx.alarms.save(replace(alarm, detail="", comment="", cause=""))
        count += 1
    for account in tx.accounts.find(person=person.id, limit=MOST):
        for search in tx.saved_searches.find(account=account.id, limit=MOST):
            tx.saved_searches.delete(search.id)
        for attempt in tx.sign_in_tries.find(username=account.username, limit=MOST):
            tx.sign_in_tries.delete(attempt.id)
        tx.accounts.save(replace(account, username=f"erased-{person.number}-{count}", password_hash="!"))  # noqa: S106 -- no hash: nobody signs in with it
        count += 1
    return count
