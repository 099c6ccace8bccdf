"""The control channel: a line in, one JSON object out. `{"ok": true, …}` or `{"ok": false, "error": "…"}`."""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Callable, Mapping

Answer = dict[str, object]
Verb = Callable[..., Answer]


class BadLine(ValueError):
    """A control line that says nothing this device understands; the sentence is shown."""


def answer(verbs: Mapping[str, Verb], line: str) -> Answer:
    """Carry out one control line with the verbs of a device."""
    try:
        words = shlex.split(line)
        if not words:
            raise BadLine("empty line")
        verb = verbs.get(words[0])
        if verb is None:
            raise BadLine(f"no verb {words[0]!r}; there are {', '.join(sorted(verbs))}")
        try:
            inspect.signature(verb).bind(*words[1:])
        except TypeError:
            wanted = " ".join(inspect.signature(verb).parameters).upper()
            raise BadLine(f"wrong number of words; {words[0]} {wanted}") from None
        return {"ok": True, **verb(*words[1:])}
    except (ValueError, OverflowError, OSError) as error:
        return {"ok": False, "error": str(error)}


def encode(result: Answer) -> str:
    """The JSON line of an answer."""
    return json.dumps(result, ensure_ascii=False, separators=(", ", ": "))
