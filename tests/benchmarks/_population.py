"""A made-up institution of any size, streamed, for the benchmarks of the policy (P6, P7); the same every time."""

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from accessctl.domain.cards import CardState
from accessctl.domain.places import Door
from accessctl.domain.policy import CredentialFact, PersonFact
from accessctl.domain.requests import AccessGrant, GrantState
from accessctl.domain.schedules import ALWAYS, OFFICE_HOURS, Calendar, WeeklySchedule, guatemalan_holidays, overnight

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # a Monday, 10:00 in Guatemala
DOORS = tuple(Door(id=f"door-{number:03d}", name=f"Puerta {number}", zone="sgt") for number in range(200))
NIGHTS = WeeklySchedule(id="nights", name="Noche", week=overnight(18 * 60, 6 * 60, weekdays=range(7)))
SCHEDULES = (ALWAYS, OFFICE_HOURS, NIGHTS)
CALENDAR = Calendar.of(guatemalan_holidays(2026), town="Guatemala")
GRANTS_EACH = 2


def person_id(number: int) -> str:
    """As long as a real identifier: 32 hex digits."""
    return f"{number * 0x9E37_79B9_7F4A_7C15 % 2**128:032x}"


def card_key(number: int) -> str:
    """Spread over the 32 bits, no two alike."""
    return f"em:{number * 2654435761 % 2**32:08X}"


def door_of(number: int, which: int) -> str:
    """The `which`-th door of a person."""
    return DOORS[(number * 7 + which * 31) % len(DOORS)].id


def state_of(number: int) -> CardState:
    """Nineteen of twenty cards are active."""
    return CardState.ACTIVE if number % 20 else list(CardState)[number // 20 % 10]


def people(size: int) -> Iterator[PersonFact]:
    """One in a hundred was removed."""
    for number in range(1, size + 1):
        yield PersonFact(id=person_id(number), number=number, removed=number % 100 == 7)


def credentials(size: int) -> Iterator[CredentialFact]:
    """One card each."""
    for number in range(1, size + 1):
        yield CredentialFact(key=card_key(number), state=state_of(number), person=person_id(number))


def grants(size: int) -> Iterator[AccessGrant]:
    """Two doors each, with windows of their own."""
    for number in range(1, size + 1):
        yield from grants_of(number)


def grants_of(number: int) -> Iterator[AccessGrant]:
    """The grants of one person; some over, some not begun, some at night."""
    person, since = person_id(number), NOW - timedelta(seconds=number * 7919 % 9_000_000 - 90_000)
    for which in range(GRANTS_EACH):
        yield AccessGrant(
            id=f"{number}-{which}",
            person=person,
            door=door_of(number, which),
            schedule=SCHEDULES[2 if number % 11 == which else number % 2].id,
            valid_from=since,
            valid_until=None if number % 3 else since + timedelta(days=200 - number % 50),
            case="",
            state=GrantState.OPEN if number % 40 else GrantState.CHOSEN,
        )


def machine() -> str:
    """One line about where this runs."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def resident() -> int:
    """Bytes of this process in memory now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
