"""Whether controllers are heard: the ingress notes each call, the sweep says who has been silent for too long.

A call costs no transaction: the ingress writes the moments of all that called at most once a second, together. The
sweep runs in the devices' process, so that it also notices an ingress that takes no calls any more.
"""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event

from accessctl.domain.alarms import OPEN, AlarmKind
from accessctl.domain.devices import CommandState, DeviceHealth
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device, Transport
from accessctl.ports import NotStored
from accessctl.services.alarm_desk import Subject, is_raised, raise_alarm, settle
from accessctl.services.device_condition import DeviceCondition
from accessctl.services.group_commit import GroupCommit
from accessctl.services.office import Office
from accessctl.services.push_orders import expire
from accessctl.services.store import Work

POLL_S = 2.0  # how often a controller is told to ask for commands
WRITE_EVERY = timedelta(seconds=1)
SILENT_AFTER = timedelta(seconds=2 * POLL_S) + WRITE_EVERY  # two polls, and what may lie between a call and its note
LOOK_EVERY_S = 0.5
MOST_DEVICES = 5000
MOST_COMMANDS = 500
PENDING_AFTER = timedelta(seconds=10)  # a removal that a controller has not confirmed by then is an alarm (N10.4)


class Contacts:
    """Who called when, and how its clock stood. Safe to share between threads."""

    def __init__(self, office: Office, commits: GroupCommit) -> None:
        self._office = office
        self._commits = commits
        self._lock = threading.Lock()
        self._called: dict[str, datetime] = {}
        self._skew: dict[str, int] = {}
        self._written_at: datetime | None = None
        self._known: set[str] = set()

    def called(self, device: str, now: datetime) -> None:
        """This controller called. Does not wait."""
        with self._lock:
            self._called[device] = now
            since = self._written_at
            due = since is None or not timedelta(0) <= now - since < WRITE_EVERY or device not in self._known
            if not due:
                return
            self._written_at = now
            self._known.add(device)
            batch, self._called = self._called, {}
            skew = {one: self._skew[one] for one in batch if one in self._skew}
        try:
            self._commits.submit(lambda tx: _note(tx, batch, skew), weight=len(batch))
        except NotStored:
            return  # events are more urgent; the next call notes it again

    def skew(self, device: str) -> int | None:
        """How far the controller's clock was off when it was last compared, in seconds."""
        return self._skew.get(device)

    def compared(self, device: str, skew_s: int) -> None:
        """Its clock was compared with ours."""
        with self._lock:
            self._skew[device] = skew_s


def _note(tx: Work, batch: dict[str, datetime], skew: dict[str, int]) -> None:
    known = {health.id: health for health in tx.health.find(id=tuple(batch), limit=len(batch))}
    for device, at in batch.items():
        health = known.get(device)
        before = health or DeviceHealth(id=device)
        after = replace(before, online=True, last_seen=at, skew_s=skew.get(device, before.skew_s))
        if not before.online:
            after = replace(after, since=at, last_error="")
            tx.record(Fact.DEVICE_ONLINE, at=at, actor=SYSTEM, device=device)
            settle(tx, AlarmKind.DEVICE_OFFLINE, device, cause="online", at=at)
        if health is None:
            tx.health.add(after)
        else:
            tx.health.save(after)


class PushSweep:
    """Looks again and again who has been silent, who has not confirmed a removal, and which commands nobody takes."""

    def __init__(self, office: Office, *, silent_after: timedelta = SILENT_AFTER) -> None:
        self._office = office
        self._silent_after = silent_after
        self._begun: datetime | None = None

    def run(self, stop: Event) -> None:
        """Blocks until `stop` is set; made for a thread of its own."""
        while not stop.is_set():
            self.look()
            stop.wait(LOOK_EVERY_S)

    def look(self) -> None:
        """One look. Nobody is silent before this process has listened for as long as silence takes."""
        now = self._office.clock()
        if self._begun is None or now < self._begun:
            self._begun = now
        with self._office.store.view() as tx:
            devices = tx.devices.find(transport=Transport.PUSH, retired=False, limit=MOST_DEVICES)
            silent = [one for one in devices if self._is_news(tx, one, now)]
            ours = {one.id for one in devices}
            states = (CommandState.WAITING, CommandState.RUNNING)
            late = [one for one in tx.commands.find(state=states, limit=MOST_COMMANDS) if one.device in ours]
            late = [one for one in late if one.expires_at <= now]
            exposed = {one.device for one in tx.removal_targets.find(confirmed_at=None, limit=MOST_DEVICES)}
            raised = tx.alarms.find(kind=AlarmKind.REVOCATION_PENDING, state=tuple(OPEN), limit=MOST_DEVICES)
        for device in silent:
            self._lost(device, now)
        minded = exposed | {alarm.device for alarm in raised}
        for device in devices:
            if device.id in minded:
                DeviceCondition(self._office, device, pending_after=PENDING_AFTER).mind_removals()
        if late:
            with self._office.store.begin() as tx:
                for one in late:
                    expire(tx, tx.commands.get(one.id), now)
                tx.commit()

    def _is_news(self, tx: Work, device: Device, now: datetime) -> bool:
        if self._begun is None or now - self._begun < self._silent_after:
            return False
        health = tx.health.maybe(device.id)
        seen = health.last_seen if health is not None else None
        if seen is not None and now - seen < self._silent_after:
            return False
        return bool(health and health.online) or not is_raised(tx, AlarmKind.DEVICE_OFFLINE, device.id)

    def _lost(self, device: Device, now: datetime) -> None:
        with self._office.store.begin() as tx:
            if not self._is_news(tx, device, now):
                return  # it called while we looked
            health = tx.health.maybe(device.id)
            before = health or DeviceHealth(id=device.id)
            after = replace(before, online=False, since=now, last_error="silent")
            if health is None:
                tx.health.add(after)
            else:
                tx.health.save(after)
            last = before.last_seen.isoformat() if before.last_seen else ""
            tx.record(
                Fact.DEVICE_OFFLINE, at=now, actor=SYSTEM, device=device.id, data={"why": "silent", "last_seen": last}
            )
            about = Subject(key=device.id, device=device.id, detail="silent")
            raise_alarm(tx, self._office, AlarmKind.DEVICE_OFFLINE, about, at=now)
            tx.commit()
