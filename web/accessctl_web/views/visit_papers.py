"""The papers of procedure 4: the badge, the muster list, the day's register of visits, blank contingency folios."""

from flask import Blueprint, Response, request

from accessctl.domain.people import Permission
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import asked_day, number
from accessctl_web.language import today
from accessctl_web.views.papers import pdf

pages = Blueprint("visit_papers", __name__)


@pages.get("/visitas/<visit>/gafete.pdf")
@needs(Permission.VISIT_ATTEND)
def badge(visit: str) -> Response:
    """P4.04: the badge of a visitor who has a card, with the number as a QR code where it is a slip."""
    return pdf(desks().visit_papers.badge_pdf(actor(), visit), "gafete")


@pages.get("/adentro/lista.pdf")
@needs(Permission.VISIT_SEE)
def muster() -> Response:
    """Who is inside, by zone, to be ticked off with a pen."""
    zone = request.args.get("zona", "")[:64]
    return pdf(desks().visit_papers.muster_pdf(actor(), zone=zone), "lista-de-evacuacion")


@pages.get("/visitas/registro.pdf")
@needs(Permission.VISIT_SEE)
def register() -> Response:
    """N4.1: the register of a day's visits, of one zone or of all."""
    day = asked_day("dia") or today()
    zone = request.args.get("zona", "")[:64]
    return pdf(desks().visit_papers.register_pdf(actor(), day, zone=zone), f"registro-de-visitas-{day.isoformat()}")


@pages.post("/visitas/folios")
@needs(Permission.VISIT_ATTEND)
def folios() -> Response:
    """N4.1: blank folios with numbers of their own, reserved by printing them."""
    return pdf(desks().visit_papers.folios_pdf(actor(), count=number("folios")), "folios-de-contingencia")
