"""Server-sent events that follow the record: short streams, few at once, resumable at an entry.

A stream says with every event up to which entry it has looked (`id:`), and ends by itself after half a minute; the
browser comes back with `Last-Event-ID` and goes on where it was, also to another process: the index is the record's.
A server with N threads is dead after N open streams, so only some are open at once: whoever comes later gets what is
new as one short answer and comes back in a few seconds.

What a stream says is a `Look`: given the last entry it knows, the next one, and the text of what came between. It looks
four times a second, and after it has said something no sooner than `rests_s`, so that a flood is told as one change.
"""

import time
from collections.abc import Callable, Iterator
from itertools import count
from threading import BoundedSemaphore, Event

from accessctl.services.store import EventRow

Look = Callable[[int], tuple[int, str]]
Rows = Callable[[int], list[EventRow]]
Draw = Callable[[EventRow], str]

LOOKS_EVERY_S = 0.25
COMES_BACK_MS = 500
COMES_BACK_LATER_MS = 4000
SPREAD = 8  # those who come later come back at so many different moments, half a second apart


class Streams:
    """The streams of one process. `most` are open at once; each lasts `lasts_s` and shows life every `beat_s`."""

    def __init__(self, *, most: int, lasts_s: float, beat_s: float) -> None:
        self._slots = BoundedSemaphore(most)
        self._turned_away = count()
        self._lasts_s = lasts_s
        self._beat_s = beat_s

    def follow(self, after: int, look: Look, *, rests_s: float = LOOKS_EVERY_S) -> Iterator[str]:
        """The text of one answer: what came after entry `after`, until its time is over or at once where it is full."""
        if not self._slots.acquire(blocking=False):
            yield from self.answer(after, look)
            return
        try:
            yield f"retry: {COMES_BACK_MS}\n\n"
            yield from self._live(after, look, rests_s)
        finally:
            self._slots.release()

    def answer(self, after: int, look: Look) -> Iterator[str]:
        """What is new, at once, in an answer that holds no slot and no thread."""
        later = COMES_BACK_LATER_MS + next(self._turned_away) % SPREAD * COMES_BACK_MS
        known, text = look(after)
        yield f"retry: {later}\n\n{text}{place(known)}"

    def _live(self, after: int, look: Look, rests_s: float) -> Iterator[str]:
        pause = Event()  # never set: a wait that ends by its time
        ends = time.monotonic() + self._lasts_s
        beat = time.monotonic() + self._beat_s
        while (now := time.monotonic()) < ends:
            after, text = look(after)
            if text:
                beat = now + self._beat_s
                yield text + place(after)
            elif now >= beat:
                beat = now + self._beat_s
                yield f": sigo aquí\n{place(after)}"
            pause.wait(rests_s if text else LOOKS_EVERY_S)


def place(known: int) -> str:
    """Where a browser is to go on, without an event: an `id:` alone is remembered and shows nothing."""
    return f"id: {known}\n\n"


def message(event: str, known: int, text: str) -> str:
    """One server-sent event: its place as the id, every line of the text as data."""
    data = "\n".join(f"data: {line}" for line in text.splitlines() if line.strip())
    return f"event: {event}\nid: {known}\n{data}\n\n"


def entries(rows: Rows, draw: Draw) -> Look:
    """A look that says each new entry, once and in order."""

    def look(after: int) -> tuple[int, str]:
        new = rows(after)
        return new[-1].index if new else after, "".join(message("entry", row.index, draw(row)) for row in new)

    return look


def last_seen(header: str | None, asked: str | None) -> int | None:
    """From which entry on: `Last-Event-ID` before the address; None where neither is a number."""
    for text in (header, asked):
        if text is not None and text.isascii() and len(text) <= 18 and text.removeprefix("-").isdecimal():
            return int(text)
    return None
