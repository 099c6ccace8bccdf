"""Where we stand in a controller's event log: its counter, what is missing, and whether it began again.

Pure: `PushMark.read` takes the events of one upload and says what they mean for the log. An event is known again by its
index and digest, and the digest covers its time: so an upload that comes again, also after the counter was reset, is
known, and the epoch is needed only where the controller's clock stands where every reset puts it (before 2020).

The counter was reset where a lower index brings something newer than the newest we have, where it brings another event
under an index that we hold, or where the clock went back to its beginning together with the counter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from accessctl.ports import PushEvent

MOST_HOLES = 64
REMEMBERED = 2048  # indexes whose digest is kept in memory
FIRST_PLAUSIBLE_YEAR = 2020

Hole = tuple[int, int]  # from, to, both missing


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMark:
    """What is known of a log. `last` is the highest index of this epoch, `newest` the controller's time of it."""

    epoch: int = 1
    last: int = 0
    newest: datetime | None = None
    holes: tuple[Hole, ...] = ()
    digests: Mapping[int, str] = field(default_factory=dict, repr=False)

    def read(self, events: Sequence[PushEvent]) -> "Reading":
        """Take one upload into account, in whatever order it comes."""
        mark, reset = self, False
        numbered = [event for event in events if event.index is not None]
        if self.last and any(self._begins_again(event) for event in numbered):
            mark, reset = PushMark(epoch=self.epoch + 1), True
        before = mark.last
        indexes = sorted({event.index for event in numbered if event.index is not None})
        holes = _without(mark.holes, indexes)
        known_from = before if before or reset or not indexes else indexes[0] - 1  # what came before us is history
        new_holes = _between(known_from, indexes)
        if indexes and indexes[-1] > before:
            newest = next(event.at for event in numbered if event.index == indexes[-1])
            mark = replace(mark, last=indexes[-1], newest=newest or mark.newest)
        kept = dict(mark.digests)
        kept.update((event.index, event.digest) for event in numbered if event.index is not None)
        for index in list(kept)[: max(len(kept) - REMEMBERED, 0)]:
            del kept[index]
        filled = bool(mark.holes) and not holes and not new_holes
        mark = replace(mark, holes=(*holes, *new_holes)[-MOST_HOLES:], digests=kept)
        return Reading(mark=mark, reset=reset, holes=new_holes, filled=filled)

    def _begins_again(self, event: PushEvent) -> bool:
        if event.index is None or event.index > self.last:
            return False
        held = self.digests.get(event.index)
        if held is not None:
            return held != event.digest
        if self.newest is None or event.at is None:
            return False
        if not is_plausible(event.at):
            return is_plausible(self.newest)
        return event.at > self.newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an upload means: the mark after it, whether the log began again, what is missing now, what was filled."""

    mark: PushMark
    reset: bool
    holes: tuple[Hole, ...]
    filled: bool


def identity_of(device: str, event: PushEvent, epoch: int) -> str:
    """What makes an event one, however often it is delivered."""
    if event.index is None:
        return f"{device}:push:{event.digest}"
    if event.at is None or not is_plausible(event.at):
        return f"{device}:push:{epoch}:{event.index}:{event.digest}"
    return f"{device}:push:{event.index}:{event.digest}"


def is_plausible(at: datetime) -> bool:
    """Whether a clock that says so was ever set."""
    return at.year >= FIRST_PLAUSIBLE_YEAR


def _between(last: int, indexes: Sequence[int]) -> tuple[Hole, ...]:
    """What is missing between the last index and those that came, and among these."""
    found: list[Hole] = []
    for index in indexes:
        if index <= last:
            continue
        if index > last + 1:
            found.append((last + 1, index - 1))
        last = index
    return tuple(found)


def _without(holes: Sequence[Hole], indexes: Sequence[int]) -> tuple[Hole, ...]:
    """The holes that are left when these indexes came."""
    left = list(holes)
    for index in indexes if left else ():
        for place, (start, end) in enumerate(left):
            if start <= index <= end:
                left[place : place + 1] = [one for one in ((start, index - 1), (index + 1, end)) if one[0] <= one[1]]
                break
    return tuple(left[:MOST_HOLES])
