"""Papers of procedure 4: badge, muster list, the day's register, blank contingency folios (N4.1).

The numbers of blank folios are reserved in the record before a sheet is drawn: none is printed twice, and one that
never comes back can be named.
"""

from datetime import date

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission
from accessctl.domain.schedules import local
from accessctl.domain.visitor_cards import VisitorCardState
from accessctl.services.folio_desk import reserved
from accessctl.services.office import Office
from accessctl.services.paper_facts import Sealing, Stamp, unsealed
from accessctl.services.papers import record_printing
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.register_lines import record_lines
from accessctl.services.store import EventFilter, Work
from accessctl.services.visit_paper_facts import (
    FOLIO,
    BadgeFacts,
    FolioFacts,
    MusterFacts,
    VisitPrinter,
    VisitRegisterFacts,
)
from accessctl.services.zone_desk import ZoneDesk

MOST_FOLIOS = 50  # in one printing


class VisitPapers:
    """Prints, and records what was printed."""

    def __init__(self, office: Office, printer: VisitPrinter, keeper: RecordKeeper, seal: Sealing = unsealed) -> None:
        self._seal = seal
        self._office = office
        self._printer = printer
        self._keeper = keeper

    def badge_pdf(self, actor: Actor, visit_id: str) -> bytes:
        """P4.04: the badge of a visit that holds a card or a slip. Refused (P4.04) where it has none."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="P4.04")
        with self._office.begin(actor) as tx:
            facts = self._badge(tx, visit_id)
        return self._printed(actor, self._printer.badge(facts), "badge", "P4.04", str(facts.visit))

    def muster_pdf(self, actor: Actor, *, zone: str = "") -> bytes:
        """Who is inside, by zone, as of now."""
        found = ZoneDesk(self._office).muster(actor, zone)
        with self._office.begin(actor) as tx:
            place = tx.zones.get(zone).name if zone else ""
            doors = {part.doubt_door: tx.doors.get(part.doubt_door).name for part in found.parts if part.doubt_door}
        stamp = self._stamp(f"N10.2-{local(found.at).strftime('%Y%m%d-%H%M%S')}")
        pdf = self._printer.muster(MusterFacts(stamp=stamp, place=place, muster=found, doors=doors))
        return self._printed(actor, pdf, "muster", "N10.2", zone)

    def register_pdf(self, actor: Actor, day: date, *, zone: str = "") -> bytes:
        """N4.1: the register of a day's visits; each line's entry is in the record that its checkpoint covers."""
        self._office.require(actor, Permission.VISIT_SEE, norm="N4.1")
        with self._office.begin(actor) as tx:
            place = tx.zones.get(zone).name if zone else ""
        number, visits = record_lines(self._office, actor, day, zone)
        stamp = self._stamp(f"N4.1-V-{day.isoformat()}-{number}")
        facts = VisitRegisterFacts(stamp=stamp, printing=number, place=place, day=day, visits=visits, keeper=actor.name)
        about = f"{day.isoformat()} {zone}".strip()
        return self._printed(actor, self._printer.register(facts), "visit_register", "N4.1", about)

    def folios_pdf(self, actor: Actor, *, count: int) -> bytes:
        """N4.1: so many blank folios, each with a number that no other sheet bears."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="N4.1")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            if not 1 <= count <= MOST_FOLIOS:
                raise AccessError(Reason.FORM_INCOMPLETE, "N4.1", missing="folios")
            first = reserved(tx) + 1
            last = first + count - 1
            data = {"first": first, "last": last}
            tx.record(Fact.FOLIOS_RESERVED, at=now, actor=actor, norm="N4.1", data=data)
            tx.commit()
        facts = FolioFacts(stamp=self._stamp(f"N4.1-{FOLIO % first}"), first=first, last=last)
        return self._printed(actor, self._printer.folios(facts), "folios", "N4.1", f"{first}-{last}")

    def _badge(self, tx: Work, visit_id: str) -> BadgeFacts:
        visit = tx.visits.get(visit_id)
        card = tx.visitor_cards.maybe(visit.card) if visit.card else None
        if card is None or card.state is not VisitorCardState.GIVEN or card.visit != visit.id:
            raise AccessError(Reason.FORM_INCOMPLETE, visit.norm("P4.04"), missing="card")
        which = EventFilter(visit=visit.id, events=(Fact.VISIT_CARD_GIVEN.value,))
        (given,) = tx.events.rows(which, limit=1, newest=True)
        host = tx.people.get(visit.host).full_name if visit.host else ""
        return BadgeFacts(
            stamp=Stamp(
                number=f"P4.04-{visit.number:06d}",
                made_at=given.at,
                origin=self._keeper.origin,
                entry=(given.index, given.leaf),
            ),
            visit=visit.number,
            name=visit.name,
            organisation=visit.organisation,
            zone=tx.zones.get(visit.zone).name,
            receives=host or visit.department,
            escort=tx.people.get(visit.escort).full_name if visit.escort else "",
            valid_from=visit.valid_from,
            valid_until=visit.valid_until,
            label=card.label,
            card=card.number,
            slip=card.slip,
            fortuitous=visit.awaits_regularisation,
        )

    def _stamp(self, number: str) -> Stamp:
        signed = self._keeper.opened(self._keeper.checkpoint())
        checkpoint = (signed.size, signed.root)
        return Stamp(number=number, made_at=self._office.clock(), origin=self._keeper.origin, checkpoint=checkpoint)

    def _printed(self, actor: Actor, pdf: bytes, document: str, norm: str, about: str) -> bytes:
        return record_printing(self._office, actor, self._seal(pdf), document=document, norm=norm, about=about)
