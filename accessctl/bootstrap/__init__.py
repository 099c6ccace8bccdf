"""The composition root: the only place where settings, drivers, storage, documents and services meet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from argon2 import PasswordHasher

from accessctl import clock
from accessctl.bootstrap.disk import noting
from accessctl.bootstrap.keys import read_key
from accessctl.bootstrap.rotation import record_keys
from accessctl.bootstrap.seals import seal_of
from accessctl.documents.extract import ExtractPress
from accessctl.documents.press import Press
from accessctl.documents.printed_list import PrintedLists
from accessctl.documents.report_press import ReportPress
from accessctl.documents.visit_press import VisitPress
from accessctl.documents.workbook import Workbooks
from accessctl.domain.alarms import AlarmRules
from accessctl.domain.people import Role
from accessctl.domain.visits import VisitRules
from accessctl.services.account_desk import AccountDesk
from accessctl.services.alarm_desk import AlarmDesk
from accessctl.services.alarm_files import AlarmFiles
from accessctl.services.bulletin import Bulletin
from accessctl.services.capture_desk import CaptureDesk
from accessctl.services.delivery_desk import DeliveryDesk
from accessctl.services.enrolment_desk import EnrolmentDesk
from accessctl.services.erasure import ErasureDesk, Retention
from accessctl.services.escort_desk import EscortDesk
from accessctl.services.exports import ExportDesk
from accessctl.services.extracts import ExtractDesk
from accessctl.services.fleet import Fleet
from accessctl.services.folio_desk import FolioDesk
from accessctl.services.intake import Intake
from accessctl.services.office import Office
from accessctl.services.papers import Papers
from accessctl.services.people_desk import PeopleDesk
from accessctl.services.policy_source import PolicySource
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.refusals import Refusals
from accessctl.services.register_comparison import RegisterComparison
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.reports import Reports
from accessctl.services.request_desk import RequestDesk
from accessctl.services.request_files import RequestFiles
from accessctl.services.search_desk import SearchDesk
from accessctl.services.site_desk import SiteDesk
from accessctl.services.stock_desk import StockDesk
from accessctl.services.vault import Vault
from accessctl.services.visit_desk import VisitDesk
from accessctl.services.visit_differences import VisitDifferences
from accessctl.services.visit_files import VisitFiles
from accessctl.services.visit_papers import VisitPapers
from accessctl.services.visit_register_desk import VisitRegisterDesk
from accessctl.services.visit_watch import VisitWatch
from accessctl.services.visitor_card_desk import VisitorCardDesk
from accessctl.services.watch import Watch
from accessctl.services.zone_desk import ZoneDesk
from accessctl.settings import Settings
from accessctl.storage.copyists import copyists_for
from accessctl.storage.engine import driver_address, make_engine
from accessctl.storage.migrations import require_current
from accessctl.storage.unit_of_work import SqlStore
from accessctl_web.export_shelf import clear_shelves


@dataclass(frozen=True, kw_only=True)
class Service:
    """Everything that one installation runs on, made once for each process."""

    settings: Settings
    store: SqlStore = field(repr=False)
    office: Office
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
    refusals: Refusals
    watch: Watch
    site: SiteDesk
    record_keeper: RecordKeeper
    papers: Papers
    exports: ExportDesk
    reports: Reports
    searches: SearchDesk
    erasure: ErasureDesk
    extracts: ExtractDesk
    rules: VisitRules
    visits: VisitDesk
    visit_register: VisitRegisterDesk
    visitor_cards: VisitorCardDesk
    escort: EscortDesk
    visit_files: VisitFiles
    visit_differences: VisitDifferences
    visit_watch: VisitWatch
    zones: ZoneDesk
    visit_papers: VisitPapers
    register_comparison: RegisterComparison
    folios: FolioDesk
    policy: PolicySource
    intake: Intake
    fleet: Fleet


def visit_rules(settings: Settings) -> VisitRules:
    """What the manual leaves open about visits, as this installation decided it."""
    return VisitRules(
        pairing_time=timedelta(seconds=settings.escort_pairing_s),
        visitors_per_escort=settings.visitors_per_escort,
        longest_window=timedelta(hours=settings.visit_hours),
        grace=timedelta(minutes=settings.visit_grace_minutes),
        unverified_after=timedelta(hours=settings.visit_unverified_hours),
    )


def alarm_rules(settings: Settings) -> AlarmRules:
    """What procedure 3 leaves open, as this installation decided it."""
    return AlarmRules(
        access_area=settings.access_alarm_area,
        access_responsible=Role(settings.access_alarm_responsible),
        take_within=timedelta(minutes=settings.alarm_take_minutes),
        take_critical_within=timedelta(minutes=settings.alarm_take_critical_minutes),
    )


def build(settings: Settings, *, wait_s: float = 30.0, disk_failed: Callable[[], None] | None = None) -> Service:
    """The service for these settings; a writer waits `wait_s` for the one before it.

    `disk_failed` is what happens where the disk did not keep a commit; without it a mark is left, for a short run.

    Raises `KeysWrong` or `DatabaseNotReady` where `accessctl init` was not run.
    """
    engine = make_engine(settings.database, wait_s=wait_s)
    require_current(engine)
    store = SqlStore(engine, clock.entropy, wait_s=2 * wait_s, disk_failed=disk_failed or noting(settings))
    office = Office(store=store, clock=clock.now, new_id=clock.new_id, alarm_rules=alarm_rules(settings))
    vault = Vault(read_key(settings.keys_dir, "templates.key"))
    removals = RemovalDesk(office)
    policy = PolicySource(store, town=settings.town)
    signer, older = record_keys(settings)
    seal = seal_of(settings)
    keeper = RecordKeeper(office, signer, older=older, renewed=lambda: record_keys(settings))
    rules = visit_rules(settings)
    retention = Retention(
        people=timedelta(days=settings.keep_people_days), visitors=timedelta(days=settings.keep_visitors_days)
    )
    return Service(
        settings=settings,
        store=store,
        office=office,
        accounts=AccountDesk(office, PasswordHasher()),
        people=PeopleDesk(office),
        requests=RequestDesk(office, authorisation_lasts=timedelta(days=settings.authorisation_days)),
        files=RequestFiles(office),
        enrolment=EnrolmentDesk(office, vault, clock.entropy),
        captures=CaptureDesk(office),
        stock=StockDesk(office),
        delivery=DeliveryDesk(office),
        removals=removals,
        alarms=AlarmDesk(office),
        alarm_files=AlarmFiles(office),
        bulletin=Bulletin(office),
        refusals=Refusals(office),
        watch=Watch(office),
        site=SiteDesk(office),
        record_keeper=keeper,
        papers=Papers(office, Press(), keeper, seal),
        exports=ExportDesk(
            office,
            keeper,
            {"xlsx": Workbooks(), "pdf": PrintedLists(seal)},
            copyists_for(driver_address(settings.database)),
        ),
        rules=rules,
        visits=VisitDesk(office, rules),
        visit_register=VisitRegisterDesk(office),
        visitor_cards=VisitorCardDesk(office),
        escort=EscortDesk(office, rules),
        visit_files=VisitFiles(office),
        visit_differences=VisitDifferences(office, rules),
        visit_watch=VisitWatch(office, rules),
        zones=ZoneDesk(office),
        folios=FolioDesk(office),
        visit_papers=VisitPapers(office, VisitPress(), keeper, seal),
        register_comparison=RegisterComparison(office),
        reports=Reports(office, keeper, ReportPress(), seal),
        searches=SearchDesk(office),
        erasure=ErasureDesk(office, retention, store.scrub, partial(clear_shelves, settings.data_dir / "exports")),
        extracts=ExtractDesk(office, keeper, ExtractPress(), retention, seal),
        policy=policy,
        intake=Intake(office, policy),
        fleet=Fleet(office, vault, removals, town=settings.town),
    )
