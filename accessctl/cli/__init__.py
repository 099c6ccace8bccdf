"""The command line: `accessctl --help` has examples.

Exit 0: done. 1: refused or failed, in one sentence on standard error. 2: wrong usage. Every list takes `--json`.
"""

import errno
import os
import sys
from pathlib import Path

import click

from accessctl.bootstrap.keys import KeysWrong
from accessctl.bootstrap.logs import log_to_standard_error
from accessctl.bootstrap.supervisor import NotReady
from accessctl.cli.accounts import account
from accessctl.cli.context import Context
from accessctl.cli.devices import devices
from accessctl.cli.export import export
from accessctl.cli.person import person
from accessctl.cli.record import record, verify
from accessctl.cli.register import register
from accessctl.cli.report import report
from accessctl.cli.serving import ingress, init, panel, serve
from accessctl.cli.site import site
from accessctl.cli.spanish import speak_spanish
from accessctl.cli.upkeep import backup, health, restore
from accessctl.cli.witness import witness
from accessctl.domain.errors import AccessError
from accessctl.ports import DiskFailed
from accessctl.settings import SettingsWrong
from accessctl.storage.engine import DatabaseNotReady, UnknownDatabase
from accessctl_web.messages import refusal_of


@click.group(
    epilog="""\b
Ejemplos / examples:
  accessctl init
  accessctl site apply site.toml --dry-run
  accessctl account add ana.lopez --role recepcion --name "Ana López" --dpi 1234567890101
  accessctl serve
  accessctl devices plan lobby
  accessctl export --from 2026-11-24 --to 2026-11-25 --format csv --out eventos.csv
  accessctl verify eventos.csv
"""
)
@click.option("--config", metavar="FILE", help="Archivo de ajustes (o ACCESSCTL_CONFIG). / Settings file.")
@click.version_option(package_name="accessctl")
@click.pass_context
def group(context: click.Context, config: str | None) -> None:
    """Control de acceso y seguridad física. / Access control whose record proves itself."""
    context.obj = Context(config=str(Path(config).resolve()) if config else os.environ.get("ACCESSCTL_CONFIG"))


for command in (
    init,
    serve,
    panel,
    ingress,
    site,
    devices,
    account,
    person,
    export,
    report,
    record,
    register,
    verify,
    witness,
    backup,
    restore,
    health,
):
    group.add_command(command)


def main() -> None:
    """Run the command line; every refusal is one sentence and exit 1."""
    log_to_standard_error()
    speak_spanish()
    try:
        group(prog_name="accessctl")
    except AccessError as refusal:
        shown = refusal_of(refusal)
        click.echo(f"{shown.sentence} ({shown.norm})" if shown.norm else shown.sentence, err=True)
        sys.exit(1)
    except OSError as failed:
        if failed.errno != errno.ENOSPC:
            raise
        click.echo("no queda espacio en el disco para la respuesta / no space left on the disk", err=True)
        sys.exit(1)
    except (SettingsWrong, KeysWrong, NotReady, DiskFailed, DatabaseNotReady, UnknownDatabase) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
