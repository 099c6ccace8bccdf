"""What pages show of alarms: the list, the most urgent first, and one alarm with all that happened to it.

Read models only. The history is what the record says under the alarm's id: who, when, what, and in which words.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from accessctl.domain.accounts import Account
from accessctl.domain.alarms import ALERTS, CRITICAL, OPEN, UNCLOSED, UNTAKEN, Alarm, AlarmKind, Alert
from accessctl.domain.people import Actor, Permission, Person
from accessctl.record.canonical import Json, decode
from accessctl.services.office import Office
from accessctl.services.store import EventFilter, EventRow, Work

MOST = 500
MOST_HISTORY = 200


class Which(StrEnum):
    """Which alarms of the list."""

    OPEN = "open"  # not closed yet
    MINE = "mine"  # assigned to me, or taken by me
    ROLE = "role"  # of a role that I have
    ALL = "all"  # closed ones too


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLine:
    """One alarm in a list. `late`: nobody took it in time. `mine`: it waits for whoever asks, or is in their hands."""

    alarm: Alarm
    alert: Alert
    critical: bool
    late: bool
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMove:
    """One entry of an alarm's history. `said` is a comment, a cause or a detail; `to` the account that got it."""

    row: EventRow
    said: str
    to: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody to whom P3.04 can assign."""

    account: Account
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFile:
    """One alarm, whole. `candidates` is empty for whoever may not assign."""

    line: AlarmLine
    history: list[AlarmMove]
    candidates: list[Candidate]


class AlarmFiles:
    """Who looks at alarms."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def areas(self) -> list[str]:
        """Every area that alarms can be of."""
        return self._office.alarm_rules.areas()

    def listed(self, actor: Actor, which: Which = Which.OPEN, *, area: str = "") -> list[AlarmLine]:
        """Alarms in the order in which they want to be seen to: critical, then late, then as long as they stand."""
        self._office.require(actor, Permission.ALARMS_SEE, norm="P3.01")
        equal: dict[str, object] = {"area": area[:200]} if area else {}
        if which is not Which.ALL:
            equal["state"] = tuple(UNCLOSED)
        if which is Which.ROLE:
            equal["responsible"] = tuple(actor.roles)
        now = self._office.clock()
        with self._office.store.view() as tx:
            found = [
                one
                for kinds in (CRITICAL, frozenset(AlarmKind) - CRITICAL)  # no flood of others hides a critical one
                for one in tx.alarms.find(kind=tuple(kinds), limit=MOST, newest=True, **equal)
            ]
        lines = [self._line(one, actor, now) for one in found]
        if which is Which.MINE:
            lines = [line for line in lines if line.mine]
        return sorted(lines, key=_urgency)

    def waiting(self, actor: Actor) -> list[AlarmLine]:
        """Those that nobody has resolved, for the first page."""
        if not actor.may(Permission.ALARMS_SEE):
            return []
        return [line for line in self.listed(actor) if line.alarm.state in OPEN]

    def count(self, actor: Actor) -> int:
        """How many of these there are, for the head of every page."""
        if not actor.may(Permission.ALARMS_SEE):
            return 0
        with self._office.store.view() as tx:
            return tx.alarms.count(state=tuple(OPEN))

    def file(self, actor: Actor, alarm_id: str) -> AlarmFile:
        """One alarm with its history. Raises `AccessError(NOT_FOUND)`."""
        self._office.require(actor, Permission.ALARMS_SEE, norm="P3.01")
        now = self._office.clock()
        with self._office.store.view() as tx:
            alarm = tx.alarms.get(alarm_id)
            rows = tx.events.rows(EventFilter(case=alarm.id), limit=MOST_HISTORY, newest=True)
            return AlarmFile(
                line=self._line(alarm, actor, now),
                history=[_move(tx, row) for row in rows],
                candidates=_candidates(tx, alarm) if actor.may(Permission.ALARMS_ASSIGN) else [],
            )

    def _line(self, alarm: Alarm, actor: Actor, now: datetime) -> AlarmLine:
        return AlarmLine(
            alarm=alarm,
            alert=ALERTS[alarm.kind],
            critical=alarm.kind in CRITICAL,
            late=self._office.alarm_rules.is_late(alarm, now),
            mine=actor.account in {alarm.assigned_to, alarm.handled_by},
        )


def _urgency(line: AlarmLine) -> tuple[bool, bool, bool, bool, bool, float]:
    """Open ones by urgency and age; then what waits to be verified and what is closed, the newest first."""
    alarm = line.alarm
    at = alarm.raised_at.timestamp()
    if alarm.state not in OPEN:
        return True, alarm.state not in UNCLOSED, False, False, False, -at
    return False, False, not line.critical, not line.late, alarm.state not in UNTAKEN, at


def _move(tx: Work, row: EventRow) -> AlarmMove:
    entry = decode(next(data for _, data, _ in tx.ledger.entries(row.index, row.index + 1)))
    told = entry.get("data")
    data: dict[str, Json] = told if isinstance(told, dict) else {}
    count = data.get("count")
    said = next((str(data[key]) for key in ("comment", "cause", "detail") if data.get(key)), "")
    return AlarmMove(row=row, said=said, to=str(data.get("to") or ""), count=count if isinstance(count, int) else 1)


def _candidates(tx: Work, alarm: Alarm) -> list[Candidate]:
    holders = [one for one in tx.accounts.find(disabled_at=None, limit=2000) if alarm.responsible in one.roles]
    return [Candidate(account=one, person=tx.people.get(one.person)) for one in holders]
