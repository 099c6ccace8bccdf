"""Capture sessions: a technician asks for the next card on one reader, and the number reaches that page only.

There is no "next swipe wins": a reader serves one session at a time, a card that nobody asked for is recorded as seen
and given to no one, and a session ends with its card, its cancellation or its time.
"""

from dataclasses import replace
from datetime import timedelta

from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.devices import Capture, CaptureState, DeviceHealth
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Permission
from accessctl.domain.places import Transport
from accessctl.ports import CardPresented
from accessctl.services.office import Office

WAITS = timedelta(seconds=60)
_FORMATS = {"em4100": CardFormat.EM4100}


class CaptureDesk:
    """Who waits for a card at which desk reader."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def start(self, actor: Actor, *, reader: str, case: str = "") -> Capture:
        """Wait for one card at `reader`. Refused while somebody else waits there; a new turn replaces one's own."""
        self._office.require(actor, Permission.CARDS_MANAGE, norm="P10.03")
        now = self._office.clock()
        with self._office.begin(actor, case=case) as tx:
            if case:
                tx.cases.get(case)
            device = tx.devices.get(reader)
            if device.transport is not Transport.RDM6300 or device.retired:
                raise AccessError(Reason.NOT_FOUND, "P10.03", field="reader")
            for waiting in tx.captures.find(reader=reader, state=CaptureState.WAITING):
                if waiting.expires_at > now and waiting.account != actor.account:
                    raise AccessError(Reason.CAPTURE_BUSY, "P10.03", reader=reader)
                tx.captures.save(replace(waiting, state=CaptureState.ENDED))
            capture = Capture(
                id=self._office.new_id(),
                reader=reader,
                account=actor.account,
                case=case,
                state=CaptureState.WAITING,
                started_at=now,
                expires_at=now + WAITS,
            )
            tx.captures.add(capture)
            tx.record(Fact.CAPTURE_STARTED, at=now, actor=actor, case=case, device=reader, norm="P10.03")
            tx.commit()
        return capture

    def look(self, actor: Actor, capture_id: str) -> Capture:
        """The session, for its own account only; for anybody else there is none."""
        with self._office.store.view() as tx:
            capture = tx.captures.get(capture_id)
        if capture.account != actor.account:
            raise AccessError(Reason.NOT_FOUND, "P10.03", field="capture")
        if capture.state is CaptureState.WAITING and capture.expires_at <= self._office.clock():
            return replace(capture, state=CaptureState.ENDED)
        return capture

    def cancel(self, actor: Actor, capture_id: str) -> None:
        """The technician stops waiting. What was read in the meantime stays read."""
        with self._office.begin(actor) as tx:
            capture = tx.captures.get(capture_id)
            if capture.account != actor.account:
                raise AccessError(Reason.NOT_FOUND, "P10.03", field="capture")
            if capture.state is CaptureState.WAITING:
                tx.captures.save(replace(capture, state=CaptureState.ENDED))
                tx.commit()

    def card_presented(self, reader: str, shown: CardPresented) -> Capture | None:
        """A card was held to `reader`: give its number to whoever waits there, to nobody otherwise."""
        number = CardNumber.from_bytes(_FORMATS[shown.technology], shown.raw)
        now = self._office.clock()
        with self._office.store.begin() as tx:
            waiting = tx.captures.find(reader=reader, state=CaptureState.WAITING)
            turn = next((capture for capture in waiting if capture.expires_at > now), None)
            if turn is not None:
                turn = replace(turn, state=CaptureState.READ, number=number.key)
                tx.captures.save(turn)
            tx.record(
                Fact.CARD_CAPTURED,
                at=now,
                actor=SYSTEM,
                device=reader,
                credential=number.key,
                case=turn.case if turn else "",
                norm="P10.03",
                data={"given_to": turn.account if turn else ""},
            )
            tx.commit()
        return turn

    def line_changed(self, reader: str, *, online: bool, why: str) -> None:
        """The line of a desk reader came up or broke. One that was broken already is no second time without it."""
        now = self._office.clock()
        with self._office.store.begin() as tx:
            health = tx.health.maybe(reader)
            if health is not None and not online and not health.online and health.since is not None:
                tx.health.save(replace(health, last_error=why[:300]))
                tx.commit()
                return
            after = replace(
                health or DeviceHealth(id=reader), online=online, since=now, last_seen=now, last_error=why[:300]
            )
            if health is None:
                tx.health.add(after)
            else:
                tx.health.save(after)
            fact = Fact.DEVICE_ONLINE if online else Fact.DEVICE_OFFLINE
            tx.record(fact, at=now, actor=SYSTEM, device=reader, data={"why": why[:300]})
            tx.commit()
