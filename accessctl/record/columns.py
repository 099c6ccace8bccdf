"""What an entry holds, and how it becomes a line of an export (interfaces, "Export format").

An entry is a JSON object in canonical bytes. Its keys, all optional but `v`, `event` and `at`:

* `v` the version of this layout, 1; `event` what happened, past tense; `at` when, `received_at` when we heard of it
  (ISO 8601, UTC);
* `device, door, zone, direction, event, reason, norm, person_id, credential, visit, device_time, skew_s`: the
  export's columns of the same names, with the same values (`skew_s` in whole seconds);
* `person`: the commitment `{"c": hex}` to the name (`accessctl.record.commitment`), never the name;
* `actor` who did it, `case` and `step` of the procedure, `data` whatever else belongs to the fact.

In an export the columns that derive from the entry repeat its values exactly; `index` and `leaf` come from the
record; `person` is the disclosed name or nothing, and JSON lines carry `person_salt` (hex) beside it where the
disclosure is to be checked. Where `entry` stands a column may be left out, but never shows another value.
"""

import re
from collections.abc import Mapping

from accessctl.record.canonical import Json
from accessctl.record.commitment import opens

ENTRY_VERSION = 1
COLUMNS = (
    "index", "at", "received_at", "device", "door", "zone", "direction", "event", "reason", "norm", "person_id",
    "person", "credential", "visit", "device_time", "skew_s", "leaf",
)  # fmt: skip
FROM_ENTRY = tuple(name for name in COLUMNS if name not in {"index", "person", "leaf"})
_DANGEROUS_START = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run the cell (CWE-1236)
_LINE_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029\x00]+")


def line_of(index: int, entry: Mapping[str, Json], leaf: bytes, *, person: str | None = None) -> dict[str, Json]:
    """The columns of one line, in their order; JSON lines add `entry` and `person_salt` to it."""
    shown: dict[str, Json] = dict.fromkeys(COLUMNS)
    shown.update((name, entry.get(name)) for name in FROM_ENTRY)
    shown.update(index=index, person=person, leaf=leaf.hex())
    return shown


def cell(value: Json) -> str:
    """A value as a CSV cell: one line, never a formula; numbers stay numbers, nothing is an empty cell."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    text = _LINE_BREAKS.sub(" ", str(value))
    return "'" + text if text.startswith(_DANGEROUS_START) else text


def disagreement(line: Mapping[str, Json], entry: Mapping[str, Json]) -> str | None:
    """The first column of a JSON line that does not repeat what the entry says; a column left out says nothing."""
    shown_all, recorded_all = [*map(line.get, FROM_ENTRY)], [*map(entry.get, FROM_ENTRY)]
    if shown_all == recorded_all and [*map(type, shown_all)] == [*map(type, recorded_all)]:  # 1 == True, but is not it
        return None
    for name in FROM_ENTRY:
        if name in line:
            shown, recorded = line[name], entry.get(name)
            if shown != recorded or type(shown) is not type(recorded):
                return name
    return None


def wrong_person(line: Mapping[str, Json], entry: Mapping[str, Json]) -> bool:
    """Whether a line discloses, with its salt, a name that the entry did not commit to."""
    salt, name, promise = line.get("person_salt"), line.get("person"), entry.get("person")
    if salt is None:
        return False
    if not isinstance(salt, str) or not isinstance(name, str) or not isinstance(promise, dict):
        return True
    commitment = promise.get("c")
    if not isinstance(commitment, str) or re.fullmatch(r"[0-9a-f]{64}", salt) is None:
        return True
    return not opens(commitment, bytes.fromhex(salt), name)
