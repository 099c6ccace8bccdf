"""The event buffer of a controller: numbered, kept after the acknowledgement, overwritten from the oldest when full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from accessctl_sim.push.codes import Happening, Verified

FIRST_BACKLOG = datetime.fromisoformat("2026-01-01T07:00:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event, in the device's own naive time. `inout` 0 in, 1 out, 2 neither."""

    index: int
    at: datetime
    event: int
    door: int
    pin: str = "0"
    card: int = 0
    inout: int = 2
    verified: int = Verified.OTHER

    def rtlog(self) -> str:
        """The line of `table=rtlog`."""
        return f"{self.facts()}\tindex={self.index}"

    def facts(self) -> str:
        """The same without its number, as a request for remote verification carries it."""
        return (
            f"time={self.at:%Y-%m-%d %H:%M:%S}\tpin={self.pin}\tcardno={self.card}\teventaddr={self.door}"
            f"\tevent={self.event}\tinoutstatus={self.inout}\tverifytype={self.verified}"
        )

    def attlog(self) -> str:
        """The positional line of the attendance dialect: PIN, time, state, verify, work code, two reserved."""
        return (
            f"{self.pin}\t{self.at:%Y-%m-%d %H:%M:%S}\t{0 if self.inout == 2 else self.inout}\t{self.verified}\t0\t0\t0"
        )


class EventLog:
    """Entries in order, and up to which one the server has said that it has them."""

    def __init__(self, *, capacity: int) -> None:
        self.capacity = capacity
        self.entries: list[Entry] = []
        self.next_index = 1
        self.overwritten = 0
        self._acknowledged = 0  # how many of `entries`, from the front

    def append(self, entry: Entry, *, capacity: int = 0) -> None:
        """Add an entry; the oldest goes when there is no room, sent or not."""
        self.entries.append(entry)
        self.next_index = entry.index + 1
        excess = len(self.entries) - (capacity or self.capacity)
        if excess > 0:
            del self.entries[:excess]
            self.overwritten += max(excess - self._acknowledged, 0)
            self._acknowledged = max(self._acknowledged - excess, 0)

    def fill(self, count: int, *, doors: int) -> None:
        """A backlog: grants of a hundred people, a minute apart."""
        for k in range(count):
            pin = 1 + k % 100
            self.append(
                Entry(
                    index=self.next_index,
                    at=FIRST_BACKLOG + timedelta(minutes=k),
                    event=Happening.GRANTED,
                    door=1 + k % doors,
                    pin=str(pin),
                    card=100_000 + pin,
                    inout=0,
                    verified=Verified.CARD,
                )
            )

    def waiting(self, at_most: int) -> list[Entry]:
        """The oldest entries that nobody acknowledged."""
        return self.entries[self._acknowledged : self._acknowledged + at_most]

    @property
    def waiting_count(self) -> int:
        return len(self.entries) - self._acknowledged

    def acknowledge(self, batch: list[Entry]) -> None:
        """The server has this batch, the oldest that waited; what was overwritten meanwhile is gone anyway."""
        last = batch[-1]
        while self._acknowledged < len(self.entries) and self.entries[self._acknowledged] in batch:
            self._acknowledged += 1
            if self.entries[self._acknowledged - 1] == last:
                return

    def rewind(self, above: int) -> int:
        """Send again what has a higher index; how many that are."""
        self._acknowledged = sum(entry.index <= above for entry in self.entries)
        return self.waiting_count

    def clear(self) -> int:
        """Forget everything; the index goes on."""
        count = len(self.entries)
        self.entries.clear()
        self._acknowledged = 0
        return count

    def reset_index(self) -> None:
        """The counter starts again at 1, as after a factory reset."""
        self.next_index = 1
