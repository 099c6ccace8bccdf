"""Alarms and their life, which follows procedure 3: raised, taken, resolved with a cause, verified by another.

What is not solved goes back to assignment; nothing closes an alarm silently.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AlarmKind(StrEnum):
    """What can be wrong. The names are part of the interface that outside programs rely on."""

    ESCORT_LEFT_FIRST = "escort_left_first"
    ESCORT_MISSING = "escort_missing"
    VISIT_OVERSTAY = "visit_overstay"
    HOST_LEFT = "host_left"
    DOOR_HELD_OPEN = "door_held_open"
    DOOR_FORCED = "door_forced"
    POLICY_MISMATCH = "policy_mismatch"
    ROGUE_CREDENTIAL = "rogue_credential"
    DEVICE_OFFLINE = "device_offline"
    CLOCK_DOUBTFUL = "clock_doubtful"
    REVOCATION_PENDING = "revocation_pending"
    TAMPER = "tamper"
    DURESS = "duress"
    FIRE = "fire"
    GAP = "gap"
    INTERLOCK = "interlock"
    OCCUPANCY = "occupancy"


class AlarmState(StrEnum):
    """Where an alarm stands (P3)."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    VERIFIED = "verified"


class AlarmEvent(StrEnum):
    """What can happen to an alarm."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    VERIFY = "verify"


ALARM_TRANSITIONS: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (AlarmState.RAISED, AlarmEvent.ACKNOWLEDGE): AlarmState.ACKNOWLEDGED,
    (AlarmState.RAISED, AlarmEvent.RESOLVE): AlarmState.RESOLVED,  # the cause went away by itself: still to be verified
    (AlarmState.ACKNOWLEDGED, AlarmEvent.RESOLVE): AlarmState.RESOLVED,
    (AlarmState.RESOLVED, AlarmEvent.REOPEN): AlarmState.RAISED,
    (AlarmState.RESOLVED, AlarmEvent.VERIFY): AlarmState.VERIFIED,
}

CRITICAL = frozenset(
    {
        AlarmKind.ESCORT_LEFT_FIRST,
        AlarmKind.ESCORT_MISSING,
        AlarmKind.DOOR_FORCED,
        AlarmKind.POLICY_MISMATCH,
        AlarmKind.DURESS,
        AlarmKind.FIRE,
    }
)
"""What somebody must see to at once, whatever else is open."""

OPEN = frozenset({AlarmState.RAISED, AlarmState.ACKNOWLEDGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm. `key` is what it is about (a device, a door, a person): one open alarm for a kind and a key."""

    id: str
    kind: AlarmKind
    key: str
    state: AlarmState
    raised_at: datetime
    device: str = ""
    door: str = ""
    person: str = ""
    detail: str = ""
    count: int = 1
    handled_by: str = ""
    comment: str = ""
    cause: str = ""
    changed_at: datetime | None = None
