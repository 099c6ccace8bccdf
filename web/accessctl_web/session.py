"""Who is signed in. A session is an account and its epoch; the desk is asked again at every request.

Disabling an account or changing its password raises the epoch, so an open session is over at its next request. The
cookie is signed, not secret: it holds the account's id, the epoch, when it began and the form token, nothing else.
"""

from datetime import UTC, datetime

from flask import Flask, current_app, session
from flask_login import LoginManager, UserMixin, login_user, logout_user

from accessctl.domain.accounts import Account
from accessctl.domain.people import Actor, Permission
from accessctl_web.desks import desks
from accessctl_web.settings import PanelSettings

BEGAN, LANGUAGE = "began", "language"


class SignedIn(UserMixin):  # type: ignore[misc] # Flask-Login ships no types
    """The signed-in person as Flask-Login carries them: `account:epoch` in the cookie, the actor in the request."""

    def __init__(self, key: str, actor: Actor) -> None:
        self.id = key
        self.actor = actor

    def may(self, permission: str) -> bool:
        """Whether a page or a verb is open to this person; templates ask with the permission's code."""
        return self.actor.may(Permission(permission))


def begin(account: Account) -> None:
    """Open the session of an account that has just signed in; what the visitor's session held is dropped.

    It is not `permanent`: the cookie goes with the browser, and Flask-Login binds only such sessions to their browser.
    """
    language = session.get(LANGUAGE)
    session.clear()
    if language is not None:
        session[LANGUAGE] = language
    session[BEGAN] = int(desks().clock().timestamp())
    key = f"{account.id}:{account.epoch}"
    actor = desks().accounts.who(account.id, account.epoch)
    if actor is not None:
        login_user(SignedIn(key, actor))


def end() -> None:
    """Close the session; the language stays."""
    language = session.get(LANGUAGE)
    logout_user()
    session.clear()
    if language is not None:
        session[LANGUAGE] = language


def _load(key: str) -> SignedIn | None:
    """The person behind a cookie, or None where the session is over."""
    account, _, epoch = key.partition(":")
    settings: PanelSettings = current_app.extensions["accessctl_settings"]
    began = session.get(BEGAN)
    if not isinstance(began, int) or not epoch.isdecimal() or len(epoch) > 9:
        return None
    if desks().clock() - datetime.fromtimestamp(began, UTC) > settings.session_lasts:
        return None
    actor = desks().accounts.who(account, int(epoch))
    return SignedIn(key, actor) if actor is not None else None


def install(app: Flask) -> None:
    """Make Flask-Login ask the desk; a session that moves to another address or browser ends."""
    manager = LoginManager()
    manager.session_protection = "strong"
    manager.user_loader(_load)
    manager.init_app(app)
