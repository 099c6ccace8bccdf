"""Uploads of controllers, inside a group: the events, the place in the log, gaps, and clocks that cannot be right.

What is remembered of a log belongs to the writer's thread and counts only once its group is committed: a group that
failed leaves the mark where it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.devices import DeviceHealth
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.policy import Snapshot
from accessctl.domain.schedules import GUATEMALA
from accessctl.ports import NotStored, PushEvent, PushOrder, PushOrderKind
from accessctl.services.alarm_desk import Subject, is_raised, raise_alarm, settle
from accessctl.services.intake import DOUBTFUL
from accessctl.services.office import Office
from accessctl.services.passage_reports import PassageReports
from accessctl.services.policy_source import PolicySource
from accessctl.services.push_events import PushEvents, Upload
from accessctl.services.push_health import Contacts
from accessctl.services.push_log import PushMark, Reading, is_plausible
from accessctl.services.push_orders import PushOrders
from accessctl.services.push_site import SiteBook
from accessctl.services.store import EventFilter, Work

ROWS_BACK = 50  # in which the newest event of a log is looked for
_Data = dict[str, str | int | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What storing an upload came to, for after the commit."""

    device: str
    count: int
    reading: Reading
    doubtful_s: int | None


class PushUploads:
    """The logs of all controllers. Used by the writer's thread alone."""

    def __init__(
        self,
        office: Office,
        policy: PolicySource,
        reports: PassageReports,
        *,
        site: SiteBook,
        orders: PushOrders,
        contacts: Contacts,
    ) -> None:
        self._office = office
        self._policy = policy
        self._site = site
        self._orders = orders
        self._contacts = contacts
        self._events = PushEvents(office, reports)
        self._marks: dict[str, PushMark] = {}
        self._in_group: dict[str, PushMark] = {}
        self._snapshot: Snapshot = policy.current()

    def snapshot(self) -> Snapshot:
        """The policy as the last group found it: a second old, or less."""
        return self._snapshot

    def begin_group(self) -> None:
        """Another transaction begins: nothing of the last one counts unless it was committed."""
        self._in_group = {}
        self._events.begin_group()
        self._snapshot = self._policy.current()

    def store(self, tx: Work, device_id: str, events: Sequence[PushEvent], received: datetime) -> Stored:
        """One upload: its events, the place in the log, a gap, a doubtful clock."""
        controllers = self._site.controllers(received)
        device = controllers.by_id.get(device_id)
        if device is None:
            raise NotStored("the controller left the site's file meanwhile")
        mark = self._in_group.get(device_id) or self._marks.get(device_id) or _mark_kept(tx, device_id)
        reading = mark.read(events)
        upload = Upload(
            device=device,
            events=events,
            epoch=reading.mark.epoch,
            skew_s=self._contacts.skew(device_id),
            received=received,
        )
        count = self._events.store(tx, upload, controllers, self._snapshot)
        if reading.mark.last != mark.last or reading.mark.epoch != mark.epoch:
            change_health(tx, device_id, log_epoch=reading.mark.epoch, log_count=reading.mark.last)
        if reading.reset or reading.holes:
            self._gap(tx, device_id, reading, received)
        elif reading.filled:
            settle(tx, AlarmKind.GAP, device_id, cause="filled", at=received)
        doubtful = _impossible(events, received) if count else 0
        if doubtful:
            doubt(tx, self._office, device_id, doubtful, received)
        self._in_group[device_id] = reading.mark
        return Stored(device=device_id, count=count, reading=reading, doubtful_s=doubtful or None)

    def committed(self, stored: Stored) -> None:
        """After the commit: remember the place, ask for what is missing, set a clock that is wrong."""
        self._marks[stored.device] = stored.reading.mark
        self._events.committed()
        if stored.reading.holes:
            first = stored.reading.holes[0][0]
            self._orders.ask(stored.device, PushOrder(kind=PushOrderKind.RESEND, index=first - 1))
        if stored.doubtful_s is not None:
            self._orders.ask(stored.device, PushOrder(kind=PushOrderKind.SET_CLOCK))

    def _gap(self, tx: Work, device: str, reading: Reading, at: datetime) -> None:
        """The log began again, or events of it are missing: here we may have been blind."""
        missing = sum(end - start + 1 for start, end in reading.holes)
        why = "log_epoch_changed" if reading.reset else "index_missing"
        data: _Data = {"why": why, "epoch": reading.mark.epoch, "missing": missing}
        if reading.holes:
            data |= {"first": reading.holes[0][0], "last": reading.holes[-1][1]}
        tx.record(Fact.DEVICE_LOG_GAP, at=at, actor=SYSTEM, device=device, data=data)
        detail = f"{reading.holes[0][0]}-{reading.holes[-1][1]}" if reading.holes else why
        raise_alarm(tx, self._office, AlarmKind.GAP, Subject(key=device, device=device, detail=detail), at=at)


def doubt(tx: Work, office: Office, device: str, skew_s: int, at: datetime) -> None:
    """Raise the alarm of a clock that is wrong, unless it is raised. Commits nothing."""
    if is_raised(tx, AlarmKind.CLOCK_DOUBTFUL, device):
        return
    data: _Data = {"skew_s": skew_s}
    tx.record(Fact.DEVICE_CLOCK_DOUBTFUL, at=at, actor=SYSTEM, device=device, data=data)
    about = Subject(key=device, device=device, detail=f"{skew_s} s")
    raise_alarm(tx, office, AlarmKind.CLOCK_DOUBTFUL, about, at=at)


def change_health(tx: Work, device: str, **changes: str | int) -> None:
    """Change what is known of a controller, which may be nothing yet. Commits nothing."""
    health = tx.health.maybe(device)
    after = replace(health or DeviceHealth(id=device), **changes)  # type: ignore[arg-type]  # named above, each once
    if health is None:
        tx.health.add(after)
    else:
        tx.health.save(after)


def _mark_kept(tx: Work, device: str) -> PushMark:
    """Where we stood before this process: from the device's health, and the newest of its events in the record."""
    health = tx.health.maybe(device)
    if health is None or not health.log_epoch:
        return PushMark()
    rows = tx.events.rows(EventFilter(device=device, device_events_only=True), limit=ROWS_BACK, newest=True)
    times = [row.device_time for row in rows if row.device_time]  # our own decisions have none
    newest = datetime.fromisoformat(times[0]) if times else None
    return PushMark(epoch=health.log_epoch, last=health.log_count, newest=newest)


def _impossible(events: Sequence[PushEvent], received: datetime) -> int:
    """The clock that cannot be right: seconds ahead of us, or behind where it was never set. 0 where all may be right.

    What is merely late may come from a buffer.
    """
    now = received.astimezone(GUATEMALA).replace(tzinfo=None)
    times = [event.at for event in events if event.at is not None]
    if not times:
        return 0
    latest, earliest = max(times), min(times)
    if latest - now > DOUBTFUL:
        return int((latest - now).total_seconds())
    return 0 if is_plausible(earliest) else int((earliest - now).total_seconds())
