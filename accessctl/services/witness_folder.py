"""The folder where checkpoints are left for a witness: a share, or what another program carries to another machine.

For each checkpoint two files, named by its size: `000000001234.checkpoint`, the signed note, and beside it
`000000001234.extension`, which proves that the record of the last note in the folder is the beginning of this one. They
hold hashes and signatures, nothing about anybody, and may be read by everybody. What lies in the folder was perhaps put
there by somebody else: only notes that our keys signed are built upon.
"""

import re
from collections.abc import Callable
from pathlib import Path

from accessctl.record import RecordBroken
from accessctl.record.notes import MAX_NOTE_BYTES
from accessctl.services.complete_file import complete_files
from accessctl.services.record_keeper import RecordKeeper

_NAME = re.compile(r"[0-9]{12,19}\.checkpoint")
_READABLE = 0o644
_LOOKED_AT = 50  # notes that are tried, from the newest: strangers may have put some there


def send(folder: Path, keeper: RecordKeeper, note: str, *, new_id: Callable[[], str]) -> bool:
    """Leave a note with its proof of extension; False where it is there already.

    Raises `OSError` as the file system does, and `RecordBroken` where the record does not begin with the last note.
    """
    size = keeper.opened(note).size
    target = folder / f"{size:012}.checkpoint"
    if target.exists():
        return False
    last = _last(folder, keeper, below=size)
    with complete_files(token=new_id()) as files:
        paths = [target]
        if last is not None:
            paths.insert(0, target.with_suffix(".extension"))
            files.begin(paths[0]).write(keeper.extension(last, note))
        files.begin(target).write(note.encode())
        files.settle()
        files.appear()
    for path in paths:
        path.chmod(_READABLE)
    return True


def _last(folder: Path, keeper: RecordKeeper, *, below: int) -> str | None:
    """The note of the largest record that we signed, among those in the folder."""
    names = sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=lambda path: int(path.stem))
    for path in reversed([one for one in names if int(one.stem) < below][-_LOOKED_AT:]):
        with path.open("rb") as file:
            note = file.read(MAX_NOTE_BYTES + 1)
        try:
            if keeper.opened(note).size == int(path.stem):
                return note.decode()
        except RecordBroken:
            continue
    return None
