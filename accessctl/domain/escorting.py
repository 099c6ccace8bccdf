"""Escort and visitor at one door: within the pairing time, in either order (N4.3, P4.05).

A `Pairing` is what one entry reader remembers: which cardholders it admitted and which visitors wait, each with its
moment. It is a value; `cardholder_shown` and `visitor_shown` give the next one and say what the door does. Time is an
argument, and a clock that was set back far pairs nobody. What a restart loses are seconds: the door then stays shut.

While visitors wait at the door it opens for nobody but an escort of theirs: whoever else opened it would let them in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Escorting(StrEnum):
    """What stands between a visitor and the door, as far as the escort goes."""

    PRESENT = "present"
    MISSING = "missing"
    NOT_ENTITLED = "not_entitled"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """One entry reader's memory: people who were admitted, and visits that wait, with their moments."""

    cardholders: Mapping[str, datetime] = field(default_factory=dict)
    visits: Mapping[str, datetime] = field(default_factory=dict)

    def recent(self, at: datetime, within: timedelta) -> "Pairing":
        """What still counts at `at`; what lapsed once is forgotten.

        A moment ahead of `at` counts as one behind it: two requests may overtake each other by milliseconds, and a
        clock that was set back by more than the pairing time pairs nobody.
        """
        return Pairing(
            cardholders={who: then for who, then in self.cardholders.items() if _counts(then, at, within)},
            visits={visit: then for visit, then in self.visits.items() if _counts(then, at, within)},
        )

    def without(self, person: str) -> "Pairing":
        """Somebody left by this door: who showed up before that is not at the door any more."""
        return Pairing(
            cardholders={who: at for who, at in self.cardholders.items() if who != person}, visits=self.visits
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is remembered."""
        return not (self.cardholders or self.visits)


def _counts(then: datetime, at: datetime, within: timedelta) -> bool:
    return abs(at - then) <= within


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """Who must accompany a visit: the person on duty, whether entitled to (N4.3), and how many they have already.

    `visitors` counts the other visitors of this escort who are inside.
    """

    person: str
    entitled: bool
    visitors: int
    most: int

    def judged(self) -> Escorting:
        """What the escort's presence is worth."""
        if not self.entitled:
            return Escorting.NOT_ENTITLED
        return Escorting.TOO_MANY if self.visitors >= self.most else Escorting.PRESENT


def visitor_shown(
    pairing: Pairing, visit: str, companion: Companion, *, at: datetime, within: timedelta
) -> tuple[Pairing, Escorting]:
    """A visitor's credential, everything else being right. Where the escort is missing, the visitor waits."""
    now = pairing.recent(at, within)
    if companion.person and companion.person in now.cardholders:
        outcome = companion.judged()
    else:
        outcome = Escorting.NOT_ENTITLED if now.cardholders else Escorting.MISSING
    if outcome is Escorting.PRESENT:
        return _without(now, {visit}), outcome
    if outcome is Escorting.TOO_MANY:
        return now, outcome
    return Pairing(cardholders=now.cardholders, visits={**now.visits, visit: at}), outcome


def cardholder_shown(
    pairing: Pairing, person: str, companions: Mapping[str, Companion], *, at: datetime, within: timedelta
) -> tuple[Pairing, Escorting, tuple[str, ...]]:
    """The credential of somebody who may enter by their own right. `companions` are those of the visits that wait.

    Returns what the door does for the person (PRESENT opens), and the visits that enter with them.
    """
    now = pairing.recent(at, within)
    mine = [visit for visit in now.visits if visit in companions and companions[visit].person == person]
    if now.visits and not mine:
        return now, Escorting.NOT_ENTITLED, ()
    if any(not companions[visit].entitled for visit in mine):
        return now, Escorting.NOT_ENTITLED, ()
    room = min((companions[visit].most - companions[visit].visitors for visit in mine), default=0)
    if mine and room <= 0:
        return now, Escorting.TOO_MANY, ()
    admitted = tuple(mine[:room])
    rest = _without(now, set(mine))
    return Pairing(cardholders={**rest.cardholders, person: at}, visits=rest.visits), Escorting.PRESENT, admitted


def _without(pairing: Pairing, visits: set[str]) -> Pairing:
    kept = {visit: then for visit, then in pairing.visits.items() if visit not in visits}
    return Pairing(cardholders=pairing.cardholders, visits=kept)
