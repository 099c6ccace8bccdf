"""The press for procedure 4: puts the facts of its papers into words and draws them (`VisitPrinter`)."""

from accessctl.documents.badge import Badge, render_badge
from accessctl.documents.contingency import BlankFolios, render_folios
from accessctl.documents.imprint import moment
from accessctl.documents.muster import MusterList, MusterZone, Sought, render_muster
from accessctl.documents.press import imprint_of
from accessctl.services.visit_paper_facts import FOLIO, BadgeFacts, FolioFacts, MusterFacts
from accessctl.services.zone_desk import MusterPart


class VisitPress:
    """Draws papers as PDF: Spanish, the same bytes for the same facts."""

    def badge(self, facts: BadgeFacts) -> bytes:
        """P4.04."""
        return render_badge(
            Badge(
                imprint=imprint_of(facts.stamp),
                visit=facts.visit,
                name=facts.name,
                organisation=facts.organisation,
                zone=facts.zone,
                receives=facts.receives,
                escort=facts.escort,
                valid_from=facts.valid_from,
                valid_until=facts.valid_until,
                label=facts.label,
                number=next(iter(facts.card.printed().values())),
                code=facts.code if facts.slip else "",
                fortuitous=facts.fortuitous,
            )
        )

    def muster(self, facts: MusterFacts) -> bytes:
        """Who is inside."""
        return render_muster(
            MusterList(
                imprint=imprint_of(facts.stamp),
                at=facts.muster.at,
                place=facts.place,
                fire_since=facts.muster.fire_since,
                zones=tuple(_zone(part, facts.doors) for part in facts.muster.parts),
            )
        )

    def folios(self, facts: FolioFacts) -> bytes:
        """N4.1, blank."""
        names = tuple(FOLIO % number for number in range(facts.first, facts.last + 1))
        return render_folios(BlankFolios(imprint=imprint_of(facts.stamp), folios=names))


def _zone(part: MusterPart, doors: dict[str, str]) -> MusterZone:
    doubt = ""
    if part.doubt_since is not None:
        doubt = f"presencia dudosa desde {moment(part.doubt_since)} {doors.get(part.doubt_door, '')}".strip()
    return MusterZone(
        name=part.name,
        people=tuple(
            Sought(
                name=one.name,
                of=f"{one.organisation} (visita {one.visit})" if one.visit else one.department,
                escort=one.escort,
                since=one.since,
                certain=one.certain,
            )
            for one in part.lines
        ),
        doubt=doubt,
    )
