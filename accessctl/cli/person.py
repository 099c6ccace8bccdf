"""`person due|erase|extract`: whose time is over, forgetting them, and what is held on one of them."""

import json
from pathlib import Path

import click

from accessctl import clock
from accessctl.cli.context import Context
from accessctl.cli.verdicts import disk, shown
from accessctl.domain.people import SYSTEM
from accessctl.services.complete_file import complete_files


@click.group()
def person() -> None:
    """Datos personales: plazos, supresión, extracto. / Personal details: retention, erasure, extract."""


@person.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def due(context: Context, *, as_json: bool) -> None:
    """De quién venció el plazo de conservación. / Whose retention is over."""
    found = context.service.erasure.due(SYSTEM)
    if as_json:
        rows = [{"number": one.person.number, "id": one.person.id, "last_at": one.last_at.isoformat()} for one in found]
        click.echo(json.dumps(rows))
        return
    for one in found:
        click.echo(f"{one.person.number}  {one.person.full_name}  {one.last_at:%Y-%m-%d}")


@person.command()
@click.argument("who")
@click.option("--why", required=True, help="Consta en el registro; sin nombres. / Recorded; name nobody.")
@click.option("--yes", is_flag=True, help="Sin preguntar. / Do not ask.")
@click.pass_obj
def erase(context: Context, who: str, why: str, *, yes: bool) -> None:
    """Suprime quién era una persona (número o documento) cuyo plazo venció. / Erase who somebody was. For ever."""
    found = designated(context, who)
    if not yes:
        click.confirm(f"{found[1]}: no se puede deshacer / cannot be undone", abort=True)
    done = context.service.erasure.erase(SYSTEM, found[0], why=why)
    click.echo(
        f"suprimido: {done.openings} datos del registro, {done.templates} huellas, {done.emptied} textos y firmas, "
        f"{done.exports} exportaciones que esperaban en el panel"
    )


@person.command()
@click.argument("who")
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--format", "fmt", type=click.Choice(["json", "pdf"]), default="json", show_default=True)
@click.pass_obj
def extract(context: Context, who: str, out: Path, fmt: str) -> None:
    """Todo lo que se tiene de una persona, para ella (Decreto 57-2008). / Everything held on one person.

    El PDF suma lo que es largo; el JSON lo trae completo. / The PDF sums up what is long.
    """
    extracts, person_id = context.service.extracts, designated(context, who)[0]
    content = (extracts.as_pdf if fmt == "pdf" else extracts.as_json)(SYSTEM, person_id)
    try:
        with complete_files(token=clock.new_id()) as files:
            files.begin(out).write(content)
            files.settle()
            files.appear()
    except OSError as failed:
        raise click.ClickException(disk(failed, out)) from None
    click.echo(f"{shown(out)}: {len(content)} bytes")


def designated(context: Context, who: str) -> tuple[str, str]:
    """Id and name of the one person whom this designates."""
    found = context.service.people.find(who, limit=2) if who.strip() else []
    if len(found) != 1:
        raise click.ClickException("no designa a una sola persona registrada")
    return found[0].id, found[0].full_name
