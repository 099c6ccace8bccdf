"""The desks that the pages stand in front of, and how a view reaches them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app, request
from flask_login import current_user

from accessctl.domain.errors import AccessError
from accessctl.domain.people import Actor
from accessctl.services.account_desk import AccountDesk
from accessctl.services.alarm_desk import AlarmDesk
from accessctl.services.capture_desk import CaptureDesk
from accessctl.services.delivery_desk import DeliveryDesk
from accessctl.services.enrolment_desk import EnrolmentDesk
from accessctl.services.exports import ExportDesk
from accessctl.services.papers import Papers
from accessctl.services.people_desk import PeopleDesk
from accessctl.services.refusals import Refusals
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.request_desk import RequestDesk
from accessctl.services.request_files import RequestFiles
from accessctl.services.stock_desk import StockDesk
from accessctl.services.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """One of each desk, as the composition root made them. `clock` tells pages the time: ages, ends of streams."""

    accounts: AccountDesk
    people: PeopleDesk
    requests: RequestDesk
    files: RequestFiles
    enrolment: EnrolmentDesk
    captures: CaptureDesk
    stock: StockDesk
    delivery: DeliveryDesk
    removals: RemovalDesk
    alarms: AlarmDesk
    watch: Watch
    papers: Papers
    exports: ExportDesk
    refusals: Refusals
    clock: Callable[[], datetime]


def desks() -> Desks:
    """The desks of the application that serves this request."""
    return cast("Desks", current_app.extensions["accessctl_desks"])


def put_on_record(refusal: AccessError) -> None:
    """A refusal that a person gets is on the record, also where no desk was asked. Nobody signed in, nobody to name."""
    if current_user.is_authenticated:
        case = (request.view_args or {}).get("case", "")
        desks().refusals.record(actor(), refusal, case=case)


def actor() -> Actor:
    """Who is asking. Only inside a view that `needs` a permission; elsewhere nobody may have signed in."""
    return cast("Actor", current_user.actor)
