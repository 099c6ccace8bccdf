"""How a PUSH device is built and set up: everything that its command line can say."""

from __future__ import annotations

from dataclasses import dataclass

DIALECTS = ("security", "attendance")
WHEN_AWAY = ("local", "deny")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushConfig:
    """One controller.

    `registry_code` is what an earlier registration left; `backlog` events wait from the start; every acknowledged batch
    is sent `replay` times more. A door that stands open for `held_open_s` alarms, until the server sets another time.
    With `online` it asks the server at each card; `when_away` says who decides while the server cannot be reached.
    `poll_s` 0 polls as often as the server says, `retry_s` is the wait after a failure.
    `dates_in_seconds` (DateFmtFunOn=1) takes a user's validity to the second, otherwise in whole days;
    `doors_by_number` (the sixteenth of AccSupportFunList) takes a right's door as a number and not as a mask.
    """

    server: str
    serial: str = "3383154200002"
    doors: int = 1
    registry_code: str = ""
    backlog: int = 0
    replay: int = 0
    online: bool = False
    when_away: str = "local"
    dialect: str = "security"
    held_open_s: float = 15.0
    dates_in_seconds: bool = False
    doors_by_number: bool = False
    poll_s: float = 0.0
    retry_s: float = 2.0
    batch: int = 100
    capacity: int = 100_000
    utc_offset_hours: float = -6.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.doors <= 8:
            raise ValueError(f"{self.doors} doors: 1 to 8")
        if self.dialect not in DIALECTS:
            raise ValueError(f"dialect {self.dialect!r}; there are {DIALECTS}")
        if self.when_away not in WHEN_AWAY:
            raise ValueError(f"when away {self.when_away!r}; there are {WHEN_AWAY}")
        if not self.serial or any(character in self.serial for character in "&=?# \t\r\n"):
            raise ValueError(f"serial {self.serial!r}")
        if self.batch < 1 or self.capacity < 1 or self.backlog < 0 or self.replay < 0:
            raise ValueError("batch and capacity from 1, backlog and replay from 0")
