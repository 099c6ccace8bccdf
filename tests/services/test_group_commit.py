"""Group commit: together, bounded, the urgent first, and one bad job alone with its failure."""

import threading
from collections.abc import Iterator
from concurrent.futures import wait
from datetime import UTC, datetime

import pytest

from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.ports import NotStored
from accessctl.services.group_commit import LARGEST_GROUP, MOST_WAITING, GroupCommit, TooBusy
from accessctl.services.store import Work
from accessctl.storage.unit_of_work import SqlStore

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@pytest.fixture
def commits(fresh_store: SqlStore) -> Iterator[GroupCommit]:
    made = GroupCommit(fresh_store)
    yield made
    made.close()


def note(number: int) -> "Note":
    return Note(number)


class Note:
    """A job that records one fact and says in which transaction it ran."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, tx: Work) -> int:
        tx.record(Fact.DEVICE_EVENT, at=NOW, actor=SYSTEM, data={"number": self.number})
        return id(tx)


def held(commits: GroupCommit) -> threading.Event:
    """Make the writer busy until the event is set."""
    free, busy = threading.Event(), threading.Event()

    def job(_tx: Work) -> None:
        busy.set()
        assert free.wait(20)

    commits.submit(job)
    assert busy.wait(20)
    return free


def test_what_waits_is_committed_together(commits: GroupCommit, fresh_store: SqlStore) -> None:
    free = held(commits)
    futures = [commits.submit(note(number)) for number in range(50)]
    free.set()
    assert len({future.result(20) for future in futures}) == 1
    with fresh_store.view() as tx:
        assert tx.events.size() == 50


def test_an_answer_comes_after_the_commit(commits: GroupCommit, fresh_store: SqlStore) -> None:
    seen: list[int] = []

    def look(_: int) -> None:
        with fresh_store.view() as tx:
            seen.append(tx.events.size())

    commits.do(note(1), then=look)
    assert seen == [1]


def test_a_bad_job_fails_alone(commits: GroupCommit, fresh_store: SqlStore) -> None:
    def bad(tx: Work) -> None:
        tx.record(Fact.DEVICE_EVENT, at=NOW, actor=SYSTEM)
        raise ZeroDivisionError

    free = held(commits)
    before, failing, after = commits.submit(note(1)), commits.submit(bad), commits.submit(note(2))
    free.set()
    with pytest.raises(NotStored) as refused:
        failing.result(20)
    assert isinstance(refused.value.__cause__, ZeroDivisionError)
    wait([before, after], 20)
    with fresh_store.view() as tx:
        assert tx.events.size() == 2
    assert before.exception() is None
    assert after.exception() is None


def test_urgent_before_patient_and_no_group_too_large(commits: GroupCommit) -> None:
    order: list[str] = []
    free = held(commits)
    patient = [
        commits.submit(note(number), weight=LARGEST_GROUP, then=lambda _: order.append("patient"))
        for number in range(3)
    ]
    urgent = commits.submit(note(9), urgent=True, then=lambda _: order.append("urgent"))
    free.set()
    wait([*patient, urgent], 20)
    assert order == ["urgent", "patient", "patient", "patient"]
    assert len({future.result() for future in patient}) >= 1


def test_what_does_not_fit_is_refused_at_once(commits: GroupCommit) -> None:
    free = held(commits)
    kept = commits.submit(note(1), weight=MOST_WAITING - 1)
    with pytest.raises(TooBusy):
        commits.submit(note(2), weight=5)
    urgent = commits.submit(note(3), urgent=True)  # somebody stands at a door
    free.set()
    wait([kept, urgent], 20)
    commits.do(note(4), weight=5)


def test_who_is_at_a_door_goes_before_the_next_group(commits: GroupCommit) -> None:
    free = held(commits)
    waiting = commits.submit(note(1))
    with commits.ahead():
        free.set()
        with pytest.raises(TimeoutError):
            waiting.result(0.1)
    waiting.result(20)


def test_nobody_is_ahead_for_ever(commits: GroupCommit) -> None:
    with commits.ahead():
        commits.do(note(1), wait_s=20)


def test_waiting_ends(commits: GroupCommit) -> None:
    free = held(commits)
    with pytest.raises(NotStored):
        commits.do(note(1), wait_s=0.05)
    free.set()


def test_after_the_end_nothing_is_taken(fresh_store: SqlStore) -> None:
    commits = GroupCommit(fresh_store)
    waiting = commits.submit(note(1))
    commits.close()
    assert waiting.done()
    with pytest.raises(TooBusy):
        commits.submit(note(2))


def test_many_threads_lose_nothing(commits: GroupCommit, fresh_store: SqlStore) -> None:
    def send(part: int) -> None:
        for number in range(20):
            commits.do(note(part * 100 + number))

    threads = [threading.Thread(target=send, args=(part,)) for part in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with fresh_store.view() as tx:
        assert tx.events.size() == 320
