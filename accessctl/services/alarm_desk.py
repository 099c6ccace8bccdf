"""Alarms as procedure 3 wants them: raised once, counted when they repeat, assigned, resolved, verified by another.

`raise_alarm` and `settle` work inside somebody's transaction, because an alarm belongs to the fact that raised it.
Every entry about an alarm bears its id as its `case`: its history is read from the record, not kept beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accessctl.domain.alarms import ALARM_TRANSITIONS, ALERTS, OPEN, UNCLOSED, Alarm, AlarmEvent, AlarmKind, AlarmState
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


_Data = dict[str, str | int | bool | None]


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
        _note(tx, Fact.ALARM_RAISED, again, at=at, data={"count": again.count})
        return again
    for alarm in tx.alarms.find(kind=kind, key=about.key, state=AlarmState.RESOLVED, newest=True, limit=1):
        if alarm.changed_at is not None and at - alarm.changed_at < COMES_BACK:
            back = replace(_unassigned(alarm, at), count=alarm.count + 1, detail=about.detail)
            tx.alarms.save(back)
            _note(tx, Fact.ALARM_REOPENED, back, at=at, data={"count": back.count})
            return back
    area, responsible = office.alarm_rules.competence(kind)
    alarm = Alarm(
        id=office.new_id(),
        kind=kind,
        key=about.key,
        state=AlarmState.RAISED,
        raised_at=at,
        area=area,
        responsible=responsible,
        waiting_since=at,
        device=about.device,
        door=about.door,
        person=about.person,
        detail=about.detail,
    )
    tx.alarms.add(alarm)
    data: _Data = {"detail": about.detail, "alert": ALERTS[kind].type.value, "responsible": responsible.value}
    _note(tx, Fact.ALARM_RAISED, alarm, at=at, data=data)
    return alarm


def _unassigned(alarm: Alarm, at: datetime) -> Alarm:
    """Back to P3.03: nobody has it."""
    state = advance(ALARM_TRANSITIONS, alarm.state, AlarmEvent.REOPEN, refusal=Reason.ALREADY_DONE, norm="P3.07")
    return replace(alarm, state=state, assigned_to="", handled_by="", waiting_since=at, changed_at=at)


def _note(
    tx: Work, fact: Fact, alarm: Alarm, *, at: datetime, data: _Data, actor: Actor = SYSTEM, norm: str = ""
) -> None:
    tx.record(
        fact,
        at=at,
        actor=actor,
        norm=norm,
        case=alarm.id,
        device=alarm.device,
        door=alarm.door,
        person=alarm.person,
        data={"alarm": alarm.id, "kind": alarm.kind.value, **data},
    )


def is_raised(tx: Work, kind: AlarmKind, key: str) -> bool:
    """Whether such an alarm is open."""
    return bool(tx.alarms.find(kind=kind, key=key, state=tuple(OPEN), limit=1))


def settle(tx: Work, kind: AlarmKind, key: str, *, cause: str, at: datetime) -> bool:
    """The cause went away by itself: resolve, for somebody to verify. True where there was one. Commits nothing."""
    found = tx.alarms.find(kind=kind, key=key, state=tuple(OPEN), limit=1)
    for alarm in found:
        state = advance(ALARM_TRANSITIONS, alarm.state, AlarmEvent.SETTLE, refusal=Reason.ALREADY_DONE)
        after = replace(alarm, state=state, cause=cause, changed_at=at)
        tx.alarms.save(after)
        _note(tx, Fact.ALARM_RESOLVED, after, at=at, data={"cause": cause})
    return bool(found)


@dataclass(frozen=True, slots=True)
class _Act:
    """What a verb of the desk is: the step of P3 that it does, the permission that it asks for, its fact."""

    norm: str
    permission: Permission
    fact: Fact


_ACTS = {
    AlarmEvent.ASSIGN: _Act("P3.04", Permission.ALARMS_ASSIGN, Fact.ALARM_ASSIGNED),
    AlarmEvent.ACKNOWLEDGE: _Act("P3.05", Permission.ALARMS_TAKE, Fact.ALARM_ACKNOWLEDGED),
    AlarmEvent.RESOLVE: _Act("P3.05", Permission.ALARMS_TAKE, Fact.ALARM_RESOLVED),
    AlarmEvent.REOPEN: _Act("P3.07", Permission.ALARMS_HANDLE, Fact.ALARM_REOPENED),
    AlarmEvent.VERIFY: _Act("P3.07", Permission.ALARMS_HANDLE, Fact.ALARM_VERIFIED),
}

_Change = Callable[[Work, Alarm, datetime], tuple[Alarm, _Data]]


class AlarmDesk:
    """What people do with alarms."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def find(self, *, open_only: bool = False, limit: int = 200) -> list[Alarm]:
        """Alarms, the newest first."""
        with self._office.store.view() as tx:
            if open_only:
                return tx.alarms.find(state=tuple(UNCLOSED), limit=limit, newest=True)
            return tx.alarms.find(limit=limit, newest=True)

    def assign(self, actor: Actor, alarm_id: str, *, technician: str) -> None:
        """P3.04: a head gives it to a technician (an account) of the role that is responsible for it."""

        def change(tx: Work, alarm: Alarm, now: datetime) -> tuple[Alarm, _Data]:
            account = tx.accounts.get(technician)
            if account.disabled_at is not None or alarm.responsible not in account.roles:
                raise AccessError(Reason.WRONG_ROLE, "P3.04", needed=alarm.responsible.value)
            if alarm.state is AlarmState.ASSIGNED and alarm.assigned_to == account.id:
                raise AccessError(Reason.ALREADY_DONE, "P3.04")
            since = now if alarm.handled_by else alarm.waiting_since
            after = replace(alarm, assigned_to=account.id, handled_by="", waiting_since=since)
            return after, {"to": account.id, "area": alarm.area, "responsible": alarm.responsible.value}

        self._happen(actor, alarm_id, AlarmEvent.ASSIGN, change)

    def acknowledge(self, actor: Actor, alarm_id: str, *, comment: str) -> None:
        """P3.05 begins: whoever it was assigned to takes it; while nobody is named, whoever is there."""

        def change(_: Work, alarm: Alarm, __: datetime) -> tuple[Alarm, _Data]:
            if alarm.state is AlarmState.ASSIGNED and alarm.assigned_to != actor.account:
                raise AccessError(Reason.NOT_ASSIGNED_TO_YOU, "P3.05")
            said = clean_text(comment, field="comment", longest=500)
            return replace(alarm, handled_by=actor.account, comment=said), {"comment": said}

        self._happen(actor, alarm_id, AlarmEvent.ACKNOWLEDGE, change)

    def resolve(self, actor: Actor, alarm_id: str, *, cause: str) -> None:
        """P3.05: whoever took it says that it is solved, with its cause; somebody else verifies."""

        def change(_: Work, alarm: Alarm, __: datetime) -> tuple[Alarm, _Data]:
            if alarm.handled_by != actor.account:
                raise AccessError(Reason.NOT_ASSIGNED_TO_YOU, "P3.05")
            found = clean_text(cause, field="cause", longest=500)
            return replace(alarm, cause=found), {"cause": found}

        self._happen(actor, alarm_id, AlarmEvent.RESOLVE, change)

    def reopen(self, actor: Actor, alarm_id: str, *, comment: str) -> None:
        """P3.07, no: not solved after all, back to assignment."""

        def change(_: Work, alarm: Alarm, now: datetime) -> tuple[Alarm, _Data]:
            said = clean_text(comment, field="comment", longest=500)
            return replace(_unassigned(alarm, now), comment=said), {"comment": said}

        self._happen(actor, alarm_id, AlarmEvent.REOPEN, change)

    def verify(self, actor: Actor, alarm_id: str) -> None:
        """P3.07, yes, and P3.08: another person verifies that it is solved; then it is closed."""

        def change(tx: Work, alarm: Alarm, _: datetime) -> tuple[Alarm, _Data]:
            hands = [tx.accounts.get(one) for one in (alarm.assigned_to, alarm.handled_by) if one]
            if actor.account in {one.id for one in hands} or actor.person in {one.person for one in hands}:
                raise AccessError(Reason.DUTIES_NOT_SEPARATED, "P3.07", one="handler", other="verifier")
            return alarm, {"cause": alarm.cause}

        self._happen(actor, alarm_id, AlarmEvent.VERIFY, change)

    def _happen(self, actor: Actor, alarm_id: str, event: AlarmEvent, change: _Change) -> None:
        act = _ACTS[event]
        self._office.require(actor, act.permission, norm=act.norm)
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            alarm = tx.alarms.get(alarm_id)
            state = advance(ALARM_TRANSITIONS, alarm.state, event, refusal=Reason.ALREADY_DONE, norm=act.norm)
            changed, data = change(tx, alarm, now)
            after = replace(changed, state=state, changed_at=now)
            tx.alarms.save(after)
            _note(tx, act.fact, after, at=now, data=data, actor=actor, norm=act.norm)
            tx.commit()
