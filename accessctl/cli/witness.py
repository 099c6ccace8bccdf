"""`witness init|key|trust|sign`: for somebody else, on another machine; it needs no settings and no database."""

import json
from contextlib import ExitStack
from pathlib import Path

import click

from accessctl import clock
from accessctl.cli.verdicts import broken, disk, shown
from accessctl.record import RecordBroken
from accessctl.record.reading import MAX_DOCUMENT
from accessctl.services.complete_file import complete_files
from accessctl.services.saved_letter import saved_document
from accessctl.services.witness import Witness, WitnessWrong

FOLDER = click.Path(path_type=Path, file_okay=False)
STATE = click.option("--state", type=FOLDER, required=True, help="Carpeta del testigo. / The witness's own folder.")


@click.group()
def witness() -> None:
    """Testigo: firma un punto de control solo si continúa el anterior. / A co-signing witness, run by somebody else."""


@witness.command("init")
@STATE
@click.option("--name", required=True, help="Nombre de su clave, sin espacios. / The name of its key.")
@click.option("--key", required=True, metavar="VKEY", help="Clave pública del registro. / The record's public key.")
def begin(state: Path, name: str, key: str) -> None:
    """Crea la clave del testigo y muestra la pública. / Make the witness's key."""
    try:
        click.echo(Witness.begin(state, name=name, trusted=key, entropy=clock.entropy).verifier_key)
    except RecordBroken as found:
        raise click.UsageError(f"--key: {found}") from None
    except ValueError as wrong:
        raise click.UsageError(f"--name: {wrong}") from None
    except OSError as failed:
        raise click.ClickException(disk(failed, state)) from None


@witness.command("key")
@STATE
def show_key(state: Path) -> None:
    """Muestra la clave pública del testigo. / Print the witness's public key."""
    try:
        click.echo(Witness(state).verifier_key)
    except WitnessWrong as wrong:
        raise click.ClickException(str(wrong)) from None


@witness.command()
@STATE
@click.argument("key", metavar="VKEY")
def trust(state: Path, key: str) -> None:
    """Sigue el registro también con su clave nueva. / Follow the record under a new key, after a rotation."""
    try:
        Witness(state).trust(key)
    except RecordBroken as found:
        raise click.UsageError(str(found)) from None
    except WitnessWrong as wrong:
        raise click.ClickException(str(wrong)) from None


@witness.command()
@STATE
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Guarda la última nota firmada. / Keep the last note.")
@click.option("--json", "as_json", is_flag=True)
def sign(state: Path, files: tuple[Path, ...], out: Path | None, *, as_json: bool) -> None:
    """Firma lo que continúa lo último firmado; el primero puede ser un punto de control solo.

    FILES: archivos de «record extend», de la carpeta de testigos o correos guardados, en orden. / Co-sign, in order.
    """
    note = ""
    for path in files:
        try:
            with path.open("rb") as file:
                content = file.read(MAX_DOCUMENT + 1)
            signed = Witness(state).sign(saved_document(content))
        except RecordBroken as found:
            raise click.ClickException(f"{shown(path)}: {broken(found)}") from None
        except WitnessWrong as wrong:
            raise click.ClickException(str(wrong)) from None
        except OSError as failed:
            raise click.ClickException(disk(failed, path)) from None
        note = signed.note
        if as_json:
            size, root = signed.checkpoint.size, signed.checkpoint.root.hex()
            click.echo(json.dumps({"file": str(path), "size": size, "root": root, "note": note}, ensure_ascii=False))
        elif out is None:
            click.echo(note, nl=False)
        else:
            click.echo(f"{shown(path)}: firmado, {signed.checkpoint.size} asientos")
    if out is not None:
        try:
            with ExitStack() as stack:
                kept = stack.enter_context(complete_files(token=clock.new_id()))
                kept.begin(out).write(note.encode())
                kept.settle()
                kept.appear()
        except OSError as failed:
            raise click.ClickException(disk(failed, out)) from None
