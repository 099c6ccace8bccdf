"""A credential was shown at a door that asks: decide, record, move people, raise what is wrong. START READING HERE.

One transaction holds the decision and everything that follows from it; only after its commit does the caller command
the lock. Staff are decided by the compiled policy (`domain.policy`), third parties by their visit (`domain.admission`):
a visitor's credential opens a data-centre entry only together with the escort's, within the pairing time, in either
order (`domain.escorting`). What the zone asks (lockdown, limit, anti-passback) comes from `domain.occupancy`.

The policy is never queried for: its snapshot is brought up to the newest entry inside the transaction. Of visits and
presence a handful of rows are read by key. Pairing is kept in memory, one `Doorway` for each process: what a restart
loses is a door that stays shut for twenty seconds. Leaving is never refused.
"""

from dataclasses import replace
from datetime import datetime

from accessctl.domain.admission import VisitShown, Way, decide_visit, standing
from accessctl.domain.alarms import AlarmKind
from accessctl.domain.errors import Reason
from accessctl.domain.escorting import Escorting, Pairing, cardholder_shown, visitor_shown
from accessctl.domain.occupancy import REASONS, Obstacle
from accessctl.domain.places import Direction
from accessctl.domain.policy import Decision, Factor, Shown, Snapshot, decide
from accessctl.domain.visitor_cards import VisitorCard
from accessctl.domain.visits import Visit, VisitRules
from accessctl.ports import NotRecorded
from accessctl.services.alarm_desk import Subject, raise_alarm
from accessctl.services.office import Office
from accessctl.services.passages import staff_entered, staff_left, visitor_entered, visitor_left
from accessctl.services.policy_source import PolicySource
from accessctl.services.store import Work
from accessctl.services.threshold import (
    AtDoor,
    obstacle_at,
    place,
    question_at,
    record_decision,
    visit_of,
    visitor_card,
)
from accessctl.services.visit_work import companion

_COMPANY = {
    Escorting.NOT_ENTITLED: (Reason.ESCORT_NOT_ENTITLED, "N4.3"),
    Escorting.TOO_MANY: (Reason.ESCORT_RATIO, "N4.3"),
}


class Doorway:
    """Doors that ask the server before they open. One for each process; safe to share between threads."""

    def __init__(self, office: Office, policy: PolicySource, rules: VisitRules) -> None:
        self._office = office
        self._policy = policy
        self._rules = rules
        self._pairings: dict[str, Pairing] = {}  # by door; changed only while the write transaction is held

    def shown(
        self,
        *,
        door: str,
        credential: str,
        direction: Direction,
        at: datetime,
        device: str,
        factor: Factor = Factor.CARD,
    ) -> Decision:
        """Decide and record. `credential` is a card's `family_key` or `pin:<number>`; open where `granted`.

        Raises `NotRecorded` where only the commit failed: what to do with the decision is the caller's to say.
        """
        shown = Shown(door=door, credential=credential, direction=direction, factor=factor)
        with self._office.store.begin() as tx:
            snapshot = self._policy.as_of(tx)  # before anything is written
            here = place(self._policy.site(), shown, at, device)
            card = visitor_card(tx, credential)
            pairing = self._pairings.get(door, Pairing())
            if card is not None:
                decision, pairing = self._visitor(tx, here, card, pairing)
            else:
                decision, pairing = self._cardholder(tx, here, pairing, snapshot)
            try:
                tx.commit()
            except Exception as failure:
                raise NotRecorded(decision) from failure
            self._remember(door, pairing)
            if here.leaving:  # whoever left is at no door any more, whatever they showed before
                for other, kept in list(self._pairings.items()):
                    self._remember(other, kept.without(decision.person))
        return decision

    def _remember(self, door: str, pairing: Pairing) -> None:
        if pairing.is_empty:
            self._pairings.pop(door, None)
        else:
            self._pairings[door] = pairing

    # -- staff ---------------------------------------------------------------------------------------------------

    def _cardholder(self, tx: Work, here: AtDoor, pairing: Pairing, snapshot: Snapshot) -> tuple[Decision, Pairing]:
        """Somebody on their own right; at a data-centre entry, perhaps with visitors who wait for them."""
        decision = decide(snapshot, here.shown, here.at)
        if here.leaving and here.data_centre and decision.person:
            decision = self._entry_known(tx, here, decision)
        if here.leaving or not here.zone:
            record_decision(tx, self._office, here, decision)
            if here.leaving and decision.person and here.zone:
                staff_left(tx, self._office, here.passage(decision.person))
            return decision, pairing
        admitted: tuple[str, ...] = ()
        waiting: dict[str, Visit] = {}
        after = pairing
        if decision.granted and here.data_centre:
            waiting = self._waiting(tx, here, pairing)
            companions = {key: companion(tx, visit, self._rules) for key, visit in waiting.items()}
            after, company, admitted = cardholder_shown(
                pairing, decision.person, companions, at=here.at, within=self._rules.pairing_time
            )
            if company is not Escorting.PRESENT:
                decision = _refused(decision, *_COMPANY[company])
        if decision.granted:
            decision = self._zone_allows(tx, here, decision, company=len(admitted))
        record_decision(tx, self._office, here, decision)
        if not decision.granted:
            return decision, after if decision.reason in {Reason.ESCORT_NOT_ENTITLED, Reason.ESCORT_RATIO} else pairing
        staff_entered(tx, here.passage(decision.person))
        for key in admitted:
            self._admit(tx, here, waiting[key])
        return decision, after

    def _entry_known(self, tx: Work, here: AtDoor, decision: Decision) -> Decision:
        """Who leaves a data centre was inside; of whom no entry is known, that is noted and alarmed, and they go."""
        presence = tx.presence.maybe(decision.person)
        if presence is not None and here.zones.is_within(presence.zone, here.zone):
            return decision
        key = f"{here.shown.door}/{decision.person}"
        about = Subject(
            key=key, device=here.device, door=here.shown.door, person=decision.person, detail="exit_without_entry"
        )
        raise_alarm(tx, self._office, AlarmKind.POLICY_MISMATCH, about, at=here.at)
        if decision.exception is not None:
            return decision
        return decision._replace(exception=Reason.ANTI_PASSBACK, norm="N10.1")

    def _waiting(self, tx: Work, here: AtDoor, pairing: Pairing) -> dict[str, Visit]:
        """The visits that wait at the door, as far as everything else is still right with them."""
        recent = pairing.recent(here.at, self._rules.pairing_time)
        visits = (tx.visits.get(key) for key in recent.visits)
        question = VisitShown(credential="", direction=Direction.IN, way=Way.DATA_CENTRE)
        return {visit.id: visit for visit in visits if standing(visit, question, here.at) is None}

    def _admit(self, tx: Work, here: AtDoor, visit: Visit) -> None:
        """A visitor who waited goes in with the escort who has just opened."""
        key = tx.visitor_cards.get(visit.card).number.family_key if visit.card else ""
        record_decision(tx, self._office, here, Decision(granted=True, person=visit.visitor, card=key), visit=visit)
        passage = here.passage(visit.visitor, visit.id, key)
        visitor_entered(tx, self._office, visit, passage, with_escort=True)

    def _zone_allows(self, tx: Work, here: AtDoor, decision: Decision, *, company: int) -> Decision:
        found = obstacle_at(tx, self._office, here, decision.person, company=company)
        if found is None:
            return decision
        reason, norm = REASONS[found]
        if found is Obstacle.INSIDE_ALREADY_SOFT:
            return decision._replace(exception=reason, norm=norm)
        return _refused(decision, reason, norm)

    # -- third parties -------------------------------------------------------------------------------------------

    def _visitor(self, tx: Work, here: AtDoor, card: VisitorCard, pairing: Pairing) -> tuple[Decision, Pairing]:
        """A card of the visitors' pool: it counts for the visit that it was given for, and for nothing else."""
        visit = visit_of(tx, card)
        question = question_at(tx, self._office, here, visit)
        if (
            visit is not None
            and question.way is Way.DATA_CENTRE
            and not here.leaving
            and standing(visit, question, here.at) is None
        ):
            who = companion(tx, visit, self._rules)
            pairing, escorting = visitor_shown(pairing, visit.id, who, at=here.at, within=self._rules.pairing_time)
            question = replace(question, escorting=escorting)
        decision = decide_visit(visit, question, here.at)
        if here.leaving and here.data_centre and decision.person:
            decision = self._entry_known(tx, here, decision)
        record_decision(tx, self._office, here, decision, visit=visit)
        if visit is None or not here.zone:
            return decision, pairing
        passage = here.passage(visit.visitor, visit.id)
        if here.leaving:
            visitor_left(tx, visit, passage)
        elif decision.granted:
            visitor_entered(tx, self._office, visit, passage, with_escort=True)
        return decision, pairing


def _refused(decision: Decision, reason: Reason, norm: str) -> Decision:
    return decision._replace(granted=False, reason=reason, norm=norm, exception=None)
