"""The press for procedure 4: puts the facts of its papers into words and draws them (`VisitPrinter`)."""

from accessctl.documents.badge import Badge, render_badge
from accessctl.documents.contingency import BlankFolios, render_folios
from accessctl.documents.imprint import local, moment
from accessctl.documents.muster import MusterList, MusterZone, Sought, render_muster
from accessctl.documents.page import OFFICE
from accessctl.documents.parts import Column
from accessctl.documents.press import imprint_of
from accessctl.documents.register import Register, RegisterLine, render_register
from accessctl.documents.words import DOCUMENTS
from accessctl.services.visit_paper_facts import (
    FOLIO,
    BadgeFacts,
    FolioFacts,
    MusterFacts,
    RegisterVisit,
    VisitRegisterFacts,
)
from accessctl.services.zone_desk import MusterPart

_REGISTER = (
    Column(title="Visita", share=1.5),
    Column(title="Nombre completo", share=2.6),
    Column(title="Empresa", share=2.9),
    Column(title="Documento", share=3.4),
    Column(title="Motivo", share=3.1),
    Column(title="Visita a", share=3.1),
    Column(title="Autorizó", share=2.3),
    Column(title="Acompañó", share=2.7),
    Column(title="Tarjeta", share=2.3),
    Column(title="Inducción", share=2.4),
    Column(title="Entrada", share=2.0),
    Column(title="Salida", share=1.8),
    Column(title="Comprobó y anotó la salida", share=2.6),
    Column(title="Firma", share=2.2),
    Column(title="Marca y asiento", share=2.4),
)


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

    def register(self, facts: VisitRegisterFacts) -> bytes:
        """N4.1, the visits of a day."""
        return render_register(
            Register(
                imprint=imprint_of(facts.stamp),
                place=facts.place or OFFICE,
                day=facts.day,
                columns=_REGISTER,
                lines=tuple(_line(one) for one in facts.visits),
                keeper=facts.keeper,
            )
        )

    def folios(self, facts: FolioFacts) -> bytes:
        """N4.1, blank."""
        names = tuple(FOLIO % number for number in range(facts.first, facts.last + 1))
        return render_folios(BlankFolios(imprint=imprint_of(facts.stamp), folios=names))


def _line(one: RegisterVisit) -> RegisterLine:
    document = f"{DOCUMENTS[one.document.kind]} {one.document.number}" if one.document else ""
    seen_out = " / ".join(dict.fromkeys(who for who in (one.verified_by, one.recorded_by) if who))
    return RegisterLine(
        cells=(
            str(one.number),
            one.name,
            one.organisation,
            document,
            one.purpose,
            one.receives,
            one.authority,
            "; ".join(one.escorts),
            f"{one.card} ({'devuelta' if one.card_back else 'sin devolver'})" if one.card else "",
            "sí" if one.briefed else "",
            f"{local(one.entered_at):%d/%m %H:%M}" if one.entered_at else "",
            f"{local(one.exited_at):%d/%m %H:%M}" if one.exited_at else "",
            seen_out,
            f"SHA-256 {one.signed[:12]}" if one.signed else "",
            "" if one.entry is None else f"{one.mark[:5]} {one.mark[5:]} ({one.entry})",
        ),
        remark=" · ".join(_remarks(one)),
    )


def _taken(one: RegisterVisit) -> str:
    return f", salió {'; '.join(one.taken) or 'nada'}" if one.verified_by else ""


def _remarks(one: RegisterVisit) -> list[str]:
    found = []
    if one.brought or one.taken:
        found.append(f"Equipo: entró {'; '.join(one.brought) or 'nada'}" + _taken(one))
    if one.fortuitous:
        state = f"regularizado el {moment(one.regularised_at)}" if one.regularised_at else "SIN REGULARIZAR"
        found.append(f"Ingreso fortuito (N4.2), {state}: {one.fortuitous}")
    if one.folio:
        found.append(f"Anotado después, folio {one.folio}")
    if one.unverified:
        found.append("Salida no verificada")
    if not one.equipment_agrees:
        found.append("El equipo que salió no es el que entró (N4.4)")
    if one.vehicle:
        found.append(f"Vehículo {one.vehicle}")
    return found


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
