"""The place where a credential is shown, as a decision needs it: zone, obstacles, the visit behind a visitor's card.

What `doorway` (doors that ask) and `passage_reports` (devices that decided alone) have in common.
"""

from dataclasses import dataclass
from datetime import datetime

from accessctl.domain.admission import VisitShown, Way
from accessctl.domain.alarms import AlarmKind
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import Entry, Obstacle, Site, ZoneMap, is_fresh, obstacle
from accessctl.domain.places import Direction, ZoneClass
from accessctl.domain.policy import LONGEST_CREDENTIAL, Decision, Shown
from accessctl.domain.visitor_cards import VisitorCard, VisitorCardState
from accessctl.domain.visits import Visit
from accessctl.services.alarm_desk import Subject, raise_alarm
from accessctl.services.office import Office
from accessctl.services.passages import Passage
from accessctl.services.store import DeviceEvent, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class AtDoor:
    """The credential, and the place where it was shown. `zone` is "" for a door that is not on file."""

    shown: Shown
    at: datetime
    device: str
    zone: str
    zones: ZoneMap
    data_centre: bool

    @property
    def leaving(self) -> bool:
        """An exit, which is never refused."""
        return self.shown.direction is Direction.OUT

    def passage(self, person: str, visit: str = "", credential: str = "") -> Passage:
        """Somebody through this door, this way, now."""
        return Passage(
            person=person,
            door=self.shown.door,
            zone=self.zone,
            entering=not self.leaving,
            at=self.at,
            visit=visit,
            device=self.device,
            credential=credential or self.shown.credential,
            zones=self.zones,
        )


def place(site: Site, shown: Shown, at: datetime, device: str) -> AtDoor:
    """Where the credential was shown."""
    zone = site.zone_behind(shown.door)
    return AtDoor(
        shown=shown,
        at=at,
        device=device,
        zone=zone.id if zone else "",
        zones=site.map,
        data_centre=zone is not None and zone.zone_class is ZoneClass.DATA_CENTRE,
    )


def question_at(tx: Work, office: Office, here: AtDoor, visit: Visit | None) -> VisitShown:
    """What is known at the door of whoever shows a visitor's card; an exit asks nothing."""
    if visit is None or here.leaving:
        return VisitShown(credential=here.shown.credential, direction=here.shown.direction, way=Way.ELSEWHERE)
    return known_of(tx, here, visit, obstacle_at(tx, office, here, visit.visitor))


def known_of(tx: Work, here: AtDoor, visit: Visit, found: Obstacle | None) -> VisitShown:
    """The same for an entry, where the obstacle is known already. Reads only."""
    way = Way.ELSEWHERE
    if here.zone == visit.zone:
        way = Way.DATA_CENTRE if here.data_centre else Way.PREMISES
    elif here.zones.is_within(visit.zone, here.zone) and not here.data_centre:
        way = Way.PREMISES
    host = tx.presence.maybe(visit.escort) if visit.escort else None
    return VisitShown(
        credential=here.shown.credential,
        direction=here.shown.direction,
        way=way,
        obstacle=found,
        host_inside=host is not None and here.zones.is_within(host.zone, here.zone) and is_fresh(host, here.at),
        removed=any(one.at >= visit.authorised_at for one in tx.removals.find(person=visit.visitor, limit=100)),
    )


def obstacle_at(tx: Work, office: Office, here: AtDoor, person: str, *, company: int = 0) -> Obstacle | None:
    """What the zone has against the entry; a zone that is full is an alarm."""
    found = obstacle_of(tx, here, person, company=company)
    if found is Obstacle.FULL:
        about = Subject(key=here.zone, device=here.device, door=here.shown.door, person=person)
        raise_alarm(tx, office, AlarmKind.OCCUPANCY, about, at=here.at)
    return found


def obstacle_of(tx: Work, here: AtDoor, person: str, *, company: int = 0) -> Obstacle | None:
    """The same, read only. Who is in the zone is counted only where it has a limit."""
    if not here.zone:
        return None
    states = tuple(tx.zone_states.find(id=here.zones.chain(here.zone), limit=100))
    if not states:
        return None
    occupied = 0
    if any(state.id == here.zone and state.occupancy_limit for state in states):
        within = tuple(name for name in here.zones.around if here.zones.is_within(name, here.zone))
        occupied = tx.presence.count(zone=within)
    presence = tx.presence.maybe(person) if person else None
    entry = Entry(zone=here.zone, states=states, occupied=occupied, presence=presence)
    return obstacle(entry, here.zones, company=company)


def record_decision(tx: Work, office: Office, here: AtDoor, decision: Decision, *, visit: Visit | None = None) -> None:
    """The decision as an entry of the record, whichever way it went."""
    entry = Fact.DOOR_GRANTED if decision.granted else Fact.DOOR_REFUSED
    wrong = decision.reason or decision.exception
    event = DeviceEvent(
        identity=f"{here.device}:asked:{office.new_id()}",
        fact=Fact.DOOR_EXITED if here.leaving else entry,
        at=here.at,
        received_at=here.at,
        device=here.device,
        door=here.shown.door,
        zone=here.zone,
        direction=here.shown.direction.value,
        reason=wrong.value if wrong else "",
        norm=decision.norm,
        person=decision.person,
        credential=decision.card,
        visit=visit.id if visit else "",
        data={"factor": here.shown.factor.value, "missing_step": decision.missing_step, "online": True},
    )
    tx.events.store([event])


def visitor_card(tx: Work, credential: str) -> VisitorCard | None:
    """The card of the pool that was shown, if it is one."""
    return tx.visitor_cards.in_pool(credential) if len(credential) <= LONGEST_CREDENTIAL else None


def visit_of(tx: Work, card: VisitorCard) -> Visit | None:
    """The visit that the card was given for, as long as it is the card of that visit."""
    visit = tx.visits.maybe(card.visit) if card.state is VisitorCardState.GIVEN else None
    return visit if visit is not None and visit.card == card.id else None
