"""A visit: fourteen fields, equipment, and a life that is a table (procedure 4, and N10.5–6 for the other premises).

`authorised → registered → signed → inside ⇄ outside → verified → closed`; own staff without visitors (P4.03 "no")
goes `registered → cleared → working → gone → closed`. The numbered steps are done by the procedure engine, beside this
table: the engine says whose turn it is, the table where the person stands. Nothing is ever deleted, and an exit that
nobody verified is never invented: it ends as `no_verificada`.

The fourteen fields are the union of NIST SP 800-53 PE-8, PCI DSS 9.3.4, ISO/IEC 27002 7.2 and the manual.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.machine import advance
from accessctl.domain.people import IdentityDocument, Role
from accessctl.domain.places import ZoneClass

ESCORTS = frozenset({Role.TECNICO_INFRA, Role.TECNICO_TELECOM})  # N4.3


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRules:
    """What the manual leaves open. Until the institution decides otherwise these are ours; `docs` names the source."""

    pairing_time: timedelta = timedelta(seconds=20)  # between the escort's credential and the visitor's
    visitors_per_escort: int = 5
    usual_window: timedelta = timedelta(hours=8)  # of a fortuitous entry, whose end nobody authorised yet
    longest_window: timedelta = timedelta(hours=24)  # a visit has a line in one day's register
    grace: timedelta = timedelta(minutes=15)  # after the window, before the alarm
    unverified_after: timedelta = timedelta(hours=24)  # after the window: ends as "no verificada"
    tolerance: timedelta = timedelta(minutes=10)  # between reader, verification and register line


class VisitState(StrEnum):
    """Where a visit stands."""

    AUTHORISED = "authorised"  # P4.01
    REGISTERED = "registered"  # P4.02, P4.03 yes
    SIGNED = "signed"  # P4.04
    INSIDE = "inside"  # P4.05
    OUTSIDE = "outside"  # the reader saw them leave
    VERIFIED = "verified"  # P4.07
    CLEARED = "cleared"  # P4.03 no: own staff
    WORKING = "working"
    GONE = "gone"
    CLOSED = "closed"  # P4.08
    UNVERIFIED = "no_verificada"
    EXPIRED = "expired"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


class VisitEvent(StrEnum):
    """What can happen to a visit."""

    REGISTER = "register"
    CLEAR = "clear"
    SIGN = "sign"
    ENTER_WITH_ESCORT = "enter_with_escort"
    ENTER_ALONE = "enter_alone"
    LEAVE = "leave"
    VERIFY_EXIT = "verify_exit"
    RECORD_EXIT = "record_exit"
    GIVE_UP = "give_up"
    EXPIRE = "expire"
    MISS = "miss"
    CANCEL = "cancel"


_S, _E = VisitState, VisitEvent

VISIT_TRANSITIONS: dict[tuple[VisitState, VisitEvent], VisitState] = {
    (_S.AUTHORISED, _E.REGISTER): _S.REGISTERED,
    (_S.AUTHORISED, _E.CLEAR): _S.CLEARED,
    (_S.AUTHORISED, _E.EXPIRE): _S.EXPIRED,
    (_S.AUTHORISED, _E.CANCEL): _S.CANCELLED,
    (_S.REGISTERED, _E.SIGN): _S.SIGNED,
    (_S.REGISTERED, _E.MISS): _S.NO_SHOW,
    (_S.REGISTERED, _E.CANCEL): _S.CANCELLED,
    (_S.SIGNED, _E.ENTER_WITH_ESCORT): _S.INSIDE,
    (_S.SIGNED, _E.LEAVE): _S.OUTSIDE,  # seen leaving though nobody saw them enter: a difference, and never refused
    (_S.SIGNED, _E.MISS): _S.NO_SHOW,
    (_S.SIGNED, _E.CANCEL): _S.CANCELLED,
    (_S.INSIDE, _E.ENTER_WITH_ESCORT): _S.INSIDE,  # through an inner door, or the reader missed them leaving
    (_S.INSIDE, _E.LEAVE): _S.OUTSIDE,
    (_S.INSIDE, _E.VERIFY_EXIT): _S.VERIFIED,  # the reader saw nothing: a difference
    (_S.INSIDE, _E.GIVE_UP): _S.UNVERIFIED,
    (_S.OUTSIDE, _E.ENTER_WITH_ESCORT): _S.INSIDE,
    (_S.OUTSIDE, _E.LEAVE): _S.OUTSIDE,
    (_S.OUTSIDE, _E.VERIFY_EXIT): _S.VERIFIED,
    (_S.OUTSIDE, _E.GIVE_UP): _S.UNVERIFIED,
    (_S.VERIFIED, _E.LEAVE): _S.VERIFIED,  # the reader's event came later than the escort's word
    (_S.VERIFIED, _E.RECORD_EXIT): _S.CLOSED,
    (_S.VERIFIED, _E.GIVE_UP): _S.UNVERIFIED,
    (_S.CLEARED, _E.ENTER_ALONE): _S.WORKING,
    (_S.CLEARED, _E.LEAVE): _S.GONE,
    (_S.CLEARED, _E.MISS): _S.NO_SHOW,
    (_S.CLEARED, _E.CANCEL): _S.CANCELLED,
    (_S.WORKING, _E.ENTER_ALONE): _S.WORKING,
    (_S.WORKING, _E.LEAVE): _S.GONE,
    (_S.WORKING, _E.RECORD_EXIT): _S.CLOSED,
    (_S.WORKING, _E.GIVE_UP): _S.UNVERIFIED,
    (_S.GONE, _E.ENTER_ALONE): _S.WORKING,
    (_S.GONE, _E.LEAVE): _S.GONE,
    (_S.GONE, _E.RECORD_EXIT): _S.CLOSED,
    (_S.GONE, _E.GIVE_UP): _S.UNVERIFIED,
}

ENTERED = frozenset({_S.INSIDE, _S.OUTSIDE, _S.VERIFIED, _S.WORKING, _S.GONE})  # open, and to be closed by P4.08
ENDED = frozenset({_S.CLOSED, _S.UNVERIFIED, _S.EXPIRED, _S.NO_SHOW, _S.CANCELLED})
OPEN = frozenset(_S) - ENDED
MAY_ENTER = frozenset({_S.SIGNED, _S.INSIDE, _S.OUTSIDE})
NEVER_CAME = frozenset({_S.AUTHORISED, _S.REGISTERED, _S.SIGNED, _S.CLEARED})

# What refuses an event that the table does not have: the step that the event is.
_STEPS = {
    _E.REGISTER: "P4.02",
    _E.CLEAR: "P4.03",
    _E.SIGN: "P4.04",
    _E.ENTER_WITH_ESCORT: "P4.05",
    _E.ENTER_ALONE: "P4.03",
    _E.VERIFY_EXIT: "P4.07",
    _E.RECORD_EXIT: "P4.08",
}
# The step that a third party's visit still lacks before its credential counts at a door.
_LACKS = {_S.AUTHORISED: "P4.02", _S.REGISTERED: "P4.04", _S.CLEARED: "P4.04", _S.WORKING: "P4.04", _S.GONE: "P4.04"}
# What must come first, where somebody asks for a later step.
_BEFORE: dict[VisitEvent, dict[VisitState, str]] = {
    _E.SIGN: {_S.AUTHORISED: "P4.02"},
    _E.VERIFY_EXIT: {_S.AUTHORISED: "P4.02", _S.REGISTERED: "P4.04", _S.SIGNED: "P4.05"},
    _E.RECORD_EXIT: {
        _S.AUTHORISED: "P4.02",
        _S.REGISTERED: "P4.04",
        _S.SIGNED: "P4.05",
        _S.CLEARED: "P4.03",
        _S.INSIDE: "P4.07",
        _S.OUTSIDE: "P4.07",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """One thing that comes in or goes out; `serial` may be empty where it bears none."""

    description: str
    serial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscortDuty:
    """Somebody who accompanies, from when, until when. `until` is None for who is on duty now."""

    person: str
    since: datetime
    until: datetime | None = None
    recorded_by: str = ""  # account


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit and its fourteen fields. Ids are of people where nothing else is said; `*_by` are accounts.

    A data-centre visit is a case of procedure 4 (`case` is its id too); a visit to other premises has no case. For
    these the host (N10.6) is on escort duty. Who enters is a person on file from P4.02 on.
    """

    id: str
    number: int
    zone: str
    zone_class: ZoneClass
    state: VisitState
    valid_from: datetime
    valid_until: datetime
    name: str  # field 1
    organisation: str  # 2
    purpose: str  # 7
    department: str  # 8, whose head lets them in and who follows the visit (N10.5)
    authority: str  # 9, P4.01
    authorised_at: datetime
    authorised_by: str
    case: str = ""
    visitor: str = ""
    document: IdentityDocument | None = None  # 3
    host: str = ""  # 8
    third_party: bool = True  # P4.03
    vehicle: str = ""
    fortuitous: str = ""  # N4.2: the reason; "" where it was authorised in the ordinary way
    regularised_at: datetime | None = None
    regularised_by: str = ""
    registered_at: datetime | None = None
    registered_by: str = ""
    briefed_at: datetime | None = None  # 14
    signature: str = ""  # 4: a signature on the screen, or the scan of the signed sheet
    signed_at: datetime | None = None
    escorts: tuple[EscortDuty, ...] = ()  # 10
    brought: tuple[Equipment, ...] = ()
    taken: tuple[Equipment, ...] = ()
    activities: str = ""  # P4.06
    entered_at: datetime | None = None  # 5, the first time
    entered_by: str = ""  # the account, where a person and no reader said so
    left_at: datetime | None = None  # the reader's word, the last time
    verified_at: datetime | None = None
    verified_by: str = ""  # 11
    exited_at: datetime | None = None  # 6, as the register has it
    exit_recorded_at: datetime | None = None
    exit_recorded_by: str = ""  # 12
    card: str = ""  # 13, a visitor card
    card_given_at: datetime | None = None
    card_back_at: datetime | None = None
    folio: str = ""  # contingency sheet that it was typed in from, afterwards
    why: str = ""  # of a cancellation, or of an end that nobody verified

    @property
    def escort(self) -> str:
        """Who is on duty now, or ""."""
        return self.escorts[-1].person if self.escorts and self.escorts[-1].until is None else ""

    @property
    def in_data_centre(self) -> bool:
        """Whether procedure 4 holds; otherwise N10.5 and N10.6 do."""
        return self.zone_class is ZoneClass.DATA_CENTRE

    @property
    def awaits_regularisation(self) -> bool:
        """Fortuitous and not regularised (N4.2): flagged wherever the visit is shown."""
        return bool(self.fortuitous) and self.regularised_at is None

    def norm(self, step: str) -> str:
        """The step, or what stands for it where procedure 4 does not hold."""
        return step if self.in_data_centre else "N10.5"

    def lacks(self) -> str:
        """The step that must come before the door counts the visitor's credential; "" where none is missing."""
        return _LACKS.get(self.state, "")

    def after(self, event: VisitEvent) -> VisitState:
        """The state after `event`. Refuses what the table does not have, naming the step."""
        step = _STEPS.get(event, "P4.01")
        if missing := _BEFORE.get(event, {}).get(self.state):
            raise AccessError(Reason.STEP_OUT_OF_ORDER, self.norm(step), missing_step=self.norm(missing))
        if lacking := self.lacks() if event is VisitEvent.ENTER_WITH_ESCORT else "":
            raise AccessError(Reason.VISIT_STEP_MISSING, self.norm(step), missing_step=self.norm(lacking))
        refusal = Reason.CASE_CLOSED if self.state in ENDED else Reason.ALREADY_DONE
        return advance(VISIT_TRANSITIONS, self.state, event, refusal=refusal, norm=self.norm(step))

    def happened(self, event: VisitEvent) -> "Visit":
        """The visit after `event`; refuses as `after` does."""
        return replace(self, state=self.after(event))


def relieved(visit: Visit, person: str, *, at: datetime, recorded_by: str) -> Visit:
    """A hand-over: who was on duty is relieved, `person` is on duty from here on. The history is kept."""
    if visit.state in ENDED:
        raise AccessError(Reason.CASE_CLOSED, "N4.3" if visit.in_data_centre else "N10.5")
    if person == visit.escort:
        raise AccessError(Reason.ALREADY_DONE, "N4.3" if visit.in_data_centre else "N10.5")
    if person == visit.visitor:
        raise AccessError(Reason.DUTIES_NOT_SEPARATED, "N4.3", one="visitor", other="escort")
    duties = tuple(duty if duty.until is not None else replace(duty, until=at) for duty in visit.escorts)
    return replace(visit, escorts=(*duties, EscortDuty(person=person, since=at, recorded_by=recorded_by)))


def off_duty(visit: Visit, *, at: datetime) -> Visit:
    """Nobody is on duty for a visit that ended."""
    return replace(
        visit, escorts=tuple(duty if duty.until is not None else replace(duty, until=at) for duty in visit.escorts)
    )


def check_window(valid_from: datetime, valid_until: datetime, *, now: datetime, rules: VisitRules) -> None:
    """P4.01: a window has an end, ahead of now, and is no longer than a visit may be authorised for."""
    if valid_until <= max(valid_from, now):
        raise AccessError(Reason.FORM_INCOMPLETE, "P4.01", missing="valid_until")
    if valid_until - valid_from > rules.longest_window:
        hours = int(rules.longest_window.total_seconds() // 3600)
        raise AccessError(Reason.BEYOND_AUTHORISATION, "P4.01", hours=hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentDifference:
    """What came in and does not leave, and what leaves and never came in (N4.4)."""

    stays: tuple[Equipment, ...]
    unknown: tuple[Equipment, ...]

    @property
    def is_none(self) -> bool:
        """Whether exactly what came in leaves."""
        return not (self.stays or self.unknown)


def equipment_difference(brought: Iterable[Equipment], taken: Iterable[Equipment]) -> EquipmentDifference:
    """Compare piece by piece: by serial number where there is one (case and spaces aside), else by description."""
    left_over = list(brought)
    unknown: list[Equipment] = []
    for piece in taken:
        match = next((one for one in left_over if _key(one) == _key(piece)), None)
        if match is None:
            unknown.append(piece)
        else:
            left_over.remove(match)
    return EquipmentDifference(stays=tuple(left_over), unknown=tuple(unknown))


def _key(piece: Equipment) -> tuple[str, str]:
    serial = "".join(piece.serial.split()).casefold()
    return ("serial", serial) if serial else ("description", " ".join(piece.description.split()).casefold())
