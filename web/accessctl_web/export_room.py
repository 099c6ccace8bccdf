"""Where exports are made, outside the request that asked for them: one at a time, in a thread that ends with the work.

The queue is short: whoever comes when it is full is told to come back. What is waiting is held on the shelf, so that
it shows; what runs says how far it is, and ends at the next page of the record when it is given up or the panel ends.
"""

import atexit
import errno
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread

import structlog

from accessctl.domain.errors import AccessError, Reason
from accessctl.services.record_findings import RecordBroken
from accessctl_web.export_shelf import ExportFolder, Progress

LONGEST = 8  # exports that wait
COME_BACK_S = 30

_LOG = structlog.get_logger(__name__)

Said = Callable[[int, float], None]  # lines written so far, and which share of the record was passed
Make = Callable[[Path, Said], object]


class _GivenUp(Exception):
    """The export is not wanted any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    folder: ExportFolder
    make: Make


class ExportRoom:
    """Makes the exports of one process."""

    def __init__(self) -> None:
        self._waiting: deque[_Job] = deque()
        self._change = Condition()
        self._thread: Thread | None = None
        self._closed = False

    def require_place(self) -> None:
        """Refuse where the queue is full, before a folder is made. Raises `AccessError(THROTTLED)`."""
        with self._change:
            if self._closed or len(self._waiting) >= LONGEST:
                raise AccessError(Reason.THROTTLED, "N10.2", seconds=COME_BACK_S)

    def take(self, folder: ExportFolder, make: Make) -> None:
        """Have `make(target, said)` called when its turn comes."""
        with self._change:
            self._waiting.append(_Job(folder=folder, make=make))
            if self._thread is None:
                self._begin()

    def settled(self, timeout_s: float) -> bool:
        """Wait until nothing is left to make; whether that came in time."""
        with self._change:
            return self._change.wait_for(lambda: self._thread is None, timeout_s)

    def close(self) -> None:
        """Give up what is being made and what waits; come back when the files are taken away."""
        with self._change:
            self._closed = True
        self.settled(10)

    def _begin(self) -> None:
        self._thread = Thread(target=self._work, name="exports", daemon=True)
        atexit.register(self.close)  # a daemon is not waited for: so it is told, and then waited for
        self._thread.start()

    def _work(self) -> None:
        job: _Job | None = None
        try:
            while (job := self._next()) is not None:
                try:
                    self._run(job)
                finally:
                    job.folder.leave()
        finally:
            atexit.unregister(self.close)
            if job is not None:  # a bug ends the thread, not what waits
                with self._change:
                    self._thread = None
                    if self._waiting:
                        self._begin()
                    self._change.notify_all()

    def _next(self) -> _Job | None:
        """The next one; where there is none the thread is over, in the same breath as that is seen."""
        with self._change:
            if self._waiting:
                return self._waiting.popleft()
            self._thread = None
            self._change.notify_all()
            return None

    def _run(self, job: _Job) -> None:
        """One export; what it came to stands on the shelf. A bug goes on to the log, and the folder says `WAITING`
        or `RUNNING` while nobody holds it, which is shown as interrupted.
        """
        folder, written = job.folder, 0

        def said(lines: int, share: float) -> None:
            nonlocal written
            if self._closed or folder.is_stopped():
                raise _GivenUp
            written = lines
            folder.say(Progress.RUNNING, lines, share)

        came_to = Progress.READY
        try:
            said(0, 0.0)
            job.make(folder.main, said)
            if folder.is_stopped():  # given up since its last page
                came_to = Progress.STOPPED
                folder.clear()
        except _GivenUp:
            came_to = Progress.STOPPED
        except AccessError:  # the desk has recorded it
            came_to = Progress.REFUSED
        except RecordBroken as found:
            _LOG.error("the record is not what was signed", why=found.why.value, index=found.index)
            came_to = Progress.BROKEN
        except OSError as failed:
            _LOG.error("an export could not be written", errno=failed.errno)
            came_to = Progress.TOO_LONG if failed.errno == errno.EFBIG else Progress.DISK
        with suppress(OSError):  # a disk so full that not even this fits: it shows as interrupted
            folder.say(came_to, written)
