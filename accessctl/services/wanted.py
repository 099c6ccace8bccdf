"""Telling the fleet that what a device should hold has changed. Nobody "sends a card to a device"."""

from dataclasses import replace
from datetime import datetime

from accessctl.domain.devices import DeviceHealth
from accessctl.domain.places import Transport
from accessctl.domain.requests import GrantState
from accessctl.services.store import Work


def doors_of(tx: Work, person: str, *states: GrantState) -> frozenset[str]:
    """Doors for which the person has a grant in one of `states`."""
    return frozenset(grant.door for grant in tx.grants.find(person=person, state=states, limit=2000))


def devices_for(tx: Work, doors: frozenset[str]) -> list[str]:
    """The devices in service that guard any of `doors`."""
    serving = tx.devices.find(retired=False, limit=2000)
    return [one.id for one in serving if one.transport is not Transport.RDM6300 and doors.intersection(one.doors)]


def devices_wanted(tx: Work, at: datetime, *, person: str = "", devices: list[str] | None = None) -> list[str]:
    """Mark devices (those of the person's doors and those that still hold the person) as to be applied now.

    A device that left the site opens nothing and answers nobody: it is not among them.
    """
    wanted = set(devices or [])
    if person:
        wanted.update(devices_for(tx, doors_of(tx, person, GrantState.OPEN, GrantState.CHOSEN, GrantState.ENDED)))
        holding = {held.device for held in tx.held_users.find(person=person, limit=2000)}
        wanted.update(key for key in holding if not tx.devices.get(key).retired)
    for device in sorted(wanted):
        health = tx.health.maybe(device)
        if health is None:
            tx.health.add(DeviceHealth(id=device, wanted_at=at))
        else:
            tx.health.save(replace(health, wanted_at=at))
    return sorted(wanted)
