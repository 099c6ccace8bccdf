"""What doors, zones, schedules and accounts are called, for pages whose desks answer with identifiers.

Asked once a request and kept for its length. Somebody who may not see doors reads their identifiers.
"""

from flask import Flask, g
from flask_babel import gettext

from accessctl.domain.people import SYSTEM, Permission
from accessctl.services.request_files import DoorLine
from accessctl_web.desks import actor, desks


def _lines() -> list[DoorLine]:
    if "door_lines" not in g:
        g.door_lines = desks().watch.doors(actor()) if actor().may(Permission.DOORS_SEE) else []
    found: list[DoorLine] = g.door_lines
    return found


def door_name(door: str) -> str:
    """The name of a door; one that is out of service is shown by its identifier."""
    return next((line.door.name for line in _lines() if line.door.id == door), door)


def zone_name(zone: str) -> str:
    """The name of a zone."""
    return next((line.zone.name for line in _lines() if line.zone.id == zone), zone)


def schedule_name(schedule: str) -> str:
    """The name of a schedule, for whoever may see requests."""
    if "schedule_names" not in g:
        may = actor().may(Permission.REQUEST_SEE)
        g.schedule_names = {one.id: one.name for one in desks().files.choices(actor()).schedules} if may else {}
    return str(g.schedule_names.get(schedule, schedule))


def person_name(person: str) -> str:
    """The full name of a person on file."""
    names: dict[str, str] = g.setdefault("person_names", {})
    if person and person not in names:
        names[person] = desks().people.get(person).full_name
    return names.get(person, "")


def account_name(account: str) -> str:
    """The full name of whoever stands behind an account."""
    if "account_people" not in g:
        g.account_people = {one.id: one.person for one in desks().accounts.accounts()}
    if account == SYSTEM.account:
        return str(gettext("el sistema"))
    person = g.account_people.get(account)
    return person_name(person) if person else account


def install(app: Flask) -> None:
    """The filters that templates use."""
    for one in (door_name, zone_name, schedule_name, person_name, account_name):
        app.add_template_filter(one, one.__name__)
