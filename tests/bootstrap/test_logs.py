"""The log of a process: plain, and never the reason why something fails."""

import io
import subprocess
import sys

from accessctl.bootstrap.logs import Forgiving


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, text: str) -> int:
        del text
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_line_that_cannot_be_written_is_lost_and_takes_nothing_along() -> None:
    for stream in (Full(), _closed()):
        log = Forgiving(stream)
        assert log.write("line\n") == 5
        log.flush()


def _closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


def test_a_traceback_shows_no_values() -> None:
    program = """
import structlog
from accessctl.bootstrap.logs import log_to_standard_error
log_to_standard_error()
def fails(password):
    raise OSError("disk")
try:
    fails("hunter" + "2")
except OSError:
    structlog.get_logger("x").exception("failed")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Traceback" in done.stderr
    assert "OSError: disk" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
