"""Frames: other people's packets, and properties that hold for all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl_sim.zk.wire import BadFrame, Deframer, Packet, pack, tcp_frame, unpack

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "zk_vectors.json").read_text("utf-8"))["vectors"]
U16 = st.integers(0, 0xFFFF)
PACKETS = st.builds(Packet, command=st.integers(1, 0xFFFF), session=U16, reply=U16, data=st.binary(max_size=300))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["what"][:40])
def test_packets_of_others_verify_and_are_packed_alike(vector: dict[str, str]) -> None:
    payload = bytes.fromhex(vector["hex"])
    assert pack(unpack(payload)) == payload


@given(PACKETS)
def test_what_is_packed_is_read_back(packet: Packet) -> None:
    assert unpack(pack(packet)) == packet
    with pytest.raises(BadFrame):
        unpack(pack(packet, spoil_checksum=True))


@given(PACKETS, st.data())
def test_one_changed_byte_is_noticed(packet: Packet, data: st.DataObject) -> None:
    payload = bytearray(pack(packet))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadFrame):
        unpack(bytes(payload))


@given(st.lists(PACKETS, min_size=1, max_size=5), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_frames_survive_any_segmentation(packets: list[Packet], cuts: list[int]) -> None:
    stream = b"".join(tcp_frame(pack(packet)) for packet in packets)
    deframer, seen, cut = Deframer(), [], 0
    while stream:
        size = cuts[cut % len(cuts)]
        seen += deframer.feed(stream[:size])
        stream, cut = stream[size:], cut + 1
    assert [unpack(payload) for payload in seen] == packets


@given(st.binary(max_size=60), PACKETS)
def test_garbage_never_raises_and_is_counted(garbage: bytes, packet: Packet) -> None:
    deframer = Deframer()
    deframer.feed(garbage)
    assert deframer.skipped_bytes <= len(garbage)


def test_garbage_without_a_frame_start_is_skipped() -> None:
    deframer = Deframer()
    assert deframer.feed(b"GET / HTTP/1.1\r\n" + tcp_frame(pack(Packet(command=1000)))) == [pack(Packet(command=1000))]
    lie = b"\x50\x50\x82\x7d\xff\xff\xff\xff"
    assert deframer.feed(lie + tcp_frame(pack(Packet(command=50)))) == [pack(Packet(command=50))]


def test_a_top_that_always_announces_eight_bytes() -> None:
    """npm zklib over TCP: the length in the top leaves the data out."""
    payload, after = pack(Packet(command=11, data=b"~SerialNumber")), tcp_frame(pack(Packet(command=50)))
    told_short = b"\x50\x50\x82\x7d\x08\0\0\0" + payload
    assert Deframer().feed(told_short) == [payload]
    assert Deframer().feed(told_short + after) == [payload, after[8:]]
