"""One presence of a card, however often the reader repeats it. Time is an argument (seconds, monotonic).

A reader sends its frame about every 65 ms while the card lies there. The same card within `gap` of its last frame is
the same presence; another card, or the same one after the gap, is a new one. A frame with a wrong checksum says that
something is still there: it prolongs a presence and never ends one.
"""

GAP_SECONDS = 0.3


class PresenceFilter:
    """Says of each frame whether a new presence begins with it."""

    def __init__(self, gap: float = GAP_SECONDS) -> None:
        self._gap = gap
        self._card: bytes | None = None
        self._seen = 0.0

    def begins(self, card: bytes, now: float) -> bool:
        """Whether `card`, read at `now`, was not there before."""
        new = card != self._card or now - self._seen > self._gap
        self._card, self._seen = card, now
        return new

    def noise(self, now: float) -> None:
        """A frame was broken at `now`."""
        if self._card is not None and now - self._seen <= self._gap:
            self._seen = now
