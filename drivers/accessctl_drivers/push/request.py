"""A request of a controller, taken apart: which endpoint, whose serial number, which table. No body yet.

Paths are a closed list, so that `/iclock/file?url=…` (CVE-2023-38950) and all its spellings are simply none of them.
The spellings that firmwares in the field use are: `.aspx`, and `/iclock/` said twice.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote_plus

from accessctl_drivers.push.fields import is_token, number_of

LONGEST_TARGET = 2048
MOST_PARAMETERS = 32
LONGEST_SERIAL = 32
_PATH = re.compile(r"/iclock/(?:iclock/)?([a-z]{4,12})(?:\.aspx)?", re.ASCII)


class Endpoint(StrEnum):
    """What we answer. `exchange` and `file` are known and refused."""

    CDATA = "cdata"
    REGISTRY = "registry"
    PUSH = "push"
    GETREQUEST = "getrequest"
    DEVICECMD = "devicecmd"
    QUERYDATA = "querydata"
    PING = "ping"
    RTDATA = "rtdata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for. `parameters` have lower-case names and values of at most 200 characters."""

    endpoint: Endpoint
    posts: bool
    serial: str
    parameters: dict[str, str]

    @property
    def table(self) -> str:
        """`table=` in lower case; `ATTLOG Stamp=123` of some firmwares is `attlog`."""
        return self.parameters.get("table", "").split(" ")[0].lower()

    @property
    def table_name(self) -> str:
        """`tablename=`, a plain word or nothing."""
        name = self.parameters.get("tablename", "")
        return name if is_token(name, longest=32) else ""

    def number(self, name: str) -> int | None:
        """A parameter that is a number."""
        return number_of(self.parameters.get(name))


class NotOurs(ValueError):
    """No request of a controller: another path, method or shape. The text is short and safe to keep."""


def take_apart(method: str, path: str, query: str) -> Asked:
    """Raises `NotOurs`. `path` and `query` are as they came, still percent-encoded."""
    if len(path) + len(query) > LONGEST_TARGET:
        raise NotOurs("target_too_long")
    found = _PATH.fullmatch(path)
    if found is None or found[1] not in set(Endpoint):
        raise NotOurs("unknown_path")
    if method not in {"GET", "POST"}:
        raise NotOurs("unknown_method")
    parts = query.split("&")
    if len(parts) > MOST_PARAMETERS:
        raise NotOurs("too_many_parameters")
    parameters: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        parameters.setdefault(unquote_plus(name)[:48].strip().lower(), unquote_plus(value)[:200].strip())
    serial = parameters.get("sn", "")
    if not is_token(serial, longest=LONGEST_SERIAL):
        raise NotOurs("no_serial")
    return Asked(endpoint=Endpoint(found[1]), posts=method == "POST", serial=serial, parameters=parameters)
