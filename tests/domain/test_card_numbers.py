"""Card numbers: prints, keys, device numbers and what is typed at the desk.

Vectors: Proxmark3 `wiegand_formats.c`, `pm3_tests.sh` and `cmdlfem410x.c`; Nitgen eNCard-i manual (EM4100 0801161DD6,
UID 529D06E3); RDM6300 captures (0F0184F07A, 2E00AF0EC9).
"""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.card_numbers import BITS, WIEGAND, CardFormat, CardNumber, parse_typed, same_card
from accessctl.domain.errors import AccessError, Reason

F = CardFormat


def em(hexadecimal: str) -> CardNumber:
    return CardNumber.from_bytes(F.EM4100, bytes.fromhex(hexadecimal))


def refused(text: str, *, cross_check: str = "", card_format: CardFormat = F.EM4100) -> AccessError:
    with pytest.raises(AccessError) as caught:
        parse_typed(text, cross_check=cross_check, format=card_format)
    assert caught.value.norm == "P10.03"
    return caught.value


@pytest.mark.parametrize(
    ("card_format", "facility", "number", "message", "osdp_left_justified"),
    [
        (F.H10301, 118, 1603, 0x2EC0C86, "bb032180"),
        (F.H10301, 123, 4567, 0x2F623AE, "bd88eb80"),
        (F.H10301, 133, 31509, 0x10AF62B, "42bd8ac0"),
        (F.H10306, 123, 4567, 0xF623AF, "003d88ebc0"),
        (F.H10302, 0, 4567, 0x23AF, "0000011d78"),
        (F.H10302, 0, 34359738367, 0xFFFFFFFFF, "7ffffffff8"),
        (F.H10304, 123, 4567, 0x7B023AF, "003d811d78"),
        (F.C1K35S, 123, 4567, 0x60F6023AF, "c1ec0475e0"),
        (F.C1K35S, 2011, 300123, 0xFB6928B7, "1f6d2516e0"),
    ],
)
def test_wiegand_vectors(
    card_format: CardFormat, facility: int, number: int, message: int, osdp_left_justified: str
) -> None:
    card = CardNumber.from_wiegand(card_format, facility=facility, number=number)
    assert int.from_bytes(card.raw) == message
    assert card.facility_and_number == (facility, number)
    wire = bytes.fromhex(osdp_left_justified)
    assert int.from_bytes(wire) >> (len(wire) * 8 - card.bits) == message


def test_wrong_parity_is_a_misread_card() -> None:
    wrong = int.from_bytes(bytes.fromhex("42bd8a80")) >> 6  # 133/31509 with its last parity bit cleared
    with pytest.raises(AccessError) as caught:
        CardNumber.from_bytes(F.H10301, wrong.to_bytes(4))
    assert caught.value.reason is Reason.CARD_NUMBER_INVALID


@given(st.sampled_from(sorted(WIEGAND)), st.data())
def test_wiegand_round_trip_and_every_single_flipped_bit_is_seen(card_format: CardFormat, data: st.DataObject) -> None:
    layout = WIEGAND[card_format]
    payload = data.draw(st.integers(0, (1 << layout.payload_bits) - 1))
    card = CardNumber.from_payload(card_format, payload)
    assert card.payload == payload
    assert (
        CardNumber.from_wiegand(card_format, facility=card.facility_and_number[0], number=card.facility_and_number[1])
        == card
    )
    flipped = int.from_bytes(card.raw) ^ (1 << data.draw(st.integers(0, layout.bits - 1)))
    with pytest.raises(AccessError):
        CardNumber.from_bytes(card_format, flipped.to_bytes(len(card.raw)))


@given(st.sampled_from(sorted(BITS)), st.data())
def test_keys_round_trip_and_tell_cards_apart(card_format: CardFormat, data: st.DataObject) -> None:
    layout = WIEGAND.get(card_format)
    payloads = st.integers(0, (1 << (layout.payload_bits if layout else BITS[card_format])) - 1)
    one, other = data.draw(payloads), data.draw(payloads)
    card = CardNumber.from_payload(card_format, one)
    assert CardNumber.from_key(card.key) == card
    assert (card.key == CardNumber.from_payload(card_format, other).key) is (one == other)


def test_key_text() -> None:
    assert em("0F0184F07A").key == "em4100:40:0F0184F07A"
    assert em("0F0184F07A").family_key == "em:0184F07A"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "em4100:40:0F0184F07a",
        "em4100:32:0184F07A",
        "em4100:40:0F0184F0",
        "em4100:40:0F0184F07A ",
        "em4100:40:0F0184F07A\n",
        "em4100:٤٠:0F0184F07A",
        "nosuch:40:0F0184F07A",
        "h10301:26:02EC0C87",
        "em4100:40:" + "0" * 10_000,
    ],
)
def test_keys_that_are_not_canonical_are_refused(key: str) -> None:
    with pytest.raises(AccessError):
        CardNumber.from_key(key)


@pytest.mark.parametrize(
    ("tag", "prints"),
    [
        (
            "0801161DD6",
            ["0018226646", "01449430", "022,07638", "00278.07638", "008.07638", "001.07638", "00034377965014"],
        ),
        (
            "0A00123456",
            ["0001193046", "01193046", "018,13398", "00018.13398", "010.13398", "000.13398", "00042950866006"],
        ),
        (
            "2E00AF0EC9",
            ["0011472585", "11472585", "175,03785", "00175.03785", "046.03785", "000.03785", "00197579968201"],
        ),
    ],
)
def test_em4100_prints(tag: str, prints: list[str]) -> None:
    forms = em(tag).printed()
    assert [forms[name] for name in ("10D", "8D", "3,5D", "5.5D", "3.5A", "3.5B", "13-14D")] == prints
    known = CardNumber.from_payload(F.EM4100_32, int(prints[0])).printed()
    assert known == {name: forms[name] for name in ("10D", "8D", "3,5D", "5.5D", "3.5B")}


@pytest.mark.parametrize(
    ("uid", "big", "little"), [("529D06E3", 1386022627, 3808861522), ("66CF4DC2", 1724861890, 3259879270)]
)
def test_uid_in_both_orders(uid: str, big: int, little: int) -> None:
    card = CardNumber.from_bytes(F.CSN4, bytes.fromhex(uid))
    assert (card.printed()["BE"], card.printed()["LE"]) == (str(big), str(little))
    assert (card.device_number(), card.device_number(order="little")) == (big, little)
    assert parse_typed(card.printed()["HEX"], cross_check=str(little), format=F.CSN4) == card


def test_device_numbers() -> None:
    assert em("0801161DD6").device_number() == 18226646
    assert CardNumber.from_wiegand(F.H10301, facility=118, number=1603).device_number() == 118 << 16 | 1603
    assert CardNumber.from_payload(F.H10302, 2**32 - 1).device_number() == 2**32 - 1


@pytest.mark.parametrize(
    ("card", "bits"),
    [
        (CardNumber.from_payload(F.H10302, 2**32), 32),  # 33 bits
        (CardNumber.from_wiegand(F.H10304, facility=65535, number=1), 32),
        (CardNumber.from_bytes(F.CSN7, bytes.fromhex("04A1B2C3D4E5F6")), 32),
        (CardNumber.from_bytes(F.CSN7, bytes.fromhex("00000000000001")), 32),
        (CardNumber.from_bytes(F.EM4100, bytes.fromhex("0801161DD6")), 24),
        (CardNumber.from_wiegand(F.H10306, facility=65535, number=1), 24),
    ],
)
def test_what_does_not_fit_is_refused_and_never_cut(card: CardNumber, bits: int) -> None:
    with pytest.raises(AccessError) as caught:
        card.device_number(bits)
    assert caught.value.reason is Reason.CARD_TOO_LONG_FOR_DEVICE
    assert (caught.value.norm, caught.value.details["bits"]) == ("P10.03", bits)


def test_zero_is_no_card() -> None:
    with pytest.raises(AccessError) as caught:
        em("0800000000").device_number()
    assert caught.value.reason is Reason.CARD_NUMBER_INVALID
    assert refused("0000000000").details["why"] == "zero"


@given(st.binary(min_size=5, max_size=5).filter(lambda raw: any(raw[1:])))
def test_typed_and_read_em4100_are_one_card(raw: bytes) -> None:
    read = CardNumber.from_bytes(F.EM4100, raw)
    forms = read.printed()
    typed = parse_typed(forms["10D"], cross_check=forms["3,5D"])
    assert typed.format is F.EM4100_32
    assert same_card(typed, read)
    assert typed.device_number() == read.device_number()
    for name in ("10D", "5.5D"):
        assert parse_typed(forms[name]) == typed
    assert parse_typed(forms["13-14D"]) == read
    assert parse_typed("0x" + forms["10H"].lower(), cross_check=forms["8D"]) == read
    assert parse_typed(forms["10D"], cross_check=forms["13-14D"]) == read  # the version byte became known


@given(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1))
def test_different_numbers_are_different_cards(one: int, other: int) -> None:
    first, second = (CardNumber.from_payload(F.EM4100_32, number) for number in (one, other))
    assert same_card(first, second) is (one == other)


@pytest.mark.parametrize(
    "text", ["0018226646 022,07638", "022,07638 0018226646", "0018226646  022,7638", "00278.07638"]
)
def test_both_prints_may_stand_in_one_field(text: str) -> None:
    assert parse_typed(text).family_key == "em:01161DD6"
    assert parse_typed(text, cross_check="022,07638") == parse_typed("0018226646")


@pytest.mark.parametrize(
    ("text", "cross_check"),
    [
        ("0018226646", "022,07639"),
        ("0018226646", "023,07638"),
        ("0018226646 023,07638", ""),
        ("022,07638", "0018226647"),
        ("0801161DD6", "0018226647"),
        ("0018226646", "01449431"),
    ],
)
def test_prints_that_disagree(text: str, cross_check: str) -> None:
    assert refused(text, cross_check=cross_check).reason is Reason.CARD_NUMBERS_DISAGREE


@given(st.integers(1, 2**32 - 1), st.integers(0, 255), st.integers(0, 65535))
def test_cross_check_rule(number: int, facility: int, low: int) -> None:
    print_10d, print_3_5d = f"{number:010d}", f"{facility:03d},{low:05d}"
    if number & 0xFFFFFF == facility << 16 | low:
        assert parse_typed(print_10d, cross_check=print_3_5d).payload == number
    else:
        assert refused(print_10d, cross_check=print_3_5d).reason is Reason.CARD_NUMBERS_DISAGREE
    right = f"{number >> 16 & 0xFF:03d},{number & 0xFFFF:05d}"
    assert parse_typed(print_10d, cross_check=right).payload == number


@pytest.mark.parametrize("partial", ["022,07638", "01449430", "022,07638 01449430"])
def test_24_bits_do_not_identify_an_em4100(partial: str) -> None:
    assert refused(partial).details["why"] == "ten_digits_needed"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("4294967296", "too_long"),
        ("256,00001 0018226646", "too_long"),
        ("022,65536 0018226646", "too_long"),
        ("99999999", "too_long"),
        ("99999999999999", "too_long"),
        ("18226646.", "form"),
        ("123456789", "form"),
        ("0801161DDG", "form"),
        ("1 2 3 4", "form"),
        ("", "empty"),
        ("   ", "empty"),
    ],
)
def test_typed_wrong(text: str, why: str) -> None:
    refusal = refused(text)
    assert (refusal.reason, refusal.details["why"]) == (Reason.CARD_NUMBER_INVALID, why)


@pytest.mark.parametrize(
    ("card_format", "text", "cross_check", "key"),
    [
        (F.H10301, "118,1603", "", "h10301:26:02EC0C86"),
        (F.H10301, "118/01603", "07734851", "h10301:26:02EC0C86"),
        (F.H10301, "118 - 1603", "118,1603", "h10301:26:02EC0C86"),
        (F.H10306, "123,4567", "", "h10306:34:0000F623AF"),
        (F.H10302, "4567", "", "h10302:37:00000023AF"),
        (F.H10304, "123,4567", "", "h10304:37:0007B023AF"),
        (F.C1K35S, "2011-300123", "", "c1k35s:35:00FB6928B7"),
        (F.W34CSN, "52:9D:06:E3", "", "w34csn:34:00A53A0DC6"),
        (F.CSN4, "52 9d 06 e3", "1386022627", "csn4:32:529D06E3"),
        (F.CSN4, "529D06E3", "529d06e3", "csn4:32:529D06E3"),
        (F.CSN7, "04:A1:B2:C3:D4:E5:F6", "", "csn7:56:04A1B2C3D4E5F6"),
    ],
)
def test_other_formats_typed(card_format: CardFormat, text: str, cross_check: str, key: str) -> None:
    card = parse_typed(text, cross_check=cross_check, format=card_format)
    assert card.key == key
    assert card.family_key == key


@pytest.mark.parametrize(
    ("card_format", "text", "cross_check", "reason"),
    [
        (F.H10301, "256,1", "", Reason.CARD_NUMBER_INVALID),
        (F.H10301, "1,65536", "", Reason.CARD_NUMBER_INVALID),
        (F.H10301, "118,1603", "118,1604", Reason.CARD_NUMBERS_DISAGREE),
        (F.H10301, "118,1603", "what", Reason.CARD_NUMBER_INVALID),
        (F.H10302, "34359738368", "", Reason.CARD_NUMBER_INVALID),
        (F.H10302, "1,2", "", Reason.CARD_NUMBER_INVALID),
        (F.W34CSN, "1386022627", "", Reason.CARD_NUMBER_INVALID),  # decimal: which byte order?
        (F.CSN4, "1386022627", "", Reason.CARD_NUMBER_INVALID),
        (F.CSN4, "529D06E3", "1386022628", Reason.CARD_NUMBERS_DISAGREE),
        (F.CSN4, "529D06E3", "529D06E4", Reason.CARD_NUMBERS_DISAGREE),
        (F.CSN4, "529D06E3", "hello", Reason.CARD_NUMBER_INVALID),
        (F.CSN4, "04A1B2C3D4E5F6", "", Reason.CARD_NUMBER_INVALID),  # seven bytes are never cut to four
        (F.CSN7, "529D06E3", "", Reason.CARD_NUMBER_INVALID),
        (F.CSN4, "00000000", "", Reason.CARD_NUMBER_INVALID),
    ],
)
def test_other_formats_refused(card_format: CardFormat, text: str, cross_check: str, reason: Reason) -> None:
    assert refused(text, cross_check=cross_check, card_format=card_format).reason is reason


HOSTILE = [
    "1' OR '1'='1",
    "x';DROP TABLE cards;--",
    "%",
    "\x00018226646",
    "0018226646\x00",
    "0018226646\n",
    "\n0018226646",
    "9" * 10_240,
    ("0" * 10 + " ") * 1_000,
    "0018226646\ud800",
    "\u202e0018226646",
    "００１８２２６６４６",  # fullwidth
    "٠٠١٨٢٢٦٦٤٦",  # Arabic-Indic
    "²²²²²²²²²²",
    "0018226646\u00a0022,07638",
    "$(touch x)",
    "../../etc/cron.d/x",
    "<svg onload=x>",
    "+018226646",
    "-018226646",
    "1_000_0000",
    "1e9",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("card_format", sorted(BITS))
def test_hostile_text_is_refused_quickly_and_never_echoed(text: str, card_format: CardFormat) -> None:
    began = time.process_time()
    refusal = refused(text, card_format=card_format)
    good = {F.CSN4: "529D06E3", F.CSN7: "04A1B2C3D4E5F6", F.W34CSN: "529D06E3", F.H10302: "4567"}
    second = refused(
        good.get(card_format, "0018226646" if card_format in {F.EM4100, F.EM4100_32} else "1,2"),
        cross_check=text,
        card_format=card_format,
    )
    assert time.process_time() - began < 0.05
    for answer in (refusal, second):
        assert all(len(str(value)) < 30 and str(value) not in text for value in answer.details.values())


@given(st.text(max_size=40), st.sampled_from(sorted(BITS)))
def test_any_text_gives_a_card_or_a_refusal(text: str, card_format: CardFormat) -> None:
    try:
        card = parse_typed(text, format=card_format)
    except AccessError:
        return
    assert text.isascii()
    assert CardNumber.from_key(card.key) == card


def test_cards_that_a_terminal_cannot_tell_apart_are_look_alikes() -> None:
    wiegand = CardNumber.from_wiegand(CardFormat.H10301, facility=118, number=1603)
    em = parse_typed("0007734851")
    assert wiegand.device_number() == em.device_number()
    assert wiegand.look_alikes() == em.look_alikes() >= {wiegand.family_key, em.family_key}
    assert all(card.family_key in card.look_alikes() for card in (wiegand, em))


@given(st.sampled_from(sorted(CardFormat)), st.sampled_from(sorted(CardFormat)), st.integers(1, 2**32 - 1))
def test_look_alikes_are_exactly_those_with_the_same_number_on_a_terminal(
    one: CardFormat, other: CardFormat, payload: int
) -> None:
    try:
        cards = [CardNumber.from_payload(card_format, payload) for card_format in (one, other)]
        numbers = [card.device_number() for card in cards]
    except AccessError:
        return  # too long for one of the formats, or for a terminal
    assert (cards[1].family_key in cards[0].look_alikes()) == (numbers[0] == numbers[1])


def test_a_card_that_no_terminal_can_hold_has_no_look_alikes_but_a_refusal() -> None:
    with pytest.raises(AccessError) as refused:
        CardNumber.from_payload(CardFormat.H10302, 2**33).look_alikes()
    assert refused.value.reason is Reason.CARD_TOO_LONG_FOR_DEVICE
