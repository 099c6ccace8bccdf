"""Counters and capacities: the answer to GET_FREE_SIZES, twenty or more i32 (pyzk 0.9 and the capture in its tests)."""

from struct import Struct

from accessctl.ports import DeviceMisbehaved, TerminalSizes

_SIZES = Struct("<20i")
_MAX = 10_000_000


def decode_sizes(data: bytes) -> TerminalSizes:
    """The counters; DeviceMisbehaved where the answer is short or a number cannot be."""
    if len(data) < _SIZES.size:
        raise DeviceMisbehaved(f"sizes answered with {len(data)} bytes instead of {_SIZES.size}")
    fields = _SIZES.unpack_from(data)
    sizes = TerminalSizes(
        users=fields[4],
        templates=fields[6],
        records=fields[8],
        template_capacity=fields[14],
        user_capacity=fields[15],
        record_capacity=fields[16],
    )
    if not all(0 <= fields[at] <= _MAX for at in (4, 6, 8, 14, 15, 16)):
        raise DeviceMisbehaved(f"impossible sizes: {sizes}")
    return sizes
