"""P2: appending to the record against SQLAlchemy's ORM writing the same rows, all at once and one commit each.

We start from values: canonical bytes, leaf, tiles, triggers, a thousand entries a transaction. The peer has bytes and
leaf ready and a table without triggers, in a database that is set up as ours is: `add_all` of a thousand objects and a
commit, and a commit for each of them. Rounds alternate; the median of the per-round ratios counts.
"""

import argparse
import time
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from accessctl.record import encode, leaf_hash
from accessctl.storage.engine import begin_writing, make_engine
from accessctl.storage.record_store import RecordAppender
from tests.benchmarks._record import BATCH, empty_record, fact, machine, say, verdict
from tests.benchmarks.p1 import ours


class Base(DeclarativeBase):
    """The peer's tables."""


class Entry(Base):
    """The columns of the record's `entry`."""

    __tablename__ = "entry"
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column("bytes")
    leaf: Mapped[bytes]


def rows(first: int, count: int) -> list[dict[str, object]]:
    found = [(number, encode(fact(number))) for number in range(first, first + count)]
    return [{"idx": number, "data": data, "leaf": leaf_hash(data)} for number, data in found]


def add_all(engine: Engine, first: int, count: int) -> float:
    """Seconds for `count` rows, a thousand objects a commit."""
    spent = 0.0
    for start in range(first, first + count, BATCH):
        ready = rows(start, BATCH)
        begun = time.perf_counter()
        with begin_writing(engine) as connection, Session(connection) as session:
            session.add_all(Entry(**row) for row in ready)
            session.flush()
            connection.commit()
        spent += time.perf_counter() - begun
    return spent


def one_by_one(engine: Engine, first: int, count: int) -> float:
    """Seconds for `count` rows, a commit each."""
    spent = 0.0
    for row in rows(first, count):
        begun = time.perf_counter()
        with begin_writing(engine) as connection, Session(connection) as session:
            session.add(Entry(**row))
            session.flush()
            connection.commit()
        spent += time.perf_counter() - begun
    return spent


def main() -> int:
    """Prints the rounds; 0 where both goals are met."""
    parser = argparse.ArgumentParser(prog="script/bench p2", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="of us and of add_all, in each round")
    parser.add_argument("--singles", type=int, default=500, help="of the commits for one row, in each round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    say(machine())
    of_all, of_one = [], []
    with empty_record() as (engine, folder):
        appender, peer = RecordAppender(), _peer(folder)
        number = 0
        for turn in range(arguments.rounds):
            we = arguments.rows / ours(engine, appender, turn * arguments.rows, arguments.rows)
            all_ = arguments.rows / add_all(peer, number, arguments.rows)
            one = arguments.singles / one_by_one(peer, number + arguments.rows, arguments.singles)
            number += arguments.rows + arguments.singles
            say(f"round {turn}: record {we:,.0f} rows/s, add_all {all_:,.0f}, a commit each {one:,.0f}")
            of_all.append(we / all_)
            of_one.append(we / one)
        with Session(peer) as session:
            if session.scalar(select(func.count()).select_from(Entry)) != number:
                raise SystemExit("the peer did not keep its rows")
        peer.dispose()
    failed = verdict("P2, record against add_all", of_all, 8, at_least=True)
    return failed | verdict("P2, record against a commit for each", of_one, 20, at_least=True)


def _peer(folder: Path) -> Engine:
    engine = make_engine(f"sqlite:///{folder}/orm.db")
    with begin_writing(engine) as connection:
        Base.metadata.create_all(connection)
        connection.commit()
    return engine


if __name__ == "__main__":
    raise SystemExit(main())
