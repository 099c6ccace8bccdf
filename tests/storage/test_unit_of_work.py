"""Units of work among each other: threads, processes, views, and a process that is killed in the middle."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from accessctl.domain.errors import AccessError
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.record import Frontier, decode
from accessctl.services.store import EventFilter, Store
from accessctl.storage.engine import begin_reading, make_engine
from accessctl.storage.unit_of_work import SqlStore
from tests.storage import values
from tests.storage.test_events import seen
from tests.storage.values import NOW

ALL = EventFilter()


def record_of(store: Store) -> list[bytes]:
    """Every entry, after the record was found whole: leaves, tree and projection agree."""
    with store.view() as tx:
        tx.ledger.check(trusted=(), held=())
        found = list(tx.events.stream(ALL))
        frontier = Frontier()
        frontier.extend([row.leaf for row, _ in found])
        assert [row.index for row, _ in found] == list(range(tx.events.size()))
        assert tx.ledger.tree(len(found)).root() == frontier.root()
    return [data for _, data in found]


def count_up(store: Store) -> int:
    """Read, add one, write: loses counts wherever two writers overlap."""
    with store.begin() as tx:
        number = tx.people.next_number()
        person = next(values.people(1))
        document = replace(person.document, number=f"N{number}")
        tx.people.add(replace(person, id=f"n{number}", number=number, document=document))
        tx.record(Fact.PERSON_REGISTERED, at=NOW, actor=SYSTEM, person=f"n{number}", data={"number": number})
        tx.commit()
    return number


def test_writers_take_turns_and_lose_nothing(store: SqlStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(lambda _: count_up(store), range(80)))
    assert sorted(numbers) == list(range(1001, 1081))
    assert [decode(data)["data"] for data in record_of(store)] == [{"number": number} for number in range(1001, 1081)]


def test_a_second_writer_waits_and_in_time_gives_up(address: str) -> None:
    store = SqlStore(make_engine(address), os.urandom, wait_s=0.05)
    with store.begin() as tx:
        with ThreadPoolExecutor(1) as other, pytest.raises(TimeoutError, match="another writer"):
            other.submit(count_up, store).result()
        tx.record(Fact.SETTING_CHANGED, at=NOW, actor=SYSTEM)
        tx.commit()
    assert count_up(store) == 1001
    store.close()


def test_a_unit_of_work_inside_another_is_a_bug(store: SqlStore) -> None:
    with store.begin() as tx:
        with pytest.raises(RuntimeError, match="inside another"), store.begin():
            raise AssertionError("two writers at once")
        with store.view() as seen_meanwhile:  # a view inside is none
            assert seen_meanwhile.people.count() == 0
        tx.commit()
    assert count_up(store) == 1001


def test_views_see_one_moment_and_make_nobody_wait(store: SqlStore) -> None:
    count_up(store)
    with store.view() as early:
        assert early.people.count() == 1
        assert count_up(store) == 1002  # commits while the view is open
        with store.view() as late:
            assert late.people.count() == 2
            assert early.people.count() == 1
            assert early.events.size() == 1
    with store.begin() as writer:
        writer.people.add(replace(values.PERSON, number=5))
        with store.view() as meanwhile:
            assert meanwhile.people.maybe(values.PERSON.id) is None


def test_an_exception_undoes_everything_and_frees_the_turn(store: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError), store.begin() as tx:  # noqa: PT012  # begin belongs to it
        tx.people.add(values.PERSON)
        tx.record(Fact.PERSON_REGISTERED, at=NOW, actor=SYSTEM, person="p1")
        tx.events.store([seen(1)])
        raise ZeroDivisionError
    with store.view() as tx:
        assert tx.people.count() == 0
        assert tx.events.size() == 0
    assert count_up(store) == 1001


def test_a_refusal_that_is_caught_undoes_nothing_else(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.people.add(values.PERSON)
        for again in (values.PERSON, replace(values.PERSON, id="p3")):
            with pytest.raises(AccessError):
                tx.people.add(again)
        tx.record(Fact.PERSON_REGISTERED, at=NOW, actor=SYSTEM, person="p1")
        tx.commit()
    assert len(record_of(store)) == 1


def test_many_threads_read_while_one_writes(store: SqlStore) -> None:
    stop = threading.Event()

    def read() -> int:
        last = 0
        while not stop.is_set():
            with store.view() as tx:
                people, entries = tx.people.count(), tx.events.size()
            assert people == entries >= last
            last = entries
        return last

    with ThreadPoolExecutor(6) as threads:
        readers = [threads.submit(read) for _ in range(6)]
        try:
            for _ in range(30):
                count_up(store)
        finally:
            stop.set()
        assert all(reader.result() <= 30 for reader in readers)
    assert len(record_of(store)) == 30


COUNT = """
import os, sys
from accessctl.storage.engine import make_engine
from accessctl.storage.unit_of_work import SqlStore
from tests.storage.test_unit_of_work import count_up
store = SqlStore(make_engine(sys.argv[1]), os.urandom)
for _ in range(int(sys.argv[2])):
    print(count_up(store), flush=True)
"""


def in_a_process(program: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()
    )


def test_processes_append_to_one_record_without_a_fork(address: str, store: SqlStore) -> None:
    processes = [in_a_process(COUNT, address, "40") for _ in range(2)]
    mine = [count_up(store) for _ in range(40)]
    theirs = [[int(line) for line in process.communicate(timeout=60)[0].split()] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(mine + theirs[0] + theirs[1]) == list(range(1001, 1121))
    assert len(record_of(store)) == 120


DIE = """
import os, sys
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.storage.engine import make_engine
from accessctl.storage.unit_of_work import SqlStore
from tests.storage.test_events import seen
from tests.storage.values import NOW, PERSON
where = sys.argv[2]
def at(point):
    if point == where:
        print("there", flush=True)
        sys.stdin.read()  # until we are killed
store = SqlStore(make_engine(sys.argv[1]), os.urandom)
with store.begin() as tx:
    tx.people.add(PERSON)
    at("changed")
    tx.events.store([seen(number) for number in range(100, 3000)])  # many pages, several tiles
    at("stored")
    tx.record(Fact.PERSON_REGISTERED, at=NOW, actor=SYSTEM, person=PERSON.id)
    tx._journal.flush()
    at("flushed")
    tx.commit()
    at("committed")
"""


@pytest.mark.parametrize("where", ["changed", "stored", "flushed", "committed"])
def test_a_process_killed_in_the_middle_leaves_the_record_as_it_was(address: str, store: SqlStore, where: str) -> None:
    with store.begin() as tx:
        tx.events.store([seen(number) for number in range(100)])
        tx.commit()
    before = record_of(store)
    process = in_a_process(DIE, address, where)
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    _wait_for_its_connection_to_end(store)
    again = SqlStore(make_engine(address), os.urandom)
    after = record_of(again)
    committed = where == "committed"
    assert after[: len(before)] == before
    assert len(after) == len(before) + (2901 if committed else 0)
    with again.view() as tx:
        assert (tx.people.maybe(values.PERSON.id) is not None) == committed
    with again.begin() as tx:  # the device sends all of it again
        tx.events.store([seen(number) for number in range(3000)])
        tx.commit()
    assert len(record_of(again)) == 3000 + committed
    again.close()


def _wait_for_its_connection_to_end(store: SqlStore) -> None:
    """PostgreSQL notices a client that is gone when it next writes to it; SQLite's locks go with the process."""
    if store.engine.dialect.name == "postgresql":
        with begin_reading(store.engine) as connection:
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid, 5000) {others} AND state <> 'idle'"))
