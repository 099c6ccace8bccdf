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
from accessctl.services.alarm_files import AlarmFiles
from accessctl.services.bulletin import Bulletin
from accessctl.services.capture_desk import CaptureDesk
from accessctl.services.delivery_desk import DeliveryDesk
from accessctl.services.enrolment_desk import EnrolmentDesk
from accessctl.services.erasure import ErasureDesk
from accessctl.services.escort_desk import EscortDesk
from accessctl.services.exports import ExportDesk
from accessctl.services.extracts import ExtractDesk
from accessctl.services.folio_desk import FolioDesk
from accessctl.services.papers import Papers
from accessctl.services.people_desk import PeopleDesk
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.refusals import Refusals
from accessctl.services.register_comparison import RegisterComparison
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.reports import Reports
from accessctl.services.request_desk import RequestDesk
from accessctl.services.request_files import RequestFiles
from accessctl.services.search_desk import SearchDesk
from accessctl.services.stock_desk import StockDesk
from accessctl.services.visit_desk import VisitDesk
from accessctl.services.visit_differences import VisitDifferences
from accessctl.services.visit_files import VisitFiles
from accessctl.services.visit_papers import VisitPapers
from accessctl.services.visit_register_desk import VisitRegisterDesk
from accessctl.services.visitor_card_desk import VisitorCardDesk
from accessctl.services.watch import Watch
from accessctl.services.zone_desk import ZoneDesk


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
    alarm_files: AlarmFiles
    bulletin: Bulletin
    watch: Watch
    papers: Papers
    exports: ExportDesk
    keeper: RecordKeeper
    reports: Reports
    searches: SearchDesk
    erasure: ErasureDesk
    extracts: ExtractDesk
    refusals: Refusals
    visits: VisitDesk
    visit_register: VisitRegisterDesk
    visitor_cards: VisitorCardDesk
    escort: EscortDesk
    visit_files: VisitFiles
    visit_differences: VisitDifferences
    zones: ZoneDesk
    visit_papers: VisitPapers
    register_comparison: RegisterComparison
    folios: FolioDesk
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
