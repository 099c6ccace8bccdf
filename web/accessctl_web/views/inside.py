"""Who is inside, where, with whom and since when; the muster; lockdown, fire over, the count, anti-passback."""

from collections.abc import Callable

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.occupancy import AntiPassback
from accessctl.domain.people import Permission
from accessctl.services.bulletin import Topic
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, chosen, number, typed
from accessctl_web.messages import Refusal
from accessctl_web.navigation import follow

pages = Blueprint("inside", __name__, url_prefix="/adentro")


def _page(refusal: Refusal | None = None, refused: str = "") -> str:
    me = actor()
    follow(Topic.INSIDE)
    return render_template(
        "inside/show.html",
        muster=desks().zones.muster(me),
        lines={line.person.id: line for line in desks().visit_files.inside(me)},
        states={state.id: state for state in desks().zones.states()},
        rules=list(AntiPassback),
        refusal=refusal,
        refused=refused,
    )


def _act(zone: str, act: Callable[[], object], said: str) -> Response:
    """Do it and come back; a refusal stands in the part of the zone."""
    return attempt(act, then=url_for("inside.show"), again=lambda refusal: _page(refusal, zone), said=said)


@pages.get("/")
@needs(Permission.VISIT_SEE)
def show() -> str:
    """By zone; the part that changes is drawn anew when the stream says so."""
    return _page()


def _list(refusal: Refusal | None = None) -> str:
    zone = request.args.get("zona", "")[:64]
    return render_template("inside/muster.html", muster=desks().zones.muster(actor(), zone), zone=zone, refusal=refusal)


@pages.get("/lista")
@needs(Permission.VISIT_SEE)
def muster() -> str:
    """The list for a muster: one page, to be ticked off on the screen or printed."""
    return _list()


@pages.post("/zonas/<zone>/conteo")
@needs(Permission.ZONES_MANAGE)
def counted(zone: str) -> Response:
    """Somebody looked: those ticked are not there any more."""
    return attempt(
        lambda: desks().zones.counted(actor(), zone, gone=chosen("gone")),
        then=url_for("inside.muster"),
        again=_list,
        said=gettext("Conteo registrado."),
    )


@pages.post("/zonas/<zone>/bloquear")
@needs(Permission.ZONES_MANAGE)
def lock_down(zone: str) -> Response:
    """Nobody enters; leaving stays free."""
    said = gettext("Ingreso bloqueado. La salida sigue libre.")
    return _act(zone, lambda: desks().zones.lock_down(actor(), zone, why=typed("why")), said)


@pages.post("/zonas/<zone>/reabrir")
@needs(Permission.ZONES_MANAGE)
def reopen(zone: str) -> Response:
    """The lockdown is over."""
    return _act(zone, lambda: desks().zones.reopen(actor(), zone), gettext("Ingreso reabierto."))


@pages.post("/zonas/<zone>/fin-de-incendio")
@needs(Permission.ZONES_MANAGE)
def fire_over(zone: str) -> Response:
    """The fire alarm is over."""
    said = gettext("Fin de la alarma de incendio registrado.")
    return _act(zone, lambda: desks().zones.fire_over(actor(), zone), said)


@pages.post("/zonas/<zone>/reglas")
@needs(Permission.DEVICES_MANAGE)
def rule(zone: str) -> Response:
    """How many may be inside, and what happens to who enters twice."""

    def act() -> None:
        if typed("anti_passback") not in set(AntiPassback):
            raise AccessError(Reason.FORM_INCOMPLETE, "N10.2", missing="anti_passback")
        most, passback = number("occupancy_limit"), AntiPassback(typed("anti_passback"))
        desks().zones.rule(actor(), zone, occupancy_limit=most, anti_passback=passback)

    return _act(zone, act, gettext("Reglas de la zona guardadas."))


@pages.post("/personas/<person>/perdonar")
@needs(Permission.ZONES_MANAGE)
def forgive(person: str) -> Response:
    """Anti-passback forgotten once."""
    said = gettext("Perdonado: el próximo lector dirá dónde está.")
    return _act("", lambda: desks().zones.forgive(actor(), person), said)
