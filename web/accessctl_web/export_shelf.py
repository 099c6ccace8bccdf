"""Where exports lie until they are fetched: a folder for each account, in it a folder for each export.

Nobody reaches another account's exports: the account's id is part of the path and comes from the session. Names in an
address are matched against what lies there, never joined to a path. The newest stay; an older one can be made again.

While an export is being made, its folder says how far it is (`.state`, a small JSON object) and is held (`.held`, a
lock of the process that makes it). So every process of the panel can show the progress, and an export whose process
ended is told from one that takes long. `.stop` is the wish that it be given up.
"""

import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

KEPT = 20
STATE, HELD, STOP = ".state", ".held", ".stop"


class Progress(StrEnum):
    """How an export stands. Only a folder that is held can be `WAITING` or `RUNNING`."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    STOPPED = "stopped"  # given up by whoever asked for it
    INTERRUPTED = "interrupted"  # its process ended
    DISK = "disk"
    TOO_LONG = "too_long"  # longer than its format bears
    BROKEN = "broken"  # the record is not what was signed
    REFUSED = "refused"


UNDER_WAY = frozenset({Progress.WAITING, Progress.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelvedFile:
    """One file of an export. `size` is in bytes."""

    name: str
    size: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelvedExport:
    """One export: the file, its manifest, and its proofs where it is filtered; while it is made, how far it got."""

    name: str
    files: tuple[ShelvedFile, ...]
    progress: Progress
    lines: int = 0
    percent: int = 0
    about: str = ""  # what was asked for, in the words of the page


class ExportFolder:
    """The folder of one export, for whoever makes it: held from the beginning to the end."""

    def __init__(self, home: Path, main: str, about: str) -> None:
        self._home = home
        self._about = about
        self.main = home / main
        self._held = os.open(home / HELD, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_EX)
        self.say(Progress.WAITING)

    def say(self, progress: Progress, lines: int = 0, share: float = 0.0) -> None:
        """Say how far it is; whoever reads finds the old word or the new one, never half of it."""
        fresh = self._home / f"{STATE}.new"
        said = {"progress": progress.value, "lines": lines, "percent": int(100 * share), "about": self._about}
        fresh.write_text(json.dumps(said), encoding="ascii")
        fresh.replace(self._home / STATE)

    def is_stopped(self) -> bool:
        """Whether somebody gave it up."""
        return (self._home / STOP).exists()

    def clear(self) -> None:
        """Leave none of its files: it was given up after they were whole."""
        for one in _files(self._home):
            one.path.unlink()

    def leave(self) -> None:
        """It is over, one way or the other."""
        os.close(self._held)


class ExportShelf:
    """The exports of one account under `folder`."""

    def __init__(self, folder: Path, account: str) -> None:
        if not account.isalnum():
            raise ValueError("an account's id is letters and digits")
        self._folder = folder / account

    def place(self, at: datetime, token: str, name: str, about: str = "") -> ExportFolder:
        """A folder for one more export, whose main file is called `name`. Makes room where there are too many.

        `about` says on the shelf what was asked for.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        idle = [one for one in self._found() if not _is_held(one)]
        for old in idle[KEPT - 1 :]:
            shutil.rmtree(old)
        home = self._folder / f"{at:%Y%m%d-%H%M%S}-{token}"
        home.mkdir(mode=0o700)
        return ExportFolder(home, name, about)

    def exports(self) -> list[ShelvedExport]:
        """What lies here, the newest first."""
        return [_shelved(one) for one in self._found()]

    def file(self, export: str, name: str) -> ShelvedFile | None:
        """One file by the two names of an address; None where there is none."""
        for one in self._found():
            if one.name == export:
                return next((file for file in _files(one) if file.name == name), None)
        return None

    def stop(self, export: str) -> bool:
        """Give up an export that is being made, or take away one that is not; whether there was one."""
        home = next((one for one in self._found() if one.name == export), None)
        if home is None:
            return False
        if _is_held(home):
            (home / STOP).touch(mode=0o600)
        else:
            shutil.rmtree(home)
        return True

    def _found(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted((one for one in self._folder.iterdir() if one.is_dir()), reverse=True)


def clear_shelves(folder: Path) -> int:
    """Take away every account's exports, and give up those that are being made; how many that were."""
    count = 0
    for account in folder.iterdir() if folder.is_dir() else ():
        shelf = ExportShelf(folder, account.name)
        count += sum(shelf.stop(one.name) for one in shelf.exports())
    return count


def _is_held(home: Path) -> bool:
    """Whether a process is at work on it: the lock ends with its process, however that ends."""
    try:
        held = os.open(home / HELD, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(held)
    return False


def _shelved(home: Path) -> ShelvedExport:
    held = _is_held(home)  # asked before the state is read: it may end meanwhile, never begin
    said = json.loads((home / STATE).read_text(encoding="ascii")) if (home / STATE).exists() else {}
    progress = Progress(said.get("progress", Progress.INTERRUPTED))
    if progress in UNDER_WAY and not held:
        progress = Progress.INTERRUPTED
    files = _files(home) if progress is Progress.READY else ()
    lines, percent, about = said.get("lines", 0), said.get("percent", 0), said.get("about", "")
    return ShelvedExport(name=home.name, files=files, progress=progress, lines=lines, percent=percent, about=about)


def _files(home: Path) -> tuple[ShelvedFile, ...]:
    found = sorted(one for one in home.iterdir() if one.is_file() and not one.name.startswith("."))
    return tuple(ShelvedFile(name=one.name, size=one.stat().st_size, path=one) for one in found)
