"""The panel as a WSGI application, made from the settings of the environment: what the web server's worker loads."""

from flask import Flask

from accessctl.bootstrap import Service, build
from accessctl.bootstrap.disk import ending
from accessctl.bootstrap.keys import read_key
from accessctl.bootstrap.lifeline import end_with_server
from accessctl.bootstrap.logs import log_to_standard_error
from accessctl.settings import load
from accessctl_web.app import create_app
from accessctl_web.desks import Desks
from accessctl_web.settings import PanelSettings


def panel_app() -> Flask:
    """The factory that the web server calls in its worker."""
    end_with_server()
    log_to_standard_error()
    settings = load(None)
    return panel_of(build(settings, disk_failed=ending(settings)))


def panel_of(service: Service) -> Flask:
    """The panel in front of a service."""
    settings = service.settings
    desks = Desks(
        accounts=service.accounts,
        people=service.people,
        requests=service.requests,
        files=service.files,
        enrolment=service.enrolment,
        captures=service.captures,
        stock=service.stock,
        delivery=service.delivery,
        removals=service.removals,
        alarms=service.alarms,
        alarm_files=service.alarm_files,
        bulletin=service.bulletin,
        watch=service.watch,
        papers=service.papers,
        exports=service.exports,
        keeper=service.record_keeper,
        reports=service.reports,
        searches=service.searches,
        erasure=service.erasure,
        extracts=service.extracts,
        refusals=service.refusals,
        visits=service.visits,
        visit_register=service.visit_register,
        visitor_cards=service.visitor_cards,
        escort=service.escort,
        visit_files=service.visit_files,
        visit_differences=service.visit_differences,
        zones=service.zones,
        visit_papers=service.visit_papers,
        register_comparison=service.register_comparison,
        folios=service.folios,
        clock=service.office.clock,
    )
    return create_app(
        desks,
        PanelSettings(
            secret_key=read_key(settings.keys_dir, "panel.key"),
            exports=settings.data_dir / "exports",
            cookie_secure=settings.cookie_secure,
            language=settings.language,
            institution=settings.institution,
            trusted_proxies=settings.trusted_proxies,
        ),
    )
