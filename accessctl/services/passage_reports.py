"""Passages that a device decided alone, or kept in its buffer: judged again, and people followed to where they are.

The intake stores the event, once; then it asks here, inside its transaction. A door that opened though the rules say no
is a `policy_mismatch`; a visitor who went in without the escort is `escort_missing`. What happened before what is known
already moves nobody. Doors that ask the server were decided by `doorway` already and are not judged twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from accessctl.domain.admission import VisitShown, Way, decide_visit
from accessctl.domain.alarms import AlarmKind
from accessctl.domain.escorting import Escorting
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import LASTS
from accessctl.domain.places import Direction
from accessctl.domain.policy import LONGEST_CREDENTIAL, Decision, Shown, decide
from accessctl.domain.visitor_cards import VisitorCard
from accessctl.domain.visits import OPEN, Visit, VisitRules
from accessctl.services.alarm_desk import Subject, raise_alarm
from accessctl.services.intake import held_right_then
from accessctl.services.office import Office
from accessctl.services.passages import doubt, staff_entered, staff_left, visitor_entered, visitor_left
from accessctl.services.policy_source import PolicySource
from accessctl.services.store import EventFilter, Work
from accessctl.services.threshold import AtDoor, place, question_at
from accessctl.services.visit_work import companion


class PassageReports:
    """What devices report of passages."""

    def __init__(self, office: Office, policy: PolicySource, rules: VisitRules) -> None:
        self._office = office
        self._policy = policy
        self._rules = rules

    def reported(
        self, tx: Work, *, door: str, credential: str, direction: Direction, at: datetime, device: str, opened: bool
    ) -> Decision:
        """Judge again what a device decided alone, and follow who passed, inside the transaction that stores the event.

        The caller has stored the event, which was new. An opening that the rules refuse is a `policy_mismatch`. A
        visitor's counts as escorted where the escort entered by the same door within the pairing time.
        """
        shown = Shown(door=door, credential=credential, direction=direction)
        snapshot = self._policy.current()  # of what is committed: the caller has written already
        here = place(self._policy.site(), shown, at, device)
        cards = tx.visitor_cards.lives(credential) if len(credential) <= LONGEST_CREDENTIAL else []
        if cards:
            return self._visitor_reported(tx, here, visit_then(tx, cards, at), opened=opened)
        decision = decide(snapshot, shown, at)
        if opened and decision.person and here.zone:
            if here.leaving:
                staff_left(tx, self._office, here.passage(decision.person))
            else:
                staff_entered(tx, here.passage(decision.person))
        if opened and not decision.granted and not (decision.person and held_right_then(tx, decision.person, door, at)):
            self._mismatch(tx, here, decision)
        return decision

    def unread(self, tx: Work, *, door: str, at: datetime) -> None:
        """A door opened and nobody was read (exit button, forced, held open): presence in its zone is uncertain."""
        found = tx.doors.maybe(door)
        if found is not None:
            doubt(tx, door=door, zone=found.zone, at=at)

    def _visitor_reported(self, tx: Work, here: AtDoor, visit: Visit | None, *, opened: bool) -> Decision:
        question = question_at(tx, self._office, here, visit)
        escorted = visit is not None and self._had_company(tx, here, visit, question)
        if escorted:
            question = replace(question, escorting=Escorting.PRESENT)
        decision = decide_visit(visit, question, here.at)
        if not opened:
            return decision
        if not decision.granted and not (visit is not None and escorted and _stood_then(visit, here.at)):
            self._mismatch(tx, here, decision)
        if visit is not None and here.zone:
            passage = here.passage(visit.visitor, visit.id)
            if here.leaving:
                visitor_left(tx, visit, passage)
            else:
                visitor_entered(tx, self._office, visit, passage, with_escort=escorted)
        return decision

    def _had_company(self, tx: Work, here: AtDoor, visit: Visit, question: VisitShown) -> bool:
        """Into a data centre the escort at the door (N4.3); elsewhere the host inside (N10.6), now or at that time."""
        if question.way is not Way.PREMISES:
            return self._escort_came_along(tx, here, visit)
        return question.host_inside or _host_was_inside(tx, here, visit)

    def _escort_came_along(self, tx: Work, here: AtDoor, visit: Visit) -> bool:
        """Whether who was on duty then entered by the same door within the pairing time, as far as is known."""
        within = self._rules.pairing_time
        if not companion(tx, visit, self._rules).entitled and visit.state in OPEN:
            return False
        for duty in visit.escorts:
            if duty.since > here.at or (duty.until is not None and duty.until <= here.at):
                continue
            seen = tx.presence.maybe(duty.person)
            came = seen is not None and seen.door == here.shown.door and here.zones.is_within(seen.zone, here.zone)
            if came and seen is not None and abs(here.at - seen.seen_at) <= within:
                return True
            which = EventFilter(
                person=duty.person,
                doors=(here.shown.door,),
                since=here.at - within,
                until=here.at + within,
                events=(Fact.DOOR_GRANTED.value,),
            )
            if tx.events.rows(which, limit=1):
                return True
        return False

    def _mismatch(self, tx: Work, here: AtDoor, decision: Decision) -> None:
        about = Subject(
            key=f"{here.shown.door}/{decision.person or here.shown.credential[:64]}",
            device=here.device,
            door=here.shown.door,
            person=decision.person,
            detail=decision.reason.value if decision.reason else "",
        )
        raise_alarm(tx, self._office, AlarmKind.POLICY_MISMATCH, about, at=here.at)


def _stood_then(visit: Visit, at: datetime) -> bool:
    """Whether the visit admitted at `at`, for an event that arrives after it went on."""
    signed = visit.signed_at is not None and visit.signed_at <= at
    return signed and visit.valid_from <= at < min(visit.valid_until, visit.verified_at or visit.valid_until)


def _host_was_inside(tx: Work, here: AtDoor, visit: Visit) -> bool:
    """Whether who accompanied the visit then was inside: their last passage of the hours before was an entry."""
    for duty in visit.escorts:
        if duty.since > here.at or (duty.until is not None and duty.until <= here.at):
            continue
        which = EventFilter(
            person=duty.person,
            since=here.at - LASTS,
            until=here.at,
            events=(Fact.DOOR_GRANTED.value, Fact.DOOR_EXITED.value),
        )
        rows = tx.events.rows(which, limit=1, newest=True)
        if any(row.event == Fact.DOOR_GRANTED and here.zones.is_within(row.zone, here.zone) for row in rows):
            return True
    return False


def visit_then(tx: Work, cards: Sequence[VisitorCard], at: datetime) -> Visit | None:
    """The visit that had the card at `at`: by the time an event arrives, another visitor may have it."""
    for card in cards:
        for visit in tx.visits.find(card=card.id, newest=True, limit=500):
            given, back = visit.card_given_at, visit.card_back_at
            if given is not None and given <= at and (back is None or at < back):
                return visit
    return None
