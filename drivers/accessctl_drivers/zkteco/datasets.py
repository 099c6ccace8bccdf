"""What a bulk read brings: a u32 that says how many bytes follow, and the records. A terminal may lie about either."""

from struct import Struct

from accessctl.ports import DeviceMisbehaved

TOTAL = Struct("<I")
MAX_DATASET = 64 * 1024 * 1024  # 1.3 million log records of 49 bytes; no terminal of this kind holds as many


def strip_total(dataset: bytes) -> memoryview:
    """The records without the total in front; DeviceMisbehaved where the two disagree. No bytes are no records."""
    if not dataset:
        return memoryview(b"")
    if len(dataset) < TOTAL.size:
        raise DeviceMisbehaved(f"dataset of {len(dataset)} bytes has no room for its own length")
    (total,) = TOTAL.unpack_from(dataset)
    if total != len(dataset) - TOTAL.size:
        raise DeviceMisbehaved(f"dataset says {total} bytes and brings {len(dataset) - TOTAL.size}")
    return memoryview(dataset)[TOTAL.size :]
