"""The papers of procedure 10 and the day's register, as PDFs; what was printed is recorded by the desk."""

from datetime import date

from flask import Blueprint, Response, request

from accessctl.domain.people import Permission
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import asked_day
from accessctl_web.language import today

pages = Blueprint("papers", __name__)


def pdf(content: bytes, name: str) -> Response:
    """A PDF that the browser shows, under a name that says what it is."""
    response = Response(content, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "inline", filename=f"{name}.pdf")
    return response


@pages.get("/solicitudes/<case>/constancia.pdf")
@needs(Permission.REQUEST_SEE)
def receipt(case: str) -> Response:
    """P10.04: the form to sign on paper, or the signed receipt."""
    return pdf(desks().papers.receipt_pdf(actor(), case), "constancia")


@pages.get("/solicitudes/<case>/oficio.pdf")
@needs(Permission.REQUEST_SEE)
def notice(case: str) -> Response:
    """P10.06: the letter to the requester."""
    return pdf(desks().papers.notice_pdf(actor(), case), "oficio")


@pages.get("/tarjetas/pendientes.pdf")
@needs(Permission.CARDS_SEE)
def outstanding() -> Response:
    """N10.4: the cards not handed in, under the head who owes them."""
    return pdf(desks().papers.outstanding_pdf(actor()), "tarjetas-pendientes")


@pages.get("/eventos/registro.pdf")
@needs(Permission.EVENTS_SEE)
def register() -> Response:
    """N4.1: the register of a day, of one zone or of all."""
    day: date = asked_day("dia") or today()
    zone = request.args.get("zona", "")[:64]
    return pdf(desks().papers.register_pdf(actor(), day, zone=zone), f"registro-{day.isoformat()}")
