"""The panel as a WSGI application: `create_app(desks, settings)` and nothing at import time.

The order of what stands in front of a view is the order in which it is installed here: bounds and permission first
(`access`), then the form token, then the view. Nothing of a body is parsed for somebody who may not send it.
"""

from flask import Flask, url_for
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from accessctl.domain.people import Role
from accessctl_web import (
    access,
    alarm_names,
    errors,
    forms,
    headers,
    language,
    messages,
    names,
    naming,
    navigation,
    report_names,
    session,
    told_words,
)
from accessctl_web.desks import Desks
from accessctl_web.export_room import ExportRoom
from accessctl_web.settings import PanelSettings
from accessctl_web.streams import Streams
from accessctl_web.views import (
    accounts,
    alarms,
    cards,
    checkpoints,
    delivery,
    doors,
    enrolment,
    exports,
    home,
    inside,
    kiosk,
    live,
    papers,
    people,
    record,
    register_comparison,
    removals,
    reports,
    requests,
    sign_in,
    visit_care,
    visit_differences,
    visit_papers,
    visitor_cards,
    visits,
)

NAMING = (
    names.named,
    names.fact_name,
    names.step_title,
    names.norm_title,
    names.field_name,
    names.finger_name,
    names.difference_name,
    names.outcome_sentence,
    messages.reason_sentence,
    forms.pairs,
)
PLACES = (
    sign_in,
    home,
    requests,
    enrolment,
    delivery,
    papers,
    visits,
    visit_care,
    visitor_cards,
    visit_differences,
    visit_papers,
    register_comparison,
    kiosk,
    inside,
    live,
    people,
    cards,
    removals,
    doors,
    alarms,
    record,
    checkpoints,
    reports,
    exports,
    accounts,
)


def create_app(desks: Desks, settings: PanelSettings) -> Flask:
    """Make the panel in front of these desks."""
    app = Flask("accessctl_web", static_folder="static", template_folder="templates")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="accessctl",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",  # Strict would sign people out who follow a link from their mail
        PERMANENT_SESSION_LIFETIME=settings.session_lasts,
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=settings.largest_upload,
        MAX_FORM_MEMORY_SIZE=settings.largest_form,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form left open over lunch is not lost
    )
    app.extensions["accessctl_desks"] = desks
    app.extensions["accessctl_settings"] = settings
    app.extensions["accessctl_streams"] = Streams(
        most=settings.event_streams,
        lasts_s=settings.stream_lasts.total_seconds(),
        beat_s=settings.heartbeat.total_seconds(),
    )
    app.extensions["accessctl_exports"] = ExportRoom()
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(institution=settings.institution, Role=Role)
    for one in NAMING:
        app.add_template_filter(one, one.__name__)
    app.add_template_global(_asset, "asset")
    app.add_template_global(forms.typed, "typed")
    app.add_template_global(forms.chosen, "chosen")
    for place in PLACES:
        app.register_blueprint(place.pages)
    navigation.install(app)
    naming.install(app)
    report_names.install(app)
    told_words.install(app)
    alarm_names.install(app)
    headers.install(app)
    language.install(app)
    session.install(app)
    access.install(app)
    CSRFProtect(app)
    errors.install(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _asset(name: str) -> str:
    """The address of a static file of ours."""
    return url_for("static", filename=name)
