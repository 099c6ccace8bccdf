"""`site apply FILE.toml`: shown first, applied once; the same file twice changes nothing."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import click

from accessctl.cli.context import Context
from accessctl.domain.people import SYSTEM
from accessctl.services.site_desk import Site, SiteWrong, read_site

LARGEST = 1024 * 1024
_WORDS = {"add": "se agrega", "change": "cambia", "retire": "se retira"}


@click.group()
def site() -> None:
    """El sitio: zonas, puertas y dispositivos de un archivo. / The site's file."""


@site.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Solo muestra lo que cambiaría. / Only show what would change.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def apply(context: Context, file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Aplica el archivo; lo que salió de él se retira, nunca se borra. / Apply the file."""
    if file.stat().st_size > LARGEST:
        raise click.ClickException(f"{file}: más de 1 MiB")
    try:
        wanted = read_site(tomllib.loads(file.read_text(encoding="utf-8")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, SiteWrong) as error:
        raise click.ClickException(f"{file}: {error}") from None
    wanted = _keys_beside(wanted, file.resolve().parent)
    desk = context.service.site
    changes = desk.differences(wanted) if dry_run else desk.apply(SYSTEM, wanted)
    if as_json:
        rows = [{"change": one.kind, "what": one.what, "id": one.id} for one in changes]
        click.echo(json.dumps({"applied": not dry_run, "changes": rows}))
        return
    for one in changes:
        click.echo(f"{_WORDS[one.kind]}: {one.what} {one.id}")
    click.echo("nada cambia" if not changes else f"{len(changes)} cambios" + (" (sin aplicar)" if dry_run else ""))


def _keys_beside(site_: Site, folder: Path) -> Site:
    """A comm key's file may lie beside the site's file; where it does not, it is looked for in `data_dir`."""
    devices = tuple(
        replace(one, comm_key_file=str(folder / one.comm_key_file))
        if one.comm_key_file and (folder / one.comm_key_file).is_file()
        else one
        for one in site_.devices
    )
    return replace(site_, devices=devices)
