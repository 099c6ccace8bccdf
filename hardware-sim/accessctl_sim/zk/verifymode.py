"""Which factors open for whom: the verification styles of zk-protocol (data-user.md, access.md).

`+` in the vendor's names means or, `&` means and. Typing the user's number counts as a factor nobody has to prove.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from accessctl_sim.zk.codes import Verify

FINGER, PASSWORD, CARD = Verify.FINGER, Verify.PASSWORD, Verify.CARD
Factors = frozenset[Verify]
_ANY = (frozenset({FINGER}), frozenset({PASSWORD}), frozenset({CARD}))
STYLES: dict[int, tuple[Factors, ...]] = {
    0: _ANY,  # FP+PW+RF
    1: (frozenset({FINGER}),),
    2: _ANY,  # PIN: the number is enough, and every factor brings the number
    3: (frozenset({PASSWORD}),),
    4: (frozenset({CARD}),),
    5: (frozenset({FINGER}), frozenset({PASSWORD})),
    6: (frozenset({FINGER}), frozenset({CARD})),
    7: (frozenset({PASSWORD}), frozenset({CARD})),
    8: (frozenset({FINGER}),),  # PIN&FP
    9: (frozenset({FINGER, PASSWORD}),),
    10: (frozenset({FINGER, CARD}),),
    11: (frozenset({PASSWORD, CARD}),),
    12: (frozenset({FINGER, PASSWORD, CARD}),),
    13: (frozenset({FINGER, PASSWORD}),),  # PIN&FP&PW
    14: (frozenset({FINGER, CARD}), frozenset({FINGER})),  # FP&RF+PIN
}
TOGETHER = timedelta(seconds=10)  # how long a terminal waits for the next factor of the same person


class PendingFactors:
    """The factors that one person has shown at this terminal within the last seconds."""

    def __init__(self) -> None:
        self._uid = 0
        self._seen: set[Verify] = set()
        self._at: datetime | None = None

    def add(self, uid: int, factor: Verify, *, style: int, at: datetime) -> bool:
        """Count a factor of `uid`; True once a full set of the style has been shown."""
        if uid != self._uid or self._at is None or not timedelta() <= at - self._at <= TOGETHER:
            self._seen.clear()
        self._uid, self._at = uid, at
        self._seen.add(factor)
        complete = any(wanted <= self._seen for wanted in STYLES.get(style & 0x7F, _ANY))
        if complete:
            self._seen.clear()
        return complete

    def useful(self, factor: Verify, *, style: int) -> bool:
        """Whether the style has any use for this factor; one that it does not know is refused at once."""
        return any(factor in wanted for wanted in STYLES.get(style & 0x7F, _ANY))
