"""P10.03: card, doors, schedule and finger of one request; the desk reader's turn and the terminal's progress.

The two live parts are small: a turn at a reader and an enrolment ask for themselves until they are over, and then
the fragment that comes back asks no more.
"""

from flask import Blueprint, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.card_numbers import CardFormat, CardNumber, parse_typed
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Permission
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, chosen, number, typed
from accessctl_web.request_page import request_page, state_of

pages = Blueprint("enrolment", __name__)


def card_format() -> CardFormat:
    """The format chosen on a form; anything else is a number that is not valid."""
    try:
        return CardFormat(typed("format", CardFormat.EM4100.value))
    except ValueError:
        raise AccessError(Reason.CARD_NUMBER_INVALID, "P10.03", why="form") from None


def _number() -> CardNumber:
    """The card of the form: the one that the reader saw, or the one that was typed and cross-checked."""
    if typed("capture"):
        return desks().stock.captured_number(actor(), typed("capture"))
    return parse_typed(typed("typed"), cross_check=typed("cross_check"), format=card_format())


@pages.post("/solicitudes/<case>/lectura")
@needs(Permission.REQUEST_ENROL)
def capture(case: str) -> Response:
    """Wait for a card at a desk reader, for this request and this technician."""
    return attempt(
        lambda: desks().captures.start(actor(), reader=typed("reader"), case=case),
        then=url_for("requests.file", case=case, _anchor="tarjeta"),
        again=lambda refusal: request_page(case, card=refusal),
    )


@pages.get("/lecturas/<capture>")
@needs(Permission.CARDS_MANAGE)
def turn(capture: str) -> str:
    """How one's own turn goes; asked again twice a second until it is over."""
    found = desks().captures.look(actor(), capture)
    read = CardNumber.from_key(found.number) if found.number else None
    return render_template("requests/turn.html", capture=found, captured=read)


@pages.post("/lecturas/<capture>/fin")
@needs(Permission.CARDS_MANAGE)
def stop(capture: str) -> Response:
    """Stop waiting."""
    found = desks().captures.look(actor(), capture)
    page = url_for("requests.file", case=found.case) if found.case else url_for("cards.show")
    return attempt(
        lambda: desks().captures.cancel(actor(), capture),
        then=page,
        again=lambda refusal: render_template("requests/turn.html", capture=found, captured=None, refusal=refusal),
    )


@pages.post("/solicitudes/<case>/tarjeta")
@needs(Permission.REQUEST_ENROL)
def choose_card(case: str) -> Response:
    """The card for this request, read or typed."""
    return attempt(
        lambda: desks().enrolment.choose_card(actor(), case, _number()),
        then=url_for("requests.file", case=case, _anchor="tarjeta"),
        again=lambda refusal: request_page(case, card=refusal),
        said=gettext("Tarjeta elegida."),
    )


@pages.post("/solicitudes/<case>/tarjeta/devolver")
@needs(Permission.REQUEST_ENROL)
def put_back(case: str) -> Response:
    """Another card will be chosen."""
    return attempt(
        lambda: desks().enrolment.put_back_card(actor(), case),
        then=url_for("requests.file", case=case, _anchor="tarjeta"),
        again=lambda refusal: request_page(case, card=refusal),
        said=gettext("La tarjeta volvió a existencias."),
    )


@pages.post("/solicitudes/<case>/acceso")
@needs(Permission.REQUEST_ENROL)
def access(case: str) -> Response:
    """Doors and schedule, within what was authorised."""
    return attempt(
        lambda: desks().enrolment.choose_access(actor(), case, doors=chosen("doors"), schedule=typed("schedule")),
        then=url_for("requests.file", case=case, _anchor="acceso"),
        again=lambda refusal: request_page(case, access=refusal),
        said=gettext("Puertas y horario elegidos."),
    )


@pages.post("/solicitudes/<case>/huella")
@needs(Permission.REQUEST_ENROL)
def finger(case: str) -> Response:
    """Ask a terminal to enrol a finger."""
    return attempt(
        lambda: desks().enrolment.ask_finger(actor(), case, device=typed("device"), finger=number("finger")),
        then=url_for("requests.file", case=case, _anchor="huella"),
        again=lambda refusal: request_page(case, finger=refusal),
    )


@pages.get("/huellas/<command>")
@needs(Permission.REQUEST_ENROL)
def progress(command: str) -> str:
    """How an enrolment goes; asked again until it is over."""
    found = desks().enrolment.command(actor(), command)
    return render_template("requests/enrolling.html", command=found, state=state_of(found))


@pages.post("/solicitudes/<case>/dispensa")
@needs(Permission.REQUEST_ENROL)
def waive(case: str) -> Response:
    """No finger can be enrolled, and why."""
    return attempt(
        lambda: desks().enrolment.waive_finger(actor(), case, why=typed("why")),
        then=url_for("requests.file", case=case, _anchor="huella"),
        again=lambda refusal: request_page(case, waive=refusal),
        said=gettext("Dispensa de huella registrada."),
    )


@pages.post("/solicitudes/<case>/preparada")
@needs(Permission.REQUEST_ENROL)
def complete(case: str) -> Response:
    """P10.03 is done."""
    return attempt(
        lambda: desks().enrolment.complete(actor(), case),
        then=url_for("requests.file", case=case),
        again=lambda refusal: request_page(case, complete=refusal),
        said=gettext("Configuración terminada: ahora firma quien recibe."),
    )
