"""`export`: what happened in a time, at a door or to a person, as a file that proves itself."""

import json
from datetime import UTC, date, datetime, time
from pathlib import Path

import click

from accessctl.cli.context import Context
from accessctl.cli.progress import progress_bar
from accessctl.cli.verdicts import broken, disk, shown
from accessctl.domain.people import SYSTEM
from accessctl.domain.schedules import GUATEMALA
from accessctl.record import RecordBroken
from accessctl.services.export_books import BookFormat
from accessctl.services.export_lines import Format
from accessctl.services.store import EventFilter


def moment(context: click.Context, param: click.Parameter, text: str | None) -> datetime | None:
    """A date (its first moment) or an ISO 8601 time, in UTC; without an offset it is Guatemala's."""
    if text is None:
        return None
    try:
        at = datetime.combine(date.fromisoformat(text), time()) if len(text) == 10 else datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=GUATEMALA)).astimezone(UTC)
    except (ValueError, OverflowError):
        why = "ni fecha (2026-11-24) ni tiempo ISO 8601 (2026-11-24T08:00)"
        raise click.BadParameter(why, ctx=context, param=param) from None


@click.command()
@click.option("--from", "since", metavar="T", callback=moment, help="Desde, incluido. / From, included.")
@click.option("--to", "until", metavar="T", callback=moment, help="Hasta, no incluido. / To, not included.")
@click.option("--door", "doors", multiple=True, help="Puede repetirse. / May be repeated.")
@click.option("--person", default="", help="Número, documento o nombre de una sola persona. / One person.")
@click.option("--format", "fmt", type=click.Choice(["csv", "jsonl", "xlsx", "pdf"]), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--public", is_flag=True, help="Sin nombres, documentos ni credenciales. / Redacted.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def export(
    context: Context,
    since: datetime | None,
    until: datetime | None,
    doors: tuple[str, ...],
    person: str,
    fmt: Format | BookFormat,
    out: Path,
    *,
    public: bool,
    as_json: bool,
) -> None:
    """Exporta asientos con su manifiesto y sus pruebas. / Export entries with manifest and proofs.

    Sin --from ni --to ni otro filtro es el registro completo.
    """
    if since is not None and until is not None and until <= since:
        raise click.UsageError("--to no está después de --from")
    service = context.service
    who = ""
    if person:
        found = service.people.find(person, limit=2)
        if len(found) != 1:
            raise click.ClickException("--person no designa a una sola persona registrada")
        who = found[0].id
    which = EventFilter(since=since, until=until, doors=doors, person=who)
    try:
        with progress_bar(shown_if=not as_json) as progress:
            made = service.exports.make(SYSTEM, which=which, fmt=fmt, target=out, public=public, progress=progress)
    except RecordBroken as wrong:
        raise click.ClickException(broken(wrong)) from None
    except OSError as failed:
        raise click.ClickException(disk(failed, out)) from None
    if as_json:
        values = {"path": str(out), "manifest": str(made.manifest), "lines": made.lines, "sha256": made.sha256}
        click.echo(
            json.dumps({**values, "proofs": str(made.proofs) if made.proofs else None, "verifier": str(made.verifier)})
        )
    else:
        click.echo(f"{shown(out)}: {made.lines} asientos, SHA-256 {made.sha256}")
