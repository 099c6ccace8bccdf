"""What a terminal holds when it is switched on: the default content of the command line, and its options."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.records import Punch, User
from accessctl_sim.zk.store import Store
from accessctl_sim.zk.times import encode_time

FIRST_RECORD = datetime(2026, 1, 1, 7, 0)  # noqa: DTZ001 - the device's own naive time
FIRMWARE = "Ver 6.60 Jul  1 2020"


def default_options(config: TerminalConfig) -> dict[str, str]:
    """The parameters that CMD_OPTIONS_RRQ knows; names with a tilde are read only (zk-protocol terminal.md)."""
    return {
        "~SerialNumber": config.serial,
        "~Platform": "ZLM60_TFT",
        "~DeviceName": "accessctl-sim",
        "~OEMVendor": "accessctl",
        "~ProductTime": "2020-07-01 10:00:00",
        "~OS": "1",
        "~ZKFPVersion": "10",
        "~PIN2Width": "9",
        "~ExtendFmt": "0",
        "~UserExtFmt": "0",
        "~RFCardOn": "1",
        "~IsOnlyRFMachine": "0",
        "~MaxUserCount": str(config.user_cap // 100),
        "~MaxAttLogCount": str(config.capacity // 10_000),
        "~LockFunOn": "15",
        "ZKFaceVersion": "0",
        "FaceFunOn": "0",
        "FingerFunOn": "1",
        "CompatOldFirmware": "0",
        "WorkCode": "0",
        "DeviceID": "1",
        "LockOn": "5",
        "MAC": "00:17:61:00:00:01",
        "IPAddress": config.host,
        "NetMask": "255.255.255.0",
        "GATEIPAddress": "0.0.0.0",  # noqa: S104 - a terminal without a gateway says so; nothing binds to it
        "TCPPort": str(config.port),
        "UDPPort": str(config.port),
        "SDKBuild": "0",
    }


def fill(store: Store, *, users: int, records: int) -> None:
    """User i = 1…N has uid i, number 1000+i, card 100000+i; record k is user 1001 + k mod N, k minutes later."""
    for i in range(1, users + 1):
        store.put_user(User(uid=i, user_id=str(1000 + i), name=f"Persona {i}".encode(), card=100_000 + i))
    store.add_punches(_records(users, records))


def _records(users: int, records: int) -> Iterator[Punch]:
    for k in range(records):
        uid = k % max(users, 1) + 1
        yield Punch(uid=uid, user_id=str(1000 + uid), time=encode_time(FIRST_RECORD + timedelta(minutes=k)))
