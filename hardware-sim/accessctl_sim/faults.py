"""The faults that a device can be told to have, by the names that every device shares.

A fault is `NAME` or `NAME=ARGUMENT`. Chances are drawn from a seeded generator, so a run can be repeated. What a
fault means on the wire is the business of the device that has it; here are the names, their arguments, and the draw.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

# name -> (what the argument is, its default; None where it must be given)
FAULTS: dict[str, tuple[str, str | None]] = {
    "split": ("bytes a segment", None),
    "coalesce": ("", ""),
    "close-mid-data": ("bytes sent before the cut, 0 for half", "0"),
    "drop": ("chance", None),
    "duplicate": ("chance", None),
    "delay": ("milliseconds", None),
    "skew": ("seconds", None),
    "log-full": ("`wrap` overwrites the oldest", ""),
    "reset-index": ("", ""),
    "wrong-checksum": ("chance", "1"),
    "wrong-reply-id": ("chance", "1"),
    "extra-event": ("chance", "1"),
    "second-client-refused": ("", ""),
    "power-cycle": ("seconds off", None),
    "hang": ("", ""),
}
_NUMERIC = frozenset(FAULTS) - {"coalesce", "log-full", "reset-index", "second-client-refused", "hang"}
_CHANCES = frozenset({"drop", "duplicate", "wrong-checksum", "wrong-reply-id", "extra-event"})


class UnknownFault(ValueError):
    """No such fault, or an argument that it cannot have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault with its argument; `number` is 0.0 where the argument is none."""

    name: str
    argument: str = ""
    number: float = 0.0


def parse_fault(text: str) -> Fault:
    """`drop=0.1`, `split=1`, `coalesce`, … Raises `UnknownFault` with the sentence to show."""
    name, _, argument = text.strip().partition("=")
    if name not in FAULTS:
        raise UnknownFault(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    meaning, default = FAULTS[name]
    if not argument:
        if default is None:
            raise UnknownFault(f"{name} wants {meaning}: {name}=N")
        argument = default
    if name not in _NUMERIC:
        return Fault(name=name, argument=argument)
    try:
        number = float(argument.split(",", 1)[0])
    except ValueError:
        raise UnknownFault(f"{name}={argument}: not a number ({meaning})") from None
    if (
        (name in _CHANCES and not 0 <= number <= 1)
        or (name != "skew" and number < 0)
        or (name == "split" and number < 1)
    ):
        raise UnknownFault(f"{name}={argument}: out of range ({meaning})")
    return Fault(name=name, argument=argument, number=number)


class Faults:
    """The faults in force on one device."""

    def __init__(self, *, seed: int) -> None:
        self.active: dict[str, Fault] = {}
        self._random = random.Random(seed)

    def set(self, fault: Fault) -> None:
        self.active[fault.name] = fault

    def clear(self, name: str = "") -> None:
        """Take one fault away, or all."""
        if name:
            self.active.pop(name, None)
        else:
            self.active.clear()

    def has(self, name: str) -> bool:
        return name in self.active

    def number(self, name: str) -> float:
        """The argument of a fault in force, 0 where it is not."""
        fault = self.active.get(name)
        return fault.number if fault else 0.0

    def strikes(self, name: str) -> bool:
        """Draw once for a fault whose argument is a chance."""
        fault = self.active.get(name)
        return fault is not None and self._random.random() < fault.number

    def names(self) -> list[str]:
        return sorted(f"{f.name}={f.argument}" if f.argument else f.name for f in self.active.values())
