"""What the policy said at a past moment: for events that arrive late, after somebody's right began or ended.

The policy in force answers for then as well as for now, as long as nothing was recorded of the person since. Where
something was, the record itself is folded up to that moment: which of the person's cards was active, and whether the
right to the door was open. Windows and schedules need no looking back: they are asked about the moment itself.
"""

from datetime import datetime

from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.places import Direction
from accessctl.domain.policy import Decision, Shown, Snapshot, decide
from accessctl.services.store import EventFilter, EventRow, Work

LONGEST_LIFE = 2000  # facts of one person that are looked at
_OPENS = frozenset({Fact.CARD_DELIVERED.value, Fact.CARD_RESUMED.value})
_CARD_LIFE = tuple(fact.value for fact in Fact if fact.value.startswith("card:life:"))
_RIGHTS = (Fact.ACCESS_GRANTED.value, Fact.ACCESS_ENDED.value)
_OF_STATE = frozenset({Reason.NOT_DELIVERED, Reason.SUSPENDED, Reason.REVOKED, Reason.LOST_OR_STOLEN, Reason.NO_RIGHT})
"""What a card or a right can have become since; the other reasons hold for the moment that was asked about."""


class Hindsight:
    """Judges one batch of events inside one unit of work, reading what was recorded of each person once."""

    def __init__(self, tx: Work) -> None:
        self._tx = tx
        self._lives: dict[str, list[EventRow]] = {}

    def judge(self, snapshot: Snapshot, shown: Shown, first: datetime, last: datetime) -> Decision:
        """The decision at some moment from `first` to `last`: yes where it was yes at either end."""
        decision = self._then(snapshot, shown, last)
        if decision.granted:
            return decision
        earlier = self._then(snapshot, shown, first)
        return earlier if earlier.granted else decision

    def held(self, person: str, door: str, at: datetime) -> Reason | None:
        """Why the person had no open right to the door with an active card at that moment; None where they had."""
        cards: dict[str, str] = {}
        right = ""
        for row in self._life(person):
            if row.at > at:
                break
            if row.event in _RIGHTS:
                right = row.event if row.door == door else right
            else:
                cards[row.credential] = row.event
        if not _OPENS.intersection(cards.values()):
            if Fact.CARD_SUSPENDED.value in cards.values():
                return Reason.SUSPENDED
            ended = set(cards.values()) - {Fact.CARD_ENROLLED.value, Fact.CARD_RELEASED.value}
            return Reason.REVOKED if ended else Reason.NOT_DELIVERED
        return None if right == Fact.ACCESS_GRANTED.value else Reason.NO_RIGHT

    def _then(self, snapshot: Snapshot, shown: Shown, at: datetime) -> Decision:
        decision = decide(snapshot, shown, at)
        if not decision.person or shown.direction is Direction.OUT:
            return decision
        life = self._life(decision.person)
        if not life or life[-1].at <= at or not (decision.granted or decision.reason in _OF_STATE):
            return decision
        missing = self.held(decision.person, shown.door, at)
        if missing is None:
            return Decision(granted=True, person=decision.person, card=decision.card)
        if not decision.granted:
            return decision
        norm = "N10.2" if missing is Reason.NO_RIGHT else "N10.4" if missing is Reason.REVOKED else "P10.05"
        return Decision(granted=False, reason=missing, norm=norm, person=decision.person, card=decision.card)

    def _life(self, person: str) -> list[EventRow]:
        life = self._lives.get(person)
        if life is None:
            which = EventFilter(person=person, events=_CARD_LIFE + _RIGHTS)
            life = self._lives[person] = self._tx.events.rows(which, limit=LONGEST_LIFE, newest=True)[::-1]
        return life


def held_right_then(tx: Work, person: str, door: str, at: datetime) -> bool:
    """Whether the record says that the person's card was active and their grant open at `at`."""
    return Hindsight(tx).held(person, door, at) is None
