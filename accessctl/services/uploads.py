"""What people attach: scans of signed forms, acts, receipts. Bounded, of few kinds, judged by their bytes."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import clean_text
from accessctl.domain.requests import Attachment

LARGEST = 10 * 1024 * 1024
_MAGIC = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as the browser sent it: the name and the type are claims, the content is data."""

    name: str
    content: bytes = field(repr=False)


def kept(upload: Upload, *, attachment_id: str, case: str, kind: str, added_by: str, at: datetime) -> Attachment:
    """The attachment to keep. Its type is read from its first bytes; its name loses every folder."""
    if not upload.content or len(upload.content) > LARGEST:
        raise AccessError(Reason.UPLOAD_INVALID, "P10.01", largest_mib=LARGEST // 2**20)
    media_type = next((kind for magic, kind in _MAGIC.items() if upload.content.startswith(magic)), "")
    if not media_type:
        raise AccessError(Reason.UPLOAD_INVALID, "P10.01", kinds="PDF, PNG, JPEG")
    name = upload.name.replace("\\", "/").rpartition("/")[2].strip(" .")  # `..` names no file
    return Attachment(
        id=attachment_id,
        case=case,
        kind=kind,
        name=clean_text(name or kind, field="file_name", longest=200),
        media_type=media_type,
        sha256=hashlib.sha256(upload.content).hexdigest(),
        content=upload.content,
        added_by=added_by,
        at=at,
    )
