"""Premises: site → zone → door → device. A door leads into a zone; a device guards doors in one or both directions."""

from dataclasses import dataclass
from enum import StrEnum


class ZoneClass(StrEnum):
    """Which rules of the manual hold inside: procedure 4 for a data centre, procedure 10 elsewhere."""

    PREMISES = "premises"
    DATA_CENTRE = "data_centre"


class Direction(StrEnum):
    """Which way a reader looks. Leaving is never refused."""

    IN = "in"
    OUT = "out"


class Transport(StrEnum):
    """How a device is spoken to."""

    ZK = "zk"  # decides alone, TCP 4370
    PUSH = "push"  # calls us over HTTP, asks where it is `online`
    RDM6300 = "rdm6300"  # desk reader on a serial line


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of the premises; `inside` is the zone around it."""

    id: str
    name: str
    zone_class: ZoneClass = ZoneClass.PREMISES
    inside: str | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A door and the zone it leads into."""

    id: str
    name: str
    zone: str
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device of the site's file. `doors` are its door 1, 2, … in that order; a desk reader has none."""

    id: str
    transport: Transport
    address: str = ""
    serial: str = ""
    source: str = ""
    doors: tuple[str, ...] = ()
    direction: Direction = Direction.IN
    online: bool = False
    comm_key_file: str = ""
    retired: bool = False
