"""The devices' side of the service: a keeper for each terminal, a reader for each desk, as the site's file says.

The house looks at the site again every two seconds, so that a device that was added, changed or retired is kept,
kept anew or let go without a restart. Each device has a thread of its own; what goes wrong with one stays with it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread

import structlog

from accessctl.bootstrap import Service
from accessctl.bootstrap.keys import KeysWrong
from accessctl.bootstrap.only_one import HoldLost, only_one
from accessctl.bootstrap.post import checkpoint_mail
from accessctl.domain.errors import AccessError
from accessctl.domain.places import Device, Transport
from accessctl.ports import CardPresented, DeviceRefused, Terminal, TerminalDriver
from accessctl.secret_files import OpenToOthers, read_secret
from accessctl.services.disk_failure import DiskWatch
from accessctl.services.keeper import Pace, TerminalKeeper
from accessctl.services.push_health import PushSweep
from accessctl.services.record_sweep import RecordSweep, Rhythm
from accessctl.settings import Settings
from accessctl_drivers.desk_readers.serial_reader import Rdm6300Reader
from accessctl_drivers.zkteco.terminal import ZkTerminalDriver

LOOK_EVERY_S = 2.0
AGAIN_AFTER_S = 10.0
GIVE_UP_AFTER_S = 10.0
ROUND_EVERY_S = 5.0  # over open visits: what lapsed, who overstays, who is without company

log = structlog.get_logger("devices")


@dataclass(frozen=True, slots=True)
class Round:
    """Something that runs until told to stop, beside the devices."""

    name: str
    run: Callable[[Event], None]


class DeviceHouse:
    """Runs all devices of the site until `stop` is set."""

    def __init__(self, service: Service, *, pace: Pace | None = None) -> None:
        self._service = service
        self._pace = pace or Pace()
        self._running: dict[str, tuple[Device, Event, Thread]] = {}

    def run(self, stop: Event, *, ready: Callable[[], None]) -> None:
        """Blocks. Raises `AlreadyKept` where another process does this already, `HoldLost` where one may do it now."""
        with only_one(self._service.settings) as place:
            lost, over = Event(), Event()
            guard = Thread(target=self._guard, args=(place, stop, lost, over), name="guard", daemon=True)
            guard.start()
            try:
                self._keep(stop, ready)
            finally:
                over.set()
                guard.join(GIVE_UP_AFTER_S)
        if lost.is_set():
            raise HoldLost

    def _keep(self, stop: Event, ready: Callable[[], None]) -> None:
        rounds = [Thread(target=self._go_round, args=(one, stop), name=one.name) for one in self._rounds()]
        for thread in rounds:
            thread.start()
        ready()
        while not stop.is_set():
            try:
                self._follow_the_site()
            except Exception:
                log.exception("the site cannot be read")  # a database that restarts; what runs goes on as it was
            stop.wait(LOOK_EVERY_S)
        self._let_go(list(self._running))
        for thread in rounds:
            thread.join()

    def _guard(self, place: only_one, stop: Event, lost: Event, over: Event) -> None:
        """Another machine may take the devices as soon as the hold is lost: let go of them, or end where we cannot."""
        if not place.await_loss(over, LOOK_EVERY_S):
            return
        lost.set()
        log.error("the database no longer says that the devices are ours: letting them go")
        stop.set()
        if not over.wait(GIVE_UP_AFTER_S):
            log.error("something does not let go: ending at once")
            os._exit(1)  # what holds a line to a device is a child, which ends with us

    def _rounds(self) -> list[Round]:
        """What is looked after again and again. Here, because this process is one alone in its installation."""
        service, settings = self._service, self._service.settings
        rhythm = Rhythm(entries=settings.checkpoint_entries, every=timedelta(seconds=settings.checkpoint_s))
        record = RecordSweep(service.office, service.record_keeper, rhythm=rhythm, witness=settings.witness_dir)
        rounds = [
            Round("visits", self._watch_visits),
            Round("controllers", PushSweep(service.office).run),
            Round("checkpoints", record.run),
            Round("disk", DiskWatch(service.office, service.record_keeper, settings.data_dir).run),
        ]
        mail = checkpoint_mail(service)
        return rounds if mail is None else [*rounds, Round("mail", mail.run)]

    def _go_round(self, one: Round, stop: Event) -> None:
        """One round's thread. A bug of ours is logged whole and tried again."""
        while not stop.is_set():
            try:
                one.run(stop)
            except Exception:
                log.exception("a round failed", round=one.name)
                stop.wait(AGAIN_AFTER_S)

    def _watch_visits(self, stop: Event) -> None:
        while not stop.wait(ROUND_EVERY_S):
            self._service.visit_watch.sweep()

    def _follow_the_site(self) -> None:
        with self._service.store.view() as tx:
            wanted = {one.id: one for one in tx.devices.find(retired=False, limit=2000)}
        gone = [key for key, (device, _, _) in self._running.items() if wanted.get(key) != device]
        self._let_go(gone)
        for device in wanted.values():
            if device.id not in self._running and device.transport in {Transport.ZK, Transport.RDM6300}:
                stop = Event()
                thread = Thread(target=self._mind, args=(device, stop), name=device.id)
                self._running[device.id] = (device, stop, thread)
                thread.start()

    def _let_go(self, keys: list[str]) -> None:
        for key in keys:
            self._running[key][1].set()
        for key in keys:
            self._running.pop(key)[2].join()

    def _mind(self, device: Device, stop: Event) -> None:
        """One device's thread. A bug of ours is logged whole and tried again: it must not take the others along."""
        while not stop.is_set():
            try:
                if device.transport is Transport.ZK:
                    self._keeper(device).run(stop)
                else:
                    self._read_desk(device, stop)
            except Exception:
                log.exception("device thread failed", device=device.id)
                stop.wait(AGAIN_AFTER_S)

    def _keeper(self, device: Device) -> TerminalKeeper:
        return TerminalKeeper(
            self._service.office,
            device,
            terminal_driver(device, self._service),
            intake=self._service.intake,
            fleet=self._service.fleet,
            enrolment=self._service.enrolment,
            lots=Random(device.id),  # noqa: S311 -- spreads retries in time, guards nothing
            pace=self._pace,
        )

    def _read_desk(self, device: Device, stop: Event) -> None:
        reader = Rdm6300Reader(device.address)

        def presented(card: CardPresented) -> None:
            try:
                self._service.captures.card_presented(device.id, card)
            except AccessError as refusal:
                log.warning("card refused", device=device.id, reason=refusal.reason.value)

        def changed(online: bool, why: str) -> None:
            self._service.captures.line_changed(device.id, online=online, why=why)

        reader.run(presented, changed, stop.is_set)


def terminal_driver(device: Device, service: Service) -> TerminalDriver:
    """The driver of a ZKTeco terminal."""
    return KeyedTerminal(device, service.settings)


@dataclass(frozen=True, slots=True)
class KeyedTerminal:
    """A terminal with its comm key, which is read from its file for each session and never kept in the database.

    A file that cannot be used is this terminal's trouble and no other's: it is off, and says why, until that is mended.
    """

    device: Device
    settings: Settings

    def connect(self) -> Terminal:
        """A session, or one of the three errors; `DeviceRefused` where its key's file cannot be used."""
        try:
            comm_key = _comm_key(self.device, self.settings.data_dir)
        except KeysWrong as wrong:
            raise DeviceRefused(f"terminal {self.device.id}: {wrong}") from None
        deadline = self.settings.device_deadline_s
        return ZkTerminalDriver(self.device.address, comm_key=comm_key, deadline=deadline).connect()


def _comm_key(device: Device, data_dir: Path) -> int:
    if not device.comm_key_file:
        return 0
    file = data_dir / device.comm_key_file
    try:
        text = read_secret(file, named_by="comm_key_file").decode("ascii").strip()
    except OpenToOthers as found:
        raise KeysWrong(str(found)) from None
    except (OSError, UnicodeDecodeError):
        raise KeysWrong(f"comm_key_file: {file}: cannot be read") from None
    if not text.isdigit() or len(text) > 9:
        raise KeysWrong(f"comm_key_file: {file}: a comm key is a number of up to nine digits")
    return int(text)
