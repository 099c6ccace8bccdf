"""Events of controllers on their way into the record: who, where, when, and whether the policy agrees.

What a controller granted alone is judged again (`passage_reports`: `policy_mismatch`, who moved where); what it opened
because we said so is looked up in the record. Its clock is kept as it is, and put right where it is known to be wrong.
Forced and held doors, tampering, duress and fire raise their alarms, once for each event however often it is delivered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.places import Device, Direction
from accessctl.domain.policy import LONGEST_CREDENTIAL, Decision, Shown, Snapshot, decide
from accessctl.domain.visitor_cards import VisitorCard, VisitorCardState
from accessctl.domain.visits import Visit
from accessctl.ports import PushEvent, PushKind
from accessctl.services.alarm_desk import Subject, raise_alarm
from accessctl.services.office import Office
from accessctl.services.passage_reports import PassageReports, visit_then
from accessctl.services.push_log import identity_of
from accessctl.services.push_reading import credential_of, direction_of, factor_of, moment
from accessctl.services.push_site import Controllers
from accessctl.services.store import DeviceEvent, EventFilter, Work
from accessctl.services.threshold import visit_of
from accessctl.services.zone_desk import fire

LATE = timedelta(minutes=5)
BACKLOG = timedelta(hours=1)  # what is older moves people by its end only, not step by step
MOST_VISITOR_CARDS = 5000
MOST_REMEMBERED = 50_000
OUR_WORD_LASTS = timedelta(seconds=30)  # between our "yes" and the controller's "I opened"
AGAIN_AFTER = timedelta(minutes=10)  # the same mismatch is not counted in every batch of a backlog

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
_UNREAD = {PushKind.EXIT_BUTTON, PushKind.FORCED, PushKind.HELD_OPEN}  # a door stood open and nobody was read
_ALONE = {*ALARMS, *_UNREAD, PushKind.ANSWERED_YES}  # what follows from these must be known to be new
_JUDGED = {PushKind.GRANTED, PushKind.REFUSED, PushKind.ANSWERED_YES, PushKind.DURESS}


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

    def __init__(self, office: Office, reports: PassageReports) -> None:
        self._office = office
        self._reports = reports
        self._raised: dict[str, datetime] = {}  # mismatches, by what they are about
        self._raised_now: dict[str, datetime] = {}
        self._pool: dict[str, VisitorCard] | None = None
        self._lives: dict[str, list[VisitorCard]] = {}  # of each credential; they change only as cards are added
        self._cards = -1
        self._cards_known: int | None = None

    def begin_group(self) -> None:
        """Another transaction begins: what was read in the last one is read again."""
        self._pool = None
        self._cards_known = None
        self._raised_now = {}

    def committed(self) -> None:
        """What the group raised is raised."""
        self._raised |= self._raised_now

    def store(self, tx: Work, upload: Upload, controllers: Controllers, snapshot: Snapshot) -> int:
        """Store what is new; how many that were. Raises alarms and moves people for what is new."""
        count = 0
        run: list[DeviceEvent] = []
        strange: list[tuple[DeviceEvent, Decision]] = []
        last = {(event.pin, event.card): event for event in upload.events}
        for event in upload.events:
            row, decision = self._row(tx, upload, event, controllers, snapshot)
            # Of a backlog only the last passage of each credential moves somebody; what is fresh all does.
            followed = upload.received - row.at < BACKLOG or last[event.pin, event.card] is event
            if not _is_alone(event, decision, followed=followed):
                run.append(row)
                if event.kind is PushKind.GRANTED and decision is not None and not decision.granted:
                    strange.append((row, decision))
                continue
            count += len(tx.events.store(run)) if run else 0
            run = []
            if tx.events.store([row]):
                count += 1
                self._follow(tx, upload, event, row, decision)
        if run:
            count += len(tx.events.store(run))
        if count and strange:
            self._raised = {key: at for key, at in self._raised.items() if upload.received - at < AGAIN_AFTER}
            for row, decision in strange:
                self._mismatch(tx, row, decision, upload.received)
        return count

    def _follow(self, tx: Work, upload: Upload, event: PushEvent, row: DeviceEvent, decision: Decision | None) -> None:
        """What a new event brings with it: alarms, people who moved, a zone in which nobody knows who is."""
        at = row.at
        if event.kind is PushKind.FIRE and upload.received - at < LATE:
            door = row.door or next(iter(upload.device.doors), "")
            if door:
                fire(tx, self._office, device=row.device, door=door, at=upload.received)
                return
        if alarm := ALARMS.get(event.kind):
            about = Subject(key=row.door or row.device, device=row.device, door=row.door, person=row.person)
            raise_alarm(tx, self._office, alarm, about, at=upload.received)
        if event.kind in _UNREAD and row.door:
            self._reports.unread(tx, door=row.door, at=at)
        opened = event.kind is PushKind.GRANTED
        opened = opened or (event.kind in {PushKind.ANSWERED_YES, PushKind.DURESS} and not _we_said_so(tx, row))
        if not opened or decision is None:
            return
        if not row.person:
            self._mismatch(tx, row, decision, upload.received)
            return
        self._reports.reported(
            tx,
            door=row.door,
            credential=row.credential,
            direction=Direction(row.direction),
            at=at,
            device=row.device,
            opened=True,
        )

    def _row(
        self, tx: Work, upload: Upload, event: PushEvent, controllers: Controllers, snapshot: Snapshot
    ) -> tuple[DeviceEvent, Decision | None]:
        device = upload.device
        door = controllers.door(device.id, event.door)
        at, skew_s = moment(event.at, upload.skew_s, upload.received)
        direction = direction_of(event, device)
        leaving = direction is Direction.OUT
        given = self._given(tx)
        credential = credential_of(event, lambda key: key in given or snapshot.credentials.get(key) is not None)
        decision: Decision | None = None
        reason: Reason | None = event.reason
        norm = visit_id = ""
        if event.kind in _JUDGED and credential:
            shown = Shown(door=door, credential=credential, direction=direction, factor=factor_of(event))
            decision = decide(snapshot, shown, at)
            if not decision.person and (visit := self._visit_of(tx, credential, event.kind, at)) is not None:
                decision, visit_id = Decision(granted=True, person=visit.visitor, card=credential), visit.id
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
            visit=visit_id,
            device_time=event.at.isoformat() if event.at is not None else "",
            skew_s=skew_s,
            data=_data(upload, event, at, decision),
        )
        return row, decision

    def _visit_of(self, tx: Work, credential: str, kind: PushKind, at: datetime) -> Visit | None:
        """The visit that a card of the visitors' pool was given for; whoever came in, had it at that time."""
        if kind is PushKind.GRANTED and (visit := self._visit_then(tx, credential, at)) is not None:
            return visit
        card = self._given(tx).get(credential)
        return visit_of(tx, card) if card is not None else None

    def _visit_then(self, tx: Work, credential: str, at: datetime) -> Visit | None:
        """By the time an event comes out of a buffer the card may be back, or another visitor's."""
        if len(credential) > LONGEST_CREDENTIAL:
            return None
        if self._cards_known is None:
            count = tx.visitor_cards.count()
            if count != self._cards or len(self._lives) > MOST_REMEMBERED:
                self._lives, self._cards = {}, count
            self._cards_known = count
        if credential not in self._lives:
            self._lives[credential] = tx.visitor_cards.lives(credential)
        return visit_then(tx, self._lives[credential], at)

    def _given(self, tx: Work) -> dict[str, VisitorCard]:
        """The visitors' cards that somebody has now: few, and read once for each group."""
        if self._pool is None:
            given = tx.visitor_cards.find(state=VisitorCardState.GIVEN, limit=MOST_VISITOR_CARDS)
            self._pool = {card.number.family_key: card for card in given}
        return self._pool

    def _mismatch(self, tx: Work, row: DeviceEvent, decision: Decision, received: datetime) -> None:
        """A door opened to a credential that nobody has. Said once in a while for each credential and door."""
        key = f"{row.door or row.device}/{row.credential}"
        if key in self._raised or key in self._raised_now:
            return
        self._raised_now[key] = received
        about = Subject(
            key=key[:200],
            device=row.device,
            door=row.door,
            detail=decision.reason.value if decision.reason else "",
        )
        raise_alarm(tx, self._office, AlarmKind.POLICY_MISMATCH, about, at=received)


def _is_alone(event: PushEvent, decision: Decision | None, *, followed: bool) -> bool:
    """Whether something follows from the event that must happen once: then it is stored by itself."""
    if event.kind in _ALONE:
        return True
    if event.kind is not PushKind.GRANTED or decision is None or not decision.person:
        return False
    return followed or not decision.granted


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
