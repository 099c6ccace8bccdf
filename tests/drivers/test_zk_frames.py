"""Frames: the shared vectors, and whatever a stream can do to them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.ports import DeviceMisbehaved
from accessctl_drivers.zkteco.frames import MAX_PACKET, Splitter, checksum, decode, encode, with_top

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "zk_vectors.json").read_text())["vectors"]
frames = st.builds(
    encode, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=200)
)


def words_checksum(packet: bytes) -> int:
    """The checksum as the protocol's description says it, word by word."""
    padded = packet + b"\0" * (len(packet) % 2)
    total = sum(int.from_bytes(padded[at : at + 2], "little") for at in range(0, len(padded), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["what"])
def test_vectors_of_others(vector: dict[str, str]) -> None:
    packet = bytes.fromhex(vector["hex"])
    frame = decode(packet)
    assert encode(frame.command, frame.session, frame.reply, frame.data) == packet


@given(st.binary(max_size=300))
def test_checksum_is_the_description_s(data: bytes) -> None:
    packet = b"\xd0\x07\0\0\x01\0\x02\0" + data
    assert checksum(packet) == words_checksum(packet)


@given(frames, st.data())
def test_any_changed_word_is_noticed(packet: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(packet) - 1))
    changed = bytearray(packet)
    changed[at] ^= data.draw(st.integers(1, 254))
    if (packet[at] ^ changed[at]) == 0xFF or {packet[at], changed[at]} == {0, 0xFF}:
        return  # 0000 and FFFF are the same number in one's complement
    with pytest.raises(DeviceMisbehaved, match="checksum"):
        decode(bytes(changed))


@given(st.lists(frames, max_size=6), st.data())
def test_splitter_gives_every_packet_however_the_stream_is_cut(packets: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(with_top(packet) for packet in packets)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    splitter, got = Splitter(), []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        splitter.feed(stream[start:stop])
        while (packet := splitter.next_packet()) is not None:
            got.append(packet)
    assert got == packets
    assert splitter.waiting == 0


@given(st.binary(min_size=1, max_size=400))
def test_hostile_streams_end_in_misbehaved_or_wait(stream: bytes) -> None:
    splitter = Splitter()
    splitter.feed(stream)
    try:
        while (packet := splitter.next_packet()) is not None:
            decode(packet)
    except DeviceMisbehaved:
        pass


@pytest.mark.parametrize("length", [0, 7, MAX_PACKET + 1, 2**32 - 1])
def test_announced_lengths_are_bounded(length: int) -> None:
    splitter = Splitter()
    splitter.feed(b"\x50\x50\x82\x7d" + length.to_bytes(4, "little"))
    with pytest.raises(DeviceMisbehaved, match="announced"):
        splitter.next_packet()


def test_wrong_magic_is_noticed_at_its_first_byte() -> None:
    splitter = Splitter()
    splitter.feed(b"\x50\x51")
    with pytest.raises(DeviceMisbehaved, match="out of step"):
        splitter.next_packet()
