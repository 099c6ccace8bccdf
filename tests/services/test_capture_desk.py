"""Capture sessions: the number reaches whoever asked for it at that reader, and nobody else."""

import pytest

from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.devices import CaptureState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Role
from accessctl.domain.places import Device, Transport
from accessctl.ports import CardPresented
from accessctl.services.capture_desk import WAITS, CaptureDesk
from accessctl.services.store import EventFilter
from tests.services.premises import Premises
from tests.services.refusing import contents, facts_since, recorded, refused
from tests.services.test_request_desk import hire

RAW = bytes.fromhex("0F0184F07A")
SHOWN = CardPresented(technology="em4100", raw=RAW)
NUMBER = CardNumber.from_bytes(CardFormat.EM4100, RAW)


@pytest.fixture
def desk(premises: Premises) -> CaptureDesk:
    with premises.store.begin() as tx:
        for name, retired in (("desk-1", False), ("desk-2", False), ("old", True)):
            tx.devices.add(
                Device(id=name, transport=Transport.RDM6300, address=f"serial:///dev/{name}", retired=retired)
            )
        tx.record(Fact.SITE_APPLIED, at=premises.now, actor=SYSTEM)
        tx.commit()
    return CaptureDesk(premises.office)


@pytest.fixture
def other(premises: Premises) -> Actor:
    return hire(premises, "Otro", Role.TECNICO_INFRA)


def test_the_number_reaches_the_one_who_asked_at_that_reader(
    premises: Premises, desk: CaptureDesk, other: Actor
) -> None:
    tecnico = premises.actors["tecnico"]
    mine, theirs = desk.start(tecnico, reader="desk-1"), desk.start(other, reader="desk-2")
    desk.card_presented("desk-1", SHOWN)
    assert desk.look(tecnico, mine.id).state is CaptureState.READ
    assert premises.stock.captured_number(tecnico, mine.id) == NUMBER
    assert desk.look(other, theirs.id).state is CaptureState.WAITING
    for actor in (other, premises.actors["jefe"]):
        with pytest.raises(AccessError, match="not_found"):
            desk.look(actor, mine.id)
        with pytest.raises(AccessError, match="not_found"):
            premises.stock.captured_number(actor, mine.id)
    with refused(premises, other, Reason.NOT_FOUND, "P10.03"):
        desk.cancel(other, mine.id)


def test_a_turn_takes_one_card_and_the_next_goes_to_nobody(premises: Premises, desk: CaptureDesk) -> None:
    tecnico = premises.actors["tecnico"]
    turn = desk.start(tecnico, reader="desk-1")
    assert desk.card_presented("desk-1", SHOWN) is not None
    assert desk.card_presented("desk-1", CardPresented(technology="em4100", raw=b"\x0f\x00\x00\x00\x09")) is None
    assert desk.look(tecnico, turn.id).number == NUMBER.key
    with premises.store.view() as tx:
        seen = tx.events.rows(EventFilter(events=(Fact.CARD_CAPTURED.value,)))
    assert [row.credential for row in seen] == ["em4100:40:0F0184F07A", "em4100:40:0F00000009"]


def test_a_reader_serves_one_technician_at_a_time(premises: Premises, desk: CaptureDesk, other: Actor) -> None:
    tecnico = premises.actors["tecnico"]
    first = desk.start(tecnico, reader="desk-1")
    with refused(premises, other, Reason.CAPTURE_BUSY, "P10.03"):
        desk.start(other, reader="desk-1")
    again = desk.start(tecnico, reader="desk-1")
    assert desk.look(tecnico, first.id).state is CaptureState.ENDED
    desk.cancel(tecnico, again.id)
    desk.start(other, reader="desk-1")


def test_a_turn_ends_with_its_time(premises: Premises, desk: CaptureDesk, other: Actor) -> None:
    tecnico = premises.actors["tecnico"]
    turn = desk.start(tecnico, reader="desk-1")
    premises.now += WAITS
    assert desk.look(tecnico, turn.id).state is CaptureState.ENDED
    assert desk.card_presented("desk-1", SHOWN) is None
    with pytest.raises(AccessError, match="capture_expired"):
        premises.stock.captured_number(tecnico, turn.id)
    desk.start(other, reader="desk-1")


def test_stopping_does_not_take_back_what_was_read(premises: Premises, desk: CaptureDesk) -> None:
    tecnico = premises.actors["tecnico"]
    turn = desk.start(tecnico, reader="desk-1")
    desk.card_presented("desk-1", SHOWN)
    desk.cancel(tecnico, turn.id)
    assert premises.stock.captured_number(tecnico, turn.id) == NUMBER


@pytest.mark.parametrize("who", ["recepcion", "secretaria", "jefe", "auditor", "guardia"])
def test_only_technicians_capture(premises: Premises, desk: CaptureDesk, who: str) -> None:
    with refused(premises, premises.actors[who], Reason.WRONG_ROLE, "P10.03"):
        desk.start(premises.actors[who], reader="desk-1")


@pytest.mark.parametrize(
    ("reader", "case", "norm"),
    [
        ("lobby", "", "P10.03"),
        ("old", "", "P10.03"),
        ("none", "", ""),
        ("x';DROP TABLE devices", "", ""),
        ("desk-1", "no-such-case", ""),
        ("desk-1", "\x00", ""),
    ],
)
def test_there_is_no_such_reader_or_case(
    premises: Premises, desk: CaptureDesk, reader: str, case: str, norm: str
) -> None:
    tecnico = premises.actors["tecnico"]
    with refused(premises, tecnico, Reason.NOT_FOUND, norm):
        desk.start(tecnico, reader=reader, case=case)


def test_a_card_of_another_length_is_misread_and_changes_nothing(premises: Premises, desk: CaptureDesk) -> None:
    desk.start(premises.actors["tecnico"], reader="desk-1")
    before, size = contents(premises.store), recorded(premises.store)
    with pytest.raises(AccessError, match="card_number_invalid"):
        desk.card_presented("desk-1", CardPresented(technology="em4100", raw=b"\x01\x02"))
    assert contents(premises.store) == before
    assert recorded(premises.store) == size


def test_a_line_that_breaks_and_comes_back_is_seen(premises: Premises, desk: CaptureDesk) -> None:
    size = recorded(premises.store)
    for online, why in ((True, ""), (False, "x" * 1000), (False, "still not there"), (True, "")):
        desk.line_changed("desk-1", online=online, why=why)
        with premises.store.view() as tx:
            health = tx.health.get("desk-1")
        assert (health.online, health.last_error) == (online, why[:300])
    up, down = Fact.DEVICE_ONLINE.value, Fact.DEVICE_OFFLINE.value
    assert facts_since(premises.store, size) == [up, down, up]
