"""The visitors' pool: a card, or a slip with a QR code, is given for one visit and must come back.

A card counts at a door for its visit alone. One that did not come back stays on a list, and never opens: its visit is
over. It goes back to the pool when it is found.
"""

from dataclasses import replace
from datetime import datetime

from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission, clean_text
from accessctl.domain.visitor_cards import VisitorCard, VisitorCardEvent, VisitorCardState
from accessctl.domain.visits import MAY_ENTER, Visit, VisitState
from accessctl.services.office import Office
from accessctl.services.stock_desk import check_number_free
from accessctl.services.store import Work
from accessctl.services.visit_work import Data, noted

SLIP_BITS = 32


class VisitorCardDesk:
    """Giving cards to visitors and taking them back."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def find(self, *, state: VisitorCardState | None = None, limit: int = 500) -> list[VisitorCard]:
        """Cards of the pool, by label."""
        with self._office.store.view() as tx:
            if state is None:
                return tx.visitor_cards.find(limit=limit)
            return tx.visitor_cards.find(state=state, limit=limit)

    def free(self) -> list[VisitorCard]:
        """What can be given."""
        return self.find(state=VisitorCardState.FREE)

    def missing(self) -> list[VisitorCard]:
        """What did not come back."""
        return self.find(state=VisitorCardState.MISSING)

    def add(self, actor: Actor, number: CardNumber, *, label: str) -> VisitorCard:
        """Take a card into the pool. Its number is live nowhere else, and never was lost or stolen (N10.3)."""
        self._office.require(actor, Permission.CARDS_MANAGE, norm="N10.2")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            number.device_number()  # what no device can hold is refused here already
            check_number_free(tx, number)
            card = VisitorCard(
                id=self._office.new_id(),
                number=number,
                label=clean_text(label, field="label", longest=40),
                state=VisitorCardState.FREE,
                since=now,
            )
            tx.visitor_cards.add(card)
            self._pool_changed(tx, actor, card, "added", now)
            tx.commit()
        return card

    def give(self, actor: Actor, visit_id: str, card_id: str) -> VisitorCard:
        """Hand a card of the pool to a visitor who signed (P4.04)."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="P4.04")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            card = tx.visitor_cards.get(card_id)
            visit = self._who_needs_one(tx, visit_id)
            given = replace(card, state=card.after(VisitorCardEvent.GIVE), visit=visit.id, since=now)
            tx.visitor_cards.save(given)
            self._given(tx, actor, visit, given, now)
            tx.commit()
        return given

    def give_slip(self, actor: Actor, visit_id: str) -> VisitorCard:
        """Where no card is free: a printed slip whose QR code bears a number of its own, for this visit only."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="P4.04")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = self._who_needs_one(tx, visit_id)
            slip = VisitorCard(
                id=self._office.new_id(),
                number=self._unused_number(tx),
                label=f"QR-{visit.number}",
                state=VisitorCardState.GIVEN,
                slip=True,
                visit=visit.id,
                since=now,
            )
            tx.visitor_cards.add(slip)
            self._given(tx, actor, visit, slip, now)
            tx.commit()
        return slip

    def take_back(self, actor: Actor, card_id: str) -> VisitorCard:
        """The visitor surrenders the card; a slip is used up. A card that was missing is back in the pool."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="P4.08")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            card = tx.visitor_cards.get(card_id)
            event = VisitorCardEvent.RETIRE if card.slip else VisitorCardEvent.TAKE_BACK
            back = replace(card, state=card.after(event), since=now)
            tx.visitor_cards.save(back)
            visit = tx.visits.get(card.visit)
            if visit.card == card.id:
                visit = replace(visit, card_back_at=now)
            key = card.number.key
            noted(tx, visit, Fact.VISIT_CARD_RETURNED, actor=actor, at=now, norm="P4.08", credential=key)
            tx.commit()
        return back

    def report_missing(self, actor: Actor, card_id: str, *, why: str) -> VisitorCard:
        """The card does not come back. The visit may close then; the card stays on the list."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="P4.08")
        now = self._office.clock()
        reason = clean_text(why, field="why", longest=500)
        with self._office.begin(actor) as tx:
            card = tx.visitor_cards.get(card_id)
            gone = replace(card, state=card.after(VisitorCardEvent.MISS), since=now)
            tx.visitor_cards.save(gone)
            data = {"why": reason, "label": card.label}
            visit = tx.visits.get(card.visit)
            key = card.number.key
            noted(tx, visit, Fact.VISIT_CARD_MISSING, actor=actor, at=now, norm="P4.08", credential=key, data=data)
            tx.commit()
        return gone

    def retire(self, actor: Actor, card_id: str) -> VisitorCard:
        """Take a card out of the pool for good. One that is given is taken back first."""
        self._office.require(actor, Permission.CARDS_MANAGE, norm="N10.2")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            card = tx.visitor_cards.get(card_id)
            if card.state is VisitorCardState.GIVEN:
                raise AccessError(Reason.CARD_NOT_IN_STOCK, "N10.2")
            retired = replace(card, state=card.after(VisitorCardEvent.RETIRE), since=now)
            tx.visitor_cards.save(retired)
            self._pool_changed(tx, actor, retired, "retired", now)
            tx.commit()
        return retired

    def _who_needs_one(self, tx: Work, visit_id: str) -> Visit:
        """A visit with its data registered and no card now; before the signature the door refuses it by name."""
        visit = tx.visits.get(visit_id)
        if visit.state not in MAY_ENTER | {VisitState.REGISTERED}:
            lacking = visit.norm(visit.lacks() or "P4.08")
            raise AccessError(Reason.VISIT_STEP_MISSING, visit.norm("P4.02"), missing_step=lacking)
        if visit.card and tx.visitor_cards.get(visit.card).state is VisitorCardState.GIVEN and not visit.card_back_at:
            raise AccessError(Reason.ALREADY_DONE, visit.norm("P4.04"))
        return visit

    def _given(self, tx: Work, actor: Actor, visit: Visit, card: VisitorCard, now: datetime) -> None:
        holding = replace(visit, card=card.id, card_given_at=now, card_back_at=None)
        data: Data = {"label": card.label, "slip": card.slip}
        key = card.number.key
        noted(tx, holding, Fact.VISIT_CARD_GIVEN, actor=actor, at=now, norm="P4.04", credential=key, data=data)

    def _unused_number(self, tx: Work) -> CardNumber:
        """A number drawn by lot that no card of ours bears, and that every device can hold."""
        for _ in range(16):
            drawn = int(self._office.new_id()[-8:], 16) % (1 << SLIP_BITS)
            number = CardNumber.from_payload(CardFormat.EM4100_32, drawn) if drawn else None
            if number is not None and not self._is_taken(tx, number):
                return number
        raise AccessError(Reason.CARD_NOT_IN_STOCK, "N10.2")

    def _is_taken(self, tx: Work, number: CardNumber) -> bool:
        try:
            check_number_free(tx, number)
        except AccessError:
            return True
        return False

    def _pool_changed(self, tx: Work, actor: Actor, card: VisitorCard, how: str, now: datetime) -> None:
        data = {"label": card.label, "how": how}
        key = card.number.key
        tx.record(Fact.VISITOR_CARD_CHANGED, at=now, actor=actor, credential=key, norm="N10.2", data=data)
