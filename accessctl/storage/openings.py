"""Whose each opening is: names and other personal details that entries committed to, by the person they are about.

The record holds commitments; `opening` holds what opens them; `opening_subject` says whose they are, so that all that
is held on a person can be listed, and erased, without touching the record. A person's name gets one opening for as long
as it stays the same, however many entries speak of that person: they are linked by the person's id anyway.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from accessctl.record.commitment import Opening
from accessctl.storage.record_store import MAX_LOOKUP, erase_openings
from accessctl.storage.record_tables import opening
from accessctl.storage.tables import opening_subject, people

NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose a new opening is, and which detail: `name`, or the key of a personal detail."""

    commitment: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownName:
    """A person's name now, and the commitments to names of theirs that can still be opened, by the name."""

    full_name: str
    commitments: Mapping[str, str]


def known_names(connection: Connection, persons: Collection[str]) -> dict[str, KnownName]:
    """The names of those who are on file, by their id."""
    ids = sorted(persons)
    names: dict[str, str] = {}
    openings: dict[str, dict[str, str]] = {}
    for start in range(0, len(ids), MAX_LOOKUP):
        some = ids[start : start + MAX_LOOKUP]
        named = connection.execute(select(people.c.id, people.c.full_name).where(people.c.id.in_(some)))
        names.update((person, full_name) for person, full_name in named)
        opened = (
            select(opening_subject.c.subject, opening.c.value, opening.c.commitment)
            .join(opening, opening.c.commitment == opening_subject.c.commitment)
            .where(opening_subject.c.subject.in_(some), opening_subject.c.detail == NAME)
        )
        for row in connection.execute(opened):
            openings.setdefault(row.subject, {})[row.value] = row.commitment
    return {
        person: KnownName(full_name=full_name, commitments=openings.get(person, {}))
        for person, full_name in names.items()
    }


def keep_subjects(connection: Connection, subjects: Sequence[Subject]) -> None:
    """Say whose new openings are; the openings themselves were kept as their entries were appended."""
    if subjects:
        rows = [{"commitment": one.commitment, "subject": one.subject, "detail": one.detail} for one in subjects]
        connection.execute(insert(opening_subject), rows)


def openings_of(connection: Connection, subject: str) -> dict[str, list[Opening]]:
    """Everything personal that entries committed to about somebody and that can still be opened, by detail."""
    found: dict[str, list[Opening]] = {}
    query = (
        select(opening_subject.c.detail, opening)
        .join(opening, opening.c.commitment == opening_subject.c.commitment)
        .where(opening_subject.c.subject == subject)
        .order_by(opening.c.commitment)
    )
    for row in connection.execute(query):
        one = Opening(commitment=row.commitment, salt=bytes(row.salt), value=row.value)
        found.setdefault(row.detail, []).append(one)
    return found


def erase_subject(connection: Connection, subject: str) -> int:
    """Forget what opens the commitments about somebody; how many. Recording that is the caller's business."""
    mine = opening_subject.c.subject == subject
    commitments = connection.execute(select(opening_subject.c.commitment).where(mine)).scalars().all()
    connection.execute(delete(opening_subject).where(mine))
    return erase_openings(connection, commitments)
