"""What the numbers of a controller's events mean (Security PUSH 3.1.2, appendix 2; the C3 library has the same).

`KINDS` says what happened, `REASONS` why somebody was refused where the number says so. Numbers that are not here are
judged by the vendor's bands: 0–19 and 200–253 are normal, 20–99 refusals, 100–199 alarms, from 4000 the same again.
"""

from accessctl.domain.errors import Reason
from accessctl.ports import PushKind

_NAMED: dict[PushKind, tuple[int, ...]] = {
    PushKind.GRANTED: (0, 1, 2, 3, 4, 5, 14, 15, 16, 17, 18, 19, 203, 207, 208, 215, 216, 218, 232),
    PushKind.ANSWERED_YES: (222,),
    PushKind.ANSWERED_NO: (44, 45),
    PushKind.ASKED: (223,),
    PushKind.UNLOCKED: (8, 11, 205, 234),
    PushKind.LOCKED: (9, 10, 204, 233),
    PushKind.REFUSED: (
        *(20, 21, 22, 23, 24, 25, 27, 29, 30, 31, 33, 34, 35, 38, 39, 40, 41, 42, 48, 49, 50, 52, 53),
        *(60, 61, 62, 63, 65, 68, 69, 73, 74),
    ),
    PushKind.PENDING: (26, 32, 51),
    PushKind.DURESS: (101, 103),
    PushKind.FORCED: (102,),
    PushKind.HELD_OPEN: (28, 37, 58),
    PushKind.TAMPER: (100, 109, 113),
    PushKind.EXIT_BUTTON: (202, 36, 64, 209),
    PushKind.DOOR_OPENED: (200,),
    PushKind.DOOR_CLOSED: (201,),
    PushKind.LINE_FAULT: (118, 119, 120, 121),
    PushKind.POWER: (106, 107, 57, 54, 55, 206, 108, 217),
    PushKind.LINK: (105, 214, 110, 237, 77, 248),
    PushKind.FIRE: (210, 114, 115, 243, 244, 6000),
    PushKind.FIRE_ENDED: (4000,),
    PushKind.ADMIN: (6, 7, 59, 104, 236),
    PushKind.AUXILIARY: (12, 13, 220, 221, 225, 226),
}
KINDS: dict[int, PushKind] = {code: kind for kind, codes in _NAMED.items() for code in codes}
STATUS = 255  # "no event": the state of the doors, in older firmwares

_WHY: dict[Reason, tuple[int, ...]] = {
    Reason.UNKNOWN_CREDENTIAL: (27, 30, 34),
    Reason.NO_RIGHT: (23,),
    Reason.OUTSIDE_SCHEDULE: (21, 22, 35, 49),
    Reason.EXPIRED: (29, 33, 53),
    Reason.LOST_OR_STOLEN: (38,),
    Reason.REVOKED: (39, 62),
    Reason.LOCKDOWN: (63, 65),
    Reason.MALFORMED_CREDENTIAL: (42, 73, 74),
    Reason.ANTI_PASSBACK: (24,),
    Reason.INTERLOCK: (25,),
}
REASONS: dict[int, Reason] = {code: reason for reason, codes in _WHY.items() for code in codes}

_FACTORS = {
    **dict.fromkeys((1, 5, 6, 9, 10, 12), "finger"),
    **dict.fromkeys((3, 7, 8, 11), "password"),
    4: "card",
    **dict.fromkeys((15, 16, 17, 18, 19, 20), "face"),
}


def kind_of(code: int) -> PushKind:
    """What the event with this number is."""
    known = KINDS.get(code)
    if known is not None:
        return known
    if 20 <= code <= 99 or 5000 <= code <= 5999:
        return PushKind.REFUSED
    return PushKind.OTHER


def factor_of(verified: int | None) -> str:
    """Appendix 3: how somebody verified; "" where the number names nobody's doing (200) or is not known."""
    return _FACTORS.get(verified, "") if verified is not None else ""
