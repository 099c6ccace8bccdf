"""Live events over server-sent events: short streams, few at once, each entry once.

A stream follows the record by index, says so with every event (`id:`), and ends by itself after half a minute; the
browser comes back with `Last-Event-ID` and goes on where it was. A server with N threads is dead after N open streams,
so only some are open at once: whoever comes later gets what is new as one short answer and comes back in a few seconds.
"""

import time
from collections.abc import Callable, Iterator
from threading import BoundedSemaphore, Event

from accessctl.services.store import EventRow

Rows = Callable[[int], list[EventRow]]
Draw = Callable[[EventRow], str]

LOOKS_EVERY_S = 0.25
COMES_BACK_MS = 500
COMES_BACK_LATER_MS = 4000


class Streams:
    """The streams of one process. `most` are open at once; each lasts `lasts_s` and shows life every `beat_s`."""

    def __init__(self, *, most: int, lasts_s: float, beat_s: float) -> None:
        self._slots = BoundedSemaphore(most)
        self._lasts_s = lasts_s
        self._beat_s = beat_s

    def follow(self, after: int, *, rows: Rows, draw: Draw) -> Iterator[str]:
        """The text of one answer: what came after entry `after`, until its time is over or at once where it is full."""
        if not self._slots.acquire(blocking=False):
            yield f"retry: {COMES_BACK_LATER_MS}\n\n"
            for row in rows(after):
                yield message(row, draw(row))
            return
        try:
            yield f"retry: {COMES_BACK_MS}\n\n"
            yield from self._live(after, rows, draw)
        finally:
            self._slots.release()

    def _live(self, after: int, rows: Rows, draw: Draw) -> Iterator[str]:
        pause = Event()  # never set: a wait that ends by its time
        ends = time.monotonic() + self._lasts_s
        beat = time.monotonic() + self._beat_s
        while (now := time.monotonic()) < ends:
            new = rows(after)
            for row in new:
                after = row.index
                yield message(row, draw(row))
            if new:
                beat = now + self._beat_s
            elif now >= beat:
                beat = now + self._beat_s
                yield ": sigo aquí\n\n"
            pause.wait(LOOKS_EVERY_S)


def message(row: EventRow, text: str) -> str:
    """One entry as a server-sent event: its index as the id, every line of the text as data."""
    data = "\n".join(f"data: {line}" for line in text.splitlines() if line.strip())
    return f"event: entry\nid: {row.index}\n{data}\n\n"


def last_seen(header: str | None, asked: str | None) -> int | None:
    """From which entry on: `Last-Event-ID` before the address; None where neither is a number."""
    for text in (header, asked):
        if text is not None and text.isascii() and len(text) <= 18 and text.removeprefix("-").isdecimal():
            return int(text)
    return None
