"""A door that asks, answered by the policy of procedure 10 alone: decided, recorded, committed, then said."""

from datetime import datetime

from accessctl.domain.facts import Fact
from accessctl.domain.places import Direction
from accessctl.domain.policy import Decision, Factor, Shown, decide
from accessctl.services.office import Office
from accessctl.services.policy_source import PolicySource
from accessctl.services.store import DeviceEvent


class PolicyDoor:
    """Decides by the policy in force (see `accessctl.ports.DoorDecider`)."""

    def __init__(self, office: Office, policy: PolicySource) -> None:
        self._office = office
        self._policy = policy

    def shown(
        self, *, door: str, credential: str, direction: Direction, at: datetime, device: str, factor: Factor
    ) -> Decision:
        """One credential at one reader. Each question is an event of its own: asked twice is answered twice."""
        shown = Shown(door=door, credential=credential, direction=direction, factor=factor)
        decision = decide(self._policy.current(), shown, at)
        leaving = direction is Direction.OUT
        wrong = decision.reason or decision.exception
        with self._office.store.begin() as tx:
            place = tx.doors.maybe(door) if door else None
            granted = Fact.DOOR_EXITED if leaving else Fact.DOOR_GRANTED
            event = DeviceEvent(
                identity=f"{device}:asked:{self._office.new_id()}",
                fact=granted if decision.granted else Fact.DOOR_REFUSED,
                at=at,
                received_at=at,
                device=device,
                door=door,
                zone=place.zone if place is not None else "",
                direction=direction.value,
                reason=wrong.value if wrong is not None else "",
                norm=decision.norm,
                person=decision.person,
                credential=decision.card,
                data={"factor": factor.value, "missing_step": decision.missing_step or None},
            )
            tx.events.store([event])
            tx.commit()
        return decision
