"""Signed notes and checkpoints: one page of text that fixes the whole record (C2SP signed-note and tlog-checkpoint,
v1).

    example.com/record            the origin: whose record
    20852163                      how many entries
    CsUYapGGPo4dkMgIAUqom/...=    the root of their tree, base64
                                  (an empty line)
    — example.com/record Az3g...  for each signer a line: its name, base64 of its key id (4 bytes) and Ed25519
    signature (64 bytes)

The signature covers the text up to and without the empty line. A key is known by its `vkey`,
`name+keyid+base64(0x01 ‖ public key)`, where the key id is the start of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key).
Lines of unknown keys are passed over (witnesses, rotated keys); a line in the name of a trusted key that this key
did not sign condemns the note. Everything that reads raises only `RecordBroken`. Where keys are kept is not this
module's business: it sees bytes, and shows none of them in a repr.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from accessctl.record.broken import RecordBroken, Why
from accessctl.record.merkle import HASH_BYTES

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 100  # as golang.org/x/mod/sumdb/note; C2SP asks for at least 16
MAX_SIZE = 2**63 - 1
_ED25519 = b"\x01"
_VKEY = re.compile(r"([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]{1,255}) ([A-Za-z0-9+/]+={0,2})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


def _malformed(text: str) -> RecordBroken:
    return RecordBroken(Why.MALFORMED, text)


def _unbase64(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return data if base64.b64encode(data).decode() == text else None  # no second spelling of the same bytes


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _good_name(name: str) -> bool:
    return _VKEY.fullmatch(f"{name}+00000000+{'A' * 44}") is not None and name.isprintable()


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name: whom a note may be believed from."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        parts = _VKEY.fullmatch(vkey)
        data = _unbase64(parts[3]) if parts else None
        if parts is None or data is None or data[:1] != _ED25519 or not _good_name(parts[1]):
            raise _malformed("the verifier key is not in the form name+keyid+key, or not of the Ed25519 kind")
        key = cls(parts[1], data[1:])
        if key.key_id.hex() != parts[2]:
            raise _malformed("the verifier key does not belong to its own key id: a character is wrong")
        return key

    @property
    def key_id(self) -> bytes:
        return _key_id(self.name, self.public)

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    def signed(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):  # ValueError: 32 bytes that are no public key
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name. The seed is the 32 bytes of RFC 8032; it never shows."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _good_name(self.name):
            raise ValueError("a key's name has 1 to 255 characters, no spaces and no plus")
        if len(self.seed) != 32:
            raise ValueError("an Ed25519 seed has 32 bytes")

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def line(self, text: str) -> str:
        """The signature line for a note's text."""
        key_id = self.verifier.key_id
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"— {self.name} {base64.b64encode(key_id + signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note that was opened: its text, and which of the trusted keys signed it (at least one)."""

    text: str
    signed_by: tuple[Verifier, ...]


def sign(text: str, *signers: Signer) -> str:
    """The whole note. The text ends in a newline and has no control characters."""
    if not text.endswith("\n") or not _printable(text):
        raise ValueError("a note's text ends in a newline and holds no other control characters")
    return text + "\n" + "".join(signer.line(text) for signer in signers)


def cosign(note: str, signer: Signer) -> str:
    """The same note with one more signature: what a witness gives back once it has found the checkpoint consistent."""
    return note + signer.line(_split(note)[0])


def open_note(note: bytes | str, trusted: Iterable[Verifier]) -> Note:
    """The text of a note that at least one of the `trusted` keys signed."""
    text, lines = _split(_decoded(note))
    keys = {(key.name, key.key_id): key for key in trusted}
    signed_by: list[Verifier] = []
    for name, blob in lines:
        key = keys.get((name, blob[:4]))
        if key is None or key in signed_by:
            continue
        if not key.signed(text, blob[4:]):
            raise RecordBroken(
                Why.BAD_SIGNATURE,
                "the note carries a trusted key's name but not its signature: it is forged or damaged",
            )
        signed_by.append(key)
    if not signed_by:
        raise RecordBroken(Why.UNKNOWN_KEY, "the note is signed by none of the trusted keys")
    return Note(text, tuple(signed_by))


def _printable(text: str) -> bool:
    return not any(character < " " and character != "\n" for character in text)


def _decoded(note: bytes | str) -> str:
    if len(note) > MAX_NOTE_BYTES:
        raise RecordBroken(Why.TOO_LARGE, f"the note is longer than {MAX_NOTE_BYTES} bytes")
    try:
        text = note.decode() if isinstance(note, bytes) else note.encode().decode()
    except UnicodeError:
        raise _malformed("the note is not UTF-8 text") from None
    if not text:
        raise RecordBroken(Why.EMPTY, "the note is empty")
    if not _printable(text):
        raise _malformed("the note holds control characters")
    return text


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Text and signature lines (name, key id ‖ signature); the last empty line parts them."""
    body, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise _malformed("the note has no signature lines after an empty line")
    lines: list[tuple[str, bytes]] = []
    for line in tail[:-1].split("\n"):
        parts = _SIGNATURE_LINE.fullmatch(line)
        blob = _unbase64(parts[2]) if parts else None
        if parts is None or blob is None or len(blob) < 5:
            raise _malformed("the note has a line among its signatures that is none")
        lines.append((parts[1], blob))
    if len(lines) > MAX_SIGNATURES:
        raise RecordBroken(Why.TOO_LARGE, f"the note has more than {MAX_SIGNATURES} signatures")
    return body + "\n", lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How large the record was, and the root of its tree then. `origin` is whose record it is."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or not self.origin.isprintable():
            raise ValueError("an origin is one line of printable text")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise ValueError("a checkpoint has a size from 0 to 2^63 - 1 and a root of 32 bytes")

    @property
    def text(self) -> str:
        """The note text to sign."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The checkpoint in a note's text; extension lines after the third are allowed and ignored."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not lines[0].isprintable():
            raise _malformed("the note is no checkpoint: origin, size and root are needed, a line each")
        root = _unbase64(lines[2])
        if _SIZE.fullmatch(lines[1]) is None or int(lines[1]) > MAX_SIZE or root is None or len(root) != HASH_BYTES:
            raise _malformed("the note is no checkpoint: its size or its root cannot be read")
        return cls(origin=lines[0], size=int(lines[1]), root=root)


def sign_checkpoint(checkpoint: Checkpoint, *signers: Signer) -> str:
    """The signed note of a checkpoint."""
    return sign(checkpoint.text, *signers)


def open_checkpoint(note: bytes | str, trusted: Iterable[Verifier]) -> Checkpoint:
    """The checkpoint in a note that one of the trusted keys signed."""
    return Checkpoint.parse(open_note(note, trusted).text)
