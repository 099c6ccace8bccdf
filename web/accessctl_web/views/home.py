"""The first page: what waits for whoever signed in, and what needs somebody's eye."""

from flask import Blueprint, render_template

from accessctl.domain.people import Permission
from accessctl.services.bulletin import Topic
from accessctl_web.access import signed_in
from accessctl_web.desks import actor, desks
from accessctl_web.navigation import follow
from accessctl_web.visit_page import WITHIN

pages = Blueprint("home", __name__)


@pages.get("/")
@signed_in
def show() -> str:
    """What waits for me."""
    me = actor()
    if me.may(Permission.ALARMS_SEE):
        follow(Topic.ALARMS)
    waiting = desks().files.waiting_for(me) if me.may(Permission.REQUEST_SEE) else []
    devices = desks().watch.devices(me) if me.may(Permission.DOORS_SEE) else []
    silent = [line for line in devices if not line.health.online]
    visits = desks().visit_files.today(me) if me.may(Permission.VISIT_SEE) else []
    inside = [line for line in visits if line.visit.state in WITHIN]
    irregular = [line for line in visits if line.visit.awaits_regularisation]
    return render_template(
        "home.html",
        waiting=waiting,
        inside=inside,
        irregular=irregular,
        alarms=desks().alarm_files.waiting(me),
        silent=silent,
    )
