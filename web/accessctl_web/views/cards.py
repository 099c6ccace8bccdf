"""Cards: the stock, what became of each, and the outstanding ones under the department whose head owes them (N10.4)."""

from itertools import groupby

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.card_numbers import CardNumber
from accessctl.domain.cards import CARD_TRANSITIONS, Card, CardEvent, CardState
from accessctl.domain.devices import CaptureState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Permission
from accessctl.services.stock_desk import NEEDS_ACT
from accessctl_web.access import needs, takes_upload
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, typed, upload
from accessctl_web.messages import Refusal
from accessctl_web.views.enrolment import card_format

pages = Blueprint("cards", __name__, url_prefix="/tarjetas")

OF_THE_CASE = frozenset({CardEvent.ENROL, CardEvent.RELEASE, CardEvent.DELIVER, CardEvent.REVOKE})


def events_of(card: Card) -> list[CardEvent]:
    """What can happen to the card at this desk: what the table allows, without what belongs to a request."""
    return [event for state, event in CARD_TRANSITIONS if state is card.state and event not in OF_THE_CASE]


def _state() -> CardState | None:
    wanted = request.args.get("estado", "")
    return CardState(wanted) if wanted in set(CardState) else None


def _page(refusal: Refusal | None = None) -> str:
    me = actor()
    manages = me.may(Permission.CARDS_MANAGE)
    turn = request.args.get("lectura", "") or typed("capture")
    capture = desks().captures.look(me, turn) if turn and manages else None
    if capture is not None and capture.state is CaptureState.ENDED:
        capture = None
    return render_template(
        "cards/list.html",
        cards=desks().stock.find(state=_state()),
        state=_state(),
        states=CardState,
        refusal=refusal,
        readers=desks().files.readers(me) if manages else [],
        capture=capture,
        captured=CardNumber.from_key(capture.number) if capture and capture.number else None,
    )


@pages.get("/")
@needs(Permission.CARDS_SEE)
def show() -> str:
    """The cards, by state."""
    return _page()


@pages.post("/lectura")
@needs(Permission.CARDS_MANAGE)
def read() -> Response:
    """Wait at a desk reader for a card to take into stock."""
    turn: list[str] = []
    return attempt(
        lambda: turn.append(desks().captures.start(actor(), reader=typed("reader")).id),
        then=lambda: url_for("cards.show", lectura=turn[0]),
        again=_page,
    )


@pages.post("/")
@needs(Permission.CARDS_MANAGE)
def add() -> Response:
    """Take a card into stock, read or typed."""

    def act() -> None:
        if typed("capture"):
            desks().stock.add_captured(actor(), capture=typed("capture"), label=typed("label"))
        else:
            desks().stock.add_typed(
                actor(),
                typed=typed("typed"),
                cross_check=typed("cross_check"),
                card_format=card_format(),
                label=typed("label"),
            )

    return attempt(act, then=url_for("cards.show"), again=_page, said=gettext("Tarjeta ingresada a existencias."))


@pages.get("/pendientes")
@needs(Permission.CARDS_SEE)
def outstanding() -> str:
    """Cards that are no longer valid and were not handed in, under who owes them."""
    return _outstanding()


def _outstanding(refusal: Refusal | None = None, refused: str = "") -> str:
    owed = sorted(desks().stock.outstanding(), key=lambda card: (card.owed_by or "", str(card.since)))
    groups = [(owner, list(cards)) for owner, cards in groupby(owed, key=lambda card: card.owed_by or "")]
    return render_template(
        "cards/outstanding.html", groups=groups, refusal=refusal, refused=refused, events_of=events_of, act=NEEDS_ACT
    )


@pages.get("/<card>")
@needs(Permission.CARDS_SEE)
def file(card: str) -> str:
    """One card and what can happen to it."""
    return _file(card)


def _file(card: str, refusal: Refusal | None = None) -> str:
    found = desks().stock.get(card)
    return render_template("cards/file.html", card=found, events=events_of(found), needs_act=NEEDS_ACT, refusal=refusal)


@pages.post("/<card>")
@needs(Permission.CARDS_MANAGE)
@takes_upload
def happen(card: str) -> Response:
    """Something happened to a card: handed in, lost with its act, suspended …"""

    def act() -> None:
        wanted = typed("event")
        if wanted not in set(CardEvent):
            raise AccessError(Reason.FORM_INCOMPLETE, "N10.4", missing="event")
        desks().stock.happen(actor(), card, CardEvent(wanted), why=typed("why"), act=upload("act"))

    return attempt(
        act,
        then=url_for("cards.file", card=card),
        again=lambda refusal: _file(card, refusal),
        said=gettext("Quedó registrado."),
    )
