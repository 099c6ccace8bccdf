"""The live view: doors, devices, and the record as it grows; opening a door from the panel.

The page follows the record by index: whoever asks for what came after an index gets each entry once, also after a
broken connection.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from accessctl.domain.card_numbers import CardFormat, CardNumber, parse_typed
from accessctl.domain.cards import CardState
from accessctl.domain.devices import Command, CommandKind, CommandState, DeviceHealth
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission
from accessctl.domain.places import Device, Transport
from accessctl.services.office import Office
from accessctl.services.request_files import DoorLine, door_lines
from accessctl.services.store import EventFilter, EventRow, FoundRows
from accessctl.services.wanted import devices_wanted

OPENING_LASTS = timedelta(seconds=5)  # an opening that could not be carried out by then never is
OPENING_SECONDS = 5
LONGEST_NUMBER = 9  # digits of the number of a visit
SEARCH_SECONDS = 0.6  # then a search says how far it came; with the page around it, whoever asked waits for a second

DOOR_EVENTS = tuple(fact.value for fact in Fact if fact.value.startswith("door:"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """A device with the last that was seen of it."""

    device: Device
    health: DeviceHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFile:
    """One entry as it was hashed, with what was recorded right before and after it, in the order of the record."""

    row: EventRow
    data: bytes
    around: tuple[EventRow, ...]
    size: int  # of the record
    visit: int | None  # the number of the visit that it is about


class Watch:
    """Who looks at doors, devices and events."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def doors(self, actor: Actor) -> list[DoorLine]:
        """Every door in service."""
        self._office.require(actor, Permission.DOORS_SEE, norm="N10.1")
        with self._office.store.view() as tx:
            return door_lines(tx)

    def devices(self, actor: Actor) -> list[DeviceLine]:
        """Every device in service; one never seen has empty health."""
        self._office.require(actor, Permission.DOORS_SEE, norm="N10.1")
        with self._office.store.view() as tx:
            found = sorted(tx.devices.find(retired=False, limit=2000), key=lambda device: device.id)
            return [DeviceLine(device=one, health=tx.health.maybe(one.id) or DeviceHealth(id=one.id)) for one in found]

    def rows(self, actor: Actor, which: EventFilter, *, limit: int = 200, newest: bool = True) -> list[EventRow]:
        """Entries of the record, for whoever may see events."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        with self._office.store.view() as tx:
            return tx.events.rows(which, limit=min(limit, 1000), newest=newest)

    def search(self, actor: Actor, which: EventFilter, *, limit: int, newest: bool) -> FoundRows:
        """The same within about `SEARCH_SECONDS`, however long the record is and whatever is sought."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        with self._office.store.view() as tx:
            return tx.events.search(which, limit=min(limit, 1000), newest=newest, seconds=SEARCH_SECONDS)

    def size(self) -> int:
        """How many entries the record has: where a live page starts."""
        with self._office.store.view() as tx:
            return tx.events.size()

    def entry(self, actor: Actor, index: int, *, around: int = 20) -> EntryFile:
        """One entry, whole, and `around` entries on either side. Raises `AccessError(NOT_FOUND)`."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        with self._office.store.view() as tx:
            size = tx.events.size()
            if not 0 <= index < size:
                raise AccessError(Reason.NOT_FOUND, "N10.2", field="index")
            near = EventFilter(after_index=index - around - 1, before_index=index + around + 1)
            rows = tx.events.rows(near, limit=2 * around + 1)
            data = next(data for _, data, _ in tx.ledger.entries(index, index + 1))
            row = next(row for row in rows if row.index == index)
            visit = tx.visits.maybe(row.visit) if row.visit else None
        number = visit.number if visit else None
        return EntryFile(row=row, data=data, around=tuple(rows), size=size, visit=number)

    def credentials_of(self, actor: Actor, typed: str) -> tuple[str, ...]:
        """The texts under which a card may stand in the record: as desks write it, and as doors do.

        `typed` is what is printed on the card, in any of its forms, or the text of an entry itself.
        """
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        found = {typed}
        with self._office.store.view() as tx:
            for number in _numbers(typed):
                found |= {number.key, number.family_key}
                found.update(
                    card.number.key for card in tx.cards.by_family(number.family_key, states=frozenset(CardState))
                )
        return tuple(sorted(found))

    def visit_of(self, actor: Actor, typed: str) -> str:
        """The visit of that number, by the id under which the record has it; what is no visit's number stands."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        if not typed.isascii() or not typed.isdecimal() or len(typed) > LONGEST_NUMBER:
            return typed
        with self._office.store.view() as tx:
            found = tx.visits.find(number=int(typed), limit=1)
        return found[0].id if found else typed

    def knows_visit(self, actor: Actor, visit: str) -> bool:
        """Whether a visit of that id is on file."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        with self._office.store.view() as tx:
            return tx.visits.maybe(visit) is not None

    def unlock(self, actor: Actor, door: str) -> Command:
        """Open a door from the panel: committed as an intention that lapses after five seconds."""
        self._office.require(actor, Permission.DEVICES_MANAGE, norm="N10.1")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            tx.doors.get(door)
            guards = [one for one in tx.devices.find(retired=False, limit=2000) if door in one.doors]
            guard = next((one for one in guards if one.transport in {Transport.ZK, Transport.PUSH}), None)
            health = tx.health.maybe(guard.id) if guard else None
            if guard is None or health is None or not health.online:
                raise AccessError(Reason.DEVICE_UNAVAILABLE, "N10.1", device=guard.id if guard else door)
            command = Command(
                id=self._office.new_id(),
                device=guard.id,
                kind=CommandKind.UNLOCK,
                state=CommandState.WAITING,
                asked_by=actor.account,
                asked_at=now,
                expires_at=now + OPENING_LASTS,
                seconds=OPENING_SECONDS,
            )
            tx.commands.add(command)
            data: dict[str, str | int | bool | None] = {"kind": command.kind.value, "seconds": command.seconds}
            tx.record(Fact.DEVICE_COMMAND_ASKED, at=now, actor=actor, device=guard.id, door=door, data=data)
            tx.commit()
        return command

    def apply_now(self, actor: Actor, device: str) -> None:
        """Compare a device with what it should hold, now rather than at the next round."""
        self._office.require(actor, Permission.DEVICES_MANAGE, norm="N10.1")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            tx.devices.get(device)
            devices_wanted(tx, now, devices=[device])
            data: dict[str, str | int | bool | None] = {"kind": CommandKind.APPLY.value}
            tx.record(Fact.DEVICE_COMMAND_ASKED, at=now, actor=actor, device=device, data=data)
            tx.commit()


def _numbers(typed: str) -> list[CardNumber]:
    """Every card number that the text can mean; none where it means none."""
    found = []
    for card_format in CardFormat:
        with suppress(AccessError):
            found.append(parse_typed(typed, format=card_format))
    with suppress(AccessError):
        found.append(CardNumber.from_key(typed))
    return found
