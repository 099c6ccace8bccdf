"""People, the roles of the manual, and what each role may do.

A person holds roles through an account of the panel; the person who receives a card needs no account. `USUARIO` is
the manual's "Usuario" (P10.04): a part played in one case, by its beneficiary, never granted to an account.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from accessctl.domain.errors import AccessError, Reason


class Role(StrEnum):
    """The roles of the manual, plus audit and administration."""

    RECEPCION = "recepcion"
    SECRETARIA_INFRA = "secretaria_infra"
    TECNICO_INFRA = "tecnico_infra"
    TECNICO_TELECOM = "tecnico_telecom"
    ANALISTA_CALIDAD = "analista_calidad"
    JEFE = "jefe"
    DIRECTOR = "director"
    SUBGERENTE = "subgerente"
    GUARDIA = "guardia"
    AUDITOR = "auditor"
    ADMIN = "admin"
    USUARIO = "usuario"


AUTHORITIES = frozenset({Role.JEFE, Role.DIRECTOR, Role.SUBGERENTE})
SUPERIORS = AUTHORITIES - {Role.JEFE}
GRANTABLE = frozenset(Role) - {Role.USUARIO}


class Permission(StrEnum):
    """What a page or a verb of the panel asks for. Closed, and denied unless a role below has it."""

    REQUEST_REGISTER = "request:register"
    REQUEST_SIGN_OFF = "request:sign_off"
    REQUEST_ASSIGN = "request:assign"
    REQUEST_ENROL = "request:enrol"
    REQUEST_DELIVER = "request:deliver"
    REQUEST_INFORM = "request:inform"
    REQUEST_SEE = "request:see"
    REMOVAL_REGISTER = "removal:register"
    PEOPLE_SEE = "people:see"
    PEOPLE_EDIT = "people:edit"
    CARDS_SEE = "cards:see"
    CARDS_MANAGE = "cards:manage"
    DOORS_SEE = "doors:see"
    DEVICES_MANAGE = "devices:manage"
    ALARMS_SEE = "alarms:see"
    ALARMS_TAKE = "alarms:take"
    ALARMS_ASSIGN = "alarms:assign"
    ALARMS_HANDLE = "alarms:handle"
    EVENTS_SEE = "events:see"
    EVENTS_EXPORT = "events:export"
    ACCOUNTS_MANAGE = "accounts:manage"
    VISIT_SEE = "visit:see"
    VISIT_AUTHORISE = "visit:authorise"
    VISIT_ATTEND = "visit:attend"
    VISIT_FOLLOW = "visit:follow"
    ZONES_MANAGE = "zones:manage"


_SEE = frozenset({Permission.REQUEST_SEE, Permission.PEOPLE_SEE, Permission.CARDS_SEE, Permission.DOORS_SEE})
_DUTY = frozenset({Permission.EVENTS_SEE, Permission.ALARMS_SEE, Permission.VISIT_SEE})
_ALARMS = frozenset({Permission.ALARMS_TAKE, Permission.ALARMS_HANDLE})
_KIOSK = frozenset({Permission.VISIT_SEE, Permission.VISIT_ATTEND})
_ESCORT = _KIOSK | {Permission.VISIT_FOLLOW, Permission.ZONES_MANAGE}
_AUTHORITY = (
    _SEE
    | _DUTY
    | {Permission.REQUEST_SIGN_OFF, Permission.REMOVAL_REGISTER, Permission.EVENTS_EXPORT, Permission.ALARMS_ASSIGN}
    | _ALARMS
    | {Permission.VISIT_AUTHORISE, Permission.VISIT_FOLLOW, Permission.ZONES_MANAGE}
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.RECEPCION: frozenset({Permission.REQUEST_REGISTER, Permission.REQUEST_SEE, Permission.PEOPLE_SEE})
    | {Permission.PEOPLE_EDIT, Permission.REMOVAL_REGISTER}
    | _KIOSK,
    Role.SECRETARIA_INFRA: _SEE | {Permission.REQUEST_ASSIGN, Permission.REQUEST_INFORM, Permission.REMOVAL_REGISTER},
    Role.TECNICO_INFRA: _SEE
    | _DUTY
    | _ESCORT
    | _ALARMS
    | {
        Permission.REQUEST_ENROL,
        Permission.REQUEST_DELIVER,
        Permission.CARDS_MANAGE,
        Permission.DEVICES_MANAGE,
    },
    Role.TECNICO_TELECOM: _SEE | _DUTY | _ESCORT | _ALARMS,
    Role.ANALISTA_CALIDAD: _DUTY | _ALARMS | {Permission.DOORS_SEE},  # P3 names the analyst for alerts of systems
    Role.JEFE: _AUTHORITY,
    Role.DIRECTOR: _AUTHORITY,
    Role.SUBGERENTE: _AUTHORITY,
    Role.GUARDIA: _DUTY | _KIOSK | {Permission.DOORS_SEE, Permission.ZONES_MANAGE, Permission.ALARMS_TAKE},
    Role.AUDITOR: _SEE | _DUTY | {Permission.EVENTS_EXPORT},
    Role.ADMIN: frozenset({Permission.ACCOUNTS_MANAGE, Permission.DOORS_SEE, Permission.DEVICES_MANAGE}) | _DUTY,
    Role.USUARIO: frozenset(),
}


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Everything that the roles together may do."""
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in roles))


class DocumentKind(StrEnum):
    """Identity documents: a DPI has a check digit, a passport is free text."""

    DPI = "dpi"
    PASSPORT = "pasaporte"


def clean_text(text: str, *, field: str, longest: int, empty: bool = False) -> str:
    """Normalise what a person typed: NFC, single spaces, no control, bidirectional or unassigned characters.

    Raises `AccessError(TEXT_INVALID)` naming the field; nothing is ever cut silently.
    """
    if len(text) > longest * 4:  # before any work: normalising is not free
        raise AccessError(Reason.TEXT_INVALID, field=field, longest=longest)
    cleaned = " ".join(unicodedata.normalize("NFC", text).split())
    if len(cleaned) > longest or (not cleaned and not empty):
        raise AccessError(Reason.TEXT_INVALID, field=field, longest=longest)
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in cleaned):
        raise AccessError(Reason.TEXT_INVALID, field=field, longest=longest)
    return cleaned


LONGEST_TYPED = 40  # characters of a DPI with its spaces and hyphens


def dpi_is_valid(digits: str) -> bool:
    """Check a DPI/CUI: 13 ASCII digits; the ninth is the sum of digit x position (2 to 9) modulo 11.

    Digits 10-11 are the department (01 to 22) and 12-13 the municipality (from 01); source: the domain page's rule.
    """
    if len(digits) != 13 or not digits.isascii() or not digits.isdigit():
        return False
    total = sum(int(digit) * position for digit, position in zip(digits[:8], range(2, 10), strict=True))
    return total % 11 == int(digits[8]) and 1 <= int(digits[9:11]) <= 22 and int(digits[11:13]) >= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityDocument:
    """The document that was shown: kind and number, checked when made."""

    kind: DocumentKind
    number: str

    @classmethod
    def parse(cls, kind: str, number: str) -> "IdentityDocument":
        """Raises `AccessError(DOCUMENT_INVALID)`; spaces and hyphens in a DPI are how people write it."""
        try:
            of_kind = DocumentKind(kind)
        except ValueError:
            raise AccessError(Reason.DOCUMENT_INVALID, field="document_kind") from None
        if of_kind is DocumentKind.DPI:
            digits = number.replace(" ", "").replace("-", "") if len(number) <= LONGEST_TYPED else ""
            if not dpi_is_valid(digits):
                raise AccessError(Reason.DOCUMENT_INVALID, field="document_number")
            return cls(kind=of_kind, number=digits)
        free = clean_text(number, field="document_number", longest=20)
        if not free.isascii() or not free.replace("-", "").isalnum():  # before `upper`, which makes `SS` of `ß`
            raise AccessError(Reason.DOCUMENT_INVALID, field="document_number")
        return cls(kind=of_kind, number=free.upper())


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody known to the institution. `number` is the key on terminals (1 to 999,999,999), never reused."""

    id: str
    number: int
    full_name: str
    document: IdentityDocument
    email: str
    department: str
    position: str
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something: the account, the person behind it and the roles held at this moment.

    The service itself acts as `SYSTEM`; devices are named by the fact, not by an actor.
    """

    account: str
    person: str
    roles: frozenset[Role]
    name: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether any of the roles has the permission."""
        return any(permission in ROLE_PERMISSIONS[role] for role in self.roles)

    def require(self, *roles: Role, norm: str = "") -> None:
        """Refuse unless one of `roles` is held; `norm` names the step or norm that asks for it."""
        if not self.roles.intersection(roles):
            raise AccessError(Reason.WRONG_ROLE, norm, needed=", ".join(sorted(role.value for role in roles)))


def may_authorise(roles: frozenset[Role], department: str, *, asking: frozenset[str]) -> bool:
    """Whether somebody may authorise a card (N10.3) that the departments `asking` ask for.

    The head of one of them signs and stamps (NG.3); a director and the Subgerente stand above all of them.
    """
    if roles & SUPERIORS:
        return True
    return Role.JEFE in roles and department.casefold() in {one.casefold() for one in asking}


SYSTEM = Actor(account="system", person="", roles=frozenset(), name="accessctl")
