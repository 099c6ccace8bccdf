"""The visitors' pool: what is free, who has what, what did not come back."""

from collections.abc import Callable

from flask import Blueprint, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.card_numbers import parse_typed
from accessctl.domain.people import Permission
from accessctl.domain.visitor_cards import VisitorCardState
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, typed
from accessctl_web.messages import Refusal
from accessctl_web.views.enrolment import card_format

pages = Blueprint("visitor_cards", __name__, url_prefix="/visitas/tarjetas")


def _page(refusal: Refusal | None = None) -> str:
    cards = [one for one in desks().visitor_cards.find() if one.state is not VisitorCardState.RETIRED]
    return render_template("visits/cards.html", cards=cards, refusal=refusal)


def _act(act: Callable[[], object], said: str) -> Response:
    return attempt(act, then=url_for("visitor_cards.show"), again=_page, said=said)


@pages.get("/")
@needs(Permission.VISIT_SEE)
def show() -> str:
    """The cards that are not out of use."""
    return _page()


@pages.post("/")
@needs(Permission.CARDS_MANAGE)
def add() -> Response:
    """A card enters the pool by its printed number."""

    def act() -> None:
        number = parse_typed(typed("typed"), cross_check=typed("cross_check"), format=card_format())
        desks().visitor_cards.add(actor(), number, label=typed("label"))

    return _act(act, gettext("Tarjeta agregada a las de visita."))


@pages.post("/<card>/recibir")
@needs(Permission.VISIT_ATTEND)
def back(card: str) -> Response:
    """A card comes back, also long after its visit."""
    return _act(lambda: desks().visitor_cards.take_back(actor(), card), gettext("Tarjeta de visita recibida."))


@pages.post("/<card>/retirar")
@needs(Permission.CARDS_MANAGE)
def retire(card: str) -> Response:
    """A card leaves the pool for good."""
    return _act(lambda: desks().visitor_cards.retire(actor(), card), gettext("Tarjeta retirada de las de visita."))
