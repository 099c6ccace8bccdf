"""N10.4: one request ends a person's access; the page follows it to the last door."""

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.people import AUTHORITIES, Permission
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, typed
from accessctl_web.messages import Refusal

pages = Blueprint("removals", __name__, url_prefix="/bajas")

SEES = (Permission.REMOVAL_REGISTER, Permission.CARDS_SEE)


@pages.get("/")
@needs(*SEES)
def show() -> str:
    """The removals, the newest first, each with how far it got."""
    return render_template("removals/list.html", removals=desks().removals.recent())


def _form(refusal: Refusal | None = None) -> str:
    me = actor()
    wanted = typed("person") or request.args.get("persona", "")
    return render_template(
        "removals/new.html",
        person=desks().people.get(wanted) if wanted else None,
        authorities=desks().files.choices(me).authorities,
        own=me.person if me.roles & AUTHORITIES else "",
        refusal=refusal,
    )


@pages.get("/nueva")
@needs(Permission.REMOVAL_REGISTER)
def new() -> str:
    """The form of N10.4."""
    return _form()


@pages.post("/nueva")
@needs(Permission.REMOVAL_REGISTER)
def register() -> Response:
    """End the access, at once."""
    made: list[str] = []

    def act() -> None:
        who, asks, why = typed("person"), typed("requested_by"), typed("reason")
        made.append(desks().removals.request(actor(), person=who, requested_by=asks, reason=why))

    return attempt(
        act,
        then=lambda: url_for("removals.file", removal=made[0]),
        again=_form,
        said=gettext("Acceso retirado: desde ahora ninguna decisión lo permite."),
    )


@pages.get("/<removal>")
@needs(*SEES)
def file(removal: str) -> str:
    """One removal: reached k of n doors, what is still exposed and for how long."""
    return render_template("removals/file.html", progress=desks().removals.progress(removal))


@pages.get("/<removal>/avance")
@needs(*SEES)
def progress(removal: str) -> str:
    """The part that changes, asked again every second until the last device confirmed."""
    return render_template("removals/progress.html", progress=desks().removals.progress(removal))
