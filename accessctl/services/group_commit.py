"""Group commit: one writer drains a queue, one transaction holds all that wait, everyone is answered after the commit.

A commit waits for the disk; sixty controllers that each waited for their own would wait sixty times. What is urgent
(somebody stands at a door) is taken before what can wait, and a group is kept small enough that the next urgent one is
not late. The queue is bounded: what does not fit is refused at once (`TooBusy`), and its sender keeps it.

A job may run twice: where one job of a group fails, nothing of the group was committed, and each of the others is run
again in a transaction of its own. So a job writes through `tx` only, and what it changes elsewhere happens in `then`.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from accessctl.ports import DiskFailed, NotStored
from accessctl.services.store import Store, Work

T = TypeVar("T")
log = structlog.get_logger("group_commit")
LARGEST_GROUP = 400  # lines in one transaction: some twenty milliseconds of the writer
LONGEST_YIELD_S = 0.5  # that what waits lets others go first
MOST_WAITING = 40_000  # lines that wait, all together
LONGEST_WAIT_S = 8.0  # controllers give up after ten seconds, and send again


class TooBusy(NotStored):
    """More waits than can be stored in time."""


class _NotBegun(NotStored):
    """The store could not be had, for any job: another process holds it, or it is not there."""


@dataclass(slots=True)
class _Waiting:
    """One job with the future of whoever waits, and what it weighs in lines."""

    job: Callable[[Work], Any]
    weight: int
    then: Callable[[Any], None] | None
    future: "Future[Any]" = field(default_factory=Future)


class GroupCommit:
    """The one writer of a process that takes device events. `close` ends its thread."""

    def __init__(self, store: Store, *, before: Callable[[], None] | None = None) -> None:
        """`before` is called by the writer ahead of each group, outside the transaction."""
        self._store = store
        self._before = before
        self._urgent: deque[_Waiting] = deque()
        self._patient: deque[_Waiting] = deque()
        self._weight = 0
        self._closed = False
        self._ahead = 0
        self._woken = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def do(
        self,
        job: Callable[[Work], T],
        *,
        weight: int = 1,
        urgent: bool = False,
        then: Callable[[T], None] | None = None,
        wait_s: float = LONGEST_WAIT_S,
    ) -> T:
        """Run `job` in a transaction with others and return what it returned, after the commit.

        Raises what the job raised, `TooBusy`, and `NotStored` where the commit failed or did not come in `wait_s`:
        then it may still be stored, and what is sent again must be known again.
        """
        future = self.submit(job, weight=weight, urgent=urgent, then=then)
        try:
            return future.result(wait_s)
        except TimeoutError:
            raise NotStored("not committed in time") from None

    def submit(
        self,
        job: Callable[[Work], T],
        *,
        weight: int = 1,
        urgent: bool = False,
        then: Callable[[T], None] | None = None,
    ) -> "Future[T]":
        """The same without waiting. `then` runs in the writer's thread, after the commit and before the answer."""
        waiting = _Waiting(job, weight, then)
        with self._woken:
            if self._closed or (not urgent and self._weight + weight > MOST_WAITING):
                raise TooBusy("too much waits to be stored")
            (self._urgent if urgent else self._patient).append(waiting)
            self._weight += weight
            self._woken.notify()
        return waiting.future

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """What is done meanwhile, in transactions of its own, goes before the next group: somebody is at a door."""
        with self._woken:
            self._ahead += 1
        try:
            yield
        finally:
            with self._woken:
                self._ahead -= 1
                self._woken.notify()

    def close(self) -> None:
        """Commit what waits, then end."""
        with self._woken:
            self._closed = True
            self._woken.notify()
        self._thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            self._commit(group)

    def _next_group(self) -> list[_Waiting]:
        """The next jobs, the urgent ones first; empty once closed and done."""
        with self._woken:
            while not (self._urgent or self._patient or self._closed):
                self._woken.wait()
            self._woken.wait_for(lambda: not self._ahead or bool(self._urgent), LONGEST_YIELD_S)
            group: list[_Waiting] = []
            lines = 0
            while (queue := self._urgent or self._patient) and (not group or lines + queue[0].weight <= LARGEST_GROUP):
                group.append(queue.popleft())
                lines += group[-1].weight
            self._weight -= lines
            return group

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            results = self._transact(group)
        except Exception as failure:  # handed to whoever waits: the writer must outlive any job
            if len(group) == 1 or isinstance(failure, (_NotBegun, DiskFailed)):  # alone none fares better
                log.exception("not stored")
                for waiting in group:
                    waiting.future.set_exception(_told(failure))
                return
            for waiting in group:
                self._commit([waiting])
            return
        for waiting, result in zip(group, results, strict=True):
            if waiting.then is not None:
                waiting.then(result)
            waiting.future.set_result(result)

    def _transact(self, group: list[_Waiting]) -> list[Any]:
        if self._before is not None:
            self._before()
        begun = False
        try:
            with self._store.begin() as tx:
                begun = True
                results = [waiting.job(tx) for waiting in group]
                tx.commit()
        except Exception as failure:
            if begun:
                raise
            raise _NotBegun(f"the store was not to be had: {type(failure).__name__}") from failure
        return results


def _told(failure: Exception) -> Exception:
    """A full disk, a cut connection: to whoever waits they are all "not stored", with their cause."""
    if isinstance(failure, NotStored):
        return failure
    told = NotStored(type(failure).__name__)
    told.__cause__ = failure
    return told
