"""Parts of the service end with the process that started them, also when that one is killed without a word.

Only a part that was told its parent does: run alone, by hand or by a service manager, it lives as long as it is wanted.
"""

import ctypes
import multiprocessing
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2): the signal that the kernel sends when the parent ends


def end_with_parent(parent: int) -> None:
    """Ask the kernel to end this process with the process `parent`, which started it. Nothing is asked outside Linux.

    What counts is whether the parent is still that one: a parent of number 1 is a service manager, or a container's.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os.kill(os.getpid(), signal.SIGKILL)


def end_with_server() -> None:
    """The same for a worker of the web server. Outside a worker (an application made by hand) nothing is asked."""
    server = multiprocessing.parent_process()
    if server is not None and server.pid is not None:
        end_with_parent(server.pid)
