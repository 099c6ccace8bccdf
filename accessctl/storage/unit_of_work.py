"""The unit of work: one transaction with its shelves and its part of the record.

    with store.begin() as tx:
        …
        tx.commit()

One writer at a time in both databases; readers see one moment and make nobody wait. Threads of one process queue at a
lock of ours, which is fair and wakes at once; processes queue at the database. Leaving without `commit()`, by an
exception or not, rolls back.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from accessctl.domain.accounts import Account, SignInTry
from accessctl.domain.devices import Capture, Command, DeviceHealth, HeldUser
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import Presence, ZoneState
from accessctl.domain.people import Actor
from accessctl.domain.places import Device, Door, Zone
from accessctl.domain.requests import (
    AccessGrant,
    Attachment,
    Removal,
    RemovalTarget,
    Signature,
    StoredTemplate,
)
from accessctl.domain.schedules import Holiday, WeeklySchedule
from accessctl.domain.searches import SavedSearch
from accessctl.ports import DiskFailed
from accessctl.services.store import (
    Alarms,
    Cards,
    Cases,
    Events,
    Ledger,
    NothingRecorded,
    People,
    Requests,
    Shelf,
    VisitorCards,
    Visits,
)
from accessctl.storage import kinds
from accessctl.storage.engine import begin_reading, begin_writing
from accessctl.storage.entries import Data, Fields
from accessctl.storage.events import SqlEvents
from accessctl.storage.journal import Entropy, Journal
from accessctl.storage.ledger import SqlLedger
from accessctl.storage.record_store import RecordAppender
from accessctl.storage.shelf import SqlShelf
from accessctl.storage.shelves import (
    AlarmShelf,
    CardShelf,
    CaseShelf,
    PeopleShelf,
    RequestShelf,
    VisitorCardShelf,
    VisitShelf,
)
from accessctl.storage.transaction import Transaction, sync_failed

SCRUBBED = (
    *("people", "visits", "requests", "removals", "attachments", "signatures", "alarms", "accounts", "templates"),
    *("opening", "opening_subject", "saved_searches", "sign_in_tries"),
)


class Writer:
    """Whose turn it is to write in this process, and the end of the record as the last writer left it."""

    def __init__(self, wait_s: float, told: Callable[[], None] | None) -> None:
        self.appender = RecordAppender()
        self._told = told
        self._unsound = False
        self._turn = threading.Lock()
        self._owner: int | None = None
        self._wait_s = wait_s

    def begin(self, engine: Engine) -> Connection:
        """Wait for the turn and begin. Raises `TimeoutError` where the writer before this one took too long.

        A thread that writes already would wait for itself: that is a bug, and raises `RuntimeError` at once. After a
        failed sync nobody writes any more: `DiskFailed`.
        """
        if self._owner == threading.get_ident():
            raise RuntimeError("a unit of work that writes was begun inside another one")
        if not self._turn.acquire(timeout=self._wait_s):
            raise TimeoutError(f"another writer held the store for {self._wait_s} s")
        if self._unsound:
            self._turn.release()
            raise DiskFailed("the disk did not keep what was written before")
        try:
            connection = begin_writing(engine)
        except BaseException:
            self._turn.release()
            raise
        self._owner = threading.get_ident()
        return connection

    def disk_failed(self) -> None:
        """What was written may be gone, and a later sync would not say so (see `accessctl.services.disk_failure`)."""
        self._unsound = True
        if self._told is not None:
            self._told()

    def release(self) -> None:
        """Let the next one write."""
        self._owner = None
        self._turn.release()


class SqlWork:
    """One unit of work (see `accessctl.services.store.Work`). Entered once; used by the thread that entered it."""

    def __init__(self, engine: Engine, entropy: Entropy, *, writer: Writer | None) -> None:
        self._engine = engine
        self._entropy = entropy
        self._writer = writer  # None: a view

    def __enter__(self) -> Self:
        """Begin. Raises `TimeoutError` where the writers before this one took too long."""
        if self._writer is None:
            connection, appender = begin_reading(self._engine), RecordAppender()
        else:
            connection, appender = self._writer.begin(self._engine), self._writer.appender
        self._transaction = transaction = Transaction(connection, writable=self._writer is not None)
        self._journal = Journal(transaction, appender, self._entropy)
        self.people: People = PeopleShelf(transaction)
        self.cards: Cards = CardShelf(transaction)
        self.cases: Cases = CaseShelf(transaction)
        self.requests: Requests = RequestShelf(transaction)
        self.accounts: Shelf[Account] = SqlShelf(transaction, kinds.ACCOUNT)
        self.sign_in_tries: Shelf[SignInTry] = SqlShelf(transaction, kinds.SIGN_IN_TRY)
        self.grants: Shelf[AccessGrant] = SqlShelf(transaction, kinds.GRANT)
        self.removals: Shelf[Removal] = SqlShelf(transaction, kinds.REMOVAL)
        self.removal_targets: Shelf[RemovalTarget] = SqlShelf(transaction, kinds.REMOVAL_TARGET)
        self.attachments: Shelf[Attachment] = SqlShelf(transaction, kinds.ATTACHMENT)
        self.signatures: Shelf[Signature] = SqlShelf(transaction, kinds.SIGNATURE)
        self.templates: Shelf[StoredTemplate] = SqlShelf(transaction, kinds.TEMPLATE)
        self.zones: Shelf[Zone] = SqlShelf(transaction, kinds.ZONE)
        self.doors: Shelf[Door] = SqlShelf(transaction, kinds.DOOR)
        self.devices: Shelf[Device] = SqlShelf(transaction, kinds.DEVICE)
        self.schedules: Shelf[WeeklySchedule] = SqlShelf(transaction, kinds.SCHEDULE)
        self.holidays: Shelf[Holiday] = SqlShelf(transaction, kinds.HOLIDAY)
        self.health: Shelf[DeviceHealth] = SqlShelf(transaction, kinds.HEALTH)
        self.held_users: Shelf[HeldUser] = SqlShelf(transaction, kinds.HELD_USER)
        self.commands: Shelf[Command] = SqlShelf(transaction, kinds.COMMAND)
        self.captures: Shelf[Capture] = SqlShelf(transaction, kinds.CAPTURE)
        self.alarms: Alarms = AlarmShelf(transaction)
        self.visits: Visits = VisitShelf(transaction)
        self.visitor_cards: VisitorCards = VisitorCardShelf(transaction)
        self.presence: Shelf[Presence] = SqlShelf(transaction, kinds.PRESENCE)
        self.zone_states: Shelf[ZoneState] = SqlShelf(transaction, kinds.ZONE_STATE)
        self.saved_searches: Shelf[SavedSearch] = SqlShelf(transaction, kinds.SAVED_SEARCH)
        self.events: Events = SqlEvents(transaction, self._journal)
        self.ledger: Ledger = SqlLedger(transaction)
        return self

    def __exit__(self, *exc: object) -> None:
        """What was not committed is undone."""
        try:
            self._transaction.connection.close()  # rolls back what is not committed
        finally:
            if self._writer is not None:
                self._writer.release()

    def record(
        self,
        fact: Fact,
        *,
        at: datetime,
        actor: Actor,
        norm: str = "",
        reason: str = "",
        case: str = "",
        person: str = "",
        credential: str = "",
        device: str = "",
        door: str = "",
        zone: str = "",
        direction: str = "",
        visit: str = "",
        data: Data | None = None,
        personal: Mapping[str, str] | None = None,
    ) -> None:
        """Queue one entry; it is appended by the commit. Raises `ValueError` for a naive `at`."""
        self._journal.queue(
            Fields(
                event=fact.value,
                at=at,
                received_at=at,
                actor=actor.account,
                norm=norm,
                reason=reason,
                case=case,
                person=person,
                credential=credential,
                device=device,
                door=door,
                zone=zone,
                direction=direction,
                visit=visit,
                data=data,
                personal=personal,
            )
        )

    def commit(self) -> None:
        """Append what was recorded and end the transaction. Raises `NothingRecorded`, `DiskFailed`."""
        self._journal.flush()
        if self._transaction.changed and not self._journal.appended:
            raise NothingRecorded("a unit of work changed something and recorded no fact")
        try:
            self._transaction.finish()
        except DBAPIError as error:
            if self._writer is None or not sync_failed(error):
                raise
            self._writer.disk_failed()
            raise DiskFailed("the disk did not keep what was written") from error


class SqlStore:
    """Where units of work come from (see `accessctl.services.store.Store`). Shared by threads; not by a fork."""

    def __init__(
        self,
        engine: Engine,
        entropy: Entropy,
        *,
        wait_s: float = 60.0,
        disk_failed: Callable[[], None] | None = None,
    ) -> None:
        """`disk_failed` is called, by the thread that wrote, when the disk did not keep a commit; then none follows."""
        self.engine = engine
        self._entropy = entropy
        self._writer = Writer(wait_s, disk_failed)

    def begin(self) -> SqlWork:
        """A unit of work that writes."""
        return SqlWork(self.engine, self._entropy, writer=self._writer)

    def view(self) -> SqlWork:
        """A unit of work that only reads."""
        return SqlWork(self.engine, self._entropy, writer=None)

    def scrub(self) -> None:
        """After an erasure: fold the log into the database, or vacuum it, so that no old page keeps what is gone.

        While somebody reads an old moment, SQLite leaves a part of the log; the next scrub, or the last connection to
        close, takes it.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self.engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                for table in SCRUBBED:
                    connection.exec_driver_sql(f"VACUUM {table}")

    def close(self) -> None:
        """Give the connections back; the store may be used again."""
        self.engine.dispose()
