"""Who may pass which door, now: `decide(snapshot, shown, at)`.

The order of the questions at an entry, each refusing with its norm of procedure 10:

1. is the credential known (N10.3)?
2. was the person removed (N10.4)? asked before anything that the card says; no cache stands before it
3. was the card delivered (P10.05, naming the step that is missing), and is it neither suspended nor revoked nor lost?
4. has the person a right to this door (N10.2), delivered, valid now, and is its schedule open?

Leaving is never refused (invariant 6): an exit gets the same questions except the schedule, for going home late is no
fault, and what they find is noted in `Decision.exception`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from accessctl.domain.errors import Reason
from accessctl.domain.places import Direction
from accessctl.domain.schedules import Opening
from accessctl.domain.snapshot import (
    CLOSED,
    EXPIRED,
    HOLIDAY,
    MALFORMED,
    NO_RIGHT,
    NOT_DELIVERED,
    NOT_YET_VALID,
    OUTSIDE,
    REMOVED,
    UNKNOWN,
    Change,
    CredentialFact,
    CredentialGone,
    Finding,
    PersonFact,
    PersonGrants,
    Snapshot,
    is_removed,
    person_of,
    rights_of,
)

__all__ = [
    "Change",
    "CredentialFact",
    "CredentialGone",
    "Decision",
    "Factor",
    "PersonFact",
    "PersonGrants",
    "Shown",
    "Snapshot",
    "decide",
]

LONGEST_CREDENTIAL = 64
PIN = "pin:"


class Factor(StrEnum):
    """What was presented at the reader, as the device says it."""

    CARD = "card"
    FINGER = "finger"
    FACE = "face"
    PASSWORD = "password"  # noqa: S105 -- a kind of factor, not a password


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A credential at a reader: a card's `family_key`, or `pin:<person number>` where a terminal names the person."""

    door: str
    credential: str
    direction: Direction = Direction.IN
    factor: Factor = Factor.CARD


class Decision(NamedTuple):
    """The answer. `reason` is set where it is no; `exception` where an exit was granted though something was wrong.

    `norm` belongs to whichever of the two is set; `missing_step` is the step of procedure 10 that was not done. A named
    tuple: making a frozen dataclass of seven fields would add a quarter to the time of a decision.
    """

    granted: bool
    reason: Reason | None = None
    norm: str = ""
    person: str = ""
    card: str = ""
    missing_step: str = ""
    exception: Reason | None = None


def decide(snapshot: Snapshot, shown: Shown, at: datetime) -> Decision:
    """Answer for one credential at one reader at one moment (aware, UTC inside)."""
    leaving = shown.direction is Direction.OUT
    if at.tzinfo is None and not leaving:  # a bug of ours: it must not keep anybody inside
        raise ValueError("a moment without a time zone cannot be judged")
    record, person, finding = _identify(snapshot, shown.credential)
    if finding is None:
        finding = _right_finding(snapshot, record, shown.door, at.timestamp(), leaving=leaving)
    if finding is None:
        return Decision(granted=True, person=person, card=shown.credential)
    return Decision(
        granted=leaving,
        reason=None if leaving else finding.reason,
        norm=finding.norm,
        person=person,
        card="" if finding is MALFORMED else shown.credential,
        missing_step=finding.missing_step,
        exception=finding.reason if leaving else None,
    )


def _identify(snapshot: Snapshot, credential: str) -> tuple[bytes, str, Finding | None]:
    """Questions 1 to 3: the record of whoever it belongs to, their id, and what is wrong with it."""
    if len(credential) > LONGEST_CREDENTIAL:
        return b"", "", MALFORMED
    entry = snapshot.credentials.get(credential)
    if isinstance(entry, bytes):
        return entry, person_of(entry), REMOVED if is_removed(entry) else None
    if entry is not None:
        person = entry[1:]
        record, _ = snapshot.record_of(person)
        return record, person, REMOVED if is_removed(record) else CLOSED[int(entry[0])]
    if credential.startswith(PIN):
        return _identify_number(snapshot, credential.removeprefix(PIN))
    well_formed = credential.isascii() and credential.isprintable() and credential
    return b"", "", UNKNOWN if well_formed else MALFORMED


def _identify_number(snapshot: Snapshot, digits: str) -> tuple[bytes, str, Finding | None]:
    """A terminal named the person (by finger, or by a card that it knows): good only with a delivered card."""
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 9 or digits[0] == "0":
        return b"", "", MALFORMED
    person = snapshot.person_numbered(int(digits))
    if not person:
        return b"", "", UNKNOWN
    record, active_cards = snapshot.record_of(person)
    if is_removed(record):
        return record, person, REMOVED
    return record, person, None if active_cards else snapshot.why_no_card(record)


def _right_finding(snapshot: Snapshot, record: bytes, at_door: str, now: float, *, leaving: bool) -> Finding | None:
    """Question 4. None is yes."""
    if at_door not in snapshot.doors:
        return NO_RIGHT
    wanted, nearest = snapshot.door_numbers[at_door], NO_RIGHT
    for door, schedule, chosen, since, until in rights_of(record):
        if door != wanted:
            continue
        found: Finding | None
        if chosen:
            found = NOT_DELIVERED
        elif now >= until:
            found = EXPIRED
        elif now < since:
            found = NOT_YET_VALID
        else:
            found = None if leaving else _schedule_finding(snapshot, schedule, now)
        if found is None:
            return None
        if found.nearness > nearest.nearness:
            nearest = found
    return nearest


def _schedule_finding(snapshot: Snapshot, number: int, now: float) -> Finding | None:
    """A schedule that is not there (any more) is never open."""
    schedule = snapshot.schedules.get(number)
    opening = Opening.OUTSIDE if schedule is None else schedule.opening_at(now, snapshot.calendar)
    if opening is Opening.OPEN:
        return None
    return HOLIDAY if opening is Opening.HOLIDAY else OUTSIDE
