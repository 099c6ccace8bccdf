"""The devices of an installation belong to one process: two would fight over each terminal.

On one machine a locked file says so, which ends with the process whatever ends it. Where the database is PostgreSQL a
process on another machine may have the same one, so the database has to say so too.
"""

import fcntl
import os
from threading import Event
from typing import Self

from accessctl.settings import Settings
from accessctl.storage.hold import DEVICES_LOCK, SessionHold


class AlreadyKept(Exception):
    """Another process of this installation keeps the devices."""


class HoldLost(Exception):
    """The database no longer says that the devices are ours: another machine may have them by now."""


class only_one:  # noqa: N801 -- reads as what it says in the `with`
    """Holds the devices. Raises `AlreadyKept`, and `DatabaseNotReady` where the database cannot say whose they are."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.data_dir / "devices.lock"
        shared = settings.database.startswith("postgresql")
        self._hold = SessionHold(settings.database, DEVICES_LOCK) if shared else None

    def __enter__(self) -> Self:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take()
        except BaseException:
            os.close(self._handle)
            raise
        return self

    def _take(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyKept(str(self._file)) from None
        if self._hold is not None and not self._hold.take():
            raise AlreadyKept("the database")

    def await_loss(self, over: Event, every_s: float) -> bool:
        """Blocks until the hold is lost (True), or until `over` is set. A locked file is never lost."""
        while not over.wait(every_s):
            if self._hold is not None and not self._hold.held():
                return True
        return False

    def __exit__(self, *exc: object) -> None:
        if self._hold is not None:
            self._hold.release()
        os.close(self._handle)
