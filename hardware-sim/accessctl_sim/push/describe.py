"""How a controller describes itself and its rows to the server."""

from __future__ import annotations

from accessctl_sim.push.machine import Controller
from accessctl_sim.push.tables import Row

USER_FIELDS = ("cardno", "pin", "password", "group", "starttime", "endtime", "name", "privilege", "disable", "verify")
_ZERO_FIELDS = frozenset({"starttime", "endtime", "privilege", "disable", "verify", "group"})


def table_row(table: str, uid: int, row: Row) -> str:
    """A row as the device tells it: `user uid=1\\tcardno=…`."""
    if table != "user":
        return f"{table} " + "\t".join(f"{name}={value}" for name, value in row.items())
    fields = "\t".join(f"{name}={row.get(name, '0' if name in _ZERO_FIELDS else '')}" for name in USER_FIELDS)
    return f"user uid={uid}\t{fields}"


def device_options(controller: Controller) -> dict[str, str]:
    """What a registration tells about the device."""
    return {
        "DeviceType": "acc",
        "~SerialNumber": controller.config.serial,
        "~DeviceName": "accessctl-sim",
        "FirmVer": "Ver 19.0.18-sim",
        "PushVersion": "Ver 2.0.34-20180822",
        "CommType": "ethernet",
        "MaxPackageSize": "2048000",
        "LockCount": str(len(controller.doors)),
        "ReaderCount": str(2 * len(controller.doors)),
        "AuxInCount": "0",
        "AuxOutCount": "0",
        "MachineType": "101",
        "~IsOnlyRFMachine": "0",
        "~MaxUserCount": "300",
        "~MaxAttLogCount": "10",
        "~ZKFPVersion": "10",
        "IPAddress": "127.0.0.1",
        "NetMask": "255.255.255.0",
        "GATEIPAddress": "127.0.0.1",
        "SimpleEventType": "1",
        "DateFmtFunOn": str(int(controller.config.dates_in_seconds)),
        "StringPinFunOn": "0",
        "MulCardUserFunOn": "0",
        "AccSupportFunList": f"010101000011100{int(controller.config.doors_by_number)}000111010100011010",
        "TransactionCount": str(len(controller.log.entries)),
    }
