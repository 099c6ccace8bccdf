"""Cards of the visitors' pool and printed slips: given for one visit, taken back at its end.

They are apart from the cards of procedure 10: nobody holds one, no right hangs on one, and a door counts it only for
the visit that it was given for. A slip bears a number of its own (as a QR code) and serves once.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from accessctl.domain.card_numbers import CardNumber
from accessctl.domain.errors import Reason
from accessctl.domain.machine import advance


class VisitorCardState(StrEnum):
    """Where a card of the pool is."""

    FREE = "free"
    GIVEN = "given"
    MISSING = "missing"
    RETIRED = "retired"


class VisitorCardEvent(StrEnum):
    """What can happen to it."""

    GIVE = "give"
    TAKE_BACK = "take_back"
    MISS = "miss"
    RETIRE = "retire"


_S, _E = VisitorCardState, VisitorCardEvent

VISITOR_CARD_TRANSITIONS: dict[tuple[VisitorCardState, VisitorCardEvent], VisitorCardState] = {
    (_S.FREE, _E.GIVE): _S.GIVEN,
    (_S.FREE, _E.RETIRE): _S.RETIRED,
    (_S.GIVEN, _E.TAKE_BACK): _S.FREE,
    (_S.GIVEN, _E.MISS): _S.MISSING,
    (_S.GIVEN, _E.RETIRE): _S.RETIRED,  # a slip: it is used up
    (_S.MISSING, _E.TAKE_BACK): _S.FREE,
    (_S.MISSING, _E.RETIRE): _S.RETIRED,
}

IN_POOL = frozenset(_S) - {_S.RETIRED}  # at most one such row per number


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorCard:
    """One card of the pool, or a slip. `visit` is the one that it was given for last."""

    id: str
    number: CardNumber
    label: str
    state: VisitorCardState
    slip: bool = False
    visit: str = ""
    since: datetime | None = None

    def after(self, event: VisitorCardEvent) -> VisitorCardState:
        """The state after `event`; refuses what the table does not have."""
        return advance(VISITOR_CARD_TRANSITIONS, self.state, event, refusal=Reason.CARD_NOT_IN_STOCK, norm="N10.2")
