"""The parent's side of the child process: starts it, asks it, and kills it at the deadline.

pyzk can loop for ever on what a terminal sends, so the deadline does not depend on it: whatever the child does, at the
deadline it is killed and the answer is `DeviceUnreachable`. The terminal is put to work again by the next session.

The child gets our module path, so that it runs the code that we run, and otherwise a bare environment.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from accessctl.ports import DeviceError, DeviceMisbehaved, DeviceRefused, DeviceUnreachable, EnrolmentFailed
from accessctl_drivers.zkteco.channel import Channel, ChannelBroken, ChannelClosed, ChannelTimeout, Head

START_SECONDS: Final = 10.0  # a loaded machine may take so long to start Python
GRACE_SECONDS: Final = 1.0  # how much later than its own deadline the child may answer
_ERRORS: Mapping[str, type[DeviceError]] = {
    "DeviceUnreachable": DeviceUnreachable,
    "DeviceRefused": DeviceRefused,
    "DeviceMisbehaved": DeviceMisbehaved,
}


class ChildBug(RuntimeError):
    """The child ended with a traceback: a mistake in our code, not the terminal's doing."""


class Child:
    """One child process for one session. After any DeviceError but a refusal it is gone."""

    def __init__(self) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "accessctl_drivers.zkteco.child"],  # no module of the folder it begins in
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PYTHONPATH": paths, "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"},
            bufsize=0,
            process_group=0,  # Ctrl-C is for the service, which closes its sessions; the child ends with its input
        )
        if self._process.stdin is None or self._process.stdout is None or self._process.stderr is None:
            raise ChildBug("pipes were asked for and not made")
        self._stderr = self._process.stderr
        self._pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._channel = Channel(self._process.stdout.fileno(), self._process.stdin.fileno())
        self._fresh = True

    @property
    def pid(self) -> int:
        """The child's process id, for whoever watches it."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the session can still be used."""
        return self._process.returncode is None

    def ask(self, head: Head, blob: bytes = b"", *, within: float, silence: float) -> tuple[Head, bytes]:
        """One request, answered within `within` seconds or DeviceUnreachable and a dead child.

        `silence` is how long the terminal may take for one frame.
        """
        if not self.alive:
            raise DeviceUnreachable("the session is over")
        until = time.monotonic() + within + GRACE_SECONDS + (START_SECONDS if self._fresh else 0.0)
        self._fresh = False
        request = {**head, "within": within, "silence": min(silence, within)}
        try:
            self._channel.send(request, blob, until=until)
            answer, data = self._channel.receive(until=until)
        except ChannelTimeout as late:
            self.kill()
            raise DeviceUnreachable(f"no answer to {head['verb']} within {within:g} s") from late
        except ChannelClosed as closed:
            raise self._post_mortem() from closed
        except ChannelBroken:
            self.kill()
            raise
        if "error" in answer:
            self._raise(answer)
        return answer, data

    def _raise(self, answer: Head) -> None:
        if answer["reason"] is not None:
            raise EnrolmentFailed(answer["reason"], answer["message"])
        error = _ERRORS[answer["error"]](answer["message"])
        if not isinstance(error, DeviceRefused):
            self.close(0.0)
        raise error

    def _post_mortem(self) -> Exception:
        """What a child that is gone died of: a signal is somebody else's doing, a traceback ours."""
        try:
            _, trace = self._process.communicate(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            trace = b""
        self.kill()
        if self._process.returncode < 0:
            return DeviceUnreachable(f"the session's process was ended by signal {-self._process.returncode}")
        return ChildBug(trace.decode("utf-8", "replace")[-4000:])

    def close(self, patience: float) -> None:
        """Closes the session: the child says goodbye to the terminal for at most `patience` seconds, then is killed."""
        if not self.alive:
            return
        if self._process.stdin is not None and patience > 0:
            self._process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        self.kill()

    def kill(self) -> None:
        """Ends the child at once and collects it."""
        self._process.kill()
        self._process.wait()
        for pipe in self._pipes:
            pipe.close()
