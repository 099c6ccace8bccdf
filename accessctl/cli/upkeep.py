"""`backup --to`, `restore FROM` and `health`: the service's own upkeep (procedures 11 and 12 for this database).

A backup is a folder: the database, the checkpoint it must contain, and a manifest with description, date and digest
(N11.2). The keys are not in it: a stolen backup opens no finger template and signs nothing; they are copied by hand,
elsewhere. A restore goes where there is no database, is checked against its manifest, and the record is verified.
"""

import json
import sys
from pathlib import Path

import click

from accessctl.cli.context import Context
from accessctl.record import RecordBroken
from accessctl.services.checkpoint_mail import is_failing
from accessctl.services.disk_failure import disk_failed
from accessctl.storage.backup import CopyBroken, NotEmbedded, copy_database, put_back

DATABASE, MANIFEST, CHECKPOINT = "accessctl.db", "backup.json", "record.checkpoint"
LARGEST_MANIFEST = 64 * 1024


@click.command()
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--description", default="copia de seguridad", show_default=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def backup(context: Context, folder: Path, *, description: str, as_json: bool) -> None:
    """Copia la base de datos mientras el servicio trabaja. / Copy the database while the service runs."""
    service = context.service
    at = service.office.clock()
    target = folder / f"accessctl-{at:%Y%m%dT%H%M%SZ}"
    note = service.record_keeper.checkpoint()
    try:
        target.mkdir(mode=0o700, parents=True)
        digest = copy_database(context.settings.database, target / DATABASE)
        (target / CHECKPOINT).write_text(note, encoding="utf-8")
        manifest = {"description": description[:200], "at": at.isoformat(), "sha256": digest, "database": DATABASE}
        (target / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except NotEmbedded:
        raise click.ClickException("la base de datos es de un servidor PostgreSQL: use pg_dump") from None
    except (OSError, CopyBroken) as error:
        raise click.ClickException(f"la copia no se hizo: {error}") from None
    click.echo(json.dumps({"folder": str(target)} | manifest) if as_json else f"copia en {target} ({digest[:16]}…)")


@click.command()
@click.argument("folder", metavar="FROM", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_obj
def restore(context: Context, folder: Path) -> None:
    """Restaura una copia donde no hay base de datos, y verifica el registro. / Restore, then verify the record."""
    try:
        raw = (folder / MANIFEST).read_bytes()[: LARGEST_MANIFEST + 1]
        manifest = json.loads(raw) if len(raw) <= LARGEST_MANIFEST else {}
        put_back(folder / DATABASE, context.settings.database, sha256=str(manifest.get("sha256", "")))
        note = (folder / CHECKPOINT).read_text(encoding="utf-8")
    except NotEmbedded:
        raise click.ClickException("la base de datos es de un servidor PostgreSQL: use pg_restore") from None
    except FileExistsError as error:
        raise click.ClickException(f"{error}: ya hay una base de datos; la restauración no la toca") from None
    except (OSError, ValueError, AttributeError, CopyBroken) as error:
        raise click.ClickException(f"{folder}: no es una copia sana ({error})") from None
    keeper = context.service.record_keeper
    try:
        found = keeper.verify_store(held=[keeper.opened(note)])
    except RecordBroken as broken:
        raise click.ClickException(f"el registro restaurado no se verifica: {broken}") from None
    click.echo(f"restaurada y verificada: {found.size} entradas")


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def health(context: Context, *, as_json: bool) -> None:
    """Estado de la base de datos y de los dispositivos; termina con 1 si algo no está bien. / State of the service."""
    service = context.service
    with service.store.view() as tx:
        size = tx.events.size()
        devices = [(one.id, tx.health.maybe(one.id)) for one in tx.devices.find(retired=False, limit=2000)]
        alarms = len(service.alarms.find(open_only=True, limit=1000))
        unmailed = bool(context.settings.mail_server) and is_failing(tx)
    unsound = disk_failed(context.settings.data_dir)
    off = sorted(key for key, seen in devices if seen is None or not seen.online)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "entries": size,
                    "devices": len(devices),
                    "offline": off,
                    "alarms": alarms,
                    "unmailed": unmailed,
                    "disk_failed": unsound,
                }
            )
        )
    else:
        click.echo(f"registro: {size} entradas; dispositivos: {len(devices) - len(off)} de {len(devices)} en línea")
        click.echo(f"alarmas por atender: {alarms}" + (f"; fuera de línea: {', '.join(off)}" if off else ""))
        if unmailed:
            click.echo("el último punto de control no salió por correo: vea el registro, «record mail»")
        if unsound:
            click.echo("el disco no guardó lo escrito, y el registro no se ha verificado desde entonces")
    if off or unmailed or unsound:
        sys.exit(1)
