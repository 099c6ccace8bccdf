"""Where log lines go: standard error, one line an event, in every process of ours, the web server's workers included.

Tracebacks are plain: rich ones, which structlog takes by itself where the library is installed, show the values of
variables, and with them secrets. A line that cannot be written (a full disk, a closed pipe) is lost and takes nothing
along: what logs is often the very code that copes with the full disk.
"""

import sys
from contextlib import suppress
from typing import TextIO

import structlog


class Forgiving:
    """A stream whose failures are nobody's concern. Fails with nothing but a bug of its user."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or not."""
        with suppress(OSError, ValueError):  # ValueError: the stream was closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """The same for what is buffered."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def log_to_standard_error() -> None:
    """Set up the log of this process."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), plain],
        logger_factory=structlog.PrintLoggerFactory(Forgiving(sys.stderr)),  # type: ignore[arg-type]  # write and flush
    )
