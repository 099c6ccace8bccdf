"""Who looks at doors and events, and opens a door from the panel: an intention that lapses."""

from collections.abc import Callable

import pytest

from accessctl.domain.devices import CommandState, DeviceHealth
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.services.store import EventFilter
from accessctl.services.watch import OPENING_LASTS, Watch
from tests.services.premises import Premises
from tests.services.refusing import facts_since, recorded, refused


@pytest.fixture
def watch(premises: Premises) -> Watch:
    with premises.store.begin() as tx:
        tx.health.add(DeviceHealth(id="lobby", online=True))
        tx.commit()
    return Watch(premises.office)


def test_a_door_is_opened_by_an_intention_that_lapses(premises: Premises, watch: Watch) -> None:
    tecnico, size = premises.actors["tecnico"], recorded(premises.store)
    command = watch.unlock(tecnico, "sub-1")
    assert (command.device, command.state, command.asked_by) == ("lobby", CommandState.WAITING, tecnico.account)
    assert command.expires_at - command.asked_at == OPENING_LASTS
    assert facts_since(premises.store, size) == [Fact.DEVICE_COMMAND_ASKED.value]


@pytest.mark.parametrize(
    ("door", "reason", "norm"),
    [
        ("cd-1", Reason.DEVICE_UNAVAILABLE, "N10.1"),
        ("nowhere", Reason.NOT_FOUND, ""),
        ("x';DROP TABLE doors", Reason.NOT_FOUND, ""),
        ("\x00", Reason.NOT_FOUND, ""),
    ],
)
def test_a_door_that_nothing_guards_or_that_is_none(
    premises: Premises, watch: Watch, door: str, reason: Reason, norm: str
) -> None:
    tecnico = premises.actors["tecnico"]
    with refused(premises, tecnico, reason, norm):
        watch.unlock(tecnico, door)


def test_a_terminal_that_is_off_is_said_so(premises: Premises, watch: Watch) -> None:
    with premises.store.begin() as tx:
        tx.health.save(DeviceHealth(id="lobby", online=False))
        tx.commit()
    with refused(premises, premises.actors["tecnico"], Reason.DEVICE_UNAVAILABLE, "N10.1"):
        watch.unlock(premises.actors["tecnico"], "sub-1")


@pytest.mark.parametrize("who", ["recepcion", "secretaria", "jefe", "auditor", "guardia"])
def test_who_may_not_move_a_device(premises: Premises, watch: Watch, who: str) -> None:
    actor = premises.actors[who]
    acts: list[Callable[[], object]] = [lambda: watch.unlock(actor, "sub-1"), lambda: watch.apply_now(actor, "lobby")]
    for act in acts:
        with refused(premises, actor, Reason.WRONG_ROLE, "N10.1"):
            act()


def test_a_device_is_compared_now_when_asked(premises: Premises, watch: Watch) -> None:
    watch.apply_now(premises.actors["tecnico"], "lobby")
    with premises.store.view() as tx:
        assert tx.health.get("lobby").wanted_at is not None
    with refused(premises, premises.actors["tecnico"], Reason.NOT_FOUND, ""):
        watch.apply_now(premises.actors["tecnico"], "nowhere")


def test_doors_and_devices_are_seen_by_who_may(premises: Premises, watch: Watch) -> None:
    doors = watch.doors(premises.actors["guardia"])
    assert [(line.door.id, line.device, line.online) for line in doors] == [
        ("cd-1", "", False),
        ("sub-1", "lobby", True),
    ]
    assert [line.device.id for line in watch.devices(premises.actors["guardia"])] == ["lobby"]
    reception = premises.actors["recepcion"]
    with refused(premises, reception, Reason.WRONG_ROLE, "N10.1"):
        watch.doors(reception)
    with refused(premises, reception, Reason.WRONG_ROLE, "N10.1"):
        watch.devices(reception)


def test_a_page_follows_the_record_and_gets_each_entry_once(premises: Premises, watch: Watch) -> None:
    guard, seen, after = premises.actors["guardia"], [], watch.size() - 1
    premises.door_events(25)
    while rows := watch.rows(guard, EventFilter(after_index=after), limit=10, newest=False):
        seen += [row.index for row in rows]
        after = rows[-1].index
    assert seen == list(range(seen[0], seen[0] + 25))
    assert len(watch.rows(guard, EventFilter(), limit=10**9)) <= 1000
    with refused(premises, premises.actors["recepcion"], Reason.WRONG_ROLE, "N10.2"):
        watch.rows(premises.actors["recepcion"], EventFilter())


def test_an_unknown_filter_finds_nothing(premises: Premises, watch: Watch) -> None:
    for text in ("x'; DROP TABLE event", "\x00", "%", "\u202e"):
        assert watch.rows(premises.actors["auditor"], EventFilter(person=text, device=text, doors=(text,))) == []
    with pytest.raises(AccessError):
        watch.rows(premises.actors["secretaria"], EventFilter())
