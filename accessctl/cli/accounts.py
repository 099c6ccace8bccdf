"""`account add|disable|list`. No default password exists: one is typed, read from a file, or made and shown once."""

import json
import secrets
import sys
from pathlib import Path

import click

from accessctl.cli.context import Context
from accessctl.domain.people import GRANTABLE, SYSTEM, Role
from accessctl.services.people_desk import PersonForm

ROLES = sorted(role.value for role in GRANTABLE)


@click.group()
def account() -> None:
    """Cuentas del panel. / Accounts of the panel."""


@account.command()
@click.argument("username")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="Puede repetirse.")
@click.option("--name", "full_name", help="Nombre completo, si la persona es nueva. / Full name of a new person.")
@click.option("--dpi", help="DPI (13 dígitos).")
@click.option("--passport", help="Pasaporte, en lugar del DPI.")
@click.option("--person", help="Número o documento de una persona ya registrada. / A person on file.")
@click.option("--department", default="Subgerencia de Tecnología", show_default=True)
@click.option("--position", default="Colaborador", show_default=True)
@click.option("--email", default="")
@click.option("--reference", default="", help="Solicitud que respalda la cuenta (P1).")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--generate", is_flag=True, help="Genera la contraseña y la muestra una vez. / Make one, show it once.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def add(
    context: Context,
    username: str,
    roles: tuple[str, ...],
    full_name: str | None,
    dpi: str | None,
    passport: str | None,
    person: str | None,
    department: str,
    position: str,
    email: str,
    reference: str,
    password_file: Path | None,
    *,
    generate: bool,
    as_json: bool,
) -> None:
    """Agrega una cuenta; la primera se hace así. / Add an account; this makes the first one."""
    password = _password(password_file, generate=generate)
    service = context.service
    holder: str | PersonForm
    if person is not None:
        holder = _on_file(context, person)
    elif not full_name or bool(dpi) == bool(passport):
        raise click.UsageError("--name y --dpi (o --passport), o --person")
    else:
        holder = PersonForm(
            full_name=full_name,
            document_kind="dpi" if dpi else "pasaporte",
            document_number=dpi or passport or "",
            email=email,
            department=department,
            position=position,
        )
    added = service.accounts.add(
        SYSTEM,
        username=username,
        password=password,
        person=holder,
        roles=frozenset(Role(role) for role in roles),
        reference=reference,
    )
    if as_json:
        shown = {"id": added.id, "username": added.username, "person": added.person, "roles": list(added.roles)}
        click.echo(json.dumps(shown | ({"password": password} if generate else {})))
    else:
        click.echo(f"cuenta {added.username}: {', '.join(added.roles)}")
        if generate:
            click.echo(f"contraseña (no se muestra otra vez): {password}")


@account.command()
@click.argument("username")
@click.option("--reason", default="NG.7", show_default=True)
@click.pass_obj
def disable(context: Context, username: str, reason: str) -> None:
    """Da de baja una cuenta y termina sus sesiones. / End an account and its sessions."""
    context.service.accounts.disable(SYSTEM, username, reason=reason)
    click.echo(f"cuenta {username}: de baja")


@account.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """Las cuentas. / All accounts."""
    found = context.service.accounts.accounts()
    if as_json:
        rows = [
            {
                "username": one.username,
                "roles": list(one.roles),
                "person": one.person,
                "disabled_at": one.disabled_at.isoformat() if one.disabled_at else None,
            }
            for one in found
        ]
        click.echo(json.dumps(rows))
        return
    for one in found:
        click.echo(f"{one.username:24} {' '.join(one.roles):40} {'de baja' if one.disabled_at else 'activa'}")


def _on_file(context: Context, wanted: str) -> str:
    """The id of the one person with this number or document; a part of a name designates nobody."""
    bare = wanted.replace(" ", "").replace("-", "").upper()
    for one in context.service.people.find(wanted, limit=50) if bare else []:
        if bare in {str(one.number), one.document.number.replace("-", "")}:
            return one.id
    raise click.ClickException(f"{wanted!r}: no designa a una persona registrada")


def _password(file: Path | None, *, generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(12)
    if file is not None:
        with file.open("rb") as opened:
            content = opened.read(1000)
        try:
            return content.decode("utf-8").strip("\r\n")
        except UnicodeDecodeError:
            raise click.ClickException(f"{file}: no es texto UTF-8") from None
    if sys.stdin.isatty():
        return str(click.prompt("Contraseña", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().strip("\r\n")[:1000]
