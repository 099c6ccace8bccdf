"""A door of any device: the one of a terminal, or one of a controller's."""

from __future__ import annotations

import time

from accessctl_sim.control import Answer, BadLine
from accessctl_sim.push.controller import PushController
from accessctl_sim.zk.terminal import ZkTerminal


class Doorway:
    """What a person does at a door, whichever device it belongs to. Doors count from 1."""

    def __init__(self, device: ZkTerminal | PushController, door: str) -> None:
        if not door.isdecimal():
            raise BadLine(f"door {door!r}")
        self._device = device
        self._door = int(door)
        if isinstance(device, ZkTerminal) and self._door != 1:
            raise BadLine("a terminal has one door")

    def card(self, number: int) -> Answer:
        if isinstance(self._device, ZkTerminal):
            return self._device.present_card(number)
        return self._device.present_card(number, self._door)

    def card_inside(self, number: int) -> Answer:
        """At the reader on the inside; a terminal has none."""
        if isinstance(self._device, ZkTerminal):
            raise BadLine("a terminal has no reader on the inside")
        return self._device.present_card(number, self._door, "out")

    def finger(self, person: str, finger: int) -> Answer:
        if isinstance(self._device, ZkTerminal):
            return self._device.present_finger(person, finger)
        return self._device.present_finger(person, finger, self._door)

    def press_exit(self) -> Answer:
        if isinstance(self._device, ZkTerminal):
            return self._device.exit_button()
        return self._device.exit_button(self._door)

    def go_through(self, seconds: float) -> None:
        """Open the free door, stand in it, let it fall shut; nothing if somebody holds it open already."""
        try:
            self._open()
        except BadLine:
            return
        time.sleep(seconds)
        self._close()

    def _open(self) -> Answer:
        if isinstance(self._device, ZkTerminal):
            return self._device.open_door()
        return self._device.open_door(self._door)

    def _close(self) -> Answer:
        if isinstance(self._device, ZkTerminal):
            return self._device.close_door()
        return self._device.close_door(self._door)
