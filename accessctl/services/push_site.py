"""Which controllers may call, from where: the site's file as the ingress sees it, read again every two seconds.

A call is believed only where the serial number stands in the site's file and comes from the address beside it. A second
controller with a known serial number at another address is an alarm; strangers are recorded once in a while, never a
thousand times. The registration code is derived from a key of the installation: it is the same after a restart.
"""

import hashlib
import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from accessctl.domain.places import Device, Transport
from accessctl.services.store import Store

READ_AGAIN = timedelta(seconds=2)
MOST_DEVICES = 5000
AGAIN_AFTER = timedelta(minutes=10)  # the same stranger is recorded again
MOST_STRANGERS = 200  # of the last ten minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Controllers:
    """The controllers in service, by serial number and by id, and the zone of each door."""

    by_serial: Mapping[str, Device]
    by_id: Mapping[str, Device]
    zones: Mapping[str, str]

    def door(self, device: str, number: int) -> str:
        """The door that a controller calls `number`, "" where it has none such."""
        doors = self.by_id[device].doors
        return doors[number - 1] if 1 <= number <= len(doors) else ""


class SiteBook:
    """The controllers, as fresh as two seconds. Safe to share between threads."""

    def __init__(self, store: Store, secret: bytes) -> None:
        self._store = store
        self._secret = secret
        self._lock = threading.Lock()
        self._read_at: datetime | None = None
        self._controllers = Controllers(by_serial={}, by_id={}, zones={})

    def controllers(self, now: datetime) -> Controllers:
        """What the site's file says now."""
        with self._lock:
            if self._read_at is None or not timedelta(0) <= now - self._read_at < READ_AGAIN:
                with self._store.view() as tx:
                    found = tx.devices.find(transport=Transport.PUSH, retired=False, limit=MOST_DEVICES)
                    zones = {door.id: door.zone for door in tx.doors.find(retired=False, limit=MOST_DEVICES)}
                self._controllers = Controllers(
                    by_serial={one.serial: one for one in found if one.serial},
                    by_id={one.id: one for one in found},
                    zones=zones,
                )
                self._read_at = now
            return self._controllers

    def registration_code(self, serial: str) -> str:
        """Ten digits and letters that only this installation can have given to this controller."""
        return hmac.new(self._secret, f"push registration {serial}".encode(), hashlib.sha256).hexdigest()[:10]


class Strangers:
    """Who called and was refused: says which call is worth recording. Bounded, whoever calls how often."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, ...], datetime] = {}

    def is_news(self, now: datetime, *what: str) -> bool:
        """Whether this was not recorded lately, and there is room to record it."""
        with self._lock:
            for key in [key for key, at in self._seen.items() if now - at > AGAIN_AFTER]:
                del self._seen[key]
            if what in self._seen or len(self._seen) >= MOST_STRANGERS:
                return False
            self._seen[what] = now
            return True
