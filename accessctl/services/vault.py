"""Finger templates at rest: AES-256-GCM under a key that never enters the database (ISO/IEC 24745).

Each template has a key of its own, derived from the site's key and the row's random id, so that a copied row opens
nothing elsewhere; the associated data binds person, finger, flag and format, so that rows cannot be swapped. A keyed
digest lets the fleet compare what a terminal holds with what it should hold without opening anything.
"""

import hmac
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from accessctl.domain.requests import StoredTemplate
from accessctl.ports import TerminalTemplate

NONCE_BYTES = 12
LARGEST = 8192  # a ZKFinger 10 template has some 500 to 1,800 bytes


class TemplateUnreadable(Exception):
    """A stored template does not open: wrong key, or the row was tampered with."""


class Vault:
    """Seals and opens templates. The key is 32 bytes from a file of mode 0600, made at installation."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("the template key has 32 bytes")
        self._key = key

    def seal(self, template: TerminalTemplate, *, row: StoredTemplate) -> StoredTemplate:
        """`row` with nonce given and ciphertext and digest filled in."""
        if not template.data or len(template.data) > LARGEST:
            raise ValueError("a template has between 1 and 8192 bytes")
        sealed = AESGCM(self._row_key(row.id)).encrypt(row.nonce, template.data, self._bound(row))
        return StoredTemplate(
            id=row.id,
            person=row.person,
            finger=row.finger,
            flag=row.flag,
            format=row.format,
            device=row.device,
            nonce=row.nonce,
            ciphertext=sealed,
            digest=self.digest(template.data),
            at=row.at,
        )

    def open(self, row: StoredTemplate, *, user_id: str) -> TerminalTemplate:
        """The template, addressed to `user_id`. Raises `TemplateUnreadable`."""
        try:
            data = AESGCM(self._row_key(row.id)).decrypt(row.nonce, row.ciphertext, self._bound(row))
        except InvalidTag:
            raise TemplateUnreadable(row.id) from None
        return TerminalTemplate(user_id=user_id, finger=row.finger, flag=row.flag, data=data)

    def digest(self, data: bytes) -> str:
        """A keyed digest of template bytes: equal for equal templates, and of no use without the key."""
        return hmac.new(self._key, b"template-digest\n" + data, sha256).hexdigest()

    def _row_key(self, row_id: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=row_id.encode(), info=b"accessctl/template/v1").derive(
            self._key
        )

    def _bound(self, row: StoredTemplate) -> bytes:
        return "|".join((row.person, str(row.finger), str(row.flag), row.format, "v1")).encode()
