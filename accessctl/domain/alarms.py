"""Alarms and their life, which follows procedure 3: raised, assigned, taken, resolved, verified by another.

What is not solved goes back to assignment; nothing closes an alarm silently. Whose an alarm is follows from its kind:
`ALERTS` gives the type of alert (N3.5) of each kind and says where that comes from, `N3_5` the area and the role of
each type. Doors, escorts and visits are in no row of N3.5: they are of type `ACCESO`, whose area an installation sets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from accessctl.domain.people import Role


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
    ASSIGNED = "assigned"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    VERIFIED = "verified"


class AlarmEvent(StrEnum):
    """What can happen to an alarm. `SETTLE`: what was wrong went away by itself."""

    ASSIGN = "assign"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    SETTLE = "settle"
    REOPEN = "reopen"
    VERIFY = "verify"


ALARM_TRANSITIONS: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (AlarmState.RAISED, AlarmEvent.ASSIGN): AlarmState.ASSIGNED,  # P3.04
    (AlarmState.RAISED, AlarmEvent.ACKNOWLEDGE): AlarmState.ACKNOWLEDGED,  # whoever is there takes it: life first
    (AlarmState.RAISED, AlarmEvent.SETTLE): AlarmState.RESOLVED,  # still to be verified
    (AlarmState.ASSIGNED, AlarmEvent.ASSIGN): AlarmState.ASSIGNED,  # to somebody else
    (AlarmState.ASSIGNED, AlarmEvent.ACKNOWLEDGE): AlarmState.ACKNOWLEDGED,  # P3.05 begins
    (AlarmState.ASSIGNED, AlarmEvent.SETTLE): AlarmState.RESOLVED,
    (AlarmState.ACKNOWLEDGED, AlarmEvent.ASSIGN): AlarmState.ASSIGNED,  # handed to somebody else
    (AlarmState.ACKNOWLEDGED, AlarmEvent.RESOLVE): AlarmState.RESOLVED,  # P3.05
    (AlarmState.ACKNOWLEDGED, AlarmEvent.SETTLE): AlarmState.RESOLVED,
    (AlarmState.RESOLVED, AlarmEvent.REOPEN): AlarmState.RAISED,  # P3.07, not solved: back to P3.03
    (AlarmState.RESOLVED, AlarmEvent.VERIFY): AlarmState.VERIFIED,  # P3.07, solved, and P3.08
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

OPEN = frozenset({AlarmState.RAISED, AlarmState.ASSIGNED, AlarmState.ACKNOWLEDGED})
UNTAKEN = frozenset({AlarmState.RAISED, AlarmState.ASSIGNED})
UNCLOSED = OPEN | {AlarmState.RESOLVED}


class AlertType(StrEnum):
    """The types of alert of N3.5, and one more for what N3.5 does not name."""

    ENLACE = "enlace"
    SERVIDORES = "servidores"
    SISTEMAS = "sistemas"
    TEMPERATURA = "temperatura_ductos"
    ACCESO = "acceso"


class Competence(NamedTuple):
    """Whose an alert is: the area, and the role that it is assigned to (P3.04)."""

    area: str
    responsible: Role


INFRAESTRUCTURA = "Departamento de Infraestructura Tecnológica"

N3_5: Mapping[AlertType, Competence] = MappingProxyType(
    {
        AlertType.ENLACE: Competence(
            "Departamento de Telecomunicaciones, Conectividad y Seguridad", Role.TECNICO_TELECOM
        ),
        AlertType.SERVIDORES: Competence(INFRAESTRUCTURA, Role.TECNICO_INFRA),
        AlertType.SISTEMAS: Competence("Departamento de Análisis y Desarrollo de Sistemas", Role.ANALISTA_CALIDAD),
        AlertType.TEMPERATURA: Competence(INFRAESTRUCTURA, Role.TECNICO_INFRA),
    }
)
"""Areas and responsible roles as N3.5 names them."""


class Alert(NamedTuple):
    """The type of alert of a kind of alarm, and the norm or step from which it follows."""

    type: AlertType
    source: str


ALERTS: Mapping[AlarmKind, Alert] = MappingProxyType(
    {
        AlarmKind.DEVICE_OFFLINE: Alert(AlertType.ENLACE, "N3.5"),
        AlarmKind.CLOCK_DOUBTFUL: Alert(AlertType.SERVIDORES, "N3.5"),
        AlarmKind.GAP: Alert(AlertType.SISTEMAS, "N3.5"),
        # What follows is in no row of N3.5. The norm or step says why it is the business of whoever keeps the doors.
        AlarmKind.ESCORT_LEFT_FIRST: Alert(AlertType.ACCESO, "N4.3"),
        AlarmKind.ESCORT_MISSING: Alert(AlertType.ACCESO, "N4.3"),
        AlarmKind.VISIT_OVERSTAY: Alert(AlertType.ACCESO, "P4.07"),
        AlarmKind.HOST_LEFT: Alert(AlertType.ACCESO, "N10.6"),
        AlarmKind.DOOR_HELD_OPEN: Alert(AlertType.ACCESO, "N10.1"),
        AlarmKind.DOOR_FORCED: Alert(AlertType.ACCESO, "N10.1"),
        AlarmKind.INTERLOCK: Alert(AlertType.ACCESO, "N10.1"),
        AlarmKind.OCCUPANCY: Alert(AlertType.ACCESO, "N10.1"),
        AlarmKind.POLICY_MISMATCH: Alert(AlertType.ACCESO, "N10.2"),
        AlarmKind.ROGUE_CREDENTIAL: Alert(AlertType.ACCESO, "P10.03"),
        AlarmKind.REVOCATION_PENDING: Alert(AlertType.ACCESO, "N10.4"),
        AlarmKind.TAMPER: Alert(AlertType.ACCESO, "N10.1"),
        AlarmKind.DURESS: Alert(AlertType.ACCESO, "N10.2"),
        AlarmKind.FIRE: Alert(AlertType.ACCESO, "N4.1"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRules:
    """What procedure 3 leaves open, as an installation decided it.

    `access_*`: whose alerts of type `ACCESO` are; without a word of the installation, of those who prepare doors and
    cards (P10.03) and answer for the data centre (N4.4). `take_*`: how long an alarm may wait until somebody takes it.
    """

    access_area: str = INFRAESTRUCTURA
    access_responsible: Role = Role.TECNICO_INFRA
    take_within: timedelta = timedelta(minutes=30)
    take_critical_within: timedelta = timedelta(minutes=5)

    def competence(self, kind: AlarmKind) -> Competence:
        """Whose alarms of this kind are."""
        alert = ALERTS[kind].type
        return N3_5[alert] if alert in N3_5 else Competence(self.access_area, self.access_responsible)

    def areas(self) -> list[str]:
        """Every area that alarms can be of, by name."""
        return sorted({one.area for one in N3_5.values()} | {self.access_area})

    def is_late(self, alarm: "Alarm", now: datetime) -> bool:
        """Whether nobody has taken it in time: an assignment alone takes nothing."""
        within = self.take_critical_within if alarm.kind in CRITICAL else self.take_within
        return alarm.state in UNTAKEN and now - alarm.waiting_since >= within


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm. `key` is what it is about (a device, a door, a person): one open alarm for a kind and a key.

    `area` and `responsible` are whose it was when it was raised. `assigned_to` and `handled_by` are accounts: who was
    told to (P3.04), and who took it and resolves it (P3.05). Both are empty again when it goes back to assignment.
    """

    id: str
    kind: AlarmKind
    key: str
    state: AlarmState
    raised_at: datetime
    area: str
    responsible: Role
    waiting_since: datetime
    device: str = ""
    door: str = ""
    person: str = ""
    detail: str = ""
    count: int = 1
    assigned_to: str = ""
    handled_by: str = ""
    comment: str = ""
    cause: str = ""
    changed_at: datetime | None = None
