"""The witness: somebody else, on another machine, who signs a checkpoint only when it extends the last one it signed.

It needs no database and no network: files go in, a co-signed note comes out. Its folder holds its own key
(`witness.key`, mode 0600) and what it saw last (`witness.state`). The new state is on the disk before the signature
leaves, so that a witness that is killed in between forgets nothing; two at once wait for each other. With a co-signed
note an auditor knows more than with ours alone: whoever owns the database and our key would still need the witness's to
show two different pasts to two people.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from accessctl.record import Checkpoint, RecordBroken, Signer, Verifier, Why, cosign, open_checkpoint, verify_extension
from accessctl.record.proofs import EXTENSION_FORMAT
from accessctl.record.reading import MAX_DOCUMENT, Fields, document
from accessctl.secret_files import OpenToOthers, read_secret

KEY = "witness.key"
STATE = "witness.state"
LOCK = "witness.lock"
SEED_BYTES = 32
MOST_KEYS = 50
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class WitnessWrong(Exception):
    """The witness's own folder cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """What was co-signed: the note with one more signature, and the checkpoint in it. `first` where none was before."""

    note: str
    checkpoint: Checkpoint
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The name of the witness, the public keys of the record that it follows, and the last note that it signed."""

    name: str
    trusted: tuple[str, ...]
    last: str | None

    def to_bytes(self) -> bytes:
        values = {"name": self.name, "trusted": list(self.trusted), "last": self.last}
        return orjson.dumps(values, option=orjson.OPT_INDENT_2) + b"\n"


class Witness:
    """One witness of one record, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def begin(cls, folder: Path, *, name: str, trusted: str, entropy: Callable[[int], bytes]) -> "Witness":
        """Make the witness's key and its empty state, for the record that the key `trusted` (a vkey) signs.

        Raises `RecordBroken` for a key that is none, `ValueError` for a name that a key cannot have, `OSError` as the
        file system does (`FileExistsError` where there is a witness already).
        """
        Verifier.parse(trusted)
        seed = entropy(SEED_BYTES)
        Signer(name, seed)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / KEY, seed.hex().encode() + b"\n")
        _write(folder / STATE, _State(name=name, trusted=(trusted,), last=None).to_bytes())
        return cls(folder)

    @property
    def verifier_key(self) -> str:
        """The public key to give to whoever relies on this witness. Raises `WitnessWrong`."""
        return self._signer(self._state()).verifier.vkey

    def trust(self, key: str) -> None:
        """Follow the record also under a new key: after a rotation, once its note by both keys was seen."""
        Verifier.parse(key)
        with self._alone():
            state = self._state()
            trusted = tuple(dict.fromkeys((*state.trusted, key)))
            if len(trusted) > MOST_KEYS:
                raise WitnessWrong(f"{self._folder / STATE}: more than {MOST_KEYS} keys")
            self._keep(_State(name=state.name, trusted=trusted, last=state.last))

    def sign(self, content: bytes) -> Witnessed:
        """Co-sign the checkpoint in a file: an extension from the last one signed, or the very first checkpoint alone.

        Raises `RecordBroken` where it does not extend the last one, `WitnessWrong` where the folder cannot be used.
        """
        with self._alone():
            state = self._state()
            keys = [Verifier.parse(key) for key in state.trusted]
            note, signed = _proven(content, state.last, keys)
            cosigned = cosign(note, self._signer(state))
            self._keep(_State(name=state.name, trusted=state.trusted, last=note))
        return Witnessed(note=cosigned, checkpoint=signed, first=state.last is None)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            handle = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as failed:
            raise WitnessWrong(f"{self._folder}: {failed.strerror}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _state(self) -> _State:
        file = self._folder / STATE
        try:
            fields = Fields(values := document(_read(file), "the witness's state"), "the witness's state")
            keys = values.get("trusted")
            if not isinstance(keys, list) or not keys or len(keys) > MOST_KEYS:
                raise fields.wrong("trusted")
            trusted = tuple(Verifier.parse(str(key)).vkey for key in keys)
            return _State(name=fields.text("name"), trusted=trusted, last=fields.optional_text("last"))
        except RecordBroken as found:
            raise WitnessWrong(f"{file}: {found}") from None

    def _signer(self, state: _State) -> Signer:
        file = self._folder / KEY
        try:
            return Signer(state.name, bytes.fromhex(read_secret(file).decode("ascii").strip()))
        except OpenToOthers as found:
            raise WitnessWrong(str(found)) from None
        except OSError as failed:
            raise WitnessWrong(f"{file}: {failed.strerror}") from None
        except ValueError:
            raise WitnessWrong(f"{file}: is no key") from None

    def _keep(self, state: _State) -> None:
        fresh = self._folder / f"{STATE}.new"
        fresh.unlink(missing_ok=True)
        _write(fresh, state.to_bytes())
        fresh.replace(self._folder / STATE)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _proven(content: bytes, last: str | None, keys: list[Verifier]) -> tuple[str, Checkpoint]:
    """The note to co-sign, and its checkpoint. Raises `RecordBroken`."""
    if not content.lstrip().startswith(b"{"):
        signed = open_checkpoint(content, keys)
        seen = None if last is None else open_checkpoint(last, keys)
        if seen is not None and seen != signed:
            raise RecordBroken(
                Why.NOT_AN_EXTENSION,
                f"a checkpoint over {seen.size} entries was signed already: another one needs the proof that it "
                "extends it",
            )
        return content.decode(), signed
    values = document(content, "the extension")
    fields = Fields(values, "the extension")
    if values.get("format") != EXTENSION_FORMAT:
        raise fields.wrong("format")
    proven = verify_extension(content, trusted=keys)
    old = open_checkpoint(fields.text("old"), keys)
    if last is not None and open_checkpoint(last, keys) != old:
        seen = open_checkpoint(last, keys)
        raise RecordBroken(
            Why.NOT_AN_EXTENSION,
            f"the extension begins at {old.size} entries, but the last checkpoint signed here counts {seen.size} or "
            "has another root",
        )
    return fields.text("new"), proven.checkpoint


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_DOCUMENT + 1)
    except OSError as failed:
        raise WitnessWrong(f"{file}: {failed.strerror}") from None


def _write(file: Path, content: bytes) -> None:
    """A new file of mode 0600, on the disk when this returns. Raises `OSError`."""
    with os.fdopen(os.open(file, _NEW, 0o600), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
