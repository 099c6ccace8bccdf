"""The installation's keys: made once, each in a file of mode 0600, never in the database, a log or a setting.

`record.key` signs checkpoints (Ed25519 seed), `templates.key` seals finger templates, `panel.key` signs sessions,
`ingress.key` makes registration codes. Two installations share no secret.
"""

import os
from collections.abc import Callable
from pathlib import Path

KEY_BYTES = 32
NAMES = ("record.key", "templates.key", "panel.key", "ingress.key")


class KeysWrong(Exception):
    """A key is missing, of the wrong length, or open to others; the message names the file, never its content."""


def make_keys(folder: Path, entropy: Callable[[int], bytes]) -> list[str]:
    """Make the keys that are not there yet; returns their names."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for name in NAMES:
        try:
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(handle, "wb") as file:
            file.write(entropy(KEY_BYTES).hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        made.append(name)
    return made


def read_key(folder: Path, name: str) -> bytes:
    """One key. Raises `KeysWrong` where it is missing, malformed, or readable by others."""
    file = folder / name
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise KeysWrong(f"{file}: cannot be read; accessctl init makes the keys") from None
    if mode & 0o077:
        raise KeysWrong(f"{file}: is open to others (mode {mode & 0o777:o}); chmod 600 it")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise KeysWrong(f"{file}: is no key") from None
    if len(key) != KEY_BYTES:
        raise KeysWrong(f"{file}: is no key")
    return key
