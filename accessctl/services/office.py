"""What every desk is given: the store, the clock, a source of identities; and how a refusal is recorded.

`Office.begin(actor)` is the store's write transaction with one addition. When a method refuses (`AccessError`), all
that it wrote is undone, and the refusal itself becomes an entry of the record before the error goes on to whoever
asked: a refusal is a fact like any other, and nothing is half-done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from accessctl.domain.alarms import AlarmRules
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Permission
from accessctl.services.store import Clock, NewId, Store, Work

LONGEST_DETAIL = 200  # of a refusal, in the record: it may quote what somebody typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The store, the clock (aware UTC), new identities (32 hex digits, random), and whose alarms are (P3)."""

    store: Store
    clock: Clock
    new_id: NewId
    alarm_rules: AlarmRules = field(default_factory=AlarmRules)

    @contextmanager
    def begin(self, actor: Actor, *, case: str = "") -> Iterator[Work]:
        """A write transaction; leaving it without `commit()` changes nothing. A refusal inside it is recorded."""
        try:
            with self.store.begin() as tx:
                yield tx
        except AccessError as refusal:
            self.refused(refusal, actor, case=case)
            raise

    def require(self, actor: Actor, *permissions: Permission, norm: str, case: str = "") -> None:
        """Refuse, on the record, unless the actor has one of `permissions`. The service itself may do everything."""
        if actor == SYSTEM or any(actor.may(permission) for permission in permissions):
            return
        needed = ", ".join(permission.value for permission in permissions)
        refusal = AccessError(Reason.WRONG_ROLE, norm, needed=needed)
        self.refused(refusal, actor, case=case)
        raise refusal

    def refused(self, refusal: AccessError, actor: Actor, *, case: str = "") -> None:
        """Record that `actor` was refused, once for each refusal. What it says is cut to `LONGEST_DETAIL` a detail."""
        if refusal.recorded:
            return
        said = {key: one[:LONGEST_DETAIL] if isinstance(one, str) else one for key, one in refusal.details.items()}
        with self.store.begin() as tx:
            tx.record(
                Fact.CASE_STEP_REFUSED,
                at=self.clock(),
                actor=actor,
                norm=refusal.norm,
                reason=refusal.reason.value,
                case=case if case and tx.cases.maybe(case) else "",
                data=said,
            )
            tx.commit()
        refusal.recorded = True
