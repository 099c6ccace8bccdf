"""Signing in and out, and the language of the page: the only places open to somebody unknown."""

from urllib.parse import urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField

from accessctl.domain.errors import AccessError
from accessctl_web.access import public, signed_in
from accessctl_web.desks import actor, desks
from accessctl_web.language import LANGUAGES
from accessctl_web.messages import Refusal, refusal_of
from accessctl_web.session import LANGUAGE, begin, end

pages = Blueprint("sign_in", __name__)


class SignInForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Name and password; what they must be is the desk's business."""

    username = StringField()
    password = PasswordField()


def _within(target: str | None) -> str:
    """Where to go afterwards: an address of this panel, or the first page. Nothing else is followed."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return url_for("home.show")
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or any(ord(char) < 32 for char in target):
        return url_for("home.show")
    return target


def _page(form: SignInForm, refusal: Refusal | None = None) -> Response:
    status = int(refusal.status) if refusal else 200
    response = make_response(render_template("sign_in.html", form=form, refusal=refusal), status)
    if refusal and refusal.reason == "throttled":
        response.headers["Retry-After"] = "60"
    return response


@pages.get("/entrar")
@public
def show() -> Response:
    """The form, or the first page for whoever is already inside."""
    if current_user.is_authenticated:
        return redirect(url_for("home.show"), 303)
    return _page(SignInForm())


@pages.post("/entrar")
@public
def sign_in() -> Response:
    """Sign in; refusals stay on the page and the name that was typed stays with them."""
    form = SignInForm()
    try:
        account = desks().accounts.sign_in(
            form.username.data or "", form.password.data or "", source=request.remote_addr or ""
        )
    except AccessError as error:
        return _page(form, refusal_of(error))
    begin(account)
    return redirect(_within(request.args.get("next")), 303)


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
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session[LANGUAGE] = chosen
    return redirect(_within(request.form.get("back")), 303)
