"""The cards themselves: taken into stock, suspended, lost, stolen, damaged, handed in, destroyed.

A number is never live on two cards, and one that was lost or stolen never lives again (N10.3, N10.4).
"""

from dataclasses import replace

from accessctl.domain.card_numbers import CardFormat, CardNumber, parse_typed
from accessctl.domain.cards import LIVE, NEVER_AGAIN, OPENS, OUTSTANDING, Card, CardEvent, CardState
from accessctl.domain.devices import CaptureState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission, clean_text
from accessctl.services.office import Office
from accessctl.services.store import Work
from accessctl.services.uploads import Upload, kept
from accessctl.services.wanted import devices_wanted

_FACTS = {
    CardEvent.SUSPEND: Fact.CARD_SUSPENDED,
    CardEvent.RESUME: Fact.CARD_RESUMED,
    CardEvent.REPORT_LOST: Fact.CARD_LOST,
    CardEvent.REPORT_STOLEN: Fact.CARD_STOLEN,
    CardEvent.REPORT_DAMAGED: Fact.CARD_DAMAGED,
    CardEvent.TAKE_BACK: Fact.CARD_RETURNED,
    CardEvent.DESTROY: Fact.CARD_DESTROYED,
}
NEEDS_ACT = frozenset({CardEvent.REPORT_LOST, CardEvent.REPORT_STOLEN, CardEvent.DESTROY})


class StockDesk:
    """Cards in stock and what becomes of them."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def add_typed(
        self,
        actor: Actor,
        *,
        typed: str,
        cross_check: str = "",
        card_format: CardFormat = CardFormat.EM4100,
        label: str = "",
    ) -> Card:
        """Take a card into stock by its printed number, cross-checked where the card bears two."""
        return self.add(actor, parse_typed(typed, cross_check=cross_check, format=card_format), label=label)

    def add_captured(self, actor: Actor, *, capture: str, label: str = "") -> Card:
        """Take the card that was just held to the reader into stock."""
        return self.add(actor, self.captured_number(actor, capture), label=label)

    def captured_number(self, actor: Actor, capture: str) -> CardNumber:
        """The number that one's own capture session read."""
        with self._office.store.view() as tx:
            session = tx.captures.get(capture)
        if session.account != actor.account:
            raise AccessError(Reason.NOT_FOUND, "P10.03", field="capture")
        if session.state is not CaptureState.READ:
            raise AccessError(Reason.CAPTURE_EXPIRED, "P10.03")
        return CardNumber.from_key(session.number)

    def add(self, actor: Actor, number: CardNumber, *, label: str = "") -> Card:
        """Take a card into stock. Refused while the number lives elsewhere, and for ever once lost or stolen."""
        self._office.require(actor, Permission.CARDS_MANAGE, norm="P10.03")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            check_number_free(tx, number)  # and what no terminal can hold is refused here already, never cut
            card = Card(
                id=self._office.new_id(),
                number=number,
                state=CardState.IN_STOCK,
                label=clean_text(label, field="label", longest=40, empty=True),
                since=now,
            )
            tx.cards.add(card)
            tx.record(Fact.CARD_STOCKED, at=now, actor=actor, credential=number.key, norm="P10.03")
            tx.commit()
        return card

    def find(self, *, state: CardState | None = None, limit: int = 500) -> list[Card]:
        """Cards, the newest first."""
        with self._office.store.view() as tx:
            return tx.cards.find(limit=limit, newest=True) if state is None else tx.cards.find(state=state, limit=limit)

    def get(self, card_id: str) -> Card:
        """One card. Raises `AccessError(NOT_FOUND)`."""
        with self._office.store.view() as tx:
            return tx.cards.get(card_id)

    def outstanding(self) -> list[Card]:
        """Cards that are no longer valid and were not handed in (N10.4)."""
        with self._office.store.view() as tx:
            return tx.cards.outstanding()

    def happen(self, actor: Actor, card_id: str, event: CardEvent, *, why: str, act: Upload | None = None) -> Card:
        """Something happened to a card: suspended, lost (with its act), handed in, destroyed …

        What a card opened it opens no more the moment this is recorded; the devices follow at once.
        """
        self._office.require(actor, Permission.CARDS_MANAGE, norm="N10.4")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            card = tx.cards.get(card_id)
            if event not in _FACTS:  # enrolled, delivered, revoked: that is done through a request, never here
                raise AccessError(Reason.CARD_TRANSITION, "P10.03", event=event.value, state=card.state.value)
            if event in NEEDS_ACT and act is None:
                raise AccessError(Reason.FORM_INCOMPLETE, "N10.4", missing="act")
            reason = clean_text(why, field="why", longest=500)
            after = replace(card, state=card.after(event, norm="N10.4"), since=now)
            if card.state not in LIVE and tx.cards.by_family(card.number.family_key, states=LIVE):
                raise AccessError(Reason.CARD_ALREADY_LIVE, "N10.3")  # the card itself is out again, in a later life
            if after.state in OUTSTANDING and card.holder and not card.owed_by:
                after = replace(after, owed_by=tx.people.get(card.holder).department)
            tx.cards.save(after)
            data: dict[str, str | int | bool | None] = {"why": reason}
            if act is not None:
                attachment = kept(
                    act,
                    attachment_id=self._office.new_id(),
                    case=card.case or "",
                    kind="act",
                    added_by=actor.account,
                    at=now,
                )
                tx.attachments.add(attachment)
                data["act_sha256"] = attachment.sha256
            holder = card.holder or ""
            key = card.number.key
            tx.record(_FACTS[event], at=now, actor=actor, person=holder, credential=key, norm="N10.4", data=data)
            if card.state in OPENS or after.state in OPENS:
                devices_wanted(tx, now, person=holder)
            tx.commit()
        return after


def check_number_free(tx: Work, number: CardNumber) -> None:
    """Refuse a number that lives on another card, is still owed, is a visitors' card, or was lost, stolen or destroyed.

    Cards of other formats that a terminal takes for the same one count too.
    """
    for family in sorted(number.look_alikes()):
        if tx.cards.by_family(family, states=LIVE) or tx.visitor_cards.in_pool(family) is not None:
            raise AccessError(Reason.CARD_ALREADY_LIVE, "N10.3")
        if tx.cards.by_family(family, states=NEVER_AGAIN):
            raise AccessError(Reason.CARD_NEVER_AGAIN, "N10.4")
        if tx.cards.by_family(family, states=OUTSTANDING):
            raise AccessError(Reason.CARD_ALREADY_LIVE, "N10.4")
