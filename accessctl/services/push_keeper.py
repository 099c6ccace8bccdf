"""Keeps controllers equal to what they should hold: one command a poll, read back, recorded as confirmed.

A round, for each controller: ask for its three tables; compare (`push_contents.plan`); give the commands, each once the
one before was answered; ask for the tables again. What it confirmed is then recorded: `device:contents:applied`, the
removals that it has carried out (N10.4), its health. What changes meanwhile is planned anew at the next poll, removals
first, against what its answers say that it holds; nothing waits for a round to end. A round that leaves a difference is
tried again with growing pauses, and its error stands beside the controller until it is none.

All of this is memory: after a restart the first poll begins by reading, so that whatever was half done converges.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from accessctl.domain.devices import CommandState, DeviceHealth
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import Site
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device
from accessctl.ports import PushOrder, PushRows
from accessctl.services.desired import nothing_happened, ours_on
from accessctl.services.group_commit import GroupCommit
from accessctl.services.office import Office
from accessctl.services.push_contents import Contents, PushPlan, plan
from accessctl.services.push_desired import Wanted, staff_of
from accessctl.services.push_held import confirm_removals, counted, intend, note_rogues, remember
from accessctl.services.push_orders import TRIES, UNANSWERED, finished
from accessctl.services.push_round import TABLES, Round, carried_out, is_whole, with_rows
from accessctl.services.push_visitors import together, visitors_of
from accessctl.services.store import Work

READ_BACK_EVERY = timedelta(minutes=10)  # has somebody changed it by hand?
AWAY = timedelta(seconds=60)  # who was away for longer is read again: somebody may have changed or replaced it
LONGEST_PAUSE_S = 60.0


class ControllerKeeper:
    """The contents of all controllers of this process. Safe to share between threads."""

    def __init__(self, office: Office, commits: GroupCommit, *, site: Callable[[], Site], town: str) -> None:
        self._office = office
        self._commits = commits
        self._site = site
        self._town = town
        self._lock = threading.Lock()
        self._rounds: dict[str, Round] = {}

    def look_again(self, device: str, *, anew: bool = False) -> None:
        """Somebody may have changed what it holds. `anew`: it connected, or wants its tables written another way."""
        round_ = self._round(device)
        with round_.lock:
            round_.must_read = True
            if anew:
                round_.staff = round_.held = round_.given = round_.again_at = None
                round_.to_read.clear()
                round_.steps.clear()

    def next(self, device: Device, health: DeviceHealth, *, asked: Sequence[str]) -> PushOrder | None:
        """What this controller is to be told now; it counts as given.

        `health` is as it stands beside it, `asked` are the commands of people who want it compared and updated.
        """
        now = self._office.clock()
        round_ = self._round(device.id)
        with round_.lock:
            order = self._next(round_, device, health, asked, now)
            if order is not None:
                round_.tries = round_.tries + 1 if order is round_.given else 1
                round_.given, round_.given_at = order, now
            return order

    def answered(self, device: str, rows: PushRows) -> None:
        """Part of the answer to the question that is open; other answers are passed over."""
        round_ = self._round(device)
        with round_.lock:
            if round_.given is not None and TABLES.get(round_.given.kind) == rows.table:
                round_.rows.append(rows)

    def result(self, device: Device, order: PushOrder, code: int) -> None:
        """What came of `order`; an answer that nobody waits for any more is passed over."""
        round_ = self._round(device.id)
        with round_.lock:
            if round_.given != order:
                return
            round_.given = None
            if order.kind in TABLES:
                self._part_read(round_, device, order, code)
            else:
                carried_out(round_, order, code)

    def _round(self, device: str) -> Round:
        with self._lock:
            return self._rounds.setdefault(device, Round())

    # -- what is next

    def _next(
        self, round_: Round, device: Device, health: DeviceHealth, asked: Sequence[str], now: datetime
    ) -> PushOrder | None:
        if round_.called_at is not None and now - round_.called_at > AWAY:
            round_.must_read = True
            round_.given = None
        round_.called_at = now
        if round_.given is not None:
            return self._unanswered(round_, device, now)
        if asked and self._take(asked):
            round_.asked += asked
            round_.must_read = True
            round_.again_at = None
        changed = self._bring_up(round_, device, health, now)
        if changed and round_.held is not None:
            self._plan_anew(round_, device, round_.held, now)
        if round_.steps:
            return round_.steps[0]
        if round_.again_at is not None and now < round_.again_at:
            return None
        if not round_.to_read:
            due = round_.read_at is None or now - round_.read_at >= READ_BACK_EVERY
            if not (round_.must_read or round_.held is None or due):
                return None
            round_.to_read.extend(TABLES)
            round_.read = Contents()
        round_.rows = []
        return PushOrder(kind=round_.to_read[0])

    def _unanswered(self, round_: Round, device: Device, now: datetime) -> PushOrder | None:
        """Give it again after a while, a few times; then the round has failed."""
        if round_.given_at is not None and now - round_.given_at < UNANSWERED:
            return None
        if round_.tries < TRIES:
            round_.rows = []
            return round_.given
        kind = round_.given.kind.value if round_.given else ""
        round_.given = None
        self._failed(round_, device, f"{kind}: no answer", now)
        return None

    def _bring_up(self, round_: Round, device: Device, health: DeviceHealth, now: datetime) -> bool:
        """What it should hold now; whether that is something else than before."""
        before, visitors_before = round_.staff, round_.visitors
        if device.online:  # it asks, and holds nobody
            staff = visitors = Wanted()
        else:
            with self._office.store.view() as tx:
                staff = self._staff(tx, round_, device, health, now)
                visitors = visitors_of(tx, device, health, now, self._site(), others=staff.contents.users)
        if health.wanted_at is not None and health.wanted_at != round_.answered:
            round_.answered = health.wanted_at
            round_.must_read = True
            round_.again_at = None
        same = staff == before and visitors == visitors_before
        wanted = round_.wanted if same else together(staff, visitors)
        changed = before is not None and wanted != round_.wanted
        round_.staff, round_.visitors, round_.device = staff, visitors, device
        round_.wanted = wanted
        return changed

    def _staff(self, tx: Work, round_: Round, device: Device, health: DeviceHealth, now: datetime) -> Wanted:
        """Read again only where something was recorded that matters, or the time has come."""
        before = round_.staff
        if before is None or device != round_.device:
            return staff_of(tx, device, health, now, town=self._town)
        if nothing_happened(tx, as_of=before.as_of, changes_at=before.changes_at, now=now):
            return replace(before, as_of=tx.events.size())
        return staff_of(tx, device, health, now, town=self._town)

    def _take(self, commands: Sequence[str]) -> bool:
        """Mark what people asked for as running, before anything of it is done."""

        def job(tx: Work) -> bool:
            found = [tx.commands.get(one) for one in commands]
            now = self._office.clock()
            for one in found:
                if one.state is CommandState.WAITING:
                    tx.commands.save(replace(one, state=CommandState.RUNNING))
                    data: dict[str, str | int | bool | None] = {"kind": one.kind.value, "state": "running"}
                    tx.record(Fact.DEVICE_COMMAND_ASKED, at=now, actor=SYSTEM, device=one.device, data=data)
            return bool(found)

        return self._commits.do(job, urgent=True)

    def _plan_anew(self, round_: Round, device: Device, held: Contents, now: datetime) -> None:
        """Something else is wanted: from here on towards that. What was being read is read again afterwards."""
        planned = self._plan(round_, device, held)
        round_.to_read.clear()
        self._intend(round_, device, planned.steps, now)
        round_.must_read = True
        round_.again_at = None

    def _plan(self, round_: Round, device: Device, held: Contents) -> PushPlan:
        with self._office.store.view() as tx:
            ours = ours_on(tx, device)
            health = tx.health.maybe(device.id)
        in_seconds = health is not None and health.dates_in_seconds
        return plan(round_.wanted.contents, held, ours, dates_in_seconds=in_seconds)

    def _intend(self, round_: Round, device: Device, steps: Sequence[PushOrder], now: datetime) -> None:
        """Commit whose rows are about to be written; only then are they."""
        round_.steps.clear()
        if steps:
            person_of = round_.wanted.person_of
            self._commits.do(lambda tx: intend(tx, device.id, steps, person_of, at=now), urgent=True)
            round_.steps.extend(steps)

    # -- what came of it

    def _part_read(self, round_: Round, device: Device, order: PushOrder, code: int) -> None:
        now = self._office.clock()
        table = TABLES[order.kind]
        if not round_.to_read or round_.to_read[0] is not order.kind:
            return  # what it should hold has changed meanwhile
        if code < 0 or not is_whole(round_.rows, code):
            told = sum(one.count for one in round_.rows)
            self._failed(round_, device, f"{table}: returned {code}, told {told} rows", now)
            return
        round_.read = with_rows(round_.read, round_.rows)
        round_.rows = []
        round_.to_read.popleft()
        if not round_.to_read:
            self._looked(round_, device, now)

    def _looked(self, round_: Round, device: Device, now: datetime) -> None:
        """It was read, whole: what is confirmed, and what is left to do."""
        round_.must_read = True  # until what follows from it is committed
        with self._office.store.view() as tx:
            health = tx.health.maybe(device.id) or DeviceHealth(id=device.id)
        self._bring_up(round_, device, health, now)
        held = round_.read
        planned = self._plan(round_, device, held)
        wrote = tuple(round_.wrote)
        left = len(planned.steps)
        why = (round_.why or f"{left} differences left") if left and wrote else ""
        self._commits.do(lambda tx: self._note(tx, round_, device, planned, wrote, why, now), urgent=True)
        round_.held, round_.read_at, round_.why = held, now, ""
        round_.wrote.clear()
        round_.must_read = False
        if why:
            self._pause(round_, now)
            return
        if not left:
            round_.failures, round_.again_at = 0, None
            round_.asked.clear()
        self._intend(round_, device, planned.steps, now)

    def _note(
        self,
        tx: Work,
        round_: Round,
        device: Device,
        planned: PushPlan,
        wrote: Sequence[PushOrder],
        why: str,
        now: datetime,
    ) -> None:
        """What was read, in the record and beside the controller. Commits nothing."""
        held, left = round_.read, len(planned.steps)
        edited = remember(tx, device.id, held, round_.wanted.person_of, at=now)
        if edited:
            data: dict[str, str | int | bool | None] = {"slots": edited}
            tx.record(Fact.DEVICE_DRIFTED, at=now, actor=SYSTEM, device=device.id, data=data)
        if wrote:
            data = counted(wrote) | {"left": left}
            tx.record(Fact.DEVICE_APPLIED, at=now, actor=SYSTEM, device=device.id, data=data)
        note_rogues(tx, self._office, device.id, planned.rogues, whole=True, at=now)
        confirm_removals(tx, device.id, held, at=now)
        health = tx.health.maybe(device.id)
        if health is None:
            health = DeviceHealth(id=device.id)
            tx.health.add(health)
        tx.health.save(
            replace(
                health,
                users_desired=len(round_.wanted.contents.users),
                users_observed=len(held.users),
                drift=left,
                rogues=len(planned.rogues),
                synced_at=health.synced_at if left else now,
                wanted_at=None if not left and health.wanted_at == round_.answered else health.wanted_at,
                last_error=why if health.online else health.last_error,
            )
        )
        if why or not left:
            for command in round_.asked:
                finished(tx, command, why="differs" if why else "", at=now)

    def _failed(self, round_: Round, device: Device, why: str, now: datetime) -> None:
        """The round ends here: it is tried again from the beginning, later and later."""

        asked = tuple(round_.asked)

        def job(tx: Work) -> None:
            health = tx.health.maybe(device.id)
            if health is not None and health.online:
                tx.health.save(replace(health, last_error=why))
            for command in asked:
                finished(tx, command, why=why[:100], at=now)

        round_.to_read.clear()
        round_.steps.clear()
        round_.must_read = True
        self._pause(round_, now)
        self._commits.do(job)

    def _pause(self, round_: Round, now: datetime) -> None:
        round_.failures += 1
        round_.must_read = True
        round_.again_at = now + timedelta(seconds=min(2.0**round_.failures, LONGEST_PAUSE_S))
        round_.asked.clear()
