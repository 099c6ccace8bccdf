"""How a terminal is built and set up: everything that its command line can say."""

from __future__ import annotations

from dataclasses import dataclass

from accessctl_sim.zk.records import PUNCH_FORMATS, USER_FORMATS

LIVE_FORMATS = (0, 10, 12, 32, 36, 52)
FINGER_MODES = ("auto", "manual")


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalConfig:
    """One terminal. Port 0 lets the system choose; times are milliseconds or seconds as their names say.

    `live_format` is the length of an EF_ATTLOG body, 0 for the one that fits `user_format`. `finger` says whether a
    finger appears by itself when a client starts an enrolment, or a `finger-ready` line brings it. `frame_gap_ms`
    separates the
    frames of one answer; the command line's default is 10, as clients exist that take one segment for one message.
    """

    serial: str = "SIM0000000001"
    host: str = "127.0.0.1"
    port: int = 0
    udp: bool = False
    users: int = 0
    records: int = 0
    commkey: int = 0
    user_format: int = 72
    record_format: int = 40
    max_frame: int = 65_536
    frame_gap_ms: float = 0.0
    delay_ms: float = 0.0
    live_every_s: float = 0.0
    live_format: int = 0
    punch_state: int = 0
    finger: str = "auto"
    sample_ms: float = 50.0
    enroll_timeout_s: float = 20.0
    restart_s: float = 2.0
    held_open_s: float = 15.0
    utc_offset_hours: float = -6.0
    user_cap: int = 30_000
    finger_cap: int = 10_000
    record_cap: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.user_format not in USER_FORMATS:
            raise ValueError(f"user format {self.user_format}; there are {USER_FORMATS}")
        if self.record_format not in PUNCH_FORMATS:
            raise ValueError(f"record format {self.record_format}; there are {PUNCH_FORMATS}")
        if self.live_format not in LIVE_FORMATS:
            raise ValueError(f"live format {self.live_format}; there are {LIVE_FORMATS}")
        if self.finger not in FINGER_MODES:
            raise ValueError(f"finger {self.finger!r}; there are {FINGER_MODES}")
        if not 64 <= self.max_frame <= 65_536:
            raise ValueError(f"max frame {self.max_frame}: 64 to 65536 bytes")
        if not 0 <= self.users <= self.user_cap:
            raise ValueError(f"{self.users} users: 0 to {self.user_cap}")

    @property
    def capacity(self) -> int:
        """Room for records: as asked, or twice what is there and never less than 100,000 more."""
        return self.record_cap or self.records + max(self.records, 100_000)
