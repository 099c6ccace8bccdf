"""`init`, and what runs: `serve`, `panel`, `ingress`."""

import os
import signal
from threading import Event

import click

from accessctl import clock
from accessctl.bootstrap import build
from accessctl.bootstrap.keys import make_keys
from accessctl.bootstrap.lifeline import end_with_parent
from accessctl.bootstrap.seals import SEAL, make_seal
from accessctl.bootstrap.supervisor import (
    Part,
    Supervisor,
    await_free,
    environment_for,
    free_port,
    ingress_command,
    self_command,
    web_command,
)
from accessctl.cli.context import Context
from accessctl.domain.people import SYSTEM
from accessctl.storage.engine import make_engine
from accessctl.storage.migrations import migrate

PANEL_THREADS = 32  # more than the panel's event streams, so that pages are served while all streams are open


@click.command()
@click.pass_obj
def init(context: Context) -> None:
    """Crea la base de datos, las claves (modo 0600) y la primera entrada del registro. / Make database and keys."""
    settings = context.settings
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = make_keys(settings.keys_dir, clock.entropy)
    if make_seal(settings):
        made.append(SEAL)
    engine = make_engine(settings.database)
    migrate(engine)
    engine.dispose()
    service = build(settings)
    service.record_keeper.begin()
    service.site.install_calendar(SYSTEM)
    click.echo(f"listo: {settings.database.split('@')[-1]}; claves nuevas: {', '.join(made) or 'ninguna'}")


@click.command()
@click.pass_obj
def serve(context: Context) -> None:
    """Panel, recepción de dispositivos y dispositivos, bajo un supervisor. / Everything, kept up."""
    settings = context.settings
    build(settings).store.close()  # fail here, clearly, rather than in three children
    environment_for(context.config)
    addresses = {}
    for which in ("panel", "ingress"):
        host, port = settings.address(which)
        addresses[which] = (host, port or free_port(host))
        os.environ[f"ACCESSCTL_{which.upper()}"] = f"{addresses[which][0]}:{addresses[which][1]}"
    ours = ("--parent", str(os.getpid()))
    parts = [
        Part("panel", self_command("panel", *ours), address=addresses["panel"]),
        Part("ingress", self_command("ingress", *ours), address=addresses["ingress"]),
        Part("devices", self_command("devices", "run", *ours)),
    ]
    shown = " ".join(f"{which}=http://{host}:{port}" for which, (host, port) in addresses.items())
    Supervisor(parts).run(lambda: click.echo(f"ready {shown}"))


of_parent = click.option("--parent", type=int, hidden=True, help="The process that started this part: it ends with it.")


@click.command()
@of_parent
@click.pass_obj
def panel(context: Context, parent: int | None) -> None:
    """Solo el panel. / The panel alone."""
    address = context.settings.address("panel")
    command = web_command("accessctl.bootstrap.panel:panel_app", address, threads=PANEL_THREADS)
    _become("panel", address, context, parent, command)


@click.command()
@of_parent
@click.pass_obj
def ingress(context: Context, parent: int | None) -> None:
    """Solo la recepción de dispositivos. / The device ingress alone."""
    address = context.settings.address("ingress")
    command = ingress_command("accessctl.bootstrap.ingress:ingress_app", address)
    _become("ingress", address, context, parent, command)


def _become(name: str, address: tuple[str, int], context: Context, parent: int | None, command: list[str]) -> None:
    if parent is None:  # the supervisor asked already
        await_free(name, address)
    else:
        end_with_parent(parent)
    environment_for(context.config)
    os.execv(command[0], command)  # noqa: S606 -- becomes the web server; no shell, a fixed list


def stop_on_signals() -> Event:
    """An event that SIGTERM and SIGINT set."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
