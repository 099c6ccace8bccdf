"""How one device is: online or not, its clock, what it has not confirmed. Said when it changes, not at each try."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.devices import DeviceHealth
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device
from accessctl.domain.schedules import GUATEMALA
from accessctl.ports import DeviceError, Terminal, TerminalInfo
from accessctl.services.alarm_desk import Subject, is_raised, raise_alarm, settle
from accessctl.services.intake import DOUBTFUL
from accessctl.services.office import Office
from accessctl.services.store import Work

LONGEST_MESSAGE = 300


class DeviceCondition:
    """The health of one device and the alarms that follow from it. Every method is one transaction or none."""

    def __init__(self, office: Office, device: Device, *, pending_after: timedelta) -> None:
        self._office = office
        self._device = device
        self._pending_after = pending_after

    def online(self, info: TerminalInfo, skew_s: int) -> None:
        """A session is open."""
        now = self._office.clock()

        def back(tx: Work, health: DeviceHealth) -> DeviceHealth:
            data: dict[str, str | int | bool | None] = {
                "serial": info.serial,
                "firmware": info.firmware,
                "skew_s": skew_s,
            }
            tx.record(Fact.DEVICE_ONLINE, at=now, actor=SYSTEM, device=self._device.id, data=data)
            settle(tx, AlarmKind.DEVICE_OFFLINE, self._device.id, cause="online", at=now)
            return replace(
                health,
                online=True,
                since=health.since if health.online else now,
                last_seen=now,
                last_error="",
                serial=info.serial,
                firmware=info.firmware,
                skew_s=skew_s,
            )

        self._change(back)

    def lost(self, error: DeviceError) -> None:
        """The session ended, or none came about, by the device's fault: an alarm, once until it is back."""
        now = self._office.clock()
        message = str(error)[:LONGEST_MESSAGE]

        def gone(tx: Work, health: DeviceHealth) -> DeviceHealth:
            if health.online or not is_raised(tx, AlarmKind.DEVICE_OFFLINE, self._device.id):
                why = f"{type(error).__name__}: {message}"
                data: dict[str, str | int | bool | None] = {"why": why}
                tx.record(Fact.DEVICE_OFFLINE, at=now, actor=SYSTEM, device=self._device.id, data=data)
                about = Subject(key=self._device.id, device=self._device.id, detail=why)
                raise_alarm(tx, self._office, AlarmKind.DEVICE_OFFLINE, about, at=now)
            since = now if health.online or health.since is None else health.since
            return replace(health, online=False, since=since, last_error=message)

        self._change(gone)
        self.mind_removals()

    def seen(self, skew_s: int) -> None:
        """It still answers."""
        now = self._office.clock()
        self._change(lambda _, health: replace(health, last_seen=now, skew_s=skew_s))
        self.mind_removals()

    def differs(self, why: str) -> None:
        """It is online and does not take what it should hold: shown beside its name until it does ("" = it does)."""
        self._change(lambda _, health: replace(health, last_error=why[:LONGEST_MESSAGE]))

    def skew(self, terminal: Terminal) -> int:
        """Seconds by which the terminal's clock is ahead of ours."""
        here = self._office.clock().astimezone(GUATEMALA).replace(tzinfo=None)
        return round((terminal.clock() - here).total_seconds())

    def mind_clock(self, terminal: Terminal, skew_s: int) -> int:
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
        after = self.skew(terminal)
        with self._office.store.begin() as tx:
            data = {"before_s": skew_s, "after_s": after}
            tx.record(Fact.DEVICE_CLOCK_SET, at=self._office.clock(), actor=SYSTEM, device=self._device.id, data=data)
            tx.commit()
        if abs(after) <= DOUBTFUL.total_seconds():
            self._settled(AlarmKind.CLOCK_DOUBTFUL, "clock_set")
        return after

    def mind_removals(self) -> bool:
        """A removal that this device has not confirmed in time is an alarm until it has (N10.4).

        True where the device has still to confirm one.
        """
        now = self._office.clock()
        with self._office.store.view() as tx:
            waiting = tx.removal_targets.find(device=self._device.id, confirmed_at=None)
            late = [one for one in waiting if now - tx.removals.get(one.removal).at > self._pending_after]
            raised = is_raised(tx, AlarmKind.REVOCATION_PENDING, self._device.id)
        if bool(late) == raised or (waiting and raised):
            return bool(waiting)
        with self._office.store.begin() as tx:
            if late:
                doors = " ".join(sorted({door for one in late for door in one.doors}))
                about = Subject(key=self._device.id, device=self._device.id, door=doors[:64], detail=f"{len(late)}")
                raise_alarm(tx, self._office, AlarmKind.REVOCATION_PENDING, about, at=now)
            else:
                settle(tx, AlarmKind.REVOCATION_PENDING, self._device.id, cause="confirmed", at=now)
            tx.commit()
        return bool(waiting)

    def _settled(self, kind: AlarmKind, cause: str) -> None:
        with self._office.store.view() as tx:
            if not is_raised(tx, kind, self._device.id):
                return
        with self._office.store.begin() as tx:
            if settle(tx, kind, self._device.id, cause=cause, at=self._office.clock()):
                tx.commit()

    def _change(self, change: Callable[[Work, DeviceHealth], DeviceHealth]) -> None:
        with self._office.store.begin() as tx:
            health = tx.health.maybe(self._device.id)
            if health is None:
                tx.health.add(change(tx, DeviceHealth(id=self._device.id)))
            else:
                tx.health.save(change(tx, health))
            tx.commit()
