"""`report NAME`: one of the reports, as a table for a person, JSON for a program, CSV or paper for somebody else."""

import json
from contextlib import ExitStack
from datetime import datetime
from itertools import islice
from pathlib import Path

import click

from accessctl import clock
from accessctl.cli.context import Context
from accessctl.cli.export import moment
from accessctl.cli.person import designated
from accessctl.cli.verdicts import disk, shown
from accessctl.domain.people import SYSTEM
from accessctl.services.complete_file import complete_files
from accessctl.services.report_rows import Cell, Wanted
from accessctl.services.reports import REPORTS, ReportName


@click.command()
@click.argument("name", metavar="REPORT", type=click.Choice([name.value for name in ReportName]))
@click.option("--from", "since", metavar="T", callback=moment, help="Desde, incluido. / From, included.")
@click.option("--to", "until", metavar="T", callback=moment, help="Hasta, no incluido. / To, not included.")
@click.option("--door", default="", help="Una puerta. / One door.")
@click.option("--person", default="", help="Una persona: nombre, número o documento. / One person.")
@click.option("--device", default="", help="Un equipo. / One device.")
@click.option("--format", "fmt", type=click.Choice(["table", "json", "csv", "pdf"]), default="table")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, help="Filas en pantalla. / Rows shown.")
@click.option("--out", type=click.Path(path_type=Path), help="Archivo nuevo, para csv y pdf. / A new file.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def report(
    context: Context,
    name: str,
    since: datetime | None,
    until: datetime | None,
    door: str,
    person: str,
    device: str,
    fmt: str,
    limit: int,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Un informe. / One report.

    REPORT es entries (ingresos), refusals (rechazos), outstanding (tarjetas debidas), revocations (revocaciones),
    blind_spots (puntos ciegos), looked_at (quién consultó qué), visits (visitas con sus catorce campos) o fortuitous
    (ingresos fortuitos sin regularizar).
    """
    which, reports = ReportName(name), context.service.reports
    about = designated(context, person)[0] if person else ""
    wanted = Wanted(since=since, until=until, door=door, person=about, device=device)
    if fmt in {"csv", "pdf"}:
        if out is None:
            raise click.UsageError("--out")
        try:
            with ExitStack() as stack:
                files = stack.enter_context(complete_files(token=clock.new_id()))
                file = files.begin(out)
                blocks = reports.csv(SYSTEM, which, wanted) if fmt == "csv" else [reports.pdf(SYSTEM, which, wanted)]
                for block in blocks:
                    file.write(block)
                files.settle()
                files.appear()
        except OSError as failed:
            raise click.ClickException(disk(failed, out)) from None
        click.echo(shown(out))
        return
    columns = REPORTS[which].columns
    rows = islice(reports.rows(SYSTEM, which, wanted), limit)
    if as_json or fmt == "json":
        click.echo(json.dumps([dict(zip(columns, map(_plain, row), strict=True)) for row in rows], ensure_ascii=False))
        return
    click.echo("  ".join(columns))
    for row in rows:
        click.echo("  ".join("—" if (text := _plain(value)) is None else shown(Path(str(text))) for value in row))


def _plain(value: Cell) -> str | int | None:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
