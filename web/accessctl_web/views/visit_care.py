"""A visit from its card to its end: card given and back, hand-over, work (P4.06), exit (P4.07, P4.08), late entries."""

from collections.abc import Callable

from flask import Blueprint, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Permission
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, typed, when
from accessctl_web.visit_forms import taken
from accessctl_web.visit_page import visit_page

pages = Blueprint("visit_care", __name__, url_prefix="/visitas")


def _act(visit: str, name: str, act: Callable[[], object], said: str) -> Response:
    """Do it and come back to the visit; a refusal stands beside the form `name`."""
    return attempt(
        act,
        then=url_for("visits.file", visit=visit),
        again=lambda refusal: visit_page(visit, **{name: refusal}),
        said=said,
    )


@pages.post("/<visit>/tarjeta")
@needs(Permission.VISIT_ATTEND)
def give(visit: str) -> Response:
    """A card of the pool."""
    said = gettext("Tarjeta entregada a la visita.")
    return _act(visit, "card", lambda: desks().visitor_cards.give(actor(), visit, typed("card")), said)


@pages.post("/<visit>/boleta")
@needs(Permission.VISIT_ATTEND)
def slip(visit: str) -> Response:
    """A slip to be printed, where no card is free."""
    said = gettext("Boleta hecha: imprímala y entréguela.")
    return _act(visit, "slip", lambda: desks().visitor_cards.give_slip(actor(), visit), said)


def _card_of(visit: str) -> str:
    return desks().visit_files.file(actor(), visit).line.visit.card


@pages.post("/<visit>/tarjeta/devuelta")
@needs(Permission.VISIT_ATTEND)
def back(visit: str) -> Response:
    """The card came back."""
    said = gettext("Tarjeta de visita recibida.")
    return _act(visit, "card_back", lambda: desks().visitor_cards.take_back(actor(), _card_of(visit)), said)


@pages.post("/<visit>/tarjeta/perdida")
@needs(Permission.VISIT_ATTEND)
def missing(visit: str) -> Response:
    """The card does not come back."""
    return _act(
        visit,
        "missing",
        lambda: desks().visitor_cards.report_missing(actor(), _card_of(visit), why=typed("why")),
        gettext("Tarjeta anotada como no devuelta."),
    )


@pages.post("/<visit>/relevo")
@needs(Permission.VISIT_FOLLOW, Permission.VISIT_ATTEND)
def hand_over(visit: str) -> Response:
    """N4.3, N10.5: another takes over."""
    return _act(
        visit,
        "hand_over",
        lambda: desks().escort.hand_over(actor(), visit, to=typed("relief")),
        gettext("Relevo registrado."),
    )


@pages.post("/<visit>/actividades")
@needs(Permission.VISIT_FOLLOW, Permission.VISIT_ATTEND)
def work(visit: str) -> Response:
    """P4.06: what was done."""
    return _act(
        visit,
        "work",
        lambda: desks().escort.note_work(actor(), visit, activities=typed("activities")),
        gettext("Actividades anotadas."),
    )


@pages.post("/<visit>/salida/comprobar")
@needs(Permission.VISIT_FOLLOW, Permission.VISIT_ATTEND)
def verify(visit: str) -> Response:
    """P4.07: the person has left, with this equipment."""

    def act() -> None:
        leaves = taken(desks().visit_files.file(actor(), visit).line.visit)
        desks().escort.verify_exit(actor(), visit, taken=leaves, activities=typed("activities"))

    return _act(visit, "verify", act, gettext("Salida comprobada."))


@pages.post("/<visit>/salida/anotar")
@needs(Permission.VISIT_FOLLOW, Permission.VISIT_ATTEND)
def leave(visit: str) -> Response:
    """P4.08: the line of the register; the visit closes."""
    return _act(
        visit,
        "exit",
        lambda: desks().escort.record_exit(actor(), visit, at=when("exited_at")),
        gettext("Salida anotada: la visita queda cerrada."),
    )


@pages.post("/<visit>/ingreso-tardio")
@needs(Permission.VISIT_FOLLOW, Permission.VISIT_ATTEND)
def late(visit: str) -> Response:
    """N4.1: an entry that only a contingency sheet saw."""

    def act() -> None:
        at = when("entered_at")
        if at is None:
            raise AccessError(Reason.FORM_INCOMPLETE, "N4.1", missing="entered_at")
        desks().escort.record_entry(actor(), visit, at=at, folio=typed("folio"))

    return _act(visit, "late", act, gettext("Ingreso anotado con su folio."))
