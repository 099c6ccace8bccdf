"""One keeper for each terminal: holds its session, feeds its log into the record, carries out what is wanted of it.

On every connect: identify, compare clocks, read the log, apply what it should hold; then listen. What is heard live is
a hint: a grant makes the keeper read the log. Whatever a terminal does wrong ends its own session only; the keeper
tries again with growing pauses, says once that the terminal is off, and once that it is back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from threading import Event

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.devices import Command, CommandKind, CommandState, DeviceHealth, HeldUser
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device
from accessctl.domain.schedules import GUATEMALA
from accessctl.ports import (
    DeviceError,
    DeviceMisbehaved,
    EnrolmentFailed,
    LiveEvent,
    LiveKind,
    Terminal,
    TerminalDriver,
    TerminalUser,
)
from accessctl.services.alarm_desk import Subject, is_raised, raise_alarm, settle
from accessctl.services.enrolment_desk import EnrolmentDesk
from accessctl.services.fleet import Desired, Fleet
from accessctl.services.intake import DOUBTFUL, Intake
from accessctl.services.office import Office
from accessctl.services.store import Work

LISTEN_S = 0.25  # how long a command waits at most while the keeper listens
SEEN_EVERY = timedelta(seconds=5)
LOG_EVERY = timedelta(seconds=20)  # read the log although nothing was heard
CLOCK_EVERY = timedelta(minutes=1)
COMPARE_EVERY = timedelta(seconds=10)  # has what it should hold changed by itself (a window began or ended)?
READ_BACK_EVERY = timedelta(minutes=10)  # has somebody changed the terminal by hand?
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
PENDING_AFTER = timedelta(seconds=10)


@dataclass(slots=True)
class _Session:
    """What a running session remembers: when each thing was last done, and how many live events there were."""

    number: str
    skew_s: int
    seen_at: datetime
    log_at: datetime
    clock_at: datetime
    compared_at: datetime
    read_back_at: datetime
    heard: int = 0
    applied: Desired | None = None
    held_back: tuple[LiveEvent, ...] = ()


class TerminalKeeper:
    """Keeps one terminal. `run` blocks until `stop` is set; made for a thread of its own."""

    def __init__(
        self,
        office: Office,
        device: Device,
        driver: TerminalDriver,
        *,
        intake: Intake,
        fleet: Fleet,
        enrolment: EnrolmentDesk,
        lots: Random,
    ) -> None:
        self._office = office
        self._device = device
        self._driver = driver
        self._intake = intake
        self._fleet = fleet
        self._enrolment = enrolment
        self._lots = lots

    def run(self, stop: Event) -> None:
        """Hold sessions until told to stop. A terminal's fault never leaves this method."""
        pause = FIRST_PAUSE_S
        self._interrupted()
        while not stop.is_set():
            try:
                self._session(stop)
                pause = FIRST_PAUSE_S
            except DeviceError as error:
                was_online = self._lost(error)
                pause = FIRST_PAUSE_S if was_online else min(pause * 2, LONGEST_PAUSE_S)
                stop.wait(pause * self._lots.uniform(0.7, 1.3))

    def _session(self, stop: Event) -> None:
        with self._driver.connect() as terminal:
            info = terminal.info()
            if self._device.serial and info.serial != self._device.serial:
                raise DeviceMisbehaved(f"terminal {self._device.id}: another serial number than the site's file says")
            skew_s = self._skew(terminal)
            self._online(info.serial, info.firmware, skew_s)
            now = self._office.clock()
            session = _Session(self._office.new_id()[:12], skew_s, now, now, now, now, now)
            self._read_log(terminal, session)
            session.skew_s = self._mind_clock(terminal, skew_s)
            self._apply(terminal, session)
            while not stop.is_set():
                self._turn(terminal, session)

    def _turn(self, terminal: Terminal, session: _Session) -> None:
        """One round: listen, then whatever is due."""
        heard = terminal.listen(seconds=LISTEN_S)
        if self._hear(session, heard):
            self._read_log(terminal, session)
        now = self._office.clock()
        if now - session.log_at >= LOG_EVERY:
            self._read_log(terminal, session)
        if now - session.clock_at >= CLOCK_EVERY:
            session.skew_s = self._mind_clock(terminal, self._skew(terminal))
            session.clock_at = now
        for command in self._waiting():
            self._carry_out(terminal, session, command)
        if self._apply_is_due(session, now):
            self._apply(terminal, session)
        if now - session.seen_at >= SEEN_EVERY:
            self._seen(now, session.skew_s)
            session.seen_at = now

    # -- events

    def _hear(self, session: _Session, heard: Sequence[LiveEvent]) -> bool:
        """Store what only is heard live; True where the log has something new.

        Terminals announce each verification before they say whether it opened. So a refusal that names somebody is
        held back for one round, and dropped where a grant for the same person follows.
        """
        granted = {event.user_id for event in heard if event.kind is LiveKind.GRANTED}
        ready = [event for event in session.held_back if self._user_id(event) not in granted]
        held_back = []
        for event in heard:
            if event.kind is LiveKind.GRANTED:
                continue
            if event.kind is LiveKind.REFUSED and (event.uid is not None or event.user_id):
                if self._user_id(event) not in granted:
                    held_back.append(event)
            else:
                ready.append(event)
        session.held_back = tuple(held_back)
        if ready:
            self._intake.heard(self._device, ready, session=session.number, first=session.heard, skew_s=session.skew_s)
            session.heard += len(ready)
        return bool(granted)

    def _user_id(self, event: LiveEvent) -> str | None:
        if event.user_id or event.uid is None:
            return event.user_id
        with self._office.store.view() as tx:
            held = tx.held_users.find(device=self._device.id, uid=event.uid, limit=1)
        return held[0].user_id if held else None

    def _read_log(self, terminal: Terminal, session: _Session) -> None:
        part = terminal.read_log(self._intake.mark(self._device.id))
        self._intake.log_read(self._device, part, skew_s=session.skew_s)
        session.log_at = self._office.clock()

    # -- contents

    def _apply_is_due(self, session: _Session, now: datetime) -> bool:
        with self._office.store.view() as tx:
            wanted = tx.health.get(self._device.id).wanted_at
        if wanted is not None or now - session.read_back_at >= READ_BACK_EVERY:
            return True
        if now - session.compared_at < COMPARE_EVERY:
            return False
        session.compared_at = now
        return session.applied != self._fleet.desired(self._device)

    def _apply(self, terminal: Terminal, session: _Session) -> None:
        self._fleet.apply(terminal, self._device)
        session.applied = self._fleet.desired(self._device)
        session.read_back_at = session.compared_at = self._office.clock()
        self._pending()

    # -- commands

    def _waiting(self) -> list[Command]:
        with self._office.store.view() as tx:
            return tx.commands.find(device=self._device.id, state=CommandState.WAITING)

    def _carry_out(self, terminal: Terminal, session: _Session, command: Command) -> None:
        now = self._office.clock()
        if command.expires_at <= now:
            self._failed(command, "expired")
            return
        with self._office.store.begin() as tx:
            tx.commands.save(replace(command, state=CommandState.RUNNING))
            data: dict[str, str | int | bool | None] = {"kind": command.kind.value, "state": "running"}
            tx.record(Fact.DEVICE_COMMAND_ASKED, at=now, actor=SYSTEM, device=self._device.id, data=data)
            tx.commit()
        try:
            if command.kind is CommandKind.UNLOCK:
                terminal.unlock(seconds=command.seconds)
                self._done(command)
            elif command.kind is CommandKind.ENROL_FINGER:
                self._enrol(terminal, command)
                self._apply(terminal, session)
            else:
                self._apply(terminal, session)
                self._done(command)
        except EnrolmentFailed as failure:
            self._failed(command, failure.reason)
            self._apply(terminal, session)
        except DeviceError:
            self._failed(command, "device")
            raise

    def _enrol(self, terminal: Terminal, command: Command) -> None:
        """Enrol a finger in a disabled slot, take the template off the terminal again, and give it to the desk."""
        slot = self._slot_for(terminal, command)
        left = (command.expires_at - self._office.clock()).total_seconds()
        enrolled = terminal.enrol(slot, command.finger, seconds=max(left, 1.0))
        terminal.remove_templates(slot.uid, (command.finger,))  # where it failed, the next read-back finds what is left
        self._enrolment.finger_enrolled(command.id, enrolled.template)

    def _slot_for(self, terminal: Terminal, command: Command) -> TerminalUser:
        """The person's slot here, or a disabled one that is reserved, and known as ours, before it is written."""
        users = terminal.users()
        with self._office.store.begin() as tx:
            person = tx.people.get(command.person)
            user_id = str(person.number)
            for user in users:
                if user.user_id == user_id:
                    return user
            taken = {user.uid for user in users}
            uid = next(number for number in range(1, 65536) if number not in taken)
            slot = TerminalUser(uid=uid, user_id=user_id, name=terminal.fit_name(person.full_name), disabled=True)
            row = HeldUser(
                id=f"{self._device.id}/{uid}",
                device=self._device.id,
                uid=uid,
                user_id=user_id,
                person=person.id,
                card=0,
                disabled=True,
                templates=0,
                digest="",
                read_at=self._office.clock(),
            )
            if tx.held_users.maybe(row.id) is None:
                tx.held_users.add(row)
            else:
                tx.held_users.save(row)
            tx.commit()
        terminal.put_users([slot])
        return slot

    def _done(self, command: Command) -> None:
        now = self._office.clock()
        with self._office.store.begin() as tx:
            tx.commands.save(replace(command, state=CommandState.DONE, finished_at=now))
            data: dict[str, str | int | bool | None] = {"kind": command.kind.value, "asked_by": command.asked_by}
            tx.record(Fact.DEVICE_COMMAND_DONE, at=now, actor=SYSTEM, device=self._device.id, data=data)
            tx.commit()

    def _failed(self, command: Command, why: str) -> None:
        now = self._office.clock()
        finger = command.kind is CommandKind.ENROL_FINGER
        with self._office.store.begin() as tx:
            tx.commands.save(replace(command, state=CommandState.FAILED, outcome=why, finished_at=now))
            tx.record(
                Fact.FINGER_REFUSED if finger else Fact.DEVICE_COMMAND_FAILED,
                at=now,
                actor=SYSTEM,
                device=self._device.id,
                case=command.case,
                person=command.person,
                norm="P10.03" if finger else "",
                data={"kind": command.kind.value, "why": why, "asked_by": command.asked_by},
            )
            tx.commit()

    def _interrupted(self) -> None:
        """Commands that ran when the service was stopped did not finish: say so rather than run them late."""
        with self._office.store.view() as tx:
            running = tx.commands.find(device=self._device.id, state=CommandState.RUNNING)
        for command in running:
            self._failed(command, "interrupted")

    # -- health

    def _skew(self, terminal: Terminal) -> int:
        """Seconds by which the terminal's clock is ahead of ours."""
        here = self._office.clock().astimezone(GUATEMALA).replace(tzinfo=None)
        return round((terminal.clock() - here).total_seconds())

    def _mind_clock(self, terminal: Terminal, skew_s: int) -> int:
        """Doubt a clock that is off, and set it; the alarm settles once it was read back right."""
        if abs(skew_s) <= DOUBTFUL.total_seconds():
            self._settled(AlarmKind.CLOCK_DOUBTFUL, "clock_set")
            return skew_s
        now = self._office.clock()
        with self._office.store.begin() as tx:
            data: dict[str, str | int | bool | None] = {"skew_s": skew_s}
            tx.record(Fact.DEVICE_CLOCK_DOUBTFUL, at=now, actor=SYSTEM, device=self._device.id, data=data)
            about = Subject(key=self._device.id, device=self._device.id, detail=f"{skew_s} s")
            raise_alarm(tx, self._office, AlarmKind.CLOCK_DOUBTFUL, about, at=now)
            tx.commit()
        terminal.set_clock(self._office.clock().astimezone(GUATEMALA).replace(tzinfo=None))
        after = self._skew(terminal)
        with self._office.store.begin() as tx:
            data = {"before_s": skew_s, "after_s": after}
            tx.record(Fact.DEVICE_CLOCK_SET, at=self._office.clock(), actor=SYSTEM, device=self._device.id, data=data)
            tx.commit()
        if abs(after) <= DOUBTFUL.total_seconds():
            self._settled(AlarmKind.CLOCK_DOUBTFUL, "clock_set")
        return after

    def _settled(self, kind: AlarmKind, cause: str) -> None:
        with self._office.store.view() as tx:
            if not is_raised(tx, kind, self._device.id):
                return
        with self._office.store.begin() as tx:
            if settle(tx, kind, self._device.id, cause=cause, at=self._office.clock()):
                tx.commit()

    def _online(self, serial: str, firmware: str, skew_s: int) -> None:
        now = self._office.clock()

        def back(tx: Work, health: DeviceHealth) -> DeviceHealth:
            data: dict[str, str | int | bool | None] = {"serial": serial, "firmware": firmware, "skew_s": skew_s}
            tx.record(Fact.DEVICE_ONLINE, at=now, actor=SYSTEM, device=self._device.id, data=data)
            settle(tx, AlarmKind.DEVICE_OFFLINE, self._device.id, cause="online", at=now)
            since = health.since if health.online else now
            return replace(
                health,
                online=True,
                since=since,
                last_seen=now,
                last_error="",
                serial=serial,
                firmware=firmware,
                skew_s=skew_s,
            )

        self._health(back)

    def _lost(self, error: DeviceError) -> bool:
        """The session ended by the terminal's fault: say so once. True where it was online until now."""
        now = self._office.clock()
        message = str(error)[:300]
        was_online = False

        def gone(tx: Work, health: DeviceHealth) -> DeviceHealth:
            nonlocal was_online
            was_online = health.online
            if health.online or not is_raised(tx, AlarmKind.DEVICE_OFFLINE, self._device.id):
                why = f"{type(error).__name__}: {message}"
                data: dict[str, str | int | bool | None] = {"why": why}
                tx.record(Fact.DEVICE_OFFLINE, at=now, actor=SYSTEM, device=self._device.id, data=data)
                about = Subject(key=self._device.id, device=self._device.id, detail=why)
                raise_alarm(tx, self._office, AlarmKind.DEVICE_OFFLINE, about, at=now)
            since = now if health.online or health.since is None else health.since
            return replace(health, online=False, since=since, last_error=message)

        self._health(gone)
        self._pending()
        return was_online

    def _seen(self, now: datetime, skew_s: int) -> None:
        self._health(lambda _, health: replace(health, last_seen=now, skew_s=skew_s))
        self._pending()

    def _health(self, change: "Callable[[Work, DeviceHealth], DeviceHealth]") -> None:
        with self._office.store.begin() as tx:
            health = tx.health.maybe(self._device.id)
            if health is None:
                tx.health.add(change(tx, DeviceHealth(id=self._device.id)))
            else:
                tx.health.save(change(tx, health))
            tx.commit()

    def _pending(self) -> None:
        """A revocation that this device has not confirmed after ten seconds is an alarm until it has (N10.4)."""
        now = self._office.clock()
        with self._office.store.view() as tx:
            waiting = tx.removal_targets.find(device=self._device.id, confirmed_at=None)
            late = [one for one in waiting if now - tx.removals.get(one.removal).at > PENDING_AFTER]
            raised = is_raised(tx, AlarmKind.REVOCATION_PENDING, self._device.id)
        if bool(late) == raised or (waiting and raised):
            return
        with self._office.store.begin() as tx:
            if late:
                detail = f"{len(late)}"
                doors = " ".join(sorted({door for one in late for door in one.doors}))
                about = Subject(key=self._device.id, device=self._device.id, door=doors[:64], detail=detail)
                raise_alarm(tx, self._office, AlarmKind.REVOCATION_PENDING, about, at=now)
            else:
                settle(tx, AlarmKind.REVOCATION_PENDING, self._device.id, cause="confirmed", at=now)
            tx.commit()
