"""What an open page waits for: whether anything that concerns it came into the record after an entry.

A page asks with the last entry that it knows of and is told up to which entry it now knows, and whether one of the
entries between concerns it. The record's index is the cursor: it survives a broken line, another process, a restart.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission
from accessctl.services.office import Office
from accessctl.services.store import EventFilter


class Topic(StrEnum):
    """What a page shows."""

    INSIDE = "inside"
    DOORS = "doors"
    ALARMS = "alarms"


def _facts(*beginnings: str) -> tuple[str, ...]:
    return tuple(fact.value for fact in Fact if fact.value.startswith(beginnings))


CONCERNS: Mapping[Topic, tuple[str, ...]] = {
    Topic.INSIDE: _facts("door:", "visit:", "zone:", "person:presence:"),
    Topic.DOORS: _facts("door:lock:", "door:leaf:", "device:", "site:file:"),
    Topic.ALARMS: _facts("alarm:"),
}
ASKS: Mapping[Topic, Permission] = {
    Topic.INSIDE: Permission.VISIT_SEE,
    Topic.DOORS: Permission.DOORS_SEE,
    Topic.ALARMS: Permission.ALARMS_SEE,
}


class News(NamedTuple):
    """`known`: the last entry that was looked at, -1 where there is none. `concerned`: the page is to be drawn anew."""

    known: int
    concerned: bool


class Bulletin:
    """Who tells open pages that something happened; never what."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def known(self) -> int:
        """The last entry: a page that is drawn after asking this misses nothing from it on."""
        with self._office.store.view() as tx:
            return tx.events.size() - 1

    def since(self, actor: Actor, topic: Topic, after: int) -> News:
        """What came after entry `after`. An entry that is not there (the record was restored) concerns every page."""
        self._office.require(actor, ASKS[topic], norm="N10.2")
        with self._office.store.view() as tx:
            last = tx.events.size() - 1
            if after >= last:
                return News(known=last, concerned=after > last)
            between = EventFilter(events=CONCERNS[topic], after_index=after, before_index=last + 1)
            return News(known=last, concerned=bool(tx.events.rows(between, limit=1)))
