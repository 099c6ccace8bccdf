"""What every refusal must be: its reason and norm, one entry of the record, and a store in which nothing else changed.

with refused(premises, actor, Reason.WRONG_ROLE, "P10.02", case=case):
    premises.requests.assign(actor, case, technician="x")
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor
from accessctl.services.store import EventFilter, EventRow
from accessctl.storage.metadata import metadata
from accessctl.storage.unit_of_work import SqlStore
from tests.services.premises import Premises

RECORD = frozenset({"event", "event_block", "opening_subject", "entry", "tile", "checkpoint", "opening"})


def contents(store: SqlStore) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the record's, as the database holds it."""
    with store.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(table.c.id))]
            for table in metadata.sorted_tables
            if table.name not in RECORD
        }


def entries_since(store: SqlStore, size: int) -> list[EventRow]:
    """What was recorded from that index on, oldest first."""
    with store.view() as tx:
        return tx.events.rows(EventFilter(after_index=size - 1), limit=1000)


def recorded(store: SqlStore) -> int:
    """How many entries the record has."""
    with store.view() as tx:
        return tx.events.size()


@contextmanager
def refused(
    premises: Premises, actor: Actor, reason: Reason, norm: str, *, case: str = ""
) -> Iterator[pytest.ExceptionInfo[AccessError]]:
    """What is done inside is refused so, on the record once, and with nothing half-done."""
    before, size = contents(premises.store), recorded(premises.store)
    with pytest.raises(AccessError) as caught:
        yield caught
    assert (caught.value.reason, caught.value.norm) == (reason, norm)
    assert caught.value.recorded
    assert contents(premises.store) == before
    rows = entries_since(premises.store, size)
    assert [(row.event, row.reason, row.norm, row.actor, row.case) for row in rows] == [
        (Fact.CASE_STEP_REFUSED.value, reason.value, norm, actor.account, case)
    ]


@contextmanager
def refused_quietly(premises: Premises, reason: Reason, norm: str) -> Iterator[pytest.ExceptionInfo[AccessError]]:
    """Refused before a desk's transaction: nothing changed, nothing recorded: the panel will record it."""
    before, size = contents(premises.store), recorded(premises.store)
    with pytest.raises(AccessError) as caught:
        yield caught
    assert (caught.value.reason, caught.value.norm) == (reason, norm)
    assert not caught.value.recorded
    assert contents(premises.store) == before
    assert recorded(premises.store) == size


def facts_since(store: SqlStore, size: int) -> list[str]:
    """The names of what was recorded from that index on."""
    return [row.event for row in entries_since(store, size)]
