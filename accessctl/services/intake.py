"""Events of terminals that decide alone, on their way into the record: normalised, judged again, stored once.

The terminal's log is the truth: each of its records is identified by the device, the log's epoch, its place in the log
and a digest of its bytes, so that reading it twice stores it once. What the terminal granted is judged again by the
policy that was in force at that moment; a door that opened when the policy said no is an alarm (`policy_mismatch`).
Refusals never reach the log of such a terminal; they are heard live, and stored under a number of their own.

The mark of how far the log was read moves in the same transaction as the events, so a crash loses and doubles nothing.

A terminal's clock counts whole seconds and may be some seconds off: what it stamps T happened about then, and is in
order where the policy would have opened at the first or at the last moment that this can mean.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.devices import DeviceHealth
from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import LASTS
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device, Direction
from accessctl.domain.policy import Decision, Factor, Shown, Snapshot, decide
from accessctl.domain.schedules import GUATEMALA
from accessctl.ports import LiveEvent, LiveKind, LogMark, LogPart, LogRecord
from accessctl.services.alarm_desk import Subject, raise_alarm
from accessctl.services.hindsight import Hindsight, held_right_then
from accessctl.services.office import Office
from accessctl.services.passages import Passage, staff_entered, staff_left
from accessctl.services.policy_source import PolicySource
from accessctl.services.store import DeviceEvent, EventFilter, Work

__all__ = ["DOUBTFUL", "Intake", "Placed", "held_right_then", "placed"]

DOUBTFUL = timedelta(seconds=60)  # a clock further off than this is not believed
SECOND = timedelta(seconds=1)  # what terminals' clocks count in, and as exactly as we can measure one
INSTANT = timedelta(microseconds=1)
BATCH = 2000
_FACTORS = {0: Factor.PASSWORD, 1: Factor.FINGER, 2: Factor.CARD, 15: Factor.FACE}
_LIVE_FACTS = {
    LiveKind.UNLOCKED: Fact.DOOR_UNLOCKED,
    LiveKind.EXIT_BUTTON: Fact.EXIT_BUTTON,
    LiveKind.DOOR_OPENED: Fact.DOOR_OPENED,
    LiveKind.DOOR_CLOSED: Fact.DOOR_CLOSED,
    LiveKind.FORCED: Fact.DOOR_FORCED,
}
_LIVE_ALARMS = {
    LiveKind.TAMPER: AlarmKind.TAMPER,
    LiveKind.FORCED: AlarmKind.DOOR_FORCED,
    LiveKind.DURESS: AlarmKind.DURESS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a device stands: its door and zone as the record names them."""

    device: Device
    door: str
    zone: str


class _Mismatch(NamedTuple):
    """A door that opened though the policy said no, and when that was at the latest."""

    event: DeviceEvent
    decision: Decision
    last: datetime


class Intake:
    """The way of terminals' events into the record."""

    def __init__(self, office: Office, policy: PolicySource) -> None:
        self._office = office
        self._policy = policy

    def mark(self, device: str) -> LogMark | None:
        """How far this device's log was read."""
        with self._office.store.view() as tx:
            health = tx.health.maybe(device)
        if health is None or not health.log_record_size:  # never read
            return None
        return LogMark(
            epoch=health.log_epoch,
            count=health.log_count,
            window=health.log_window,
            digest=health.log_digest,
            record_size=health.log_record_size,
        )

    def log_read(self, device: Device, part: LogPart, *, skew_s: int) -> int:
        """Store what a read of the log brought. Returns how many entries were new."""
        stored = 0
        records = list(part.records)
        mark = self.mark(device.id)
        # The numbers of a new epoch hold for this read only: it is stored whole, or read again.
        size = BATCH if mark is None or mark.epoch == part.mark.epoch else max(len(records), 1)
        for start in range(0, max(len(records), 1), size):
            snapshot = self._policy.current()
            received = self._office.clock()
            with self._office.store.begin() as tx:
                where, hindsight = placed(tx, device), Hindsight(tx)
                events = []
                mismatches: list[_Mismatch] = []
                for record in records[start : start + size]:
                    event, mismatch = self._judged(
                        where, part.mark.epoch, record, received, skew_s, snapshot, hindsight
                    )
                    events.append(event)
                    if mismatch is not None:
                        mismatches.append(mismatch)
                new = set(tx.events.store(events)) if events else set()
                stored += len(new)
                if new:
                    self._mismatched(tx, where, mismatches, received)
                    self._followed(tx, where, events, received)
                if start + size >= len(records):
                    if part.epoch_changed:
                        self._gap(tx, device, received)
                    self._move_mark(tx, device.id, part.mark)
                tx.commit()
        return stored

    def _followed(self, tx: Work, where: Placed, events: Sequence[DeviceEvent], received: datetime) -> None:
        """Put those who passed where they are now (N10.6 asks who is inside): of each, their newest event."""
        newest: dict[str, DeviceEvent] = {}
        for event in events:
            recent = event.person and received - event.at <= LASTS
            if recent and (event.person not in newest or newest[event.person].at <= event.at):
                newest[event.person] = event
        for person, event in newest.items() if where.zone else ():
            passage = Passage(
                person=person,
                door=where.door,
                zone=where.zone,
                entering=where.device.direction is Direction.IN,
                at=event.at,
                device=where.device.id,
                credential=event.credential,
            )
            if passage.entering:
                staff_entered(tx, passage)
            else:
                staff_left(tx, self._office, passage)

    def heard(self, device: Device, events: Sequence[LiveEvent], *, session: str, first: int, skew_s: int) -> None:
        """Store live events that the log does not have. `session` and `first` number them for good."""
        received = self._office.clock()
        snapshot = self._policy.current()
        with self._office.store.begin() as tx:
            where = placed(tx, device)
            for number, event in enumerate(events, start=first):
                at = _moment(event.at, skew_s, received)
                identity = f"{device.id}:live:{session}:{number}"
                row = DeviceEvent(
                    identity=identity,
                    fact=_LIVE_FACTS.get(event.kind, Fact.DEVICE_EVENT),
                    at=at,
                    received_at=received,
                    device=device.id,
                    door=where.door,
                    zone=where.zone,
                    device_time=event.at.isoformat() if event.at else "",
                    skew_s=skew_s,
                    data={"kind": event.kind.value},
                )
                if event.kind is LiveKind.REFUSED:
                    row = self._refusal(tx, row, event, where, partial(decide, snapshot, at=at))
                tx.events.store([row])
                if kind := _LIVE_ALARMS.get(event.kind):
                    about = Subject(key=where.door or device.id, device=device.id, door=where.door, person=row.person)
                    raise_alarm(tx, self._office, kind, about, at=received)
            tx.commit()

    def _judged(
        self,
        where: Placed,
        epoch: int,
        record: LogRecord,
        received: datetime,
        skew_s: int,
        snapshot: Snapshot,
        hindsight: Hindsight,
    ) -> tuple[DeviceEvent, "_Mismatch | None"]:
        at = _moment(record.at, skew_s, received)
        shown = Shown(
            door=where.door,
            credential=f"pin:{record.user_id}",
            direction=where.device.direction,
            factor=_FACTORS.get(record.verify, Factor.CARD),
        )
        first, last = _between(at, skew_s, received)
        decision = hindsight.judge(snapshot, shown, first, last)
        digest = hashlib.sha256(record.raw).hexdigest()[:16]
        leaving = where.device.direction is Direction.OUT
        wrong = decision.reason or decision.exception
        event = DeviceEvent(
            identity=f"{where.device.id}:{epoch}:{record.sequence}:{digest}",
            fact=Fact.DOOR_EXITED if leaving else Fact.DOOR_GRANTED,
            at=at,
            received_at=received,
            device=where.device.id,
            door=where.door,
            zone=where.zone,
            direction=where.device.direction.value,
            reason=wrong.value if wrong else "",
            norm=decision.norm,
            person=decision.person,
            credential=shown.credential,
            device_time=record.at.isoformat() if record.at else "",
            skew_s=skew_s,
            data={"factor": shown.factor.value, "sequence": record.sequence},
        )
        return event, None if decision.granted else _Mismatch(event, decision, last)

    def _mismatched(self, tx: Work, where: Placed, found: Sequence["_Mismatch"], received: datetime) -> None:
        """Raise that doors opened for somebody whom the policy refused: once for each person of a batch.

        What a terminal had in its log before this record began was under nobody's policy, and is kept without alarm.
        """
        if not found:
            return
        begun = tx.events.rows(EventFilter(), limit=1)[0].at
        seen: set[str] = set()
        for event, decision, last in found:
            key = event.person or event.credential
            if key in seen or last < begun:
                continue
            seen.add(key)
            about = Subject(
                key=f"{where.door}/{key}",
                device=where.device.id,
                door=where.door,
                person=event.person,
                detail=decision.reason.value if decision.reason else "",
            )
            raise_alarm(tx, self._office, AlarmKind.POLICY_MISMATCH, about, at=received)

    def _refusal(
        self,
        tx: Work,
        row: DeviceEvent,
        event: LiveEvent,
        where: Placed,
        judge: Callable[[Shown], Decision],
    ) -> DeviceEvent:
        """A refusal that was heard, with our reason for it; `device_refused` where we would have opened."""
        user_id = event.user_id
        if user_id is None and event.uid is not None:
            held = tx.held_users.find(device=where.device.id, uid=event.uid, limit=1)
            user_id = held[0].user_id if held else None
        credential = f"pin:{user_id}" if user_id else ""
        refused = replace(row, fact=Fact.DOOR_REFUSED, direction=where.device.direction.value, credential=credential)
        if not credential:
            return replace(refused, reason=Reason.UNKNOWN_CREDENTIAL.value, norm="N10.3")
        shown = Shown(door=where.door, credential=credential, direction=Direction.IN)
        decision = judge(shown)
        reason = decision.reason or Reason.DEVICE_REFUSED
        data = {**(row.data or {}), "missing_step": decision.missing_step} if decision.missing_step else row.data
        return replace(refused, reason=reason.value, norm=decision.norm or "N10.1", person=decision.person, data=data)

    def _gap(self, tx: Work, device: Device, at: datetime) -> None:
        """The log was cleared, wrapped or replaced since we read it: here we may have been blind."""
        data: dict[str, str | int | bool | None] = {"why": "log_epoch_changed"}
        tx.record(Fact.DEVICE_LOG_GAP, at=at, actor=SYSTEM, device=device.id, data=data)
        raise_alarm(tx, self._office, AlarmKind.GAP, Subject(key=device.id, device=device.id), at=at)

    def _move_mark(self, tx: Work, device: str, mark: LogMark) -> None:
        health = tx.health.maybe(device)
        after = replace(
            health or DeviceHealth(id=device),
            log_epoch=mark.epoch,
            log_count=mark.count,
            log_window=mark.window,
            log_digest=mark.digest,
            log_record_size=mark.record_size,
        )
        if health is None:
            tx.health.add(after)
        else:
            tx.health.save(after)


def placed(tx: Work, device: Device) -> Placed:
    """The door that a one-door terminal guards, and its zone."""
    door = device.doors[0] if device.doors else ""
    return Placed(device=device, door=door, zone=tx.doors.get(door).zone if door else "")


def _moment(device_time: datetime | None, skew_s: int, received: datetime) -> datetime:
    """When it happened, in UTC: the device's time as Guatemala's, put right where its clock is doubtful."""
    if device_time is None:
        return received
    try:
        at = device_time.replace(tzinfo=GUATEMALA).astimezone(received.tzinfo)
    except OverflowError:
        return received
    return at - timedelta(seconds=skew_s) if abs(skew_s) > DOUBTFUL.total_seconds() else at


def _between(at: datetime, skew_s: int, received: datetime) -> tuple[datetime, datetime]:
    """The first and the last moment at which something can have happened that a terminal stamped `at`.

    `skew_s` is how far its clock is ahead; where that is doubtful, `at` was put right already (`_moment`).
    """
    off = timedelta(seconds=skew_s) if abs(skew_s) <= DOUBTFUL.total_seconds() else timedelta()
    first = at - SECOND - max(off, timedelta())
    return first, max(first, min(at + SECOND - INSTANT - min(off, timedelta()), received))
