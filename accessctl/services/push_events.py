"""Events of controllers on their way into the record: who, where, when, and whether the policy agrees.

What a controller granted alone is judged again by the policy (`policy_mismatch`); what it opened because we said so is
looked up in the record. Its clock is kept as it is, and put right where it is known to be wrong. Forced and held doors,
tampering, duress and fire raise their alarms, once for each event however often it is delivered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.places import Device, Direction
from accessctl.domain.policy import Decision, Factor, Shown, Snapshot, decide
from accessctl.domain.schedules import GUATEMALA
from accessctl.ports import PushEvent, PushKind
from accessctl.services.alarm_desk import Subject, raise_alarm
from accessctl.services.intake import DOUBTFUL, held_right_then
from accessctl.services.office import Office
from accessctl.services.push_log import identity_of, is_plausible
from accessctl.services.push_site import Controllers
from accessctl.services.store import DeviceEvent, EventFilter, Work

LATE = timedelta(minutes=5)
OUR_WORD_LASTS = timedelta(seconds=30)  # between our "yes" and the controller's "I opened"
AGAIN_AFTER = timedelta(minutes=10)  # the same mismatch is not counted in every batch of a backlog
LARGEST_SKEW_S = 2**31 - 1

_FACTS = {
    PushKind.GRANTED: Fact.DOOR_GRANTED,
    PushKind.REFUSED: Fact.DOOR_REFUSED,
    PushKind.ANSWERED_YES: Fact.DOOR_UNLOCKED,
    PushKind.UNLOCKED: Fact.DOOR_UNLOCKED,
    PushKind.EXIT_BUTTON: Fact.EXIT_BUTTON,
    PushKind.DOOR_OPENED: Fact.DOOR_OPENED,
    PushKind.DOOR_CLOSED: Fact.DOOR_CLOSED,
    PushKind.FORCED: Fact.DOOR_FORCED,
    PushKind.HELD_OPEN: Fact.DOOR_HELD,
}
ALARMS = {
    PushKind.FORCED: AlarmKind.DOOR_FORCED,
    PushKind.HELD_OPEN: AlarmKind.DOOR_HELD_OPEN,
    PushKind.TAMPER: AlarmKind.TAMPER,
    PushKind.DURESS: AlarmKind.DURESS,
    PushKind.FIRE: AlarmKind.FIRE,
}
_JUDGED = {PushKind.GRANTED, PushKind.REFUSED, PushKind.ANSWERED_YES, PushKind.DURESS}
_FACTORS = {factor.value: factor for factor in Factor}
_FAMILIES = (CardFormat.EM4100_32, CardFormat.H10301, CardFormat.W34CSN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload of one controller: what it holds, and how its clock stood when it was last compared."""

    device: Device
    events: Sequence[PushEvent]
    epoch: int
    skew_s: int | None
    received: datetime


class PushEvents:
    """Writes uploads into the record, inside the transaction of whoever calls. Used by one thread."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._mismatched: dict[str, datetime] = {}

    def store(self, tx: Work, upload: Upload, controllers: Controllers, snapshot: Snapshot) -> int:
        """Store what is new; how many that were. Raises alarms for what is new."""
        count = 0
        run: list[DeviceEvent] = []
        judged: list[tuple[DeviceEvent, Decision]] = []
        for event in upload.events:
            row, decision = self._row(upload, event, controllers, snapshot)
            alarm = ALARMS.get(event.kind)
            if alarm is None and event.kind is not PushKind.ANSWERED_YES:
                run.append(row)
                if decision is not None and event.kind is PushKind.GRANTED and not decision.granted:
                    judged.append((row, decision))
                continue
            count += len(tx.events.store(run)) if run else 0
            run = []
            if not tx.events.store([row]):
                continue
            count += 1
            if alarm is not None:
                about = Subject(key=row.door or row.device, device=row.device, door=row.door, person=row.person)
                raise_alarm(tx, self._office, alarm, about, at=upload.received)
            elif decision is not None and not decision.granted and not _we_said_so(tx, row):
                self._mismatch(tx, row, decision, upload.received)
        if run:
            count += len(tx.events.store(run))
        if count:
            for row, decision in judged:
                self._mismatch(tx, row, decision, upload.received)
        return count

    def _row(
        self, upload: Upload, event: PushEvent, controllers: Controllers, snapshot: Snapshot
    ) -> tuple[DeviceEvent, Decision | None]:
        device = upload.device
        door = controllers.door(device.id, event.door)
        at, skew_s = moment(event.at, upload.skew_s, upload.received)
        direction = direction_of(event, device)
        leaving = direction is Direction.OUT
        credential = credential_of(event, lambda key: snapshot.credentials.get(key) is not None)
        decision: Decision | None = None
        reason: Reason | None = event.reason
        norm = ""
        if event.kind in _JUDGED and credential:
            shown = Shown(door=door, credential=credential, direction=direction, factor=factor_of(event))
            decision = decide(snapshot, shown, at)
            reason = decision.reason or decision.exception
            norm = decision.norm
        if event.kind is PushKind.REFUSED and reason is None:
            reason = event.reason or (Reason.DEVICE_REFUSED if credential else Reason.UNKNOWN_CREDENTIAL)
        if event.kind is PushKind.REFUSED and not norm:
            norm = "N10.3" if reason is Reason.UNKNOWN_CREDENTIAL else "N10.1"
        fact = _FACTS.get(event.kind, Fact.DEVICE_EVENT)
        if fact is Fact.DOOR_GRANTED and leaving:
            fact = Fact.DOOR_EXITED
        row = DeviceEvent(
            identity=identity_of(device.id, event, upload.epoch),
            fact=fact,
            at=at,
            received_at=upload.received,
            device=device.id,
            door=door,
            zone=controllers.zones.get(door, ""),
            direction=direction.value if event.kind in _JUDGED or event.kind is PushKind.EXIT_BUTTON else "",
            reason=reason.value if reason is not None else "",
            norm=norm,
            person=decision.person if decision is not None else "",
            credential=credential,
            device_time=event.at.isoformat() if event.at is not None else "",
            skew_s=skew_s,
            data=_data(upload, event, at, decision),
        )
        return row, decision

    def _mismatch(self, tx: Work, row: DeviceEvent, decision: Decision, received: datetime) -> None:
        """A door opened where the policy says no, and did then. Said once in a while for each person and door."""
        key = f"{row.door or row.device}/{row.person or row.credential}"
        for old in [one for one, at in self._mismatched.items() if received - at > AGAIN_AFTER]:
            del self._mismatched[old]
        if key in self._mismatched or (row.person and held_right_then(tx, row.person, row.door, row.at)):
            return
        self._mismatched[key] = received
        about = Subject(
            key=key[:200],
            device=row.device,
            door=row.door,
            person=row.person,
            detail=decision.reason.value if decision.reason else "",
        )
        raise_alarm(tx, self._office, AlarmKind.POLICY_MISMATCH, about, at=received)


def _we_said_so(tx: Work, row: DeviceEvent) -> bool:
    """Whether the record holds our "yes" to this credential at this door, shortly before."""
    which = EventFilter(
        doors=(row.door,),
        credential=row.credential,
        since=row.at - OUR_WORD_LASTS,
        until=row.at + OUR_WORD_LASTS,
        events=(Fact.DOOR_GRANTED.value, Fact.DOOR_EXITED.value),
    )
    return bool(tx.events.rows(which, limit=1))


def _data(
    upload: Upload, event: PushEvent, at: datetime, decision: Decision | None
) -> dict[str, str | int | bool | None]:
    data: dict[str, str | int | bool | None] = {"kind": event.kind.value, "code": event.code}
    if event.index is not None:
        data |= {"sequence": event.index, "epoch": upload.epoch}
    if event.factor:
        data["factor"] = event.factor
    if upload.received - at > LATE:
        data["late_s"] = int((upload.received - at).total_seconds())
    if decision is not None and decision.missing_step:
        data["missing_step"] = decision.missing_step
    if event.kind in {PushKind.UNREADABLE, PushKind.ADMIN} and event.line:
        data["line"] = event.line
    return data


def moment(device_time: datetime | None, skew_s: int | None, received: datetime) -> tuple[datetime, int | None]:
    """When it happened, in UTC, and how far the controller's clock is thought to be off, in seconds.

    A time from before 2020 or from the future is no time of an event: then it is when we heard of it.
    """
    if device_time is None:
        return received, skew_s
    try:
        at = device_time.replace(tzinfo=GUATEMALA).astimezone(received.tzinfo)
    except OverflowError:
        return received, skew_s
    if skew_s is not None and abs(skew_s) > DOUBTFUL.total_seconds():
        corrected = at - timedelta(seconds=skew_s)
        return (corrected if corrected <= received + DOUBTFUL else received), skew_s
    if not is_plausible(device_time) or at > received + DOUBTFUL:
        off = int((at - received).total_seconds())
        return received, max(-LARGEST_SKEW_S, min(off, LARGEST_SKEW_S))
    return at, skew_s


def direction_of(event: PushEvent, device: Device) -> Direction:
    """Which way, as the reader says; where it does not, as the site's file says."""
    if event.leaving is None:
        return device.direction
    return Direction.OUT if event.leaving else Direction.IN


def factor_of(event: PushEvent) -> Factor:
    """What was presented; a card where the controller does not say."""
    return _FACTORS.get(event.factor, Factor.CARD)


def credential_of(event: PushEvent, known: Callable[[str], bool]) -> str:
    """The credential as the policy names it: a card's family key, or `pin:<number>` where no card was read.

    A controller tells a number and not which kind of card it is of: the first kind that we know a card of is it, and
    an EM4100 where we know none.
    """
    if not event.card:
        return f"pin:{event.pin}" if event.pin else ""
    if event.card > 0xFFFF_FFFF:
        return f"card:{event.card}"
    families = _families(event.card)
    return next(filter(known, families), families[0])


@lru_cache(maxsize=8192)
def _families(card: int) -> tuple[str, ...]:
    """The family keys that a card of this number may have, up to 32 bits."""
    found = []
    for family in _FAMILIES:
        try:
            found.append(CardNumber.from_payload(family, card).family_key)
        except AccessError:  # more bits than this kind has: it is none of it
            continue
    return tuple(found)
