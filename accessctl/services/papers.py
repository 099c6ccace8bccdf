"""Papers of procedures 10 and 4: the receipt (P10.04), the notice (P10.06), cards owed (N10.4), the register (N4.1).

Gather, print, record: the facts are read in one moment, drawn outside any transaction, and the printing is recorded
with the SHA-256 of the paper, so that a sheet in somebody's hand can be told from one that we never printed. A receipt
says the same whenever it is printed for the same state of its request, and so does a notice once it was sent; the seal
on them is of the moment.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from accessctl.domain.errors import AccessError
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission, Person
from accessctl.domain.schedules import local
from accessctl.services.office import Office
from accessctl.services.paper_facts import (
    OutstandingFacts,
    Printer,
    RegisterBook,
    RegisterFacts,
    Sealing,
    Stamp,
    unsealed,
)
from accessctl.services.paper_reading import day_entries, notice_facts, owing_departments, receipt_facts
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.store import Work

LOOSE_BOOK = RegisterBook()


class Papers:
    """Prints, and records what was printed."""

    def __init__(self, office: Office, printer: Printer, keeper: RecordKeeper, seal: Sealing = unsealed) -> None:
        self._seal = seal
        self._office = office
        self._printer = printer
        self._keeper = keeper

    def receipt_pdf(self, actor: Actor, case_id: str) -> bytes:
        """P10.04: the form to sign on paper once P10.03 is done, the signed receipt after P10.04."""
        self._office.require(actor, Permission.REQUEST_SEE, norm="P10.04", case=case_id)
        with self._reading(actor, case_id) as tx:
            facts = receipt_facts(tx, case_id, origin=self._keeper.origin)
        return self._printed(actor, self._printer.receipt(facts), document="receipt", norm="P10.04", case=case_id)

    def notice_pdf(self, actor: Actor, case_id: str) -> bytes:
        """P10.06: the letter to the requester, once the delivery was recorded."""
        self._office.require(actor, Permission.REQUEST_SEE, norm="P10.06", case=case_id)
        with self._reading(actor, case_id) as tx:
            facts = notice_facts(
                tx, case_id, origin=self._keeper.origin, now=self._office.clock(), signs=_own_person(tx, actor)
            )
        return self._printed(actor, self._printer.notice(facts), document="notice", norm="P10.06", case=case_id)

    def outstanding_pdf(self, actor: Actor) -> bytes:
        """N10.4: cards not handed in, under the head who owes them."""
        self._office.require(actor, Permission.CARDS_SEE, norm="N10.4")
        signed = self._keeper.opened(self._keeper.checkpoint())
        now = self._office.clock()
        today = local(now).date()
        stamp = Stamp(
            number=f"N10.4-{today.isoformat()}",
            made_at=now,
            origin=self._keeper.origin,
            checkpoint=(signed.size, signed.root),
        )
        with self._reading(actor) as tx:
            facts = OutstandingFacts(stamp=stamp, as_of=today, owing=owing_departments(tx, today))
        return self._printed(actor, self._printer.outstanding(facts), document="outstanding", norm="N10.4")

    def register_pdf(self, actor: Actor, day: date, *, zone: str = "", book: RegisterBook = LOOSE_BOOK) -> bytes:
        """N4.1: the doors' events of a local day, of one zone's doors or of all; with the checkpoint that covers it."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N4.1")
        signed = self._keeper.opened(self._keeper.checkpoint())
        stamp = Stamp(
            number=f"N4.1-{day.isoformat()}" + (f"-{zone}" if zone else ""),
            made_at=self._office.clock(),
            origin=self._keeper.origin,
            checkpoint=(signed.size, signed.root),
        )
        with self._reading(actor) as tx:
            place = tx.zones.get(zone).name if zone else ""
            entries, left_out = day_entries(tx, day, zone=zone, size=signed.size)
        facts = RegisterFacts(
            stamp=stamp,
            place=place,
            day=day,
            entries=entries,
            left_out=left_out,
            book=book,
            keeper=actor.name,
        )
        pdf = self._printer.register(facts)
        return self._printed(actor, pdf, document="register", norm="N4.1", about=f"{day.isoformat()} {zone}".strip())

    @contextmanager
    def _reading(self, actor: Actor, case_id: str = "") -> Iterator[Work]:
        """One moment of the store; a refusal there is on the record like any other."""
        try:
            with self._office.store.view() as tx:
                yield tx
        except AccessError as refusal:
            self._office.refused(refusal, actor, case=case_id)
            raise

    def _printed(self, actor: Actor, pdf: bytes, *, document: str, norm: str, case: str = "", about: str = "") -> bytes:
        return record_printing(
            self._office, actor, self._seal(pdf), document=document, norm=norm, case=case, about=about
        )


def record_printing(
    office: Office, actor: Actor, pdf: bytes, *, document: str, norm: str, case: str = "", about: str = ""
) -> bytes:
    """Record that a paper was printed, with its SHA-256; returns the paper."""
    data: dict[str, str | int | bool | None] = {"document": document, "sha256": hashlib.sha256(pdf).hexdigest()}
    if about:
        data["about"] = about
    with office.begin(actor, case=case) as tx:
        tx.record(Fact.DOCUMENT_PRINTED, at=office.clock(), actor=actor, norm=norm, case=case, data=data)
        tx.commit()
    return pdf


def _own_person(tx: Work, actor: Actor) -> Person | None:
    """Who prints, where that is a person on file."""
    return tx.people.maybe(actor.person) if actor.person else None
