"""`record …` (checkpoint, key, rotate-key, verify, extend, prove, export) with the store; `verify FILE…` without."""

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import click

from accessctl import clock
from accessctl.bootstrap.post import checkpoint_mail
from accessctl.bootstrap.rotation import rotate_record_key
from accessctl.cli.context import Context
from accessctl.cli.progress import progress_bar
from accessctl.cli.verdicts import UNSEALED, broken, disk, shown, unsealed, verified
from accessctl.domain.people import SYSTEM
from accessctl.record import Checkpoint, RecordBroken, Verified, Verifier, open_checkpoint, verify_document, verify_file
from accessctl.services.checkpoint_mail import NotSent
from accessctl.services.complete_file import complete_files
from accessctl.services.saved_letter import saved_document, saved_note

LONGEST_NOTE = 256 * 1024  # a saved mail has more in it than the note
LONGEST_MAIL = 256 * 1024
FILE = click.Path(path_type=Path)


@click.group()
def record() -> None:
    """El registro: firmarlo, comprobarlo, probar un asiento. / The record: sign, check, prove."""


@record.command()
@click.option("--out", type=FILE, help="Guarda la nota en un archivo nuevo. / Keep the note in a new file.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def checkpoint(context: Context, out: Path | None, *, as_json: bool) -> None:
    """Firma hasta dónde llega el registro y muestra la nota. / Sign how far the record has grown."""
    keeper = context.service.record_keeper
    try:
        note = keeper.checkpoint()
    except RecordBroken as found:
        raise click.ClickException(broken(found)) from None
    if out is not None:
        _write(out, note.encode())
    if as_json:
        signed = keeper.opened(note)
        values = {"origin": signed.origin, "size": signed.size, "root": signed.root.hex()}
        click.echo(json.dumps({**values, "note": note, "verifier_key": keeper.verifier_key}, ensure_ascii=False))
    elif out is None:
        click.echo(note, nl=False)
    else:
        click.echo(f"{shown(out)}: {keeper.opened(note).size} asientos")


@record.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def key(context: Context, *, as_json: bool) -> None:
    """La clave pública con la que otros verifican. / The public key for whoever verifies."""
    vkey = context.service.record_keeper.verifier_key
    click.echo(json.dumps({"verifier_key": vkey}) if as_json else vkey)


@record.command("rotate-key")
@click.option("--lost", is_flag=True, help="La clave actual se perdió: firma solo la nueva. / The present key is lost.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def rotate_key(context: Context, *, lost: bool, as_json: bool) -> None:
    """Pasa el registro a una clave nueva, firmada por ambas; la pública anterior se conserva. / Hand over to a new key.

    Si se interrumpe, se repite y termina lo empezado.
    """
    try:
        done = rotate_record_key(context.settings, lost=lost)
    except RecordBroken as found:
        raise click.ClickException(broken(found)) from None
    if as_json:
        values = {"verifier_key": done.verifier_key, "before": done.before, "note": done.note}
        click.echo(json.dumps(values, ensure_ascii=False))
    else:
        click.echo(f"clave nueva: {done.verifier_key}\nclave anterior: {done.before or 'ninguna'}")


@record.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def mail(context: Context, *, as_json: bool) -> None:
    """Envía ahora el punto de control por correo (mail_server, mail_to). / Mail the checkpoint now."""
    sender = checkpoint_mail(context.service)
    if sender is None:
        raise click.ClickException("mail_server: sin servidor de correo en los ajustes")
    try:
        size = sender.send(Event())
    except RecordBroken as found:
        raise click.ClickException(broken(found)) from None
    except NotSent as failed:
        raise click.ClickException(f"el correo no se envió: {shown(Path(str(failed)))}") from None
    recipients = len(context.settings.mail_recipients)
    values = {"size": size, "recipients": recipients}
    click.echo(json.dumps(values) if as_json else f"enviado: {size} asientos, a {recipients} direcciones")


@record.command()
@click.option("--from", "old", type=FILE, required=True, help="Punto de control de antes. / An older checkpoint.")
@click.option("--out", type=FILE, required=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def extend(context: Context, old: Path, out: Path, *, as_json: bool) -> None:
    """Prueba que el registro solo creció desde aquel punto de control. / Prove that the record only grew since."""
    keeper = context.service.record_keeper
    try:
        note = _note(old)
        content = keeper.extension(note)
    except RecordBroken as found:
        raise click.ClickException(broken(found)) from None
    _write(out, content)
    values = {"path": str(out), "from": keeper.opened(note).size, "bytes": len(content)}
    click.echo(json.dumps(values) if as_json else f"{shown(out)}: desde {values['from']} asientos")


@record.command("verify")
@click.option("--checkpoint", "held", type=FILE, multiple=True, help="Punto de control guardado fuera. / Held outside.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def verify_store(context: Context, held: tuple[Path, ...], *, as_json: bool) -> None:
    """Relee el registro entero contra sus firmas. / Read the whole stored record against its signatures."""
    keeper = context.service.record_keeper
    try:
        found = keeper.verify_store([keeper.opened(_note(path)) for path in held])
    except RecordBroken as wrong:
        if as_json:
            click.echo(json.dumps(_wrong(wrong)))
            sys.exit(1)
        raise click.ClickException(broken(wrong)) from None
    values = {"verified": True, "size": found.size, "root": found.root.hex(), "checkpoints": found.checkpoints}
    if as_json:
        click.echo(json.dumps({**values, "held": found.held}))
        return
    kept = f"{found.checkpoints} puntos de control, {found.held} guardados fuera"
    click.echo(f"verificado / verified: {found.size} asientos, raíz {found.root.hex()}, {kept}")


@record.command()
@click.argument("index", type=click.IntRange(min=0))
@click.option("--out", type=FILE, required=True)
@click.option("--disclose", is_flag=True, help="Con nombres y documentos del asiento. / With its names and documents.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def prove(context: Context, index: int, out: Path, *, disclose: bool, as_json: bool) -> None:
    """Prueba un solo asiento ante terceros. / Prove one entry to a third person."""
    try:
        content = context.service.record_keeper.prove(index, disclose=disclose)
    except RecordBroken as found:
        raise click.ClickException(broken(found)) from None
    _write(out, content)
    values = {"path": str(out), "index": index, "bytes": len(content)}
    click.echo(json.dumps(values) if as_json else f"{shown(out)}: asiento {index}, {len(content)} bytes")


@record.command("export")
@click.option("--out", type=FILE, required=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def export_record(context: Context, out: Path, *, as_json: bool) -> None:
    """El registro completo, del asiento 0 al último. / The whole record as JSON lines."""
    try:
        with progress_bar(shown_if=not as_json) as progress:
            made = context.service.exports.whole_record(SYSTEM, out, progress=progress)
    except RecordBroken as found:
        raise click.ClickException(broken(found)) from None
    except OSError as failed:
        raise click.ClickException(disk(failed, out)) from None
    values = {"path": str(out), "manifest": str(made.manifest), "lines": made.lines, "sha256": made.sha256}
    click.echo(json.dumps(values) if as_json else f"{shown(out)}: {made.lines} asientos, SHA-256 {made.sha256}")


@click.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--key", "keys", multiple=True, help="Clave en la que se confía (vkey o su archivo). / Trusted key.")
@click.option("--checkpoint", "held", type=FILE, multiple=True, help="Punto de control guardado antes. / Held before.")
@click.option("--json", "as_json", is_flag=True)
def verify(files: tuple[Path, ...], keys: tuple[str, ...], held: tuple[Path, ...], *, as_json: bool) -> None:
    """Verifica exportaciones, pruebas y puntos de control, sin base de datos ni red. / Verify files offline."""
    trusted = [_key(text) for text in keys]
    rows = []
    for path in files:
        try:
            found = _verified(path, trusted, held)
        except RecordBroken as wrong:
            rows.append({"file": str(path), **_wrong(wrong)})
            said, good = broken(wrong), False
        else:
            good = not unsealed(found)
            said = verified(found) if good else UNSEALED
            rows.append({"file": str(path), "verified": good, **_shown(found)})
        if not as_json:
            click.echo(f"{shown(path)}: {said}", err=not good)
    if as_json:
        click.echo(json.dumps(rows))
    if not all(row["verified"] for row in rows):
        sys.exit(1)


def _verified(path: Path, trusted: Sequence[Verifier], held: Sequence[Path]) -> Verified:
    """Check one file; checkpoints that were held are opened with the trusted keys, or with the one the file names."""
    if not held:
        return _opened(path, trusted)
    keys = trusted or [Verifier.parse(_opened(path, ()).verifier_key)]
    older: list[Checkpoint] = [open_checkpoint(_note(one), keys) for one in held]
    return _opened(path, trusted, older)


def _opened(path: Path, trusted: Sequence[Verifier], held: Sequence[Checkpoint] = ()) -> Verified:
    """A file of ours; or a saved mail, of which the checkpoint or its proof is checked."""
    content = _small(path)
    found = saved_document(content)
    if found != content:
        return verify_document(found, trusted=trusted, held=held)
    return verify_file(path, trusted=trusted, held=held)


def _small(path: Path) -> bytes:
    """A file that may be a saved mail; nothing for an export, for what is too long for a mail, or cannot be read."""
    try:
        if not path.is_file() or (path.parent / f"{path.name}.manifest").exists():
            return b""
        with path.open("rb") as file:
            content = file.read(LONGEST_MAIL + 1)
    except (OSError, ValueError):
        return b""
    return content if len(content) <= LONGEST_MAIL else b""


def _wrong(found: RecordBroken) -> dict[str, object]:
    where = {"index": found.index, "until": found.until, "line": found.line}
    return {"verified": False, "why": found.why.value, **where, "said": str(found)}


def _shown(found: Verified) -> dict[str, object]:
    return {
        "entries": found.entries,
        "whole": found.whole,
        "size": found.checkpoint.size,
        "root": found.checkpoint.root.hex(),
        "origin": found.checkpoint.origin,
        "verifier_key": found.verifier_key,
        "pinned": found.pinned,
        "sealed": found.sealed,
        "held": found.held,
    }


def _key(text: str) -> Verifier:
    """A key as it was typed, or the first line of a file."""
    try:
        if "+" not in text or Path(text).is_file():
            text = _note(Path(text)).decode("utf-8-sig", "replace").strip()
        return Verifier.parse(text)
    except (RecordBroken, OSError, ValueError):  # ValueError: a NUL in the name
        raise click.BadParameter(
            "no es una clave (nombre+id+clave) ni un archivo que la tenga", param_hint="--key"
        ) from None


def _note(path: Path) -> bytes:
    """A small file. What cannot be read is wrong usage: it was named on the command line."""
    try:
        with path.open("rb") as file:
            return saved_note(file.read(LONGEST_NOTE + 1))
    except (OSError, ValueError):
        raise click.BadParameter(f"{shown(path)}: no se puede leer", param_hint="--checkpoint") from None


def _write(path: Path, content: bytes) -> None:
    """A new file, whole or not at all."""
    try:
        with ExitStack() as stack:
            files = stack.enter_context(complete_files(token=clock.new_id()))
            files.begin(path).write(content)
            files.settle()
            files.appear()
    except OSError as failed:
        raise click.ClickException(disk(failed, path)) from None
