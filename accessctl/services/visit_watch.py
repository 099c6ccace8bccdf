"""The round over open visits: what lapsed, who overstays, who is without company, what nobody verified.

Called every few seconds. Nothing is closed silently: an authorisation that was not used lapses; a visit that was inside
stays open and alarms, and only long after its window, without anybody's word, ends as `no_verificada`. That stays in
the report, and keeps its alarm.
"""

from dataclasses import replace
from datetime import datetime

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.schedules import local
from accessctl.domain.visits import ENTERED, NEVER_CAME, Visit, VisitEvent, VisitRules, VisitState
from accessctl.services.alarm_desk import Subject, is_raised, raise_alarm
from accessctl.services.office import Office
from accessctl.services.passages import zone_map
from accessctl.services.store import Work
from accessctl.services.visit_work import end_case, noted

ROUND = 2000


class VisitWatch:
    """What is done about visits as time passes."""

    def __init__(self, office: Office, rules: VisitRules) -> None:
        self._office = office
        self._rules = rules

    def sweep(self) -> int:
        """One round. Returns how many visits something was said of."""
        now = self._office.clock()
        with self._office.store.view() as tx:
            found = [visit.id for visit in self._open(tx) if self._findings(tx, visit, now)]
        if not found:
            return 0
        said = 0
        with self._office.store.begin() as tx:
            for visit_id in found:
                visit = tx.visits.get(visit_id)
                findings = self._findings(tx, visit, now)  # again: a desk may have been faster
                said += bool(findings)
                for finding in findings:
                    self._say(tx, tx.visits.get(visit_id), finding, now)
            if said:
                tx.commit()
        return said

    def _open(self, tx: Work) -> list[Visit]:
        return tx.visits.find(state=(*NEVER_CAME, *ENTERED), limit=ROUND)

    def _findings(self, tx: Work, visit: Visit, now: datetime) -> list[AlarmKind | VisitEvent]:
        late = now >= visit.valid_until + self._rules.grace
        if visit.state in NEVER_CAME:
            if not late:
                return []
            return [VisitEvent.EXPIRE if visit.state is VisitState.AUTHORISED else VisitEvent.MISS]
        found: list[AlarmKind | VisitEvent] = []
        over = late or local(now).date() > local(visit.entered_at or visit.valid_from).date()
        if over and not is_raised(tx, AlarmKind.VISIT_OVERSTAY, visit.id):
            found.append(AlarmKind.VISIT_OVERSTAY)
        if visit.state is VisitState.INSIDE and visit.third_party:
            company = AlarmKind.ESCORT_MISSING if visit.in_data_centre else AlarmKind.HOST_LEFT
            alarmed = is_raised(tx, company, visit.id) or is_raised(tx, AlarmKind.ESCORT_LEFT_FIRST, visit.id)
            if not alarmed and not self._has_company(tx, visit):
                found.append(company)
        if now >= visit.valid_until + self._rules.unverified_after:
            found.append(VisitEvent.GIVE_UP)
        return found

    def _has_company(self, tx: Work, visit: Visit) -> bool:
        """Whether whoever accompanies is inside the visit's zone, as far as is known."""
        presence = tx.presence.maybe(visit.escort) if visit.escort else None
        return presence is not None and zone_map(tx).is_within(presence.zone, visit.zone)

    def _say(self, tx: Work, visit: Visit, finding: AlarmKind | VisitEvent, now: datetime) -> None:
        if isinstance(finding, AlarmKind):
            about = Subject(key=visit.id, person=visit.visitor, detail=f"visita {visit.number}")
            raise_alarm(tx, self._office, finding, about, at=now)
            return
        after = visit.happened(finding)
        gave_up = finding is VisitEvent.GIVE_UP
        norm = visit.norm("P4.07" if gave_up else "P4.01")
        ended = end_case(tx, after, actor=SYSTEM, at=now, why=norm)
        ended = replace(ended, why=VisitState.UNVERIFIED.value if gave_up else after.state.value)
        fact = Fact.VISIT_UNVERIFIED if gave_up else Fact.VISIT_ENDED
        noted(tx, ended, fact, actor=SYSTEM, at=now, norm=norm, data={"state": after.state.value})
