"""Where exports lie until they are fetched: a folder for each account, in it a folder for each export.

Nobody reaches another account's exports: the account's id is part of the path and comes from the session. Names in an
address are matched against what lies there, never joined to a path. The newest stay; an older one can be made again.
"""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

KEPT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelvedFile:
    """One file of an export. `size` is in bytes."""

    name: str
    size: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelvedExport:
    """One export: the file, its manifest, and its proofs where it is filtered."""

    name: str
    files: tuple[ShelvedFile, ...]


class ExportShelf:
    """The exports of one account under `folder`."""

    def __init__(self, folder: Path, account: str) -> None:
        if not account.isalnum():
            raise ValueError("an account's id is letters and digits")
        self._folder = folder / account

    def place(self, at: datetime, token: str, ending: str) -> Path:
        """A folder for one more export, and the path of its main file. Makes room where there are too many."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in self._found()[KEPT - 1 :]:
            shutil.rmtree(old)
        name = f"{at:%Y%m%d-%H%M%S}-{token}"
        home = self._folder / name
        home.mkdir(mode=0o700)
        return home / f"eventos-{at:%Y%m%d-%H%M%S}.{ending}"

    def drop_if_missing(self, main: Path) -> None:
        """Take away the folder of an export that was not made, whatever the reason."""
        if not main.exists():
            shutil.rmtree(main.parent)

    def exports(self) -> list[ShelvedExport]:
        """What lies here, the newest first."""
        return [ShelvedExport(name=one.name, files=_files(one)) for one in self._found() if _files(one)]

    def file(self, export: str, name: str) -> ShelvedFile | None:
        """One file by the two names of an address; None where there is none."""
        for one in self.exports():
            if one.name == export:
                return next((file for file in one.files if file.name == name), None)
        return None

    def _found(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted((one for one in self._folder.iterdir() if one.is_dir()), reverse=True)


def _files(export: Path) -> tuple[ShelvedFile, ...]:
    found = sorted(one for one in export.iterdir() if one.is_file() and not one.name.startswith("."))
    return tuple(ShelvedFile(name=one.name, size=one.stat().st_size, path=one) for one in found)
