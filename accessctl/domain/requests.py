"""What procedure 10 is about: a request for access, what was authorised, what was chosen, and its end (N10.4)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AuthorisedBy(StrEnum):
    """How the head's authorisation reached us (P10.01, NG.3): own sign-off in the panel, or a signed form, scanned."""

    SIGN_OFF = "sign_off"
    SCAN = "scan"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """A request for a card (P10.01) and what its head authorised. The id is that of its case.

    `doors` and `schedule` are the most that the technician may choose; `valid_until` is the end of the access itself
    (None = while the person stays in the post); `expires_at` is when the authorisation lapses if it is not carried out.
    """

    id: str
    folio: int
    beneficiary: str
    requester: str  # person: who asked, and is informed at P10.06
    authority: str  # person: the head whose authorisation is asked for
    department: str
    justification: str
    doors: tuple[str, ...]
    schedule: str
    valid_from: datetime
    valid_until: datetime | None
    registered_at: datetime
    expires_at: datetime
    authorised_at: datetime | None = None
    authorised_how: str = ""
    form: str = ""  # attachment
    card: str = ""  # chosen at P10.03
    waiver: str = ""  # why there is no finger, where there is none
    receipt: str = ""  # signature
    delivered_at: datetime | None = None
    informed_at: datetime | None = None
    cancelled: str = ""  # why


class GrantState(StrEnum):
    """A grant is chosen at P10.03, opens at P10.05 and ends by removal, expiry or correction."""

    CHOSEN = "chosen"
    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessGrant:
    """One person, one door, one schedule, one window, and the case that it comes from."""

    id: str
    person: str
    door: str
    schedule: str
    valid_from: datetime
    valid_until: datetime | None
    case: str
    state: GrantState = GrantState.CHOSEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A head's request to end a person's access (N10.4): effective at once, on every door."""

    id: str
    person: str
    requested_by: str  # person: the head
    registered_by: str  # account
    reason: str
    at: datetime
    completed_at: datetime | None = None  # every device confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalTarget:
    """A device that held something of the person when access ended, and when it confirmed that it holds no more."""

    id: str
    removal: str
    device: str
    doors: tuple[str, ...]
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A scanned form or act. `content` stays in the database, its digest goes into the record."""

    id: str
    case: str
    kind: str  # "form", "act", "signed_receipt"
    name: str
    media_type: str
    sha256: str
    content: bytes
    added_by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature given on the screen: strokes of (x, y) points in canvas pixels; drawn as vectors in the receipt.

    `strokes` is canonical JSON: a list of strokes, each a list of `[x, y]`; `sha256` is over those bytes.
    """

    id: str
    case: str
    person: str
    strokes: bytes
    width: int
    height: int
    sha256: str
    attended_by: str  # account
    document_shown: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTemplate:
    """A finger template at rest: AES-256-GCM under a key outside the database; the id is random and names nobody."""

    id: str
    person: str
    finger: int
    flag: int
    format: str
    device: str  # where it was taken
    nonce: bytes
    ciphertext: bytes
    digest: str  # keyed digest, to compare with what a terminal holds without opening anything
    at: datetime
