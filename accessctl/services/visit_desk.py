"""Procedure 4 at its start: an entry is authorised (P4.01), or declared fortuitous (N4.2) and regularised afterwards.

The same desk serves visitors of the other premises (N10.5–6): no numbered case, and the host accompanies. Who enters
is registered and signs at the register's desk; what comes after the door is the escort's; visitor cards have their own.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import AUTHORITIES, Actor, Permission, clean_text
from accessctl.domain.places import ZoneClass
from accessctl.domain.procedures import DATA_CENTRE_ENTRY, open_case
from accessctl.domain.visits import (
    ESCORTS,
    Visit,
    VisitEvent,
    VisitRules,
    VisitState,
    check_window,
    relieved,
)
from accessctl.services.office import Office
from accessctl.services.store import Work
from accessctl.services.visit_work import check_authority, end_case, noted, short_text, step


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryForm:
    """P4.01: who, why, which window, which zone. `visitor` names somebody on file (own staff), else `name` does."""

    zone: str
    purpose: str
    valid_from: datetime
    valid_until: datetime
    name: str = ""
    organisation: str = ""
    visitor: str = ""
    host: str = ""
    department: str = ""


class VisitDesk:
    """From the authorisation to the signature."""

    def __init__(self, office: Office, rules: VisitRules) -> None:
        self._office = office
        self._rules = rules

    def authorise(self, actor: Actor, form: EntryForm) -> str:
        """P4.01: a head, director or the Subgerente authorises. Returns the visit's id."""
        self._office.require(actor, Permission.VISIT_AUTHORISE, norm="P4.01")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            actor.require(*AUTHORITIES, norm="P4.01")
            visit = self._opened(tx, actor, form, authority=actor.person, now=now)
            tx.visits.add(visit)
            step(tx, visit, 1, actor=actor, at=now)
            noted(tx, visit, Fact.VISIT_AUTHORISED, actor=actor, at=now, norm="P4.01", data=_window(visit))
            self._host_on_duty(tx, visit, actor, now)
            tx.commit()
        return visit.id

    def declare_fortuitous(self, actor: Actor, form: EntryForm, *, authority: str, reason: str) -> str:
        """N4.2: a technician lets somebody in whom the superior authority, named here, agreed to; to be regularised.

        P4.01 is then the named authority's, typed in by the technician: the step says both.
        """
        now = self._office.clock()
        why = clean_text(reason, field="reason", longest=500)
        with self._office.begin(actor) as tx:
            actor.require(*ESCORTS, norm="N4.2")
            if authority == actor.person:
                raise AccessError(Reason.DUTIES_NOT_SEPARATED, "N4.2", one="authoriser", other="registrar")
            check_authority(tx, authority, norm="N4.2")
            visit = replace(self._opened(tx, actor, form, authority=authority, now=now), fortuitous=why)
            tx.visits.add(visit)
            step(tx, visit, 1, actor=actor, at=now, person=authority, roles=AUTHORITIES)
            data = {**_window(visit), "authority": authority, "why": why}
            noted(tx, visit, Fact.VISIT_DECLARED_FORTUITOUS, actor=actor, at=now, norm="N4.2", data=data)
            self._host_on_duty(tx, visit, actor, now)
            tx.commit()
        return visit.id

    def regularise(self, actor: Actor, visit_id: str, *, comment: str) -> None:
        """N4.2: the authority who was named confirms afterwards, in their own name."""
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = tx.visits.get(visit_id)
            actor.require(*AUTHORITIES, norm="N4.2")
            if actor.person != visit.authority:
                raise AccessError(Reason.NOT_AUTHORISED, "N4.2", missing="authority")
            if not visit.awaits_regularisation:
                raise AccessError(Reason.ALREADY_DONE, "N4.2")
            said = clean_text(comment, field="comment", longest=500)
            regular = replace(visit, regularised_at=now, regularised_by=actor.account)
            noted(tx, regular, Fact.VISIT_REGULARISED, actor=actor, at=now, norm="N4.2", data={"comment": said})
            tx.commit()

    def cancel(self, actor: Actor, visit_id: str, *, why: str) -> None:
        """A visit that will not take place. Whoever is inside leaves first, and is verified."""
        self._office.require(actor, Permission.VISIT_AUTHORISE, Permission.VISIT_FOLLOW, norm="P4.01")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = tx.visits.get(visit_id).happened(VisitEvent.CANCEL)
            reason = clean_text(why, field="why", longest=500)
            ended = replace(end_case(tx, visit, actor=actor, at=now, why=reason), why=reason)
            noted(tx, ended, Fact.VISIT_CANCELLED, actor=actor, at=now, norm="P4.01", data={"why": reason})
            tx.commit()

    def _opened(self, tx: Work, actor: Actor, form: EntryForm, *, authority: str, now: datetime) -> Visit:
        zone = tx.zones.get(form.zone)
        if zone.retired:
            raise AccessError(Reason.NOT_FOUND, "P4.01", field="zone")
        check_window(form.valid_from, form.valid_until, now=now, rules=self._rules)
        visitor = tx.people.get(form.visitor) if form.visitor else None
        if visitor is not None and visitor.id == authority:
            raise AccessError(Reason.DUTIES_NOT_SEPARATED, "P4.01", one="authoriser", other="visitor")
        data_centre = zone.zone_class is ZoneClass.DATA_CENTRE
        host = tx.people.get(form.host) if form.host else None
        if host is None and not data_centre:
            raise AccessError(Reason.FORM_INCOMPLETE, "N10.6", missing="host")
        if host is not None and (host.removed or host.id == form.visitor):
            raise AccessError(Reason.FORM_INCOMPLETE, "N10.6", missing="host")
        visit_id = self._office.new_id()
        if data_centre:
            tx.cases.add(open_case(DATA_CENTRE_ENTRY, case_id=visit_id, at=now, parts={}))
        department = host.department if host else tx.people.get(authority).department
        return Visit(
            id=visit_id,
            number=tx.visits.next_number(),
            zone=zone.id,
            zone_class=zone.zone_class,
            state=VisitState.AUTHORISED,
            valid_from=form.valid_from,
            valid_until=form.valid_until,
            name=visitor.full_name if visitor else clean_text(form.name, field="name", longest=200),
            organisation=short_text(form.organisation or (visitor.department if visitor else ""), "organisation"),
            purpose=clean_text(form.purpose, field="purpose", longest=1000),
            department=short_text(form.department, "department", empty=True) or department,
            authority=authority,
            authorised_at=now,
            authorised_by=actor.account,
            case=visit_id if data_centre else "",
            visitor=form.visitor,
            host=form.host,
        )

    def _host_on_duty(self, tx: Work, visit: Visit, actor: Actor, now: datetime) -> None:
        """N10.6: in the other premises it is the host who accompanies, from the start."""
        if not visit.in_data_centre:
            on_duty = relieved(visit, visit.host, at=now, recorded_by=actor.account)
            data = {"escort": visit.host}
            noted(tx, on_duty, Fact.VISIT_ESCORT_ASSIGNED, actor=actor, at=now, norm="N10.6", data=data)


def _window(visit: Visit) -> dict[str, str | int | bool | None]:
    return {"from": visit.valid_from.isoformat(), "until": visit.valid_until.isoformat(), "host": visit.host}
