"""Visits: today's list, the authorisation (P4.01) or the fortuitous entry (N4.2), and one visit up to its signature.

What comes after the door is in `visit_care`; all of it comes back to the page of the visit.
"""

from collections.abc import Callable

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.people import Permission, Person
from accessctl.domain.places import Zone
from accessctl.domain.visits import ENDED
from accessctl_web.access import needs, takes_upload
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, needed_upload, number, strokes, typed
from accessctl_web.messages import Refusal
from accessctl_web.visit_forms import USUAL, entry_form, register_form
from accessctl_web.visit_page import AT_THE_DOOR, TO_CLOSE, WITHIN, next_step, visit_page

pages = Blueprint("visits", __name__, url_prefix="/visitas")


@pages.get("/")
@needs(Permission.VISIT_SEE)
def show() -> str:
    """Today's visits by where they stand, each with the step that it waits for; or all, the newest first."""
    every = request.args.get("todas") == "1"
    lines = desks().visit_files.find(actor()) if every else desks().visit_files.today(actor())
    groups = [
        (
            gettext("Terminadas, por regularizar"),
            [one for one in lines if one.visit.state in ENDED and one.visit.awaits_regularisation],
        ),
        (gettext("Adentro"), [one for one in lines if one.visit.state in WITHIN]),
        (gettext("Por comprobar y cerrar"), [one for one in lines if one.visit.state in TO_CLOSE]),
        (gettext("Por entrar"), [one for one in lines if one.visit.state in AT_THE_DOOR]),
        (
            gettext("Terminadas"),
            [one for one in lines if one.visit.state in ENDED and not one.visit.awaits_regularisation],
        ),
    ]
    return render_template("visits/list.html", groups=groups, every=every, next_step=next_step)


def _zones() -> list[Zone]:
    """The zones that a visit can be authorised for: those with a door."""
    return list({line.zone.id: line.zone for line in desks().watch.doors(actor())}.values())


def _picked() -> dict[str, Person]:
    return {name: desks().people.get(typed(name)) for name in ("visitor", "host") if typed(name)}


def _form(template: str, refusal: Refusal | None = None) -> str:
    now = desks().clock()
    authorities = desks().files.choices(actor()).authorities
    return render_template(
        template, zones=_zones(), picked=_picked(), authorities=authorities, now=now, until=now + USUAL, refusal=refusal
    )


def _made(act: Callable[[], str], *, template: str, said: str) -> Response:
    """Open a visit, and go to its page."""
    made: list[str] = []
    return attempt(
        lambda: made.append(act()),
        then=lambda: url_for("visits.file", visit=made[0]),
        again=lambda refusal: _form(template, refusal),
        said=said,
    )


@pages.get("/nueva")
@needs(Permission.VISIT_AUTHORISE)
def new() -> str:
    """The form of P4.01."""
    return _form("visits/new.html")


@pages.post("/nueva")
@needs(Permission.VISIT_AUTHORISE)
def authorise() -> Response:
    """P4.01: a head authorises an entry."""
    return _made(
        lambda: desks().visits.authorise(actor(), entry_form()),
        template="visits/new.html",
        said=gettext("Ingreso autorizado."),
    )


@pages.get("/fortuito")
@needs(Permission.VISIT_FOLLOW)
def fortuitous() -> str:
    """The form of N4.2."""
    return _form("visits/fortuitous.html")


@pages.post("/fortuito")
@needs(Permission.VISIT_FOLLOW)
def declare() -> Response:
    """N4.2: a technician declares what the superior authority agreed to."""
    return _made(
        lambda: desks().visits.declare_fortuitous(
            actor(), entry_form(), authority=typed("authority"), reason=typed("reason")
        ),
        template="visits/fortuitous.html",
        said=gettext("Ingreso fortuito declarado: queda señalado hasta que se regularice."),
    )


@pages.get("/equipo")
@needs(Permission.VISIT_SEE)
def piece() -> str:
    """One more row for a piece of equipment."""
    return render_template("visits/piece.html", description="", serial="")


@pages.get("/<visit>")
@needs(Permission.VISIT_SEE)
def file(visit: str) -> str:
    """One visit with its steps; what can be done now is shown to whoever may."""
    return visit_page(visit)


@pages.post("/<visit>/regularizar")
@needs(Permission.VISIT_AUTHORISE)
def regularise(visit: str) -> Response:
    """N4.2: the authority who was named confirms."""
    return attempt(
        lambda: desks().visits.regularise(actor(), visit, comment=typed("comment")),
        then=url_for("visits.file", visit=visit),
        again=lambda refusal: visit_page(visit, regularise=refusal),
        said=gettext("Ingreso fortuito regularizado."),
    )


@pages.post("/<visit>/anular")
@needs(Permission.VISIT_AUTHORISE, Permission.VISIT_FOLLOW)
def cancel(visit: str) -> Response:
    """A visit that will not take place."""
    return attempt(
        lambda: desks().visits.cancel(actor(), visit, why=typed("why")),
        then=url_for("visits.file", visit=visit),
        again=lambda refusal: visit_page(visit, cancel=refusal),
        said=gettext("Visita anulada."),
    )


@pages.post("/<visit>/datos")
@needs(Permission.VISIT_ATTEND)
def register(visit: str) -> Response:
    """P4.02 and P4.03: the data, the equipment, the briefing, and whether a third party enters."""
    return attempt(
        lambda: desks().visit_register.register(actor(), visit, register_form()),
        then=url_for("visits.file", visit=visit),
        again=lambda refusal: visit_page(visit, register=refusal),
        said=gettext("Datos registrados."),
    )


def _signing(visit: str, refusal: Refusal | None = None) -> str:
    return render_template("visits/sign.html", file=desks().visit_files.file(actor(), visit), refusal=refusal)


@pages.get("/<visit>/firma")
@needs(Permission.VISIT_ATTEND)
def signing(visit: str) -> str:
    """The page on which whoever enters signs."""
    return _signing(visit)


@pages.post("/<visit>/firma")
@needs(Permission.VISIT_ATTEND)
def sign(visit: str) -> Response:
    """P4.04 on the screen."""
    return attempt(
        lambda: desks().visit_register.sign(
            actor(),
            visit,
            strokes=strokes("strokes", norm="P4.04"),
            width=number("width"),
            height=number("height"),
        ),
        then=url_for("visits.file", visit=visit),
        again=lambda refusal: _signing(visit, refusal),
        said=gettext("Registro de ingreso firmado."),
    )


@pages.post("/<visit>/firma-en-papel")
@needs(Permission.VISIT_ATTEND)
@takes_upload
def sign_on_paper(visit: str) -> Response:
    """P4.04 on paper, with the scan of the sheet."""
    return attempt(
        lambda: desks().visit_register.sign_on_paper(actor(), visit, scan=needed_upload("form"), folio=typed("folio")),
        then=url_for("visits.file", visit=visit),
        again=lambda refusal: visit_page(visit, paper=refusal),
        said=gettext("Registro de ingreso firmado."),
    )
