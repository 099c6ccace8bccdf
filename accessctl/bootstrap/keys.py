"""The installation's keys: made once, each in a file of mode 0600, never in the database, a log or a setting.

`record.key` signs checkpoints (Ed25519 seed), `templates.key` seals finger templates, `panel.key` signs sessions,
`ingress.key` makes registration codes. Two installations share no secret. `record.older` holds the public keys that
signed the record before, one vkey a line; `record.key.next` exists only while the record is handed over to a new key.
"""

import os
from collections.abc import Callable
from pathlib import Path

from accessctl.record import RecordBroken, Verifier
from accessctl.secret_files import OpenToOthers, read_secret

KEY_BYTES = 32
NAMES = ("record.key", "templates.key", "panel.key", "ingress.key")
RECORD = "record.key"
NEXT = "record.key.next"
OLDER = "record.older"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class KeysWrong(Exception):
    """A key is missing, of the wrong length, or open to others; the message names the file, never its content."""


def make_keys(folder: Path, entropy: Callable[[int], bytes]) -> list[str]:
    """Make the keys that are not there yet; returns their names."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [name for name in NAMES if _make(folder / name, entropy)]


def _make(file: Path, entropy: Callable[[int], bytes]) -> bool:
    """Make one key; False where it is there already."""
    try:
        write_new(file, entropy(KEY_BYTES).hex().encode() + b"\n")
    except FileExistsError:
        return False
    return True


def write_new(file: Path, content: bytes) -> None:
    """Whole or not at all, whatever ends us meanwhile, and never over another. Raises `FileExistsError`."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, _NEW, 0o600), "wb") as open_file:
        open_file.write(content)
        open_file.flush()
        os.fsync(open_file.fileno())
    try:
        os.link(draft, file, follow_symlinks=False)
    finally:
        draft.unlink()


def read_key(folder: Path, name: str) -> bytes:
    """One key. Raises `KeysWrong` where it is missing, malformed, or readable by others."""
    file = folder / name
    try:
        text = read_secret(file).decode("ascii").strip()
    except OpenToOthers as found:
        raise KeysWrong(str(found)) from None
    except (OSError, UnicodeDecodeError):
        raise KeysWrong(f"{file}: cannot be read; accessctl init makes the keys") from None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise KeysWrong(f"{file}: is no key") from None
    if len(key) != KEY_BYTES:
        raise KeysWrong(f"{file}: is no key")
    return key


def older_keys(folder: Path) -> list[Verifier]:
    """The public keys that signed the record before, the newest first. Raises `KeysWrong`."""
    file = folder / OLDER
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError):
        raise KeysWrong(f"{file}: cannot be read") from None
    try:
        return [Verifier.parse(line) for line in reversed(lines) if line]
    except RecordBroken:
        raise KeysWrong(f"{file}: holds a line that is no public key") from None


def next_key(folder: Path, entropy: Callable[[int], bytes]) -> bytes:
    """The key that the record is being handed over to, made unless a rotation was interrupted. Raises `KeysWrong`."""
    _make(folder / NEXT, entropy)
    return read_key(folder, NEXT)


def adopt_next(folder: Path, before: str) -> None:
    """The next key becomes the record's, and `before` (a vkey, or nothing) one of the older. The old seed is gone."""
    older = [*reversed([key.vkey for key in older_keys(folder)])]
    if before and before not in older:
        fresh = folder / f"{OLDER}.new"
        fresh.unlink(missing_ok=True)
        write_new(fresh, "\n".join([*older, before, ""]).encode())
        fresh.replace(folder / OLDER)
    (folder / NEXT).replace(folder / RECORD)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
