"""`devices run|list|status|plan|apply`: what keeps them, what they are, what they hold and should hold."""

import json
import time
from datetime import datetime, timedelta

import click

from accessctl import clock
from accessctl.bootstrap import build
from accessctl.bootstrap.device_house import DeviceHouse, terminal_driver
from accessctl.bootstrap.disk import ending
from accessctl.bootstrap.lifeline import end_with_parent
from accessctl.bootstrap.only_one import AlreadyKept, HoldLost, only_one
from accessctl.cli.context import Context
from accessctl.cli.serving import of_parent, stop_on_signals
from accessctl.domain.devices import CommandState, DeviceHealth
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device, Transport
from accessctl.ports import DeviceError
from accessctl.services.contents import Plan
from accessctl.services.errands import ask_apply

Row = dict[str, int | str | list[str] | None]
LATE = timedelta(seconds=5)  # after its time a command that nobody took is given up by whoever keeps the terminal

KEPT = (
    "otro proceso de esta instalación ya atiende los dispositivos, en esta máquina o en otra"
    " / another process of this installation keeps the devices, on this machine or on another"
)
LOST = (
    "la base de datos ya no confirma que los dispositivos son de este proceso: los deja"
    " / the database no longer confirms that the devices are this process's: it lets them go"
)


@click.group()
def devices() -> None:
    """Dispositivos: terminales y lectores. / Terminals and readers."""


@devices.command()
@of_parent
@click.pass_obj
def run(context: Context, parent: int | None) -> None:
    """Atiende los dispositivos hasta SIGTERM. / Keep the devices."""
    if parent is not None:
        end_with_parent(parent)
    stop = stop_on_signals()
    try:
        service = build(context.settings, disk_failed=ending(context.settings))
        DeviceHouse(service).run(stop, ready=lambda: click.echo("ready devices", err=True))
    except AlreadyKept:
        raise click.ClickException(KEPT) from None
    except HoldLost:
        raise click.ClickException(LOST) from None


@devices.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """Los dispositivos del sitio. / The site's devices."""
    rows = [
        {"id": one.id, "transport": one.transport.value, "address": one.address or one.serial, "doors": list(one.doors)}
        for one, _ in _all(context)
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['id']:16} {row['transport']:8} {row['address']:32} {' '.join(row['doors'])}")


@devices.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def status(context: Context, *, as_json: bool) -> None:
    """Lo último que se supo de cada uno. / The last that was seen of each."""
    rows = [
        {
            "id": device.id,
            "online": health.online,
            "since": _iso(health.since),
            "last_seen": _iso(health.last_seen),
            "skew_s": health.skew_s,
            "users_desired": health.users_desired,
            "users_observed": health.users_observed,
            "drift": health.drift,
            "rogues": health.rogues,
            "error": health.last_error,
        }
        for device, health in _all(context)
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        state = "en línea" if row["online"] else "fuera de línea"
        held = f"{row['users_observed']}/{row['users_desired']} usuarios, deriva {row['drift']}, ajenos {row['rogues']}"
        click.echo(f"{row['id']:16} {state:15} {held}  {row['error']}")


@devices.command()
@click.argument("device", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def plan(context: Context, device: str | None, *, as_json: bool) -> None:
    """Lo que difiere entre lo que tienen y lo que deben tener. / The difference, with nothing changed."""
    _each(context, device, change=False, as_json=as_json)


@devices.command()
@click.argument("device", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def apply(context: Context, device: str | None, *, as_json: bool) -> None:
    """Pone en cada uno lo que debe tener, y lo lee de vuelta. / Apply, and read back."""
    _each(context, device, change=True, as_json=as_json)


def _each(context: Context, wanted: str | None, *, change: bool, as_json: bool) -> None:
    """Each terminal ourselves, or, where the service keeps them, through it: a terminal talks to one at a time.

    A controller calls the service, so that it is always the service that reads it and changes it. One that is away is
    an error where it was named, and left as it is where all were meant.
    """
    devices = [one for one, _ in _all(context) if wanted in {None, one.id}]
    terminals = [one for one in devices if one.transport is Transport.ZK]
    controllers = [one for one in devices if one.transport is Transport.PUSH]
    if not terminals and not controllers:
        raise click.ClickException(f"{wanted or 'el sitio'}: ningún terminal ni controlador")
    rows = []
    through = list(controllers)
    if terminals:
        try:
            with only_one(context.settings):
                rows += [_ourselves(context, device, change=change) for device in terminals]
        except AlreadyKept:
            through = terminals + through
    ask = [one for one in through if change and (one in terminals or _is_online(context, one))]
    if ask:
        click.echo("el servicio atiende los dispositivos: lo aplica él", err=True)
        rows += _asked(context, ask)
    rest = [one for one in through if one not in ask]
    if rest:
        click.echo("el servicio atiende los dispositivos: esto es lo que leyó la última vez", err=True)
        away: Row = {"error": "offline"} if change and wanted else {}
        rows += [_as_read(context, device) | away for device in rest]
    if as_json:
        click.echo(json.dumps(rows))
    else:
        for row in rows:
            click.echo("  ".join(f"{key}={value}" for key, value in row.items()))
    if any("error" in row for row in rows):
        raise SystemExit(1)


def _ourselves(context: Context, device: Device, *, change: bool) -> Row:
    fleet = context.service.fleet
    row: Row = {"id": device.id}
    try:
        with terminal_driver(device, context.service).connect() as terminal:
            if change:
                applied = fleet.apply(terminal, device)
                found, left = applied.planned, applied.left.changes
            else:
                found = fleet.plan(terminal, device)
                left = found.changes
    except DeviceError as error:
        return row | {"error": str(error)}
    return row | {"left": left} | _shown(found)


def _asked(context: Context, devices: list[Device]) -> list[Row]:
    """All are asked at once; then each answer is waited for, until it comes or its time is over."""
    office = context.service.office
    rows = []
    for command in [ask_apply(office, SYSTEM, device.id) for device in devices]:
        now = command
        while now.finished_at is None and clock.now() < command.expires_at + LATE:
            time.sleep(0.1)
            with office.store.view() as tx:
                now = tx.commands.get(command.id)
        row = _as_read(context, next(one for one in devices if one.id == command.device))
        rows.append(row if now.state is CommandState.DONE else row | {"error": now.outcome or "no answer"})
    return rows


def _is_online(context: Context, device: Device) -> bool:
    with context.service.store.view() as tx:
        health = tx.health.maybe(device.id)
    return health is not None and health.online


def _as_read(context: Context, device: Device) -> Row:
    with context.service.store.view() as tx:
        health = tx.health.maybe(device.id) or DeviceHealth(id=device.id)
        rogues = [held.user_id for held in tx.held_users.find(device=device.id, person="", limit=100)]
    read: Row = {"id": device.id, "left": health.drift, "rogues": rogues, "synced_at": _iso(health.synced_at)}
    return read | ({"error": health.last_error} if health.last_error else {})


def _shown(plan_: Plan) -> Row:
    return {
        "remove": len(plan_.remove),
        "write": len(plan_.put),
        "fingers": len(plan_.fingers),
        "strip": len(plan_.strip),
        "zones": len(plan_.zones),
        "rogues": [user.user_id for user in plan_.rogues][:100],
    }


def _all(context: Context) -> list[tuple[Device, DeviceHealth]]:
    with context.service.store.view() as tx:
        found = sorted(tx.devices.find(retired=False, limit=2000), key=lambda one: one.id)
        return [(one, tx.health.maybe(one.id) or DeviceHealth(id=one.id)) for one in found]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
