"""The site as a file: zones, doors, devices, schedules, holidays; shown first, applied once, nothing deleted.

The same file twice changes nothing. What left the file is retired: its history stays, and it opens nothing any more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission, clean_text
from accessctl.domain.places import Device, Direction, Door, Transport, Zone, ZoneClass
from accessctl.domain.schedules import ALWAYS, OFFICE_HOURS, Holiday, WeeklySchedule, guatemalan_holidays
from accessctl.services.alarm_desk import settle
from accessctl.services.office import Office
from accessctl.services.removal_desk import reached
from accessctl.services.store import Shelf, Work
from accessctl.services.wanted import devices_wanted

MOST = 2000
YEARS_AHEAD = 3

P = TypeVar("P", Zone, Door, Device)


class SiteWrong(Exception):
    """The file cannot be a site; the message names the table and the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a site's file says."""

    zones: tuple[Zone, ...]
    doors: tuple[Door, ...]
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between file and store: `add`, `change` or `retire` of a `zone`, `door` or `device`."""

    what: str
    kind: str
    id: str


_KEYS = {
    "zone": {"id", "name", "inside", "class"},
    "door": {"id", "name", "zone"},
    "device": {"id", "transport", "address", "serial", "source", "doors", "direction", "online", "comm_key_file"},
}


def read_site(data: Mapping[str, Any]) -> Site:
    """A site from parsed TOML. Raises `SiteWrong`; unknown tables and keys are refused, references are checked."""
    unknown = set(data) - set(_KEYS)
    if unknown:
        raise SiteWrong(f"unknown table {min(unknown)!r}")
    zones = tuple(_zone(row) for row in _rows(data, "zone"))
    doors = tuple(_door(row) for row in _rows(data, "door"))
    devices = tuple(_device(row) for row in _rows(data, "device"))
    zone_ids, door_ids = {zone.id for zone in zones}, {door.id for door in doors}
    zones = _outer_first(zones)
    for door in doors:
        if door.zone not in zone_ids:
            raise SiteWrong(f"door {door.id!r}: zone {door.zone!r} is no zone of this file")
    guarded: dict[tuple[str, Direction], str] = {}
    for device in devices:
        for guard in device.doors:
            if guard not in door_ids:
                raise SiteWrong(f"device {device.id!r}: door {guard!r} is no door of this file")
            other = guarded.setdefault((guard, device.direction), device.id)
            if other != device.id:
                raise SiteWrong(f"device {device.id!r}: door {guard!r} is guarded by {other!r} in the same direction")
    return Site(zones=zones, doors=doors, devices=devices)


class SiteDesk:
    """Applying a site's file."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def differences(self, site: Site) -> list[Change]:
        """What applying the file would change."""
        with self._office.store.view() as tx:
            return _differences(tx, site)

    def apply(self, actor: Actor, site: Site) -> list[Change]:
        """Make the stored site equal to the file. Returns what changed."""
        self._office.require(actor, Permission.DEVICES_MANAGE, norm="N10.1")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            changes = _differences(tx, site)
            if changes:
                _apply(tx.zones, site.zones)
                _apply(tx.doors, site.doors)
                _apply(tx.devices, site.devices)
                data: dict[str, str | int | bool | None] = {
                    f"{one.what}:{one.kind}:{one.id}"[:100]: True for one in changes[:100]
                }
                tx.record(Fact.SITE_APPLIED, at=now, actor=actor, data=data)
                for gone in tx.devices.find(retired=True, limit=MOST):
                    if reached(tx, gone.id, at=now, absent=None):
                        settle(tx, AlarmKind.REVOCATION_PENDING, gone.id, cause="device_retired", at=now)
                serving = [one.id for one in site.devices if one.transport is not Transport.RDM6300]
                devices_wanted(tx, now, devices=serving)
                tx.commit()
        return changes

    def install_calendar(self, actor: Actor) -> bool:
        """The standard schedules and the holidays of this year and the next ones, where they are not there yet."""
        self._office.require(actor, Permission.DEVICES_MANAGE, norm="N10.1")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            schedules = [one for one in (ALWAYS, OFFICE_HOURS) if tx.schedules.maybe(one.id) is None]
            years = range(now.year, now.year + YEARS_AHEAD)
            holidays = [one for year in years for one in guatemalan_holidays(year) if tx.holidays.maybe(one.id) is None]
            for schedule in schedules:
                tx.schedules.add(schedule)
            for holiday in holidays:
                tx.holidays.add(holiday)
            if not schedules and not holidays:
                return False
            data: dict[str, str | int | bool | None] = {"schedules": len(schedules), "holidays": len(holidays)}
            tx.record(Fact.SETTING_CHANGED, at=now, actor=actor, data=data)
            tx.commit()
        return True

    def add_schedule(self, actor: Actor, schedule: WeeklySchedule) -> None:
        """One more weekly schedule."""
        self._setting(actor, schedule.id, "schedule", lambda tx: tx.schedules.add(schedule))

    def add_holiday(self, actor: Actor, *, day: date, name: str, half_day: bool = False) -> None:
        """A day that the institution or the government adds."""

        def write(tx: Work) -> None:
            said = clean_text(name, field="name", longest=120)
            tx.holidays.add(Holiday(id=key, date=day, name=said, half_day=half_day))

        key = f"{day.isoformat()}-local"
        self._setting(actor, key, "holiday", write)

    def _setting(self, actor: Actor, key: str, kind: str, write: Callable[[Work], None]) -> None:
        self._office.require(actor, Permission.DEVICES_MANAGE, norm="N10.1")
        with self._office.begin(actor) as tx:
            write(tx)
            data: dict[str, str | int | bool | None] = {"kind": kind, "id": key}
            tx.record(Fact.SETTING_CHANGED, at=self._office.clock(), actor=actor, data=data)
            tx.commit()


def _differences(tx: Work, site: Site) -> list[Change]:
    changes = _compare("zone", tx.zones, site.zones)
    changes += _compare("door", tx.doors, site.doors)
    return changes + _compare("device", tx.devices, site.devices)


def _compare(what: str, shelf: Shelf[P], wanted: Sequence[P]) -> list[Change]:
    stored = {one.id: one for one in shelf.find(limit=MOST)}
    changes = []
    for one in wanted:
        if one.id not in stored:
            changes.append(Change(what=what, kind="add", id=one.id))
        elif stored[one.id] != one:
            changes.append(Change(what=what, kind="change", id=one.id))
    there = {one.id for one in wanted}
    changes += [
        Change(what=what, kind="retire", id=key) for key, old in stored.items() if key not in there and not old.retired
    ]
    return changes


def _apply(shelf: Shelf[P], wanted: Sequence[P]) -> None:
    stored = {one.id: one for one in shelf.find(limit=MOST)}
    for one in wanted:
        if one.id not in stored:
            shelf.add(one)
        elif stored[one.id] != one:
            shelf.save(one)
    there = {one.id for one in wanted}
    for key, old in stored.items():
        if key not in there and not old.retired:
            shelf.save(replace(old, retired=True))


def _outer_first(zones: Sequence[Zone]) -> tuple[Zone, ...]:
    """Each zone after the one around it, as the database wants them. A zone around itself is refused."""
    left, ordered, known = list(zones), [], set[str | None]({None})
    while left:
        ready = [zone for zone in left if zone.inside in known]
        if not ready:
            raise SiteWrong(
                f"zone {left[0].id!r}: inside {left[0].inside!r} is no zone of this file, or goes in circles"
            )
        ordered += ready
        known |= {zone.id for zone in ready}
        left = [zone for zone in left if zone.id not in known]
    return tuple(ordered)


def _rows(data: Mapping[str, Any], table: str) -> list[Mapping[str, Any]]:
    rows = data.get(table, [])
    if not isinstance(rows, list) or len(rows) > MOST or not all(isinstance(row, dict) for row in rows):
        raise SiteWrong(f"[[{table}]] is a list of tables, {MOST} at most")
    seen: set[str] = set()
    for row in rows:
        unknown = set(row) - _KEYS[table]
        if unknown:
            raise SiteWrong(f"[[{table}]]: unknown key {min(unknown)!r}")
        key = _text(row, table, "id")
        if not key.replace("-", "").replace("_", "").isalnum() or not key.isascii() or len(key) > 64 or key in seen:
            raise SiteWrong(f"[[{table}]]: id {key[:70]!r} must be of up to 64 letters, digits, - and _, and once only")
        seen.add(key)
    return rows


def _text(row: Mapping[str, Any], table: str, key: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str) or not value.isprintable() or len(value) > 200 or (default is None and not value):
        raise SiteWrong(f"[[{table}]]: {key} must be a text of 1 to 200 characters")
    return value


def _zone(row: Mapping[str, Any]) -> Zone:
    inside = _text(row, "zone", "inside", "")
    try:
        zone_class = ZoneClass(_text(row, "zone", "class", ZoneClass.PREMISES.value))
    except ValueError:
        raise SiteWrong(f"zone {row['id']!r}: class must be premises or data_centre") from None
    return Zone(id=row["id"], name=_text(row, "zone", "name"), zone_class=zone_class, inside=inside or None)


def _door(row: Mapping[str, Any]) -> Door:
    return Door(id=row["id"], name=_text(row, "door", "name"), zone=_text(row, "door", "zone"))


def _device(row: Mapping[str, Any]) -> Device:
    doors = row.get("doors", [])
    online = row.get("online", False)
    if not isinstance(doors, list) or not all(isinstance(door, str) for door in doors) or len(doors) > 32:
        raise SiteWrong(f"device {row['id']!r}: doors is a list of door ids")
    if len(set(doors)) != len(doors):
        raise SiteWrong(f"device {row['id']!r}: a door stands twice in doors")
    if not isinstance(online, bool):
        raise SiteWrong(f"device {row['id']!r}: online is true or false")
    try:
        transport = Transport(_text(row, "device", "transport"))
        direction = Direction(_text(row, "device", "direction", Direction.IN.value))
    except ValueError as error:
        raise SiteWrong(f"device {row['id']!r}: {error}") from None
    device = Device(
        id=row["id"],
        transport=transport,
        address=_text(row, "device", "address", ""),
        serial=_text(row, "device", "serial", ""),
        source=_text(row, "device", "source", ""),
        doors=tuple(doors),
        direction=direction,
        online=online,
        comm_key_file=_text(row, "device", "comm_key_file", ""),
    )
    if transport is Transport.PUSH and not device.serial:
        raise SiteWrong(f"device {device.id!r}: a push controller is known by its serial")
    if transport is Transport.PUSH and not device.source:
        raise SiteWrong(f"device {device.id!r}: a push controller may come from one address, its source")
    if transport is not Transport.PUSH and not device.address:
        raise SiteWrong(f"device {device.id!r}: needs an address")
    if transport is Transport.ZK and len(device.doors) != 1:
        raise SiteWrong(f"device {device.id!r}: a terminal guards one door")
    return device
