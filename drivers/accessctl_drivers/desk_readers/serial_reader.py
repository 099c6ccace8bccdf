"""A desk reader on a serial line: opens it for itself alone, follows the presence filter, comes back after trouble.

A port that was pulled out, is taken, or was never there is tried again after 0.5 s, then twice as long each time up to
10 s, with some chance in it, so that ten readers behind one hub do not come back in step. Each change of state is told
once: a flapping plug is one line for each change, a missing one is one line.
"""

import time
from collections.abc import Callable, Iterator
from random import Random

from accessctl.ports import CardPresented
from accessctl_drivers.desk_readers.presence import PresenceFilter
from accessctl_drivers.desk_readers.rdm6300 import CardFrame, Decoder
from accessctl_drivers.links import SerialAddress, SerialLine, parse_address

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 10.0
_LOOK_SECONDS = 0.1  # how often a pause looks whether it shall stop


def pauses(chance: Random) -> Iterator[float]:
    """How long to wait before each next try: 0.5 s doubling to 10 s, each between half and all of it."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield pause * chance.uniform(0.5, 1.0)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


class Rdm6300Reader:
    """`ports.DeskReader` for the RDM6300 family. ValueError where the address is no serial line."""

    def __init__(self, address: str, *, baud: int = 9600, chance: Random | None = None) -> None:
        parsed = parse_address(address)
        if not isinstance(parsed, SerialAddress):
            raise ValueError(f"{address!r}: a desk reader is reached by serial:///…")  # noqa: TRY004  a value of the site's file
        self._address = parsed
        self._baud = baud
        self._chance = chance or Random()  # noqa: S311  spreads reconnections, keeps no secret

    def run(
        self,
        on_card: Callable[[CardPresented], None],
        on_state: Callable[[bool, str], None],
        stopped: Callable[[], bool],
    ) -> None:
        """See `ports.DeskReader.run`. Survives what befalls the line (OSError), and nothing of `on_card`."""
        waits = pauses(self._chance)
        told: bool | None = None
        while not stopped():
            try:
                line = SerialLine(self._address, self._baud)
            except OSError as problem:
                why = str(problem)
            else:
                on_state(True, "")
                told = True
                with line:
                    why, heard = self._read(line, on_card, stopped)
                if heard:
                    waits = pauses(self._chance)
            if stopped():
                return
            if told is not False:
                on_state(False, why)
                told = False
            _pause(next(waits), stopped)

    def _read(
        self, line: SerialLine, on_card: Callable[[CardPresented], None], stopped: Callable[[], bool]
    ) -> tuple[str, bool]:
        """Reads until the line breaks or we shall stop: (why it ended, whether it ever brought a card)."""
        decoder, presence, heard = Decoder(), PresenceFilter(), False
        while not stopped():
            try:
                received = line.read()
            except OSError as problem:
                return str(problem), heard
            now = time.monotonic()
            for frame in decoder.feed(received):
                if not isinstance(frame, CardFrame):
                    presence.noise(now)
                elif presence.begins(frame.raw, now):
                    heard = True
                    on_card(CardPresented(technology="em4100", raw=frame.raw))
        return "", heard


def _pause(seconds: float, stopped: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not stopped() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_SECONDS))
