"""Files that appear under their names only when they are complete: an export is either whole or not there.

The bytes go into a nameless companion (`.TOKEN.partial`, mode 0600) in the same folder, reach the disk, and then the
names appear one after the other, the main file last. Whatever fails before leaves nothing under the final names; a
process that is killed leaves at most the companions. Nothing that exists is ever written over.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class CompleteFiles:
    """Several files of one folder that belong together. Raises `OSError` as the file system does."""

    def __init__(self, *, token: str) -> None:
        self._token = token
        self._open: dict[Path, BinaryIO] = {}
        self._partial: dict[Path, Path] = {}
        self._appeared: list[Path] = []

    def begin(self, target: Path) -> BinaryIO:
        """The file to write for `target`. Raises `FileExistsError` where the name is taken."""
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        partial = target.parent / f".{self._token}-{len(self._open)}.partial"
        self._open[target] = os.fdopen(os.open(partial, _NEW, 0o600), "wb")
        self._partial[target] = partial
        return self._open[target]

    def settle(self) -> None:
        """Every byte is on the disk after this, and nothing more is written."""
        for file in self._open.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()

    def appear(self) -> None:
        """Give them their names, in the order in which they were begun."""
        for target, partial in self._partial.items():
            _name(partial, target)
            self._appeared.append(target)
        for folder in {target.parent for target in self._partial}:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def withdraw(self) -> None:
        """Take away all that was begun, also what has its name already."""
        for file in self._open.values():
            with suppress(OSError):  # what was buffered may not fit on the disk: it is not wanted any more
                file.close()
        for path in (*self._partial.values(), *self._appeared):
            path.unlink(missing_ok=True)


@contextmanager
def complete_files(*, token: str) -> Iterator[CompleteFiles]:
    """Files that are taken away again where the block ends in an error."""
    files = CompleteFiles(token=token)
    try:
        yield files
    except BaseException:
        files.withdraw()
        raise


def _name(partial: Path, target: Path) -> None:
    """Rename without ever replacing; a file system without links gets a look before the rename."""
    try:
        os.link(partial, target, follow_symlinks=False)
    except OSError as failed:
        if failed.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        partial.rename(target)
    else:
        partial.unlink()
