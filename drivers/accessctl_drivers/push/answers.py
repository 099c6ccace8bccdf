"""What we say to controllers, to the letter: a bare `OK` where a count is wanted makes a device send for ever.

`rtlog`, `rtstate` and `options` want `OK`; `ATTLOG` and `OPERLOG` want `OK: n`; `tabledata` and answers to queries want
`<table>=n`. Line ends are LF, in answers to remote identification CRLF (Security PUSH 3.1.2 and field reports).
"""

from datetime import datetime

from accessctl.ports import PushAbilities, PushCaller, PushRegistration, PushVerdict
from accessctl_drivers.push import times
from accessctl_drivers.push.commands import open_operand
from accessctl_drivers.push.fields import fields_of, number_of

OK = "OK"
NO_DEVICE = "406"
REQUEST_DELAY_S = 2  # how often a controller polls for commands
ERROR_DELAY_S = 10
TIMEOUT_S = 10
_ZONE_HOURS = -6  # America/Guatemala, which has no daylight saving
_LONGEST_TEXT = 60
_ONE_DOOR = 15  # place in `AccSupportFunList`: a right is for one door and no mask


def counted(lines: int) -> str:
    """To `ATTLOG` and `OPERLOG`."""
    return f"OK: {lines}"


def table_counted(table: str, rows: int) -> str:
    """To `tabledata` and `querydata`."""
    return f"{table}={rows}"


def parameters(caller: PushCaller, *, registry: bool) -> str:
    """To `push`, and to the first request of a controller that is registered."""
    head = ["registry=ok", f"RegistryCode={caller.registry_code}"] if registry else []
    return "\n".join(
        [
            *head,
            "ServerVersion=3.0.1",
            "ServerName=ADMS",
            "PushProtVer=3.0.1" if registry else "PushVersion=3.0.1",  # below 3.1.1 nothing is encrypted by the vendor
            f"ErrorDelay={ERROR_DELAY_S}",
            f"RequestDelay={REQUEST_DELAY_S}",
            "TransTimes=00:00;14:00",
            "TransInterval=1",
            "TransTables=User\tTransaction",
            "Realtime=1",
            f"SessionID={caller.session}",
            f"TimeoutSec={TIMEOUT_S}",
        ]
    )


def attendance_options(caller: PushCaller) -> str:
    """To the first request of the older dialect: send what comes after the stamp that we acknowledged last."""
    return "\n".join(
        [
            f"GET OPTION FROM: {caller.serial}",
            f"ATTLOGStamp={caller.stamp}",
            "OPERLOGStamp=9999",
            "ATTPHOTOStamp=None",
            f"ErrorDelay={ERROR_DELAY_S}",
            f"Delay={REQUEST_DELAY_S}",
            "TransTimes=00:00;14:05",
            "TransInterval=1",
            "TransFlag=TransData AttLog OpLog",
            f"TimeZone={_ZONE_HOURS}",
            "Realtime=1",
            "Encrypt=None",
            "ServerVer=2.4.1",
            "PushProtVer=2.4.1",
        ]
    )


def registration_code(caller: PushCaller) -> str:
    """To `registry`."""
    return f"RegistryCode={caller.registry_code}"


def verdict(answer: PushVerdict | None, record: str, door: int) -> str:
    """To remote identification, with the record as it came; None is "we cannot say"."""
    word = "TIMEOUT" if answer is None else "SUCCESS" if answer.granted else "FAILED"
    lines = [f"AUTH={word}", record]
    if answer is not None and answer.granted and answer.seconds:
        lines.append(open_operand(door, answer.seconds))
    return "\r\n".join(lines)


def time_of_day(now_utc: datetime) -> str:
    """To `rtdata?type=time`: here the packed time is GMT."""
    return f"DateTime={times.encode(now_utc.replace(tzinfo=None))},ServerTZ={_ZONE_HOURS:+03d}00"


def parse_registration(body_line: str) -> PushRegistration:
    """The `registry` body, one line of fields separated by commas. Passwords and keys in it are not looked at."""
    fields = fields_of(body_line, ",")
    doors = number_of(fields.get("lockcount"), most=64)
    return PushRegistration(
        name=_text(fields.get("devicename", "")),
        firmware=_text(fields.get("firmver", "")),
        doors=doors if doors is not None else 1,
        attendance=fields.get("devicetype", "acc").lower() == "att",
        abilities=parse_abilities(body_line),
    )


def parse_abilities(body_line: str) -> PushAbilities:
    """From the same line, which is also sent as `options` on each connect (`DateFmtFunOn`, `AccSupportFunList`)."""
    fields = fields_of(body_line, ",")
    dates, functions = fields.get("datefmtfunon"), fields.get("accsupportfunlist")
    return PushAbilities(
        dates_in_seconds=None if dates is None else dates == "1",
        doors_by_number=None if functions is None else functions[_ONE_DOOR : _ONE_DOOR + 1] == "1",
    )


def _text(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_TEXT]
