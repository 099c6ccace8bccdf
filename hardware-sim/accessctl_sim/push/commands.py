"""What the server orders: `C:ID:COMMAND` lines carried out, and their return codes (Security PUSH, on commands)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accessctl_sim.push.codes import Happening, Return
from accessctl_sim.push.describe import device_options, table_row
from accessctl_sim.push.machine import Controller
from accessctl_sim.push.operands import control_device
from accessctl_sim.push.tables import BadRow, TableFull, parse_row
from accessctl_sim.zk.times import decode_time, encode_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One command with the server's number."""

    id: str
    text: str

    @property
    def name(self) -> str:
        """What `CMD=` repeats: the first two words of a DATA command, else the first."""
        words = self.text.split()
        return " ".join(words[:2]) if words[:1] in (["DATA"], ["SET"], ["GET"], ["CONTROL"]) else "".join(words[:1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The return code, what is to be sent to `querydata` before it, and whether the device restarts after it."""

    code: int
    table: str = ""
    rows: tuple[str, ...] = ()
    kind: str = "tabledata"
    restart: bool = False


def parse_orders(body: str) -> list[Order]:
    """The commands of one poll. A line that does not start with `C:` continues the rows of the one before."""
    orders: list[Order] = []
    for line in body.replace("\r\n", "\n").split("\n"):
        parts = line.split(":", 2)
        if len(parts) == 3 and parts[0] == "C" and parts[1].strip().isalnum():
            orders.append(Order(id=parts[1].strip(), text=parts[2]))
        elif orders and line.strip():
            orders[-1] = Order(id=orders[-1].id, text=f"{orders[-1].text}\n{line}")
    return orders


def execute(controller: Controller, order: Order) -> Outcome:
    """Carry out one command. What the device cannot read is a return code, never an error of ours."""
    head, _, rest = order.text.partition(" ")
    handler = _HANDLERS.get(head.strip())
    if handler is None:
        return Outcome(code=Return.UNKNOWN_COMMAND)
    try:
        return handler(controller, rest)
    except BadRow:
        return Outcome(code=Return.BAD_DATA)
    except TableFull:
        return Outcome(code=Return.NO_SPACE)
    except ValueError:
        return Outcome(code=Return.BAD_PARAMETER)


def _data(controller: Controller, text: str) -> Outcome:
    verb, _, rest = text.strip(" ").partition(" ")
    if verb == "QUERY":
        return _query(controller, rest)
    table, _, body = rest.partition(" ")
    table = table.strip().lower()
    if verb == "COUNT":
        return _count(controller, table)
    if table == "transaction" and verb == "DELETE":
        controller.log.clear()
        return Outcome(code=Return.DONE)
    if not controller.tables.known(table):
        return Outcome(code=Return.UNKNOWN_TABLE)
    if verb == "UPDATE":
        controller.tables.update(table, [parse_row(line) for line in body.split("\n") if line.strip()])
        return Outcome(code=Return.DONE)
    if verb == "DELETE":
        everything = body.strip() in {"", "*"}
        controller.tables.delete(table, {} if everything else parse_row(body))
        return Outcome(code=Return.DONE)
    return Outcome(code=Return.UNKNOWN_COMMAND)


def _count(controller: Controller, table: str) -> Outcome:
    if table == "transaction":
        count = len(controller.log.entries)
    elif controller.tables.known(table):
        count = len(controller.tables.rows[table])
    else:
        return Outcome(code=Return.UNKNOWN_TABLE)
    return Outcome(code=count, table=table, rows=(f"{table}={count}",), kind="count")


def _query(controller: Controller, text: str) -> Outcome:
    asked = dict(part.partition("=")[::2] for part in text.replace("\t", ",").split(","))
    table = asked.get("tablename", "").strip().lower()
    if table == "transaction":
        entries = controller.log.entries
        if asked.get("filter") == "NewRecord":
            entries = controller.log.waiting(controller.config.capacity)
        rows = tuple(
            f"transaction cardno={e.card}\tpin={e.pin}\tverified={e.verified}\tdoorid={e.door}\teventtype={e.event}"
            f"\tinoutstate={e.inout}\ttime_second={encode_time(e.at)}\tindex={e.index}\tsitecode=0\tdevid=1"
            f"\tsn={controller.config.serial}"
            for e in entries
        )
        return Outcome(code=len(rows), table=table, rows=rows)
    if not controller.tables.known(table):
        return Outcome(code=Return.UNKNOWN_TABLE)
    found = tuple(table_row(table, uid, row) for uid, row in enumerate(controller.tables.rows[table].values(), 1))
    return Outcome(code=len(found), table=table, rows=found)


def _account(controller: Controller, text: str) -> Outcome:
    """`ACCOUNT transaction MaxIndex=n`: what has a higher index is sent again, as events."""
    table, _, limit = text.strip().partition(" ")
    name, _, number = limit.partition("=")
    if table.lower() != "transaction" or name.strip().lower() != "maxindex" or not number.strip().isdecimal():
        return Outcome(code=Return.BAD_PARAMETER)
    count = controller.log.rewind(int(number))
    controller.wake.set()
    return Outcome(code=count)


def _set(controller: Controller, text: str) -> Outcome:
    verb, _, rest = text.strip().partition(" ")
    if verb not in {"OPTIONS", "OPTION"}:
        return Outcome(code=Return.UNKNOWN_COMMAND)
    for pair in rest.replace("\t", ",").split(","):
        name, equals, value = pair.strip().partition("=")
        if not equals or not name:
            return Outcome(code=Return.BAD_PARAMETER)
        _set_option(controller, name, value)
    return Outcome(code=Return.DONE)


def _set_option(controller: Controller, name: str, value: str) -> None:
    if name == "DateTime":
        controller.clock.set(decode_time(int(value)))
        return
    controller.options[name] = value
    for door in controller.doors:
        if name == f"Door{door.number}Drivertime" and value.isdecimal() and 0 < int(value) < 255:
            door.lock_s = float(value)
        if name == f"Door{door.number}Detectortime" and value.isdecimal() and 0 < int(value) < 255:
            door.held_open_s = float(value)


def _get(controller: Controller, text: str) -> Outcome:
    verb, _, rest = text.strip().partition(" ")
    if verb not in {"OPTIONS", "OPTION"}:
        return Outcome(code=Return.UNKNOWN_COMMAND)
    known = {**device_options(controller), **controller.options}
    body = ",".join(f"{name.strip()}={known.get(name.strip(), '')}" for name in rest.split(","))
    return Outcome(code=Return.DONE, table="options", rows=(body,), kind="options")


def _control(controller: Controller, text: str) -> Outcome:
    verb, _, operand = text.strip().partition(" ")
    if verb != "DEVICE":
        return Outcome(code=Return.UNKNOWN_COMMAND)
    code = control_device(controller, operand.strip())
    return Outcome(code=code, restart=code == Return.DONE and operand.strip().startswith("03"))


def _unlock(controller: Controller, _text: str) -> Outcome:
    """AC_UNLOCK of the attendance dialect: door 1."""
    controller.doors[0].unlock()
    controller.report(Happening.REMOTE_OPEN, 1)
    return Outcome(code=Return.DONE)


def _clear(controller: Controller, text: str) -> Outcome:
    if text.strip() != "LOG":
        return Outcome(code=Return.BAD_PARAMETER)
    controller.log.clear()
    return Outcome(code=Return.DONE)


def _nothing(_controller: Controller, _text: str) -> Outcome:
    return Outcome(code=Return.DONE)


def _unsupported(_controller: Controller, _text: str) -> Outcome:
    return Outcome(code=Return.UNSUPPORTED)


def _restart(_controller: Controller, _text: str) -> Outcome:
    return Outcome(code=Return.DONE, restart=True)


_HANDLERS: dict[str, Callable[[Controller, str], Outcome]] = {
    "DATA": _data,
    "ACCOUNT": _account,
    "SET": _set,
    "GET": _get,
    "CONTROL": _control,
    "AC_UNLOCK": _unlock,
    "CLEAR": _clear,
    "CHECK": _nothing,
    "INFO": _nothing,
    "REBOOT": _restart,
    "ENROLL_BIO": _unsupported,
    "ENROLL_FP": _unsupported,
}
