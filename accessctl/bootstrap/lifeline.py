"""Parts of the service end with the process that started them, also when that one is killed without a word."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2): the signal that the kernel sends when the parent ends


def end_with_parent() -> None:
    """Ask the kernel to end this process with its parent. Elsewhere than on Linux nothing is asked."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == 1:  # it ended before we asked
        os.kill(os.getpid(), signal.SIGKILL)
