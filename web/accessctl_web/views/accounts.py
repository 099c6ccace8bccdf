"""Accounts of the panel: added, and ended together with their sessions."""

from flask import Blueprint, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import GRANTABLE, Permission, Role
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, chosen, typed
from accessctl_web.messages import Refusal

pages = Blueprint("accounts", __name__, url_prefix="/cuentas")


def _page(refusal: Refusal | None = None, refused: str = "") -> str:
    person = typed("person")
    return render_template(
        "accounts/list.html",
        accounts=desks().accounts.accounts(),
        person=desks().people.get(person) if person else None,
        roles=sorted(GRANTABLE),
        refusal=refusal,
        refused=refused,
    )


@pages.get("/")
@needs(Permission.ACCOUNTS_MANAGE)
def show() -> str:
    """The accounts, and the form for one more."""
    return _page()


@pages.post("/")
@needs(Permission.ACCOUNTS_MANAGE)
def add() -> Response:
    """A new account for a person on file."""

    def act() -> None:
        wanted = chosen("roles")
        if not set(wanted) <= set(Role):
            raise AccessError(Reason.FORM_INCOMPLETE, "P1.01", missing="roles")
        desks().accounts.add(
            actor(),
            username=typed("username"),
            password=typed("password"),
            person=typed("person"),
            roles=frozenset(Role(one) for one in wanted),
            reference=typed("reference"),
        )

    return attempt(act, then=url_for("accounts.show"), again=_page, said=gettext("Cuenta creada."))


@pages.post("/<username>/deshabilitar")
@needs(Permission.ACCOUNTS_MANAGE)
def disable(username: str) -> Response:
    """End the account and its sessions."""
    return attempt(
        lambda: desks().accounts.disable(actor(), username, reason=typed("reason")),
        then=url_for("accounts.show"),
        again=lambda refusal: _page(refusal, username),
        said=gettext("Cuenta deshabilitada: sus sesiones terminaron."),
    )
