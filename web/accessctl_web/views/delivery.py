"""P10.04 and P10.05: the user signs the receipt, on a page of its own that is handed over; the delivery is recorded."""

from flask import Blueprint, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.people import Permission
from accessctl_web.access import needs, takes_upload
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, needed_upload, number, strokes, typed
from accessctl_web.messages import Refusal
from accessctl_web.request_page import request_page

pages = Blueprint("delivery", __name__, url_prefix="/solicitudes")


def _page(case: str, refusal: Refusal | None = None) -> str:
    return render_template("requests/sign.html", file=desks().files.file(actor(), case), refusal=refusal)


@pages.get("/<case>/firma")
@needs(Permission.REQUEST_DELIVER)
def signing(case: str) -> str:
    """The page on which the user signs."""
    return _page(case)


@pages.post("/<case>/firma")
@needs(Permission.REQUEST_DELIVER)
def sign(case: str) -> Response:
    """P10.04 on the screen."""
    return attempt(
        lambda: desks().delivery.sign_receipt(
            actor(),
            case,
            strokes=strokes("strokes", norm="P10.04"),
            width=number("width"),
            height=number("height"),
            document_shown=typed("document_shown"),
        ),
        then=url_for("requests.file", case=case),
        again=lambda refusal: _page(case, refusal),
        said=gettext("Constancia firmada."),
    )


@pages.post("/<case>/firma-en-papel")
@needs(Permission.REQUEST_DELIVER)
@takes_upload
def sign_on_paper(case: str) -> Response:
    """P10.04 on paper, with its scan."""
    return attempt(
        lambda: desks().delivery.sign_on_paper(
            actor(), case, scan=needed_upload("form"), document_shown=typed("document_shown")
        ),
        then=url_for("requests.file", case=case),
        again=lambda refusal: request_page(case, paper=refusal),
        said=gettext("Constancia firmada."),
    )


@pages.post("/<case>/entregar")
@needs(Permission.REQUEST_DELIVER)
def deliver(case: str) -> Response:
    """P10.05: from here on the card opens."""
    return attempt(
        lambda: desks().delivery.deliver(actor(), case),
        then=url_for("requests.file", case=case),
        again=lambda refusal: request_page(case, deliver=refusal),
        said=gettext("Entrega registrada: la tarjeta abre desde ahora."),
    )
