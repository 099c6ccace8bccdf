"""The ingress with a disk that stops keeping what is written: from a moment on, no `fsync` of the process succeeds.

A filter of the kernel (seccomp) answers `fsync` and `fdatasync` with EIO, as a disk that breaks does, for every thread
of the process at once and until it ends; the next process has none. It needs no rights, no tracer and no compiler.
"""

import ctypes
import errno
import os
import platform
import struct
import threading
import time
from pathlib import Path

from accessctl.bootstrap.ingress import ingress_app
from accessctl_drivers.push.front import Front

FACTORY = "tests.protocol.failing_disk:failing_ingress_app"
BREAKS_WHEN, BROKEN = "ACCESS_TEST_DISK_BREAKS_WHEN", ".broken"  # a file's name; what is added to it once it did

PR_SET_NO_NEW_PRIVS = 38  # prctl(2)
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC = 1, 1  # seccomp(2)
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00050000, 0x7FFF0000
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
CALLS = {"x86_64": (317, 74, 75), "aarch64": (277, 82, 83)}  # seccomp, fsync, fdatasync


def failing_ingress_app() -> Front:
    """The factory of the product, and a thread that breaks the disk when the test says so."""
    threading.Thread(target=_await_the_end_of_the_disk, args=(Path(os.environ[BREAKS_WHEN]),), daemon=True).start()
    return ingress_app()


def _await_the_end_of_the_disk(sign: Path) -> None:
    while not sign.exists():
        time.sleep(0.02)
    _break_the_disk()
    sign.with_name(sign.name + BROKEN).touch()


def _break_the_disk() -> None:
    seccomp, *syncs = CALLS[platform.machine()]
    program = [_step(LOAD_WORD, 0)]  # the number of the call is the first word of what a filter sees
    for left, number in enumerate(reversed(syncs)):
        program.insert(1, _step(JUMP_IF_EQUAL, number, then=left + 1))
    program += [_step(RETURN, SECCOMP_RET_ALLOW), _step(RETURN, SECCOMP_RET_ERRNO | errno.EIO)]
    steps = ctypes.create_string_buffer(b"".join(program))
    filter_ = struct.pack("HxxxxxxP", len(program), ctypes.addressof(steps))  # struct sock_fprog
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, filter_
    ):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter")


def _step(code: int, value: int, *, then: int = 0) -> bytes:
    """One instruction: struct sock_filter. `then` steps further where it is equal, else the next one."""
    return struct.pack("HBBI", code, then, 0, value)
