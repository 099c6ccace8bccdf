"""What controllers are told: one command a poll, each once, and an opening never late.

Two kinds of commands meet here. What a person asked (an opening from the panel) is durable: it is on the shelf of
commands with its moment of expiry, is marked as running before it is handed out, and its outcome is recorded. What we
ask ourselves (send again, set your clock) is kept in memory: whatever makes it needed shows again after a restart.
"""

import itertools
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from accessctl.domain.devices import Command, CommandKind, CommandState
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device
from accessctl.domain.schedules import GUATEMALA
from accessctl.ports import PushOrder, PushOrderKind, PushResult
from accessctl.services.group_commit import GroupCommit
from accessctl.services.office import Office
from accessctl.services.store import EventFilter, Work

MOST_QUEUED = 16  # of our own, for one controller
MOST_RUNNING = 64  # that a controller has not answered
UNANSWERED = timedelta(seconds=20)
TRIES = 3
NUMBERS = 1 << 30
LONGEST_OPENING_S = 254

_Data = dict[str, str | int | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """A command that was handed out: our own order, or the id of a person's."""

    order: PushOrder
    command: str
    handed_out: datetime
    tries: int


class PushOrders:
    """The commands of all controllers. Safe to share between threads."""

    def __init__(self, office: Office, commits: GroupCommit) -> None:
        self._office = office
        self._commits = commits
        self._lock = threading.Lock()
        self._queues: dict[str, deque[tuple[PushOrder, int]]] = {}
        self._running: dict[str, dict[int, _Running]] = {}
        # Numbers go on from the clock, so that a late answer to an earlier process is not taken for one to this.
        self._numbers = itertools.count(int(office.clock().timestamp()) % NUMBERS + 1)

    def ask(self, device: str, order: PushOrder) -> None:
        """Queue one of our own orders, unless the same one waits or runs already."""
        with self._lock:
            queue = self._queues.setdefault(device, deque())
            alike = [one for one, _ in queue] + [one.order for one in self._running.get(device, {}).values()]
            if all(one.kind is not order.kind for one in alike) and len(queue) < MOST_QUEUED:
                queue.append((order, 0))

    def next(self, device: Device, waiting: Sequence[Command]) -> tuple[int, PushOrder] | None:
        """The next command for this controller; a person's before ours. It counts as handed out from here on.

        `waiting` are the people's commands that wait for it.
        """
        now = self._office.clock()
        for command in waiting:
            if command.kind is CommandKind.APPLY:
                continue  # `push_keeper` takes it, and says how it went when it has read the controller back
            if handed := self._hand_out(device, command, now):
                return handed
        with self._lock:
            self._take_back_unanswered(device.id, now)
            queue = self._queues.get(device.id)
            if not queue:
                return None
            order, tries = queue.popleft()
            if order.kind is PushOrderKind.SET_CLOCK:
                order = replace(order, at=_local(now))
            return self._number(device.id, _Running(order=order, command="", handed_out=now, tries=tries + 1))

    def give(self, device: str, order: PushOrder) -> tuple[int, PushOrder]:
        """Number an order of somebody who minds its answer himself: it is not asked again by us."""
        with self._lock:
            return self._number(device, _Running(order=order, command="", handed_out=self._office.clock(), tries=TRIES))

    def results(self, device: str, results: Sequence[PushResult]) -> list[tuple[PushOrder, int]]:
        """Record what came of commands; returns our own orders with their codes. Unknown numbers are passed over."""
        with self._lock:
            running = self._running.get(device, {})
            found = [(running.pop(one.number), one.code) for one in results if one.number in running]
        for was, code in found:
            if was.command:
                self._commits.do(partial(self._finished, command_id=was.command, code=code))
        return [(was.order, code) for was, code in found if not was.command]

    def _hand_out(self, device: Device, command: Command, now: datetime) -> tuple[int, PushOrder] | None:
        """Mark a person's command as running, or as failed where it cannot be carried out (any more)."""

        def take(tx: Work) -> PushOrder | None:
            fresh = tx.commands.get(command.id)
            if fresh.state is not CommandState.WAITING:
                return None  # another process was faster
            order, why = _order_of(tx, device, fresh, now)
            if order is None:
                _fail(tx, fresh, why, now)
                return None
            tx.commands.save(replace(fresh, state=CommandState.RUNNING))
            data: _Data = {"kind": fresh.kind.value, "state": "running"}
            tx.record(Fact.DEVICE_COMMAND_ASKED, at=now, actor=SYSTEM, device=device.id, data=data)
            return order

        order = self._commits.do(take, urgent=True)
        if order is None or self._office.clock() >= command.expires_at:
            return None  # the commit took too long: the sweep finds it unanswered
        with self._lock:
            return self._number(device.id, _Running(order=order, command=command.id, handed_out=now, tries=TRIES))

    def _number(self, device: str, running: _Running) -> tuple[int, PushOrder]:
        number = next(self._numbers) % NUMBERS + 1
        handed = self._running.setdefault(device, {})
        handed[number] = running
        while len(handed) > MOST_RUNNING:
            del handed[next(iter(handed))]
        return number, running.order

    def _take_back_unanswered(self, device: str, now: datetime) -> None:
        """Our own orders that nobody answered are asked again, a few times. Openings are not among them."""
        handed = self._running.get(device, {})
        for number, one in list(handed.items()):
            if now - one.handed_out < UNANSWERED:
                continue
            del handed[number]
            if not one.command and one.tries < TRIES:
                self._queues.setdefault(device, deque()).append((one.order, one.tries))

    def _finished(self, tx: Work, command_id: str, code: int) -> None:
        why = f"returned {code}" if code < 0 else ""
        finished(tx, command_id, why=why, at=self._office.clock())


def finished(tx: Work, command_id: str, *, why: str, at: datetime) -> None:
    """A person's command ran, and is done unless `why` says otherwise. Commits nothing."""
    command = tx.commands.get(command_id)
    if command.state is not CommandState.RUNNING:
        return
    if why:
        _fail(tx, command, why, at)
        return
    tx.commands.save(replace(command, state=CommandState.DONE, finished_at=at))
    data: _Data = {"kind": command.kind.value}
    tx.record(Fact.DEVICE_COMMAND_DONE, at=at, actor=SYSTEM, device=command.device, data=data)


def expire(tx: Work, command: Command, now: datetime) -> bool:
    """End a command whose time is over: not handed out, or not answered. Commits nothing."""
    if command.state not in {CommandState.WAITING, CommandState.RUNNING} or command.expires_at > now:
        return False
    if command.state is CommandState.RUNNING and now - command.expires_at < UNANSWERED:
        return False
    _fail(tx, command, "expired" if command.state is CommandState.WAITING else "no_answer", now)
    return True


def _fail(tx: Work, command: Command, why: str, now: datetime) -> None:
    tx.commands.save(replace(command, state=CommandState.FAILED, outcome=why, finished_at=now))
    data: _Data = {"kind": command.kind.value, "why": why}
    tx.record(Fact.DEVICE_COMMAND_FAILED, at=now, actor=SYSTEM, device=command.device, data=data)


def _order_of(tx: Work, device: Device, command: Command, now: datetime) -> tuple[PushOrder | None, str]:
    """What a person's command is on the wire, or why it is nothing."""
    if command.expires_at <= now:
        return None, "expired"
    if command.kind is not CommandKind.UNLOCK:
        return None, "unsupported"
    door = _door_asked(tx, device, command)
    if door not in device.doors:
        return None, "no_such_door"
    seconds = max(1, min(command.seconds, LONGEST_OPENING_S))
    return PushOrder(kind=PushOrderKind.OPEN, door=device.doors.index(door) + 1, seconds=seconds), ""


def _door_asked(tx: Work, device: Device, command: Command) -> str:
    """For which of its doors it was asked: the record says it, in the entry made when it was asked."""
    if len(device.doors) == 1:
        return device.doors[0]
    since = command.asked_at.replace(microsecond=command.asked_at.microsecond // 1000 * 1000)
    which = EventFilter(
        device=device.id,
        since=since,
        until=since + timedelta(milliseconds=1),
        events=(Fact.DEVICE_COMMAND_ASKED.value,),
    )
    rows = [row for row in tx.events.rows(which, limit=10) if row.actor == command.asked_by and row.door]
    return rows[0].door if len(rows) == 1 else ""


def _local(now: datetime) -> datetime:
    return now.astimezone(GUATEMALA).replace(tzinfo=None, microsecond=0)
