"""What the service knows of its devices: health, what each holds, what it was asked to do, who waits for a card."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHealth:
    """The last that was seen of a device. `skew_s` is its clock minus ours; `drift` counts differences found."""

    id: str  # the device's
    online: bool = False
    since: datetime | None = None
    last_seen: datetime | None = None
    last_error: str = ""
    serial: str = ""
    firmware: str = ""
    skew_s: int | None = None
    users_desired: int = 0
    users_observed: int = 0
    drift: int = 0
    rogues: int = 0
    synced_at: datetime | None = None
    wanted_at: datetime | None = None  # somebody changed what it should hold: apply now
    dates_in_seconds: bool = False  # a controller's word: it ends a validity to the second
    doors_by_number: bool = False  # a controller's word: a right is for one door, by its number
    log_epoch: int = 0
    log_count: int = 0
    log_window: int = 0
    log_digest: bytes = b""
    log_record_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldUser:
    """One slot of a terminal as it was last read back, and whose it is where we put it there (`person`)."""

    id: str  # device/uid
    device: str
    uid: int
    user_id: str
    person: str
    card: int
    disabled: bool
    templates: int
    digest: str
    read_at: datetime


class CommandKind(StrEnum):
    """What a person may ask of a device."""

    ENROL_FINGER = "enrol_finger"
    UNLOCK = "unlock"
    APPLY = "apply"


class CommandState(StrEnum):
    """Asked and committed first, then carried out, then the outcome recorded."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """An intention towards a device. A door opening expires and is never carried out late."""

    id: str
    device: str
    kind: CommandKind
    state: CommandState
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    case: str = ""
    person: str = ""
    finger: int = 0
    seconds: int = 0
    outcome: str = ""  # reason code where it failed
    finished_at: datetime | None = None


class CaptureState(StrEnum):
    """A capture session waits for one card, for one account, on one reader."""

    WAITING = "waiting"
    READ = "read"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Whose turn it is at a desk reader. The number goes to `account` and to nobody else; then it is over."""

    id: str
    reader: str
    account: str
    case: str
    state: CaptureState
    started_at: datetime
    expires_at: datetime
    number: str = ""  # CardNumber.key
