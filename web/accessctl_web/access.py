"""Who may open which page: denied unless the view says what it needs.

A view carries `@needs(permission, …)` (any of them is enough), `@signed_in` or `@public`. The guard runs before
anything of the request's body is read, so that nobody unknown can make the panel parse an upload. A route without
a mark is refused to everybody, and a test walks the URL map.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from flask_login import current_user
from werkzeug.exceptions import Forbidden, Unauthorized

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import ROLE_PERMISSIONS, Permission
from accessctl_web.settings import PanelSettings

V = TypeVar("V", bound=Callable[..., Any])

MARK = "accessctl_access"
PUBLIC: frozenset[Permission] = frozenset()
EVERYBODY = frozenset(Permission)  # whoever has signed in
LARGEST_PUBLIC_BODY = 16 * 1024


def needs(*permissions: Permission) -> Callable[[V], V]:
    """Open a view to whoever has one of `permissions`."""
    if not permissions:
        raise ValueError("a view needs at least one permission; say @signed_in or @public otherwise")

    def mark(view: V) -> V:
        setattr(view, MARK, frozenset(permissions))
        return view

    return mark


def signed_in(view: V) -> V:
    """Open a view to everybody who has signed in."""
    setattr(view, MARK, EVERYBODY)
    return view


def public(view: V) -> V:
    """Open a view to everybody. The list of these is short and stands in the test too."""
    setattr(view, MARK, PUBLIC)
    return view


def takes_upload(view: V) -> V:
    """Let a view receive a scanned document; every other body stays small."""
    setattr(view, "accessctl_upload", True)  # noqa: B010 -- functions have no such attribute for the type checker
    return view


def asked_of(view: Callable[..., Any] | None) -> frozenset[Permission] | None:
    """What a view asks for; None where it says nothing, which means that nobody may."""
    return getattr(view, MARK, None)


def _guard() -> None:
    """Before every request: known address, somebody signed in, one of the permissions. Sets the body's bounds."""
    if request.routing_exception is not None or request.endpoint is None:
        raise request.routing_exception or Forbidden
    view = current_app.view_functions[request.endpoint]
    asked = asked_of(view)
    if asked is None:
        raise Forbidden
    settings: PanelSettings = current_app.extensions["accessctl_settings"]
    if asked == PUBLIC:
        request.max_content_length = LARGEST_PUBLIC_BODY
        return
    if not current_user.is_authenticated:
        raise Unauthorized
    if asked != EVERYBODY and not any(current_user.actor.may(one) for one in asked):
        may = sorted(role.value for role, allowed in ROLE_PERMISSIONS.items() if allowed & asked)
        raise AccessError(Reason.WRONG_ROLE, "", needed=", ".join(may))
    upload = getattr(view, "accessctl_upload", False)
    request.max_content_length = settings.largest_upload if upload else settings.largest_form


def install(app: Flask) -> None:
    """Put the guard in front of every view, the one that serves static files included."""
    app.before_request(_guard)
    public(app.view_functions["static"])
