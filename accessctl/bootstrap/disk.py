"""What a process of the service does when the disk did not keep what was written: say so, and end soon."""

import os
from collections.abc import Callable
from threading import Timer

import structlog

from accessctl import clock
from accessctl.services.disk_failure import note_failure
from accessctl.settings import Settings

LEAVES_AFTER_S = 1.0  # whoever waits is told first that it was not stored
EXIT = os.EX_IOERR
log = structlog.get_logger("disk")


def noting(settings: Settings) -> Callable[[], None]:
    """For a verb that ends by itself: only the mark that has the record verified."""
    return lambda: note_failure(settings.data_dir, clock.now())


def ending(settings: Settings) -> Callable[[], None]:
    """For what runs: the mark, a line in the log, and the end, whatever its threads do. The supervisor begins anew."""

    def end() -> None:
        note_failure(settings.data_dir, clock.now())
        log.error("the disk did not keep what was written: nothing more is stored, this process ends")
        last = Timer(LEAVES_AFTER_S, os._exit, [EXIT])
        last.daemon = True
        last.start()

    return end
