"""One keeper for each terminal: holds its session, feeds its log into the record, carries out what is wanted of it.

On every connect: identify, compare clocks, read the log, apply what it should hold; then listen. What is heard live is
a hint: a grant makes the keeper read the log. Whatever a terminal does wrong ends its own session only; the keeper
tries again with growing pauses, says once that the terminal is off, and once that it is back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from threading import Event

from accessctl.domain.places import Device
from accessctl.ports import (
    DeviceError,
    DeviceMisbehaved,
    DeviceRefused,
    LiveEvent,
    LiveKind,
    Terminal,
    TerminalDriver,
)
from accessctl.services.desired import Desired
from accessctl.services.device_condition import DeviceCondition
from accessctl.services.enrolment_desk import EnrolmentDesk
from accessctl.services.errands import Errands
from accessctl.services.fleet import Fleet
from accessctl.services.intake import Intake
from accessctl.services.office import Office


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a keeper does what. The pauses between tries grow from the first to the longest."""

    listen_s: float = 0.25  # how long a command waits at most while the keeper listens
    seen_every: timedelta = timedelta(seconds=5)
    log_every: timedelta = timedelta(seconds=20)  # read the log although nothing was heard
    clock_every: timedelta = timedelta(minutes=1)
    compare_every: timedelta = timedelta(seconds=5)  # has what it should hold changed by itself?
    read_back_every: timedelta = timedelta(minutes=10)  # has somebody changed the terminal by hand?
    first_pause_s: float = 0.5
    longest_pause_s: float = 10.0
    exposed_pause_s: float = 2.0  # the longest while the terminal still holds somebody whose access ended
    steady_after: timedelta = timedelta(seconds=15)  # a session that lasted so long begins the pauses anew
    pending_after: timedelta = timedelta(seconds=10)  # a removal that is not confirmed by then is an alarm


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
    held_back: tuple[LiveEvent, ...] = ()
    applied: Desired | None = None
    answered: datetime | None = None  # the request that the last round of contents answered
    again_at: datetime | None = None  # the terminal did not take what it should hold: when to try again
    tries: int = 0


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
        pace: Pace,
    ) -> None:
        self._office = office
        self._device = device
        self._driver = driver
        self._intake = intake
        self._fleet = fleet
        self._lots = lots
        self._pace = pace
        self._condition = DeviceCondition(office, device, pending_after=pace.pending_after)
        self._errands = Errands(office, device, enrolment)

    def run(self, stop: Event) -> None:
        """Hold sessions until told to stop. A terminal's fault never leaves this method."""
        pause = 0.0
        self._errands.interrupted()
        while not stop.is_set():
            began = self._office.clock()
            try:
                self._session(stop)
            except DeviceError as error:
                self._condition.lost(error)
                if self._office.clock() - began >= self._pace.steady_after:
                    pause = 0.0
                pause = min(max(pause * 2, self._pace.first_pause_s), self._pace.longest_pause_s)
                self._rest(stop, pause * self._lots.uniform(0.7, 1.3))

    def _rest(self, stop: Event, seconds: float) -> None:
        """Wait before the next try. Meanwhile commands expire, and removals that wait are minded and shorten it."""
        rested = 0.0
        while not stop.is_set():
            self._errands.expire()
            exposed = self._condition.mind_removals()
            left = (min(seconds, self._pace.exposed_pause_s) if exposed else seconds) - rested
            if left <= 0:
                return
            stop.wait(min(left, 1.0))
            rested += min(left, 1.0)

    def _session(self, stop: Event) -> None:
        with self._driver.connect() as terminal:
            info = terminal.info()
            if self._device.serial and info.serial != self._device.serial:
                raise DeviceMisbehaved(f"terminal {self._device.id}: another serial number than the site's file says")
            skew_s = self._condition.skew(terminal)
            self._condition.online(info, skew_s)
            now = self._office.clock()
            session = _Session(self._office.new_id()[:12], skew_s, now, now, now, now, now)
            try:
                self._hear(session, terminal.listen(seconds=0.0))  # from here on nothing at the door goes unheard
                self._read_log(terminal, session)
                session.skew_s = self._condition.mind_clock(terminal, skew_s)
                self._apply(terminal, session)
                while not stop.is_set():
                    self._turn(terminal, session)
            finally:
                self._heard(session, session.held_back)

    def _turn(self, terminal: Terminal, session: _Session) -> None:
        """One round: listen, then whatever is due."""
        pace = self._pace
        if self._hear(session, terminal.listen(seconds=pace.listen_s)):
            self._read_log(terminal, session)
        now = self._office.clock()
        if now - session.log_at >= pace.log_every:
            self._read_log(terminal, session)
        if now - session.clock_at >= pace.clock_every:
            session.skew_s = self._condition.mind_clock(terminal, self._condition.skew(terminal))
            session.clock_at = now
        for command in self._errands.waiting():
            self._errands.carry_out(terminal, command, apply=lambda: self._apply(terminal, session))
        if self._apply_is_due(session, now):
            self._apply(terminal, session)
        if now - session.seen_at >= pace.seen_every:
            self._condition.seen(session.skew_s)
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
        self._heard(session, ready)
        return bool(granted)

    def _heard(self, session: _Session, events: Sequence[LiveEvent]) -> None:
        if events:
            self._intake.heard(self._device, events, session=session.number, first=session.heard, skew_s=session.skew_s)
            session.heard += len(events)

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
        """Somebody asked, something changed, it is time to look, or the terminal did not take it the last time."""
        with self._office.store.view() as tx:
            wanted = tx.health.get(self._device.id).wanted_at
        if wanted is not None and wanted != session.answered:
            return True
        if session.again_at is not None:
            return now >= session.again_at
        if session.applied is None or now - session.read_back_at >= self._pace.read_back_every:
            return True
        if now < session.applied.changes_at and now - session.compared_at < self._pace.compare_every:
            return False
        session.compared_at = now
        still = self._fleet.still_holds(session.applied, self._device)
        session.applied = still or session.applied
        return still is None

    def _apply(self, terminal: Terminal, session: _Session) -> bool:
        """Bring the terminal to what it should hold. Where it does not take it, try again, less and less often."""
        with self._office.store.view() as tx:
            session.answered = tx.health.get(self._device.id).wanted_at
        why = ""
        try:
            applied = self._fleet.apply(terminal, self._device)
            session.applied = applied.desired
            if not applied.left.is_empty:
                why = f"{applied.left.changes} differences left"
        except DeviceRefused as refusal:
            why = str(refusal)
        now = session.read_back_at = session.compared_at = self._office.clock()
        if why or session.tries:
            self._condition.differs(why)
        session.tries = session.tries + 1 if why else 0
        session.again_at = now + timedelta(seconds=min(2.0**session.tries, 300.0)) if why else None
        self._condition.mind_removals()
        return not why
