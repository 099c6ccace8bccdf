"""The visit inside and on its way out: hand-over, activities (P4.06), the escort's word (P4.07), the exit (P4.08).

The reader's event, the escort's word and the register's line are three facts, and none is made from another. What only
paper saw (power or network gone) is typed in afterwards, with its folio.
"""

from dataclasses import replace
from datetime import datetime

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission, Role, clean_text
from accessctl.domain.visitor_cards import VisitorCardState
from accessctl.domain.visits import (
    ESCORTS,
    Equipment,
    EquipmentDifference,
    Visit,
    VisitEvent,
    VisitRules,
    VisitState,
    equipment_difference,
    off_duty,
    relieved,
)
from accessctl.services.alarm_desk import settle
from accessctl.services.office import Office
from accessctl.services.passages import Passage, moved, zone_map
from accessctl.services.store import Work
from accessctl.services.visit_register_desk import clean_equipment
from accessctl.services.visit_work import Data, companion, may_escort, noted, step, waiting_step

OF_COMPANY = (AlarmKind.ESCORT_LEFT_FIRST, AlarmKind.ESCORT_MISSING, AlarmKind.HOST_LEFT)


class EscortDesk:
    """What whoever accompanies does."""

    def __init__(self, office: Office, rules: VisitRules) -> None:
        self._office = office
        self._rules = rules

    def hand_over(self, actor: Actor, visit_id: str, *, to: str) -> None:
        """Another takes over. Into the data centre: a technician (N4.3) with room for one more, inside if it is."""
        self._office.require(actor, Permission.VISIT_FOLLOW, Permission.VISIT_ATTEND, norm="N4.3")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            before = tx.visits.get(visit_id)
            visit = relieved(before, to, at=now, recorded_by=actor.account)
            norm = self._check_relief(tx, actor, visit)
            fact = Fact.VISIT_ESCORT_RELIEVED if before.escort else Fact.VISIT_ESCORT_ASSIGNED
            noted(tx, visit, fact, actor=actor, at=now, norm=norm, data={"from": before.escort, "escort": to})
            for kind in OF_COMPANY:
                settle(tx, kind, visit.id, cause=norm, at=now)
            tx.commit()

    def note_work(self, actor: Actor, visit_id: str, *, activities: str) -> None:
        """P4.06: what was done, as whoever entered says; taken down by the technician."""
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = tx.visits.get(visit_id)
            self._check_follows(tx, actor, visit, "P4.06")
            if visit.state not in {VisitState.INSIDE, VisitState.OUTSIDE}:
                raise AccessError(Reason.STEP_OUT_OF_ORDER, visit.norm("P4.06"), missing_step=visit.norm("P4.05"))
            self._noted_work(tx, actor, visit, activities, now)
            tx.commit()

    def verify_exit(
        self, actor: Actor, visit_id: str, *, taken: tuple[Equipment, ...] = (), activities: str = ""
    ) -> EquipmentDifference:
        """P4.07: whoever accompanies has seen the person leave, and the equipment that leaves with them (N4.4)."""
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = tx.visits.get(visit_id)
            after = visit.after(VisitEvent.VERIFY_EXIT)
            self._check_follows(tx, actor, visit, "P4.07")
            if waiting_step(tx, visit) == 5:  # no door of ours saw escort and visitor together: it is the escort's word
                step(tx, visit, 5, actor=actor, at=now)
            if waiting_step(tx, visit) == 6 or (activities and not visit.activities):
                visit = self._noted_work(tx, actor, visit, activities, now)
            pieces = clean_equipment(taken)
            difference = equipment_difference(visit.brought, pieces)
            step(tx, visit, 7, actor=actor, at=now)
            visit = replace(visit, state=after, taken=pieces, verified_at=now, verified_by=actor.account)
            data: Data = {
                "taken": len(pieces),
                "stays": len(difference.stays),
                "unknown": len(difference.unknown),
                "reader": visit.left_at is not None,
            }
            noted(tx, visit, Fact.VISIT_EXIT_VERIFIED, actor=actor, at=now, norm="P4.07", data=data)
            self._gone(tx, visit, now)
            tx.commit()
        return difference

    def record_exit(self, actor: Actor, visit_id: str, *, at: datetime | None = None) -> None:
        """P4.08: the line of the register; the visit closes. `at` is the time on the line, now where none is given.

        The visitor card is back by then, or reported missing.
        """
        self._office.require(actor, Permission.VISIT_ATTEND, Permission.VISIT_FOLLOW, norm="P4.08")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = tx.visits.get(visit_id).happened(VisitEvent.RECORD_EXIT)
            left_at = at or now
            if left_at > now or (visit.entered_at is not None and left_at < visit.entered_at):
                raise AccessError(Reason.FORM_INCOMPLETE, visit.norm("P4.08"), missing="exited_at")
            if visit.card and tx.visitor_cards.get(visit.card).state is VisitorCardState.GIVEN:
                raise AccessError(Reason.FORM_INCOMPLETE, visit.norm("P4.08"), missing="visitor_card")
            step(tx, visit, 8, actor=actor, at=now)
            closed = replace(visit, exited_at=left_at, exit_recorded_at=now, exit_recorded_by=actor.account)
            closed = off_duty(closed, at=now)
            data: Data = {"exited_at": left_at.isoformat(), "reader": visit.left_at is not None}
            noted(tx, closed, Fact.VISIT_EXIT_RECORDED, actor=actor, at=now, norm="P4.08", data=data)
            self._gone(tx, closed, now)
            tx.commit()

    def record_entry(self, actor: Actor, visit_id: str, *, at: datetime, folio: str) -> None:
        """N4.1: an entry that only the contingency sheet saw, typed in afterwards with the sheet's folio."""
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = tx.visits.get(visit_id)
            if visit.in_data_centre:
                actor.require(*ESCORTS, norm="N4.1")
            self._check_follows(tx, actor, visit, "P4.05")
            event = VisitEvent.ENTER_WITH_ESCORT if visit.third_party else VisitEvent.ENTER_ALONE
            visit = visit.happened(event)
            if not visit.authorised_at <= at <= now:
                raise AccessError(Reason.FORM_INCOMPLETE, visit.norm("P4.05"), missing="entered_at")
            if not folio.strip():
                raise AccessError(Reason.FORM_INCOMPLETE, "N4.1", missing="folio")
            sheet = clean_text(folio, field="folio", longest=40)
            if visit.third_party and waiting_step(tx, visit) == 5:
                step(tx, visit, 5, actor=actor, at=now)
            visit = replace(visit, entered_at=visit.entered_at or at, entered_by=actor.account, folio=sheet)
            data: Data = {"entered_at": at.isoformat(), "folio": sheet, "typed_in_afterwards": True}
            noted(tx, visit, Fact.VISIT_ENTERED, actor=actor, at=now, norm="P4.05", data=data)
            moved(tx, Passage(person=visit.visitor, door="", zone=visit.zone, entering=True, at=at, visit=visit.id))
            tx.commit()

    def _check_relief(self, tx: Work, actor: Actor, visit: Visit) -> str:
        """The norm of the hand-over, where the person who takes over may."""
        if not visit.in_data_centre:
            self._check_department(tx, actor, visit)
            relief = tx.people.get(visit.escort)
            if relief.removed or relief.department != visit.department:
                raise AccessError(Reason.ESCORT_NOT_ENTITLED, "N10.5")
            return "N10.5"
        actor.require(*ESCORTS, norm="N4.3")
        if not may_escort(tx, visit.escort):
            raise AccessError(Reason.ESCORT_NOT_ENTITLED, "N4.3")
        who = companion(tx, visit, self._rules)
        if who.visitors >= who.most:
            raise AccessError(Reason.ESCORT_RATIO, "N4.3", most=who.most)
        presence = tx.presence.maybe(visit.escort)
        zones = zone_map(tx)
        if visit.state is VisitState.INSIDE and not (presence and zones.is_within(presence.zone, visit.zone)):
            raise AccessError(Reason.ESCORT_MISSING, "N4.3")
        return "N4.3"

    def _check_follows(self, tx: Work, actor: Actor, visit: Visit, norm: str) -> None:
        """Whoever accompanies answers for the visit (N4.4); elsewhere the department does (N10.5)."""
        if not visit.in_data_centre:
            self._check_department(tx, actor, visit)
            return
        actor.require(*ESCORTS, norm=norm)
        if visit.third_party and actor.person != visit.escort:
            raise AccessError(Reason.NOT_ASSIGNED_TO_YOU, norm)

    def _check_department(self, tx: Work, actor: Actor, visit: Visit) -> None:
        if actor.person != visit.escort and tx.people.get(actor.person).department != visit.department:
            raise AccessError(Reason.NOT_ASSIGNED_TO_YOU, "N10.5")

    def _noted_work(self, tx: Work, actor: Actor, visit: Visit, activities: str, now: datetime) -> Visit:
        if not activities.strip():
            raise AccessError(Reason.FORM_INCOMPLETE, visit.norm("P4.06"), missing="activities")
        visit = replace(visit, activities=clean_text(activities, field="activities", longest=1500))
        if waiting_step(tx, visit) == 5:
            step(tx, visit, 5, actor=actor, at=now)
        if waiting_step(tx, visit) == 6:
            step(tx, visit, 6, actor=actor, at=now, person=visit.visitor, roles=frozenset({Role.USUARIO}))
        noted(tx, visit, Fact.VISIT_WORK_NOTED, actor=actor, at=now, norm="P4.06")
        return visit

    def _gone(self, tx: Work, visit: Visit, now: datetime) -> None:
        """Somebody says that the visitor has left: they are not inside, and nothing about their company is open."""
        presence = tx.presence.maybe(visit.visitor) if visit.visitor else None
        zones = zone_map(tx)
        if presence is not None and presence.visit == visit.id and zones.is_within(presence.zone, visit.zone):
            moved(tx, Passage(person=visit.visitor, door="", zone=visit.zone, entering=False, at=now, visit=visit.id))
        for kind in (*OF_COMPANY, AlarmKind.VISIT_OVERSTAY):
            if kind is not AlarmKind.VISIT_OVERSTAY or visit.state is VisitState.CLOSED:
                settle(tx, kind, visit.id, cause=visit.norm("P4.07"), at=now)
