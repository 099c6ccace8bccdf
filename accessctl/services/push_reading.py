"""What an event of a controller means in our words: when it was, which way, what was presented, whose credential."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.errors import AccessError
from accessctl.domain.places import Device, Direction
from accessctl.domain.policy import Factor
from accessctl.domain.schedules import GUATEMALA
from accessctl.ports import PushEvent
from accessctl.services.intake import DOUBTFUL
from accessctl.services.push_log import is_plausible

LARGEST_SKEW_S = 2**31 - 1
_FACTORS = {factor.value: factor for factor in Factor}
_FAMILIES = (CardFormat.EM4100_32, CardFormat.H10301, CardFormat.W34CSN)


def moment(device_time: datetime | None, skew_s: int | None, received: datetime) -> tuple[datetime, int | None]:
    """When it happened, in UTC, and how far the controller's clock is thought to be off, in seconds.

    A time from before 2020 or from the future is no time of an event: then it is when we heard of it.
    """
    if device_time is None:
        return received, skew_s
    try:
        at = device_time.replace(tzinfo=GUATEMALA).astimezone(received.tzinfo)
    except OverflowError:
        return received, skew_s
    if skew_s is not None and abs(skew_s) > DOUBTFUL.total_seconds():
        corrected = at - timedelta(seconds=skew_s)
        return (corrected if corrected <= received + DOUBTFUL else received), skew_s
    if not is_plausible(device_time) or at > received + DOUBTFUL:
        off = int((at - received).total_seconds())
        return received, max(-LARGEST_SKEW_S, min(off, LARGEST_SKEW_S))
    return at, skew_s


def direction_of(event: PushEvent, device: Device) -> Direction:
    """Which way, as the reader says; where it does not, as the site's file says."""
    if event.leaving is None:
        return device.direction
    return Direction.OUT if event.leaving else Direction.IN


def factor_of(event: PushEvent) -> Factor:
    """What was presented; a card where the controller does not say."""
    return _FACTORS.get(event.factor, Factor.CARD)


def credential_of(event: PushEvent, known: Callable[[str], bool]) -> str:
    """The credential as the policy names it: a card's family key, or `pin:<number>` where no card was read.

    A controller tells a number and not which kind of card it is of: the first kind that we know a card of is it, and
    an EM4100 where we know none.
    """
    if not event.card:
        return f"pin:{event.pin}" if event.pin else ""
    if event.card > 0xFFFF_FFFF:
        return f"card:{event.card}"
    families = _families(event.card)
    return next(filter(known, families), families[0])


@lru_cache(maxsize=8192)
def _families(card: int) -> tuple[str, ...]:
    """The family keys that a card of this number may have, up to 32 bits."""
    found = []
    for family in _FAMILIES:
        try:
            found.append(CardNumber.from_payload(family, card).family_key)
        except AccessError:  # more bits than this kind has: it is none of it
            continue
    return tuple(found)
