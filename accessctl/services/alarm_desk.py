"""Alarms as procedure 3 wants them: raised once, counted when they repeat, taken, resolved, verified by another.

`raise_alarm` and `settle` work inside somebody's transaction, because an alarm belongs to the fact that raised it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accessctl.domain.alarms import ALARM_TRANSITIONS, OPEN, Alarm, AlarmEvent, AlarmKind, AlarmState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.machine import advance
from accessctl.domain.people import SYSTEM, Actor, Permission, clean_text
from accessctl.services.office import Office
from accessctl.services.store import Work

COMES_BACK = timedelta(minutes=10)  # what went away by itself and is back within this is the same alarm again
SAID_EVERY = timedelta(minutes=1)  # an alarm that repeats while it is open is counted always, and said so often


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alarm is about. `key` tells two alarms of one kind apart (a device, a door, a person)."""

    key: str
    device: str = ""
    door: str = ""
    person: str = ""
    detail: str = ""


def raise_alarm(tx: Work, office: Office, kind: AlarmKind, about: Subject, *, at: datetime) -> Alarm:
    """Raise, or count one more where the same alarm is open already: one alarm, not a thousand. Commits nothing.

    A flood of the same fills neither the record nor the page: while it is open it gives one entry in `SAID_EVERY`.
    """
    for alarm in tx.alarms.find(kind=kind, key=about.key, state=tuple(OPEN), limit=1):
        again = replace(alarm, count=alarm.count + 1)
        if at - (alarm.changed_at or alarm.raised_at) < SAID_EVERY:
            tx.alarms.count_again(alarm.id)
            return again
        again = replace(again, detail=about.detail or alarm.detail, changed_at=at)
        tx.alarms.save(again)
        data: dict[str, str | int | bool | None] = {"alarm": alarm.id, "kind": kind.value, "count": again.count}
        tx.record(
            Fact.ALARM_RAISED, at=at, actor=SYSTEM, device=about.device, door=about.door, person=about.person, data=data
        )
        return again
    for alarm in tx.alarms.find(kind=kind, key=about.key, state=AlarmState.RESOLVED, newest=True, limit=1):
        if alarm.changed_at is not None and at - alarm.changed_at < COMES_BACK:
            back = replace(alarm, state=AlarmState.RAISED, count=alarm.count + 1, detail=about.detail, changed_at=at)
            tx.alarms.save(back)
            data = {"alarm": alarm.id, "kind": kind.value, "count": back.count}
            tx.record(Fact.ALARM_REOPENED, at=at, actor=SYSTEM, device=about.device, door=about.door, data=data)
            return back
    alarm = Alarm(
        id=office.new_id(),
        kind=kind,
        key=about.key,
        state=AlarmState.RAISED,
        raised_at=at,
        device=about.device,
        door=about.door,
        person=about.person,
        detail=about.detail,
    )
    tx.alarms.add(alarm)
    data = {"alarm": alarm.id, "kind": kind.value, "detail": about.detail}
    tx.record(
        Fact.ALARM_RAISED, at=at, actor=SYSTEM, device=about.device, door=about.door, person=about.person, data=data
    )
    return alarm


def is_raised(tx: Work, kind: AlarmKind, key: str) -> bool:
    """Whether such an alarm is open."""
    return bool(tx.alarms.find(kind=kind, key=key, state=tuple(OPEN), limit=1))


def settle(tx: Work, kind: AlarmKind, key: str, *, cause: str, at: datetime) -> bool:
    """The cause went away by itself: resolve, for somebody to verify. True where there was one. Commits nothing."""
    found = tx.alarms.find(kind=kind, key=key, state=tuple(OPEN), limit=1)
    for alarm in found:
        tx.alarms.save(replace(alarm, state=AlarmState.RESOLVED, cause=cause, changed_at=at))
        data: dict[str, str | int | bool | None] = {"alarm": alarm.id, "kind": kind.value, "cause": cause}
        tx.record(Fact.ALARM_RESOLVED, at=at, actor=SYSTEM, device=alarm.device, door=alarm.door, data=data)
    return bool(found)


_FACTS = {
    AlarmEvent.ACKNOWLEDGE: Fact.ALARM_ACKNOWLEDGED,
    AlarmEvent.RESOLVE: Fact.ALARM_RESOLVED,
    AlarmEvent.REOPEN: Fact.ALARM_REOPENED,
    AlarmEvent.VERIFY: Fact.ALARM_VERIFIED,
}


class AlarmDesk:
    """What people do with alarms."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def find(self, *, open_only: bool = False, limit: int = 200) -> list[Alarm]:
        """Alarms, the newest first."""
        with self._office.store.view() as tx:
            if open_only:
                states = (AlarmState.RAISED, AlarmState.ACKNOWLEDGED, AlarmState.RESOLVED)
                return tx.alarms.find(state=states, limit=limit, newest=True)
            return tx.alarms.find(limit=limit, newest=True)

    def acknowledge(self, actor: Actor, alarm_id: str, *, comment: str) -> None:
        """P3: somebody takes it, with a comment."""
        self._happen(actor, alarm_id, AlarmEvent.ACKNOWLEDGE, comment=comment)

    def resolve(self, actor: Actor, alarm_id: str, *, cause: str) -> None:
        """P3: solved, with its cause; somebody else verifies."""
        self._happen(actor, alarm_id, AlarmEvent.RESOLVE, cause=cause)

    def reopen(self, actor: Actor, alarm_id: str, *, comment: str) -> None:
        """P3: not solved after all: back to assignment."""
        self._happen(actor, alarm_id, AlarmEvent.REOPEN, comment=comment)

    def verify(self, actor: Actor, alarm_id: str) -> None:
        """P3: another person verifies that it is solved; then it is closed."""
        self._happen(actor, alarm_id, AlarmEvent.VERIFY)

    def _happen(self, actor: Actor, alarm_id: str, event: AlarmEvent, *, comment: str = "", cause: str = "") -> None:
        self._office.require(actor, Permission.ALARMS_HANDLE, norm="P3.01")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            alarm = tx.alarms.get(alarm_id)
            state = advance(ALARM_TRANSITIONS, alarm.state, event, refusal=Reason.ALREADY_DONE, norm="P3.01")
            if event is AlarmEvent.VERIFY and alarm.handled_by == actor.account:
                raise AccessError(Reason.DUTIES_NOT_SEPARATED, "P3.01", one="handler", other="verifier")
            needs_comment = event in {AlarmEvent.ACKNOWLEDGE, AlarmEvent.REOPEN}
            after = replace(
                alarm,
                state=state,
                changed_at=now,
                handled_by=alarm.handled_by if event is AlarmEvent.VERIFY else actor.account,
                comment=clean_text(comment, field="comment", longest=500) if needs_comment else alarm.comment,
                cause=clean_text(cause, field="cause", longest=500) if event is AlarmEvent.RESOLVE else alarm.cause,
            )
            tx.alarms.save(after)
            data: dict[str, str | int | bool | None] = {"alarm": alarm.id, "kind": alarm.kind.value}
            data |= {"comment": after.comment} if needs_comment else {"cause": after.cause}
            tx.record(
                _FACTS[event], at=now, actor=actor, device=alarm.device, door=alarm.door, person=alarm.person, data=data
            )
            tx.commit()
