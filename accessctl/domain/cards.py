"""The life of a card, as a table (procedure 10).

`in_stock → enrolled → active → {suspended ⇄ active} → {revoked, lost, stolen, damaged} → {returned, destroyed}`.
A row is one life of one physical card: a returned card that is handed out again begins a new life under the same
number, and a lost or stolen number never does.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from accessctl.domain.card_numbers import CardNumber
from accessctl.domain.errors import Reason
from accessctl.domain.machine import advance


class CardState(StrEnum):
    """Where a card stands in its life."""

    IN_STOCK = "in_stock"
    ENROLLED = "enrolled"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    LOST = "lost"
    STOLEN = "stolen"
    DAMAGED = "damaged"
    RETURNED = "returned"
    DESTROYED = "destroyed"


class CardEvent(StrEnum):
    """What can happen to a card."""

    ENROL = "enrol"
    RELEASE = "release"
    DELIVER = "deliver"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    REPORT_LOST = "report_lost"
    REPORT_STOLEN = "report_stolen"
    REPORT_DAMAGED = "report_damaged"
    TAKE_BACK = "take_back"
    DESTROY = "destroy"


_S, _E = CardState, CardEvent

CARD_TRANSITIONS: dict[tuple[CardState, CardEvent], CardState] = {
    (_S.IN_STOCK, _E.ENROL): _S.ENROLLED,
    (_S.IN_STOCK, _E.REPORT_LOST): _S.LOST,
    (_S.IN_STOCK, _E.REPORT_STOLEN): _S.STOLEN,
    (_S.IN_STOCK, _E.REPORT_DAMAGED): _S.DAMAGED,
    (_S.ENROLLED, _E.RELEASE): _S.IN_STOCK,  # the case ended before delivery: the card never left the desk
    (_S.ENROLLED, _E.DELIVER): _S.ACTIVE,
    (_S.ENROLLED, _E.REVOKE): _S.REVOKED,
    (_S.ENROLLED, _E.REPORT_LOST): _S.LOST,
    (_S.ENROLLED, _E.REPORT_STOLEN): _S.STOLEN,
    (_S.ENROLLED, _E.REPORT_DAMAGED): _S.DAMAGED,
    (_S.ACTIVE, _E.SUSPEND): _S.SUSPENDED,
    (_S.ACTIVE, _E.REVOKE): _S.REVOKED,
    (_S.ACTIVE, _E.REPORT_LOST): _S.LOST,
    (_S.ACTIVE, _E.REPORT_STOLEN): _S.STOLEN,
    (_S.ACTIVE, _E.REPORT_DAMAGED): _S.DAMAGED,
    (_S.SUSPENDED, _E.RESUME): _S.ACTIVE,
    (_S.SUSPENDED, _E.REVOKE): _S.REVOKED,
    (_S.SUSPENDED, _E.REPORT_LOST): _S.LOST,
    (_S.SUSPENDED, _E.REPORT_STOLEN): _S.STOLEN,
    (_S.SUSPENDED, _E.REPORT_DAMAGED): _S.DAMAGED,
    (_S.REVOKED, _E.REPORT_LOST): _S.LOST,  # owed, and then never handed in: with its act
    (_S.REVOKED, _E.REPORT_STOLEN): _S.STOLEN,
    (_S.REVOKED, _E.TAKE_BACK): _S.RETURNED,
    (_S.DAMAGED, _E.TAKE_BACK): _S.RETURNED,
    (_S.DAMAGED, _E.DESTROY): _S.DESTROYED,
    (_S.REVOKED, _E.DESTROY): _S.DESTROYED,
    (_S.LOST, _E.DESTROY): _S.DESTROYED,  # found later: it does not come back to stock
    (_S.STOLEN, _E.DESTROY): _S.DESTROYED,
    (_S.RETURNED, _E.DESTROY): _S.DESTROYED,
}

LIVE = frozenset({_S.IN_STOCK, _S.ENROLLED, _S.ACTIVE, _S.SUSPENDED})  # at most one such row per number
OPENS = frozenset({_S.ACTIVE})
OUTSTANDING = frozenset({_S.REVOKED, _S.DAMAGED})  # no longer valid, and not handed in yet (N10.4)
NEVER_AGAIN = frozenset({_S.LOST, _S.STOLEN, _S.DESTROYED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One life of one card. `holder` is a person's id; `owed_by` the department whose head owes it (N10.4)."""

    id: str
    number: CardNumber
    state: CardState
    label: str = ""
    holder: str | None = None
    case: str | None = None
    owed_by: str | None = None
    since: datetime | None = None

    def after(self, event: CardEvent, *, norm: str = "P10.03") -> CardState:
        """The state after `event`; refuses what the table does not have."""
        return advance(CARD_TRANSITIONS, self.state, event, refusal=Reason.CARD_TRANSITION, norm=norm)
