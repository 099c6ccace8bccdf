"""Salted commitments: personal details enter the record as a promise that can be forgotten.

The record is append-only, and people have a right to be erased or redacted. So an entry holds, instead of a name or
a document number, `{"c": hex}` with

    c = SHA-256("accessctl/commitment/v1" ‖ 0x0A ‖ salt ‖ UTF-8 of the text)

where the salt is 32 random bytes of its own for every detail of every entry. The opening (salt and text) lies
outside the record in a table that may be erased. With the opening anybody can check that this is the very text that
was recorded (SHA-256 binds); without it nobody can tell whose it was, not even by trying every DPI number there is
(the salt hides); and the leaf, the proofs and the checkpoints stay valid in both cases, because they never
contained the text.
"""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass, field

SALT_BYTES = 32
_DOMAIN = b"accessctl/commitment/v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What opens one commitment. It is personal data: neither the salt nor the text shows in a repr or a log."""

    commitment: str
    salt: bytes = field(repr=False)
    value: str = field(repr=False)

    @property
    def mark(self) -> dict[str, str]:
        """What stands in the entry instead of the text."""
        return {"c": self.commitment}


def commit(salt: bytes, value: str) -> str:
    """The commitment in hex. The text must be in normal form C (`canonical.clean`), or two spellings of a name
    would differ.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    if not unicodedata.is_normalized("NFC", value):
        raise ValueError("text that is not in normal form C")
    return hashlib.sha256(_DOMAIN + salt + value.encode()).hexdigest()


def seal(salt: bytes, value: str) -> Opening:
    """The commitment to `value` together with what opens it; `salt` is fresh from the system's source of chance."""
    return Opening(commitment=commit(salt, value), salt=salt, value=value)


def opens(commitment: str, salt: bytes, value: str) -> bool:
    """Whether `salt` and `value` are what was committed to. Hostile input: never raises."""
    try:
        made = commit(salt, value)
    except ValueError:
        return False
    return hmac.compare_digest(made.encode(), commitment.encode("utf-8", "replace"))
