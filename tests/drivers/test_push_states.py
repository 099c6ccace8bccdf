"""`rtstate`: the vendor's example (Security PUSH 3.1.2) and every combination of bits."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from accessctl.ports import PushKind
from accessctl_drivers.push.states import parse_rtstate


def test_the_vendors_example() -> None:
    at, states = parse_rtstate("time=2017-01-10 15:42:40\tsensor=00\trelay=00\talarm=0200000000000000")
    assert at == datetime.fromisoformat("2017-01-10 15:42:40")
    assert len(states) == 8
    assert states[0].alarms == {PushKind.TAMPER}
    assert all(state.open is None and not state.unlocked for state in states)
    assert all(not state.alarms for state in states[1:])


@given(st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.booleans(), st.integers(0, 255)), min_size=4, max_size=4))
def test_bits_of_four_doors(doors: list[tuple[int, bool, int]]) -> None:
    sensors = sum(sensor << 2 * number for number, (sensor, _, _) in enumerate(doors))
    relays = sum(unlocked << number for number, (_, unlocked, _) in enumerate(doors))
    alarms = bytes(alarm for _, _, alarm in doors).hex()
    _, states = parse_rtstate(f"time=x\tsensor={sensors:02x}\trelay={relays:02x}\talarm={alarms}")
    for state, (sensor, unlocked, alarm) in zip(states, doors, strict=True):
        assert state.open is {0: None, 1: False, 2: True}[sensor]
        assert state.unlocked is unlocked
        assert (PushKind.FORCED in state.alarms) == bool(alarm & 0x01)
        assert (PushKind.HELD_OPEN in state.alarms) == bool(alarm & 0x10)
        assert (PushKind.DURESS in state.alarms) == bool(alarm & 0x0C)


@given(st.text(max_size=300))
def test_anything_else_is_no_door(line: str) -> None:
    _, states = parse_rtstate(line)
    assert len(states) <= 64
