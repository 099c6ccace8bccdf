"""Readers: processes that read the record for one who has much to do with it, as many as there are processors.

Python computes in one thread at a time, so what takes long (the pages of a long export, the hashes of a large record)
is shared out among processes. Each has a connection of its own and writes nothing; the database's address, which may
hold a password, and all it is asked come on its standard input. It ends when that input does or nobody takes its
answers, and so with the process that called it, however that one ends. Whoever called is left with little to do, and
its other threads (the panel's pages) do not wait for the interpreter.

A reader is `accessctl.storage.reader`, which is small so that it is soon there.
"""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from typing import Generic, Self, TypeVar

from accessctl.storage.reader import Address
from accessctl.storage.record_rows import RecordRows

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Job = Callable[[RecordRows], Callable[[Asked], Answer]]  # a function of a module, or a partial of one: it is pickled

AHEAD = 2  # that each is asked for before it has answered: so little fits into a pipe, and asking never waits
MOST = 8  # more than that the one who calls cannot keep busy

# Page after page takes and frees the same megabytes: giving them back to the system each time costs a tenth to a
# quarter of all the work. Settings of the GNU C library (mallopt(3)); others do not know them.
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 28),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
    "MALLOC_TOP_PAD_": str(1 << 24),
}


class ReaderGone(RuntimeError):
    """A reader ended before its time: killed, or by a bug, of which standard error tells."""


def processors() -> int:
    """How many readers are worth calling; 1 where there is but one processor, which the caller has itself."""
    return min(len(os.sched_getaffinity(0)), MOST)


def answers(
    address: Address, count: int, job: Job[Asked, Answer], asked: Iterator[Asked]
) -> Generator[tuple[Asked, Answer], None, None]:
    """What was asked with its answer, in order, from `count` readers of the database at `address`.

    Each is called when there is something for it. Raises `ReaderGone`; closing it sends everybody home.
    """
    with ExitStack() as stack:
        called: list[_Reader[Asked, Answer]] = []
        waiting: deque[tuple[_Reader[Asked, Answer], Asked]] = deque()
        for number, one in enumerate(asked):
            if len(called) < count:
                called.append(stack.enter_context(_Reader(address, job)))
            if len(waiting) == AHEAD * count:
                busy, before = waiting.popleft()
                yield before, busy.answer()
            reader = called[number % count]
            reader.ask(one)
            waiting.append((reader, one))
        for busy, before in waiting:
            yield before, busy.answer()


class _Reader(Generic[Asked, Answer]):
    """One process, from the caller's side."""

    def __init__(self, address: Address, job: Job[Asked, Answer]) -> None:
        to_read, to_write = os.pipe(), os.pipe()
        paths = os.pathsep.join(path for path in sys.path if path)
        # Its paths are these: it need not look for them (-S), and takes none of the folder that it begins in (-P).
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-P", "-m", "accessctl.storage.reader"],
            stdin=to_read[0],
            stdout=to_write[1],
            env={"PYTHONPATH": paths, "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", **_KEEP_MEMORY},
            process_group=0,  # Ctrl-C is for the caller
        )
        os.close(to_read[0])
        os.close(to_write[1])
        self._asking = os.fdopen(to_read[1], "wb")
        self._answers = os.fdopen(to_write[0], "rb")
        self.ask((address, job))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        with suppress(OSError):  # what it had not read yet is for nobody
            self._asking.close()
        self._answers.close()
        self._process.wait()

    def ask(self, one: object) -> None:
        """Ask for one more thing."""
        try:
            pickle.dump(one, self._asking, pickle.HIGHEST_PROTOCOL)
            self._asking.flush()
        except OSError as gone:
            raise self._gone() from gone

    def answer(self) -> Answer:
        """The answer to what was asked first."""
        try:
            answer: Answer = pickle.load(self._answers)  # noqa: S301 -- from a process of ours
        except (EOFError, OSError, pickle.UnpicklingError) as gone:
            raise self._gone() from gone
        return answer

    def _gone(self) -> ReaderGone:
        self._process.kill()
        return ReaderGone(f"a reader ended with {self._process.wait()}")
