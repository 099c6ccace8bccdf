"""`register print|list|lines|compare`: the day's register on paper, and the paper against the record (N4.1)."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click

from accessctl import clock
from accessctl.cli.context import Context
from accessctl.cli.verdicts import disk, shown
from accessctl.domain.people import SYSTEM
from accessctl.services.complete_file import complete_files
from accessctl.services.register_comparison import LARGEST_PAPER, read_paper

FILE = click.Path(path_type=Path)
OUT = click.option("--out", type=FILE, required=True, help="Archivo nuevo. / A new file.")


@click.group()
def register() -> None:
    """Registro de visitas en papel: imprimirlo, compararlo. / The register on paper: print, compare."""


@register.command("print")
@click.option("--day", metavar="DAY", required=True, help="Día de Guatemala, AAAA-MM-DD. / A day of Guatemala.")
@click.option("--zone", default="", help="Una zona. / One zone.")
@OUT
@click.pass_obj
def print_day(context: Context, day: str, zone: str, out: Path) -> None:
    """Imprime el registro de un día (PDF); cada línea queda asentada con su marca. / Print a day's register."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise click.BadParameter("AAAA-MM-DD", param_hint="--day") from None
    _write(out, lambda: context.service.visit_papers.register_pdf(SYSTEM, wanted, zone=zone))
    click.echo(f"{shown(out)}: impresión {context.service.register_comparison.printings(SYSTEM, limit=1)[0].number}")


@register.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_printings(context: Context, *, as_json: bool) -> None:
    """Los registros impresos, el último primero. / What was printed, the newest first."""
    found = context.service.register_comparison.printings(SYSTEM, limit=1000)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], default=str))
        return
    for one in found:
        click.echo(f"{one.number}  {one.day}  {one.zone or '—'}  {one.lines} líneas  {one.at:%Y-%m-%dT%H:%M:%SZ}")


@register.command()
@click.argument("printing", type=click.IntRange(min=0))
@OUT
@click.pass_obj
def lines(context: Context, printing: int, out: Path) -> None:
    """Las líneas de una impresión como CSV, para escribir sobre ellas lo que dice el papel. / Its lines as CSV."""
    _write(out, lambda: context.service.register_comparison.sheet(SYSTEM, printing))
    click.echo(shown(out))


@register.command()
@click.argument("printing", type=click.IntRange(min=0))
@click.option("--paper", type=FILE, help="Lo que dice el papel, CSV; si falta, lo que se imprimió. / What it says.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def compare(context: Context, printing: int, paper: Path | None, *, as_json: bool) -> None:
    """Compara una impresión con el registro, línea por línea. / Compare a printing with the record, line by line."""
    typed = None
    if paper is not None:
        try:
            with paper.open("rb") as file:
                typed = read_paper(file.read(LARGEST_PAPER + 1))
        except OSError as failed:
            raise click.ClickException(disk(failed, paper)) from None
    found = context.service.register_comparison.compare(SYSTEM, printing, typed)
    if as_json:
        click.echo(json.dumps(asdict(found), default=str, ensure_ascii=False))
        return
    for one in found.differences:
        where = f"línea {one.line or '—'}, visita {one.visit or '—'}: {one.kind.value} {one.field}".rstrip()
        click.echo(shown(Path(f"{where}: {one.paper or '—'} → {one.record or '—'}")))
    click.echo(f"{found.same} de {found.lines} líneas iguales, {len(found.differences)} diferencias")


def _write(path: Path, made: Callable[[], bytes]) -> None:
    """A new file, whole or not at all; what it holds is made once there is a place for it."""
    try:
        with ExitStack() as stack:
            files = stack.enter_context(complete_files(token=clock.new_id()))
            file = files.begin(path)
            file.write(made())
            files.settle()
            files.appear()
    except OSError as failed:
        raise click.ClickException(disk(failed, path)) from None
