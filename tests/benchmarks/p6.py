"""P6: one decision at a million credentials, against SQLAlchemy Core (one query) and the ORM, in turns, in one run.

Goals: p99 below 10 µs, p99.9 below 50 µs; at least 10 times Core, 100 times the ORM (median of the rounds' ratios).
All three give the same answers, which is checked. The peers read an indexed SQLite file with everything in its cache;
their schedules are judged by the same code as ours. Run: `script/bench p6 [CREDENTIALS]`.
"""

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from accessctl.domain.cards import CardState
from accessctl.domain.policy import Shown, Snapshot, decide
from accessctl.domain.requests import GrantState
from tests.benchmarks import _population as population

ROUNDS, OURS, CORE, ORM = 5, 40_000, 4_000, 1_000
SCHEDULES = {schedule.id: schedule for schedule in population.SCHEDULES}


class Base(DeclarativeBase):
    """The peers' tables."""


class PersonRow(Base):
    """A person."""

    __tablename__ = "person"
    id: Mapped[str] = mapped_column(primary_key=True)
    removed: Mapped[bool]
    grants: Mapped[list["GrantRow"]] = relationship()


class CardRow(Base):
    """A card and its holder."""

    __tablename__ = "card"
    key: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    person: Mapped[PersonRow] = relationship()


class GrantRow(Base):
    """A right."""

    __tablename__ = "grant"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    door: Mapped[str]
    schedule: Mapped[str]
    since: Mapped[float]
    until: Mapped[float | None]
    state: Mapped[str]
    __table_args__ = (sa.Index("grant_of", "person_id", "door"),)


def fill(engine: sa.Engine, file: Path, size: int) -> None:
    """The same population, through the driver for speed."""
    Base.metadata.create_all(engine)
    raw = sqlite3.connect(file)
    cursor = raw.cursor()
    people = ((it.id, it.removed) for it in population.people(size))
    cursor.executemany("INSERT INTO person VALUES (?, ?)", people)
    cards = ((it.key, it.state.value, it.person) for it in population.credentials(size))
    cursor.executemany("INSERT INTO card VALUES (?, ?, ?)", cards)
    grants = (
        (
            it.person,
            it.door,
            it.schedule,
            it.valid_from.timestamp(),
            None if it.valid_until is None else it.valid_until.timestamp(),
            it.state.value,
        )
        for it in population.grants(size)
    )
    insert = 'INSERT INTO "grant" (person_id, door, schedule, since, until, state) VALUES (?, ?, ?, ?, ?, ?)'
    cursor.executemany(insert, grants)
    raw.commit()
    cursor.execute("ANALYZE")
    raw.close()


def opens(schedule: str, at: datetime) -> bool:
    """The schedule, by the code that we use too."""
    return SCHEDULES[schedule].is_open(at, population.CALENDAR)


ONE_QUERY = (
    sa.select(GrantRow.schedule)
    .select_from(CardRow)
    .join(PersonRow, PersonRow.id == CardRow.person_id)
    .join(GrantRow, sa.and_(GrantRow.person_id == PersonRow.id, GrantRow.door == sa.bindparam("door")))
    .where(
        CardRow.key == sa.bindparam("key"),
        CardRow.state == CardState.ACTIVE.value,
        PersonRow.removed.is_(False),
        GrantRow.state == GrantState.OPEN.value,
        GrantRow.since <= sa.bindparam("now"),
        sa.or_(GrantRow.until.is_(None), GrantRow.until > sa.bindparam("now")),
    )
)


def by_core(connection: sa.Connection, shown: Shown, at: datetime) -> bool:
    """One query for each decision, its statement compiled once and cached by SQLAlchemy."""
    found = connection.execute(ONE_QUERY, {"key": shown.credential, "door": shown.door, "now": at.timestamp()})
    return any(opens(schedule, at) for (schedule,) in found)


def by_orm(engine: sa.Engine, shown: Shown, at: datetime) -> bool:
    """A session for each decision, the objects walked as a web application would."""
    with Session(engine) as session:
        card = session.get(CardRow, shown.credential)
        if card is None or card.state != CardState.ACTIVE.value or card.person.removed:
            return False
        now = at.timestamp()
        return any(
            grant.door == shown.door
            and grant.state == GrantState.OPEN.value
            and grant.since <= now
            and (grant.until is None or now < grant.until)
            and opens(grant.schedule, at)
            for grant in card.person.grants
        )


def questions(size: int, count: int, lots: random.Random) -> list[Shown]:
    """Seventy in a hundred at a door of the holder; the rest at another door, or with a card that nobody has."""
    asked = []
    for _ in range(count):
        number, lot = lots.randint(1, size), lots.random()
        door = population.door_of(number, lots.randrange(2)) if lot < 0.85 else lots.choice(population.DOORS).id
        asked.append(
            Shown(door=door, credential=population.card_key(number if lot < 0.7 or lot >= 0.85 else number + size))
        )
    return asked


def timed(answer: Callable[[Shown], bool], asked: Iterable[Shown]) -> tuple[list[int], list[bool]]:
    """Nanoseconds of each, and the answers."""
    spent, answers = [], []
    clock = time.perf_counter_ns
    for shown in asked:
        began = clock()
        granted = answer(shown)
        spent.append(clock() - began)
        answers.append(granted)
    return spent, answers


def main() -> None:
    """Print the figures; exit with 1 where a goal is missed or an answer differs."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(population.machine())
    snapshot = Snapshot.compile(
        people=population.people(size),
        credentials=population.credentials(size),
        grants=population.grants(size),
        doors=population.DOORS,
        schedules=population.SCHEDULES,
        calendar=population.CALENDAR,
    )
    lots, at = random.Random(6), population.NOW
    ours: list[int] = []
    core_ratios, orm_ratios, core_all, orm_all = [], [], [], []
    granted = 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "p6.sqlite"
        engine = sa.create_engine(f"sqlite:///{file}")
        fill(engine, file, size)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA mmap_size=2000000000")
            for _ in range(ROUNDS):
                asked = questions(size, OURS, lots)
                mine, answers = timed(lambda shown: decide(snapshot, shown, at).granted, asked)
                core, core_answers = timed(lambda shown: by_core(connection, shown, at), asked[:CORE])
                orm, orm_answers = timed(lambda shown: by_orm(engine, shown, at), asked[:ORM])
                if core_answers != answers[:CORE] or orm_answers != answers[:ORM]:
                    raise SystemExit("the three do not give the same answers")
                granted += sum(answers)
                ours += mine
                core_all += core
                orm_all += orm
                core_ratios.append(statistics.mean(core) / statistics.mean(mine))
                orm_ratios.append(statistics.mean(orm) / statistics.mean(mine))
        engine.dispose()
    ours.sort()
    p50, p99, p999 = (ours[int(len(ours) * part)] / 1000 for part in (0.5, 0.99, 0.999))
    core_ratio, orm_ratio = statistics.median(core_ratios), statistics.median(orm_ratios)
    print(f"{size:,} credentials, {len(ours):,} decisions, {granted / len(ours):.0%} granted")
    print(f"ours: p50 {p50:.1f} µs, p99 {p99:.1f} µs (< 10), p99.9 {p999:.1f} µs (< 50), worst {ours[-1] / 1000:.0f}")
    print(f"Core, one query: {statistics.mean(core_all) / 1000:.0f} µs mean, {core_ratio:.0f} times (>= 10)")
    print(f"ORM: {statistics.mean(orm_all) / 1000:.0f} µs mean, {orm_ratio:.0f} times (>= 100)")
    if p99 >= 10 or p999 >= 50 or core_ratio < 10 or orm_ratio < 100:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
