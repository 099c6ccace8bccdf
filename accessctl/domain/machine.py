"""A state machine is a table: `(state, event): state`. What is not written is forbidden.

One small engine for all of them (cards, alarms, visits), so that a test can visit every cell of every table and the
diagrams in the documentation are drawn from the tables themselves.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from accessctl.domain.errors import AccessError, Reason

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def advance(table: Mapping[tuple[S, E], S], state: S, event: E, *, refusal: Reason, norm: str = "") -> S:
    """Return the state after `event`, or refuse with `refusal` where the table has no such cell."""
    try:
        return table[state, event]
    except KeyError:
        raise AccessError(refusal, norm, state=state.value, event=event.value) from None


def mermaid(table: Mapping[tuple[S, E], S], start: S) -> str:
    """Draw a table as a Mermaid state diagram, for the documentation (a test compares the two)."""
    lines = ["stateDiagram-v2", f"    [*] --> {start.value}"]
    lines += [f"    {before.value} --> {after.value}: {event.value}" for (before, event), after in table.items()]
    return "\n".join(lines)
