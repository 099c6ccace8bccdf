"""Procedure 3 under random hands: whatever people, devices and clocks do, what must hold of an alarm holds.

Every act is tried by somebody who may and by somebody who may not; a refusal changes nothing (that is tested beside).
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from accessctl.domain.alarms import ALARM_TRANSITIONS, UNTAKEN, Alarm, AlarmEvent, AlarmKind, AlarmState
from accessctl.domain.errors import AccessError
from accessctl.domain.facts import Fact
from accessctl.domain.people import Role
from accessctl.services.alarm_desk import COMES_BACK, AlarmDesk, Subject, raise_alarm, settle
from accessctl.services.alarm_files import AlarmFiles
from accessctl.services.store import EventFilter
from tests.services.premises import Premises
from tests.services.test_request_desk import hire
from tests.stores import sqlite_store

KIND, KEY = AlarmKind.DOOR_FORCED, "sub-1"
HANDS = ("tecnico", "jefe", "guardia", "auditor", "otro", "doble")
who = st.sampled_from(HANDS)
AFTER = {Fact.ALARM_ASSIGNED: AlarmEvent.ASSIGN, Fact.ALARM_VERIFIED: AlarmEvent.VERIFY}


class Hands(RuleBasedStateMachine):
    """One door; two technicians, one of whom has a second account as a head, a head, a guard, an auditor."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.premises = Premises(sqlite_store(Path(self.folder.name) / "p3.db"))
        self.desk, self.files = AlarmDesk(self.premises.office), AlarmFiles(self.premises.office)
        self.actors = dict(self.premises.actors)
        self.seen: dict[str, AlarmState] = {}

    @initialize()
    def people(self) -> None:
        self.actors["otro"] = hire(self.premises, "Tirso", Role.TECNICO_INFRA)
        self.actors["doble"] = hire(self.premises, "Doble", Role.JEFE, person=self.actors["tecnico"].person)

    def alarm(self) -> Alarm | None:
        with self.premises.store.view() as tx:
            found = tx.alarms.find(kind=KIND, key=KEY, newest=True, limit=1)
        return found[0] if found else None

    def attempt(self, act: Callable[[str], None]) -> bool:
        alarm = self.alarm()
        if alarm is None:
            return False
        try:
            act(alarm.id)
        except AccessError:
            return False
        return True

    @rule()
    def rings(self) -> None:
        with self.premises.store.begin() as tx:
            raise_alarm(tx, self.premises.office, KIND, Subject(key=KEY, door=KEY), at=self.premises.now)
            tx.commit()

    @rule()
    def goes_away(self) -> None:
        with self.premises.store.begin() as tx:
            if settle(tx, KIND, KEY, cause="closed", at=self.premises.now):
                tx.commit()

    @rule(minutes=st.sampled_from([0, 2, 6, COMES_BACK // timedelta(minutes=1) + 1]))
    def time_passes(self, minutes: int) -> None:
        self.premises.now += timedelta(minutes=minutes)

    @rule(by=who, to=who)
    def assigns(self, by: str, to: str) -> None:
        technician = self.actors[to]
        if self.attempt(lambda alarm: self.desk.assign(self.actors[by], alarm, technician=technician.account)):
            assert by in {"jefe", "doble"}
            assert to in {"tecnico", "otro"}

    @rule(by=who)
    def takes(self, by: str) -> None:
        before = self.alarm()
        if self.attempt(lambda alarm: self.desk.acknowledge(self.actors[by], alarm, comment="Voy")):
            assert by != "auditor"
            assert before is not None
            assert before.assigned_to in {"", self.actors[by].account}

    @rule(by=who)
    def resolves(self, by: str) -> None:
        before = self.alarm()
        if self.attempt(lambda alarm: self.desk.resolve(self.actors[by], alarm, cause="Viento")):
            assert before is not None
            assert before.handled_by == self.actors[by].account

    @rule(by=who)
    def reopens(self, by: str) -> None:
        if self.attempt(lambda alarm: self.desk.reopen(self.actors[by], alarm, comment="Sigue")):
            assert by not in {"guardia", "auditor"}

    @rule(by=who)
    def verifies(self, by: str) -> None:
        before = self.alarm()
        if self.attempt(lambda alarm: self.desk.verify(self.actors[by], alarm)):
            assert before is not None
            hands = {one for one in (before.assigned_to, before.handled_by) if one}
            persons = {actor.person for actor in self.actors.values() if actor.account in hands}
            assert self.actors[by].person not in persons
            assert by not in {"guardia", "auditor"}

    @invariant()
    def every_step_is_in_the_table_and_nothing_leaves_verified(self) -> None:
        with self.premises.store.view() as tx:
            alarms = tx.alarms.find(limit=100)
        assert len([one for one in alarms if one.state in UNTAKEN or one.state is AlarmState.ACKNOWLEDGED]) <= 1
        for alarm in alarms:
            before = self.seen.get(alarm.id, AlarmState.RAISED)
            after = {state for (start, _), state in ALARM_TRANSITIONS.items() if start is before} | {before}
            assert alarm.state in after, (before, alarm.state)
            self.seen[alarm.id] = alarm.state

    @invariant()
    def the_state_names_whoever_has_it(self) -> None:
        alarm = self.alarm()
        if alarm is None:
            return
        assert (alarm.state is AlarmState.ACKNOWLEDGED) <= bool(alarm.handled_by)
        assert (alarm.state is AlarmState.ASSIGNED) <= bool(alarm.assigned_to)
        if alarm.state is AlarmState.RAISED:
            assert (alarm.assigned_to, alarm.handled_by) == ("", "")
        assert alarm.waiting_since >= alarm.raised_at

    @invariant()
    def the_record_tells_the_same_story(self) -> None:
        alarm = self.alarm()
        if alarm is None:
            return
        with self.premises.store.view() as tx:
            rows = tx.events.rows(EventFilter(case=alarm.id, events=tuple(fact.value for fact in AFTER)), limit=1000)
        closed = [row for row in rows if row.event == Fact.ALARM_VERIFIED.value]
        assert len(closed) == (alarm.state is AlarmState.VERIFIED)
        file = self.files.file(self.actors["auditor"], alarm.id)
        assert file.history[-1].row.event == Fact.ALARM_RAISED.value

    def teardown(self) -> None:
        self.premises.store.close()
        self.folder.cleanup()


TestHands = Hands.TestCase
TestHands.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
