"""Which requests are a controller's. The traversal of CVE-2023-38950 and its spellings are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl_drivers.push.request import Endpoint, NotOurs, take_apart

SN = "SN=3383154200002"


@pytest.mark.parametrize(
    ("method", "path", "query", "endpoint"),
    [
        ("GET", "/iclock/cdata", f"{SN}&pushver=3.0.1&options=all", Endpoint.CDATA),
        ("POST", "/iclock/registry", SN, Endpoint.REGISTRY),
        ("POST", "/iclock/cdata.aspx", f"{SN}&table=rtlog", Endpoint.CDATA),
        ("GET", "/iclock/iclock/getrequest", SN, Endpoint.GETREQUEST),
        ("POST", "/iclock/querydata", f"{SN}&type=tabledata&cmdid=1&tablename=user&count=3", Endpoint.QUERYDATA),
    ],
)
def test_requests_of_controllers(method: str, path: str, query: str, endpoint: Endpoint) -> None:
    asked = take_apart(method, path, query)
    assert (asked.endpoint, asked.serial, asked.posts) == (endpoint, "3383154200002", method == "POST")


def test_parameters_are_read_tolerantly() -> None:
    asked = take_apart("POST", "/iclock/cdata", "sn=A-1_b&Table=ATTLOG%20Stamp=123&STAMP=77&TableName=user")
    assert (asked.serial, asked.table, asked.number("stamp"), asked.table_name) == ("A-1_b", "attlog", 77, "user")
    assert take_apart("POST", "/iclock/cdata", f"{SN}&tablename=../../x").table_name == ""


@pytest.mark.parametrize(
    "path",
    [
        "/iclock/file",
        "/iclock/file.aspx",
        "/iclock/../iclock/cdata",
        "/iclock/cdata/../../etc/passwd",
        "/iclock/%63data",
        "/iclock/%252e%252e/cdata",
        "/iclock/exchange",
        "/iclock/cdata\\..\\..",
        "/iclock/cdata\x00",
        "/iclock/cdata\n",
        "/",
        "/static/panel.css",
        "/ICLOCK/CDATA",
    ],
)
def test_no_other_path_is_one(path: str) -> None:
    with pytest.raises(NotOurs, match="unknown_path"):
        take_apart("GET", path, f"url=/../../etc/passwd&{SN}")


@pytest.mark.parametrize("serial", ["", "x';DROP", "$(touch x)", "..", "A" * 33, "a b", "ñ", "%00"])
def test_no_other_serial_number_is_one(serial: str) -> None:
    with pytest.raises(NotOurs, match="no_serial"):
        take_apart("GET", "/iclock/cdata", f"SN={serial}")


def test_what_is_too_much() -> None:
    with pytest.raises(NotOurs, match="target_too_long"):
        take_apart("GET", "/iclock/cdata", "a" * 3000)
    with pytest.raises(NotOurs, match="too_many_parameters"):
        take_apart("GET", "/iclock/cdata", f"{SN}" + "&a=1" * 40)
    with pytest.raises(NotOurs, match="unknown_method"):
        take_apart("DELETE", "/iclock/cdata", SN)


@given(st.text(max_size=60), st.text(max_size=200))
def test_anything_is_ours_or_refused(path: str, query: str) -> None:
    for target in (path, "/iclock/cdata"):
        try:
            asked = take_apart("GET", target, query)
        except NotOurs:
            continue
        else:
            assert asked.serial.isascii()
            assert len(asked.serial) <= 32
