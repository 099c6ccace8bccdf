"""The desks that the pages stand in front of, and how a view reaches them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app
from flask_login import current_user

from accessctl.domain.people import Actor
from accessctl.services.account_desk import AccountDesk
from accessctl.services.people_desk import PeopleDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """One of each desk, as the composition root made them. `clock` tells pages the time: ages, ends of streams."""

    accounts: AccountDesk
    people: PeopleDesk
    clock: Callable[[], datetime]


def desks() -> Desks:
    """The desks of the application that serves this request."""
    return cast("Desks", current_app.extensions["accessctl_desks"])


def actor() -> Actor:
    """Who is asking. Only inside a view that `needs` a permission; elsewhere nobody may have signed in."""
    return cast("Actor", current_user.actor)
