"""Signing in and out, one's own password, and the language of the page; nothing else is open to somebody unknown."""

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from accessctl.domain.errors import AccessError, Reason
from accessctl_web.access import public, signed_in
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, typed
from accessctl_web.language import LANGUAGES
from accessctl_web.messages import Refusal
from accessctl_web.session import LANGUAGE, begin, end

pages = Blueprint("sign_in", __name__)


def _within(target: str | None) -> str:
    """Where to go afterwards: an address of this panel, or the first page. Nothing else is followed."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return url_for("home.show")
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or any(ord(char) < 32 for char in target):
        return url_for("home.show")
    return target


def _page(refusal: Refusal | None = None) -> str:
    return render_template("sign_in.html", refusal=refusal)


@pages.get("/entrar")
@public
def show() -> str | Response:
    """The form, or the first page for whoever is already inside."""
    return redirect(url_for("home.show"), 303) if current_user.is_authenticated else _page()


@pages.post("/entrar")
@public
def sign_in() -> Response:
    """Sign in; a refusal stays on the page, and so does the name that was typed."""

    def act() -> None:
        begin(desks().accounts.sign_in(typed("username"), typed("password"), source=request.remote_addr or ""))

    return attempt(act, then=_within(request.args.get("next")), again=_page)


@pages.post("/salir")
@signed_in
def sign_out() -> Response:
    """Leave the panel."""
    desks().accounts.sign_out(actor())
    end()
    return redirect(url_for("sign_in.show"), 303)


@pages.post("/idioma")
@public
def language() -> Response:
    """Choose the language and go back to the page where the person was."""
    wanted = typed("language")
    if wanted in LANGUAGES:
        session[LANGUAGE] = wanted
    return redirect(_within(typed("back")), 303)


def _password(refusal: Refusal | None = None) -> str:
    return render_template("password.html", refusal=refusal)


@pages.get("/clave")
@signed_in
def password() -> str:
    """The form for one's own password."""
    return _password()


@pages.post("/clave")
@signed_in
def change_password() -> Response:
    """Change it; every other session of the account ends, and this one begins anew."""

    def act() -> None:
        if typed("new") != typed("repeated"):
            raise AccessError(Reason.FORM_INCOMPLETE, missing="repeated")
        begin(desks().accounts.change_password(actor(), old=typed("old"), new=typed("new")))

    said = gettext("Contraseña cambiada: las demás sesiones de su cuenta terminaron.")
    return attempt(act, then=url_for("home.show"), again=_password, said=said)
