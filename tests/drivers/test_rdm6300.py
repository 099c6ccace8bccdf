"""The desk reader's line: frames however they arrive, noise, and one presence per presence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl_drivers.desk_readers.presence import PresenceFilter
from accessctl_drivers.desk_readers.rdm6300 import BadFrame, CardFrame, Decoder, encode

cards = st.binary(min_size=5, max_size=5)


@pytest.mark.parametrize(
    ("card", "frame"),
    [
        ("0801161DD6", "0230383031313631444436443403"),
        ("0A00123456", "0230413030313233343536374103"),
        ("0F0184F07A", "0230463031383446303741303003"),
        ("0600000001", "0230363030303030303031303703"),
    ],
)
def test_published_frames(card: str, frame: str) -> None:
    """Computed with the XOR rule of arduino12/rdm6300 and of ESPHome."""
    assert encode(bytes.fromhex(card)).hex() == frame
    assert Decoder().feed(bytes.fromhex(frame)) == [CardFrame(raw=bytes.fromhex(card))]
    assert Decoder().feed(bytes.fromhex(frame).lower()) == [CardFrame(raw=bytes.fromhex(card))]


def test_sum_instead_of_xor_is_wrong() -> None:
    assert Decoder().feed(b"\x022E00AF0EC9B4\x03") == [BadFrame(why="checksum")]
    assert Decoder().feed(b"\x022E00AF0EC946\x03") == [CardFrame(raw=bytes.fromhex("2E00AF0EC9"))]


@given(st.lists(st.tuples(cards, st.booleans()), max_size=6), st.data())
def test_any_cut_gives_the_same_cards(sent: list[tuple[bytes, bool]], data: st.DataObject) -> None:
    stream = b"".join(encode(card, long=long) for card, long in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    decoder, got = Decoder(), []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += decoder.feed(stream[start:stop])
    assert got == [CardFrame(raw=card) for card, _ in sent]


@given(st.binary(max_size=60).filter(lambda noise: b"\x02" not in noise), cards, cards)
def test_noise_costs_nothing_but_itself(noise: bytes, first: bytes, second: bytes) -> None:
    got = Decoder().feed(noise + encode(first) + noise + encode(second, long=True))
    assert got == [CardFrame(raw=first), CardFrame(raw=second)]


@given(st.binary(max_size=200), cards)
def test_resynchronises_after_anything(noise: bytes, card: bytes) -> None:
    decoder = Decoder()
    decoder.feed(noise)
    last = decoder.feed(encode(card) + encode(card))
    assert CardFrame(raw=card) in last


@given(cards, st.integers(0, 13))
def test_lost_byte_costs_one_frame(card: bytes, lost: int) -> None:
    frame = encode(card)
    got = Decoder().feed(frame[:lost] + frame[lost + 1 :] + encode(card))
    assert got[-1] == CardFrame(raw=card)


class TestPresence:
    A, B = b"aaaaa", b"bbbbb"

    def test_repeats_are_one_presence(self) -> None:
        presence = PresenceFilter()
        assert [presence.begins(self.A, at * 0.065) for at in range(20)] == [True] + [False] * 19
        assert not presence.begins(self.A, 19 * 0.065 + 0.29)
        assert presence.begins(self.A, 19 * 0.065 + 0.29 + 0.301)

    def test_another_card_is_another_presence(self) -> None:
        presence = PresenceFilter()
        assert [presence.begins(card, 0.0) for card in (self.A, self.B, self.A)] == [True, True, True]

    def test_broken_frames_do_not_end_a_presence(self) -> None:
        presence = PresenceFilter()
        presence.begins(self.A, 0.0)
        for at in range(1, 10):
            presence.noise(at * 0.1)
        assert not presence.begins(self.A, 1.0)

    def test_noise_after_the_card_left_keeps_nothing_alive(self) -> None:
        presence = PresenceFilter()
        presence.begins(self.A, 0.0)
        presence.noise(5.0)
        assert presence.begins(self.A, 5.1)
