"""Copyists: processes that make the pages of a long export, as many at once as there are processors.

Each has a view of its own, reads and writes nothing but what it is asked, and hears of it on its standard input; the
database's address, which may hold a password, comes the same way. It ends when its input does or nobody takes its
pages, and so with the process that called it, however that one ends. The export's process is left with the writing, and
its other threads (the panel's pages) do not wait for the interpreter.

`python -m accessctl.storage.copyists` is what is started.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from typing import Self

from accessctl.record import RecordBroken, Why
from accessctl.services.export_pages import Copying, Page, Places, block_for, page_of
from accessctl.storage.engine import make_engine
from accessctl.storage.unit_of_work import SqlStore

AHEAD = 2  # pages that each is asked for before it has answered: so few fit into a pipe, and asking never waits

# Page after page takes and frees the same megabytes: giving them back to the system each time costs a tenth to a
# quarter of all the work. Settings of the GNU C library (mallopt(3)); others do not know them.
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 28),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
    "MALLOC_TOP_PAD_": str(1 << 24),
}
MOST = 8  # more than that the one who writes cannot keep busy


class CopyistGone(RuntimeError):
    """A copyist ended before its time: killed, or by a bug, of which standard error tells."""


def copyists_for(address: str) -> "CopyistProcesses | None":
    """As many as there are processors; none where there is but one, which the export has itself."""
    processors = len(os.sched_getaffinity(0))
    return CopyistProcesses(address, min(processors, MOST)) if processors > 1 else None


class CopyistProcesses:
    """Calls copyists for one database (see `accessctl.services.export_pages.Copyists`)."""

    def __init__(self, address: str, count: int) -> None:
        self._address = address
        self._count = count

    def copy(self, task: Copying, pages: Iterator[Places]) -> Generator[tuple[Places, Page], None, None]:
        """The pages in their order; each copyist is called when there is a page for it."""
        with ExitStack() as stack:
            called: list[_Copyist] = []
            asked: deque[tuple[_Copyist, Places]] = deque()
            for number, places in enumerate(pages):
                if len(called) < self._count:
                    called.append(stack.enter_context(_Copyist(self._address, task)))
                if len(asked) == AHEAD * self._count:
                    busy, before = asked.popleft()
                    yield before, busy.page()
                copyist = called[number % self._count]
                copyist.ask(places)
                asked.append((copyist, places))
            for busy, before in asked:
                yield before, busy.page()


class _Copyist:
    """One process, from the caller's side."""

    def __init__(self, address: str, task: Copying) -> None:
        to_read, to_write = os.pipe(), os.pipe()
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "accessctl.storage.copyists"],
            stdin=to_read[0],
            stdout=to_write[1],
            env={"PYTHONPATH": paths, "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", **_KEEP_MEMORY},
            process_group=0,  # Ctrl-C is for the caller
        )
        os.close(to_read[0])
        os.close(to_write[1])
        self._asking = Connection(to_read[1], readable=False)
        self._answers = Connection(to_write[0], writable=False)
        self._asking.send((address, task))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._asking.close()
        self._answers.close()
        self._process.kill()
        self._process.wait()

    def ask(self, places: Places) -> None:
        """Ask for one more page."""
        try:
            self._asking.send(places)
        except OSError as gone:
            raise self._gone() from gone

    def page(self) -> Page:
        """The page that was asked for first. Raises `RecordBroken`."""
        try:
            answer: Page | tuple[Why, str, int | None] = self._answers.recv()
        except (EOFError, OSError) as gone:
            raise self._gone() from gone
        if isinstance(answer, Page):
            return answer
        why, text, index = answer
        raise RecordBroken(why, text, index=index)

    def _gone(self) -> CopyistGone:
        self._process.kill()
        return CopyistGone(f"a copyist ended with {self._process.wait()}")


def _work(asked: Connection, answers: Connection) -> None:
    if sys.platform.startswith("linux"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # whoever waits at a door goes first
    address, task = asked.recv()
    store, block = SqlStore(make_engine(address), _no_chance), block_for(task)
    while True:
        places = asked.recv()
        try:
            with store.view() as tx:
                answer: Page | tuple[Why, str, int | None] = page_of(tx, task, places, block)
        except RecordBroken as broken:
            answer = (broken.why, str(broken), broken.index)
        answers.send(answer)


def _no_chance(count: int) -> bytes:
    raise RuntimeError(f"a copyist writes nothing, and needs no {count} bytes of chance for it")


if __name__ == "__main__":
    with suppress(EOFError, BrokenPipeError):  # that is how it ends: nobody asks any more, or nobody is there
        _work(Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False))
