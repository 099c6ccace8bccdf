"""Addresses of devices: what a site's file may say, and what it may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl_drivers.links import NetworkAddress, SerialAddress, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://127.0.0.1:4370", NetworkAddress(transport="tcp", host="127.0.0.1", port=4370)),
        ("udp://lobby-1.igss.example:4370", NetworkAddress(transport="udp", host="lobby-1.igss.example", port=4370)),
        ("tcp://[fe80::1]:4370", NetworkAddress(transport="tcp", host="fe80::1", port=4370)),
        ("serial:///dev/serial/by-id/usb-x", SerialAddress(path="/dev/serial/by-id/usb-x")),
    ],
)
def test_addresses(text: str, address: NetworkAddress | SerialAddress) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lobby",
        "http://127.0.0.1:80",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536",
        "tcp://:4370",
        "tcp://$(touch x):1",
        "tcp://a;reboot:1",
        "tcp://user:key@host:1",
        "tcp://host:1/path",
        "tcp://host:1?x=1",
        "tcp://ho st:1",
        "tcp://ñandú:1",
        "serial://dev/ttyUSB0",
        "serial:///dev/../etc/passwd",
        "serial:///dev//ttyUSB0",
        "serial://",
        "tcp://" + "a" * 300 + ":1",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_address(text)


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert parse_address(str(address)) == address
