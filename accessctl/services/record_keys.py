"""Which key signs the record, as the record itself says: its first entry names it, a rotation names the next one.

So a key that was lost and made anew, restored from elsewhere or put there by a stranger signs nothing: whoever signs
asks here first. The record of an installation that began before keys were recorded names none, until it is rotated.
"""

from typing import NamedTuple

from accessctl.domain.facts import Fact
from accessctl.record import RecordBroken, Why, decode
from accessctl.record.canonical import NotCanonical
from accessctl.services.store import EventFilter, Work


class RecordedKeys(NamedTuple):
    """Public keys (vkey) that the record names: the one that signs from now on, the one before it; "" for none."""

    present: str
    before: str


def recorded_keys(tx: Work) -> RecordedKeys:
    """What the last rotation, or else the first entry, says. Raises `RecordBroken` where that entry was changed."""
    rotated = tx.events.rows(EventFilter(events=(Fact.KEY_ROTATED.value,)), limit=1, newest=True)
    for row in rotated or tx.events.rows(EventFilter(events=(Fact.RECORD_BEGUN.value,)), limit=1):
        for index, data, _ in tx.ledger.entries(row.index, row.index + 1):
            try:
                said = decode(data).get("data")
            except NotCanonical:
                raise RecordBroken(
                    Why.ENTRY_CHANGED, f"entry {index}, which names the record's key, was changed", index=index
                ) from None
            keys = [said.get(name) if isinstance(said, dict) else None for name in ("verifier_key", "before")]
            return RecordedKeys(*(key if isinstance(key, str) else "" for key in keys))
    return RecordedKeys("", "")
