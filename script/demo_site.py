"""The demo's building, its people and its installation: files, accounts, cards in stock."""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from demo_processes import command_line

from accessctl.bootstrap import Service as Core
from accessctl.bootstrap import build
from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.people import SYSTEM, Role
from accessctl.settings import load

SITE = """\
[[zone]]
id = "subgerencia"
name = "Subgerencia de Tecnología"

[[zone]]
id = "infraestructura"
name = "Departamento de Infraestructura"
inside = "subgerencia"

[[zone]]
id = "cdatos"
name = "Centro de Datos"
inside = "subgerencia"
class = "data_centre"

[[zone]]
id = "telecom"
name = "Sala de Telecomunicaciones"
inside = "subgerencia"

[[door]]
id = "cd-1"
name = "Centro de Datos"
zone = "cdatos"

[[door]]
id = "tel-1"
name = "Sala de Telecomunicaciones"
zone = "telecom"

[[door]]
id = "sub-1"
name = "Subgerencia, ingreso principal"
zone = "subgerencia"

[[door]]
id = "sub-2"
name = "Infraestructura Tecnológica"
zone = "infraestructura"

[[device]]
id = "lobby"
transport = "zk"
address = "{lobby}"
serial = "SUB1000000001"
doors = ["sub-1"]
comm_key_file = "keys/lobby.comm"

[[device]]
id = "infra"
transport = "zk"
address = "{infra}"
serial = "SUB2000000002"
doors = ["sub-2"]

[[device]]
id = "cd-panel"
transport = "push"
serial = "3383154200002"
source = "127.0.0.1"
doors = ["cd-1", "tel-1"]
online = true

[[device]]
id = "mesa"
transport = "rdm6300"
address = "serial://{mesa}"
"""

SIMULATED = """\
[site]
name = "Subgerencia de Tecnología"
script = "on-demand"

[[device]]
id = "lobby"
kind = "zk-terminal"
door = "sub-1"
serial = "SUB1000000001"
port = {lobby_port}
commkey = {comm_key}
finger = "manual"
users = 0
records = 0
sample_ms = 120

[[device]]
id = "infra"
kind = "zk-terminal"
door = "sub-2"
serial = "SUB2000000002"
port = {infra_port}
finger = "manual"
users = 0
records = 0
sample_ms = 120

[[device]]
id = "cd-panel"
kind = "push-controller"
server = "http://127.0.0.1:{push_port}"
serial = "3383154200002"
doors = 2
online = true
when_away = "deny"
held_open_s = 4.0
poll_s = 0.5
retry_s = 0.5

[[device]]
id = "mesa"
kind = "desk-reader"
link = "mesa"

[[person]]
id = "ana"
name = "Ana Lucía Xol Ñáñez"
card = "0F0184F07A"

[[person]]
id = "beto"
name = "Beto Güitz"
card = "0801161DD6"

[[person]]
id = "extrano"
name = "Nadie"
card = "0600000001"

[[person]]
id = "tomas"
name = "Tomás Pérez"
card = "0A00123456"

[[person]]
id = "nora"
name = "Nora Batz"
card = "2E00AF0EC9"

[[person]]
id = "visita"
name = "Carlos Proveedor"
card = "0700000002"

[[person]]
id = "visita2"
name = "Dora Proveedora"
card = "0700000003"

[[person]]
id = "visita3"
name = "Elena Instaladora"
card = "0700000004"
"""

CONFIG = """\
database = "sqlite:///accessctl.db"
data_dir = "data"
panel = "127.0.0.1:{panel_port}"
ingress = "127.0.0.1:{push_port}"
cookie_secure = false            # the demo speaks plain HTTP, on the loopback only
device_deadline_s = 5.0
visitors_per_escort = 1          # so that the second visitor of the day is one too many
visit_grace_minutes = 0          # so that a day at full speed sees a visit overstay
"""

STAFF = (
    # username, name, DPI, roles, position
    ("rosa.mendez", "Rosa Méndez", "2000000040101", (Role.RECEPCION,), "Secretaria de Recepción"),
    ("sofia.aju", "Sofía Ajú", "2000000120101", (Role.SECRETARIA_INFRA,), "Secretaria, Infraestructura Tecnológica"),
    ("tomas.perez", "Tomás Pérez", "2000000200101", (Role.TECNICO_INFRA,), "Técnico en Infraestructura"),
    ("nora.batz", "Nora Batz", "2000001010101", (Role.TECNICO_INFRA,), "Técnica en Infraestructura"),
    ("julia.xicara", "Julia Xicará", "2000000390101", (Role.JEFE,), "Jefa, Infraestructura Tecnológica"),
    ("gaspar.tun", "Gaspar Tun", "2000000470101", (Role.GUARDIA,), "Guardia"),
    ("aura.coc", "Aura Coc", "2000000550101", (Role.AUDITOR,), "Auditoría Interna"),
    ("ada.min", "Ada Min", "2000000630101", (Role.ADMIN,), "Administradora del sistema"),
)
DEPARTMENT = "Departamento de Infraestructura Tecnológica"
ANA = {
    "full_name": "Ana Lucía Xol Ñáñez",
    "document_number": "2000000710101",
    "department": "Departamento de Desarrollo de Sistemas",  # whose people escort nobody (N4.3)
}
BETO = {"full_name": "Beto Güitz", "document_number": "2000000980101"}
ANA_CARD, BETO_CARD = "0F0184F07A", "0801161DD6"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person of the demo who signs in."""

    id: str
    username: str
    password: str
    person: str
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Where the demo lives: its settings' file, the simulator's file, the accounts by user name."""

    folder: Path
    config: Path
    simulated: Path
    accounts: dict[str, Account]

    def core(self) -> Core:
        """The service's own desks, for reading what was stored."""
        return build(load(str(self.config)))


def install(folder: Path, *, panel_port: int, push_port: int, terminals: Sequence[int]) -> Installation:
    """Make the installation in `folder`, or take up the one that is there. Ports are written anew each time."""
    folder.mkdir(parents=True, exist_ok=True)
    config, simulated = folder / "accessctl.toml", folder / "simulated.toml"
    fresh = not (folder / "accounts.json").exists()
    config.write_text(CONFIG.format(panel_port=panel_port, push_port=push_port), encoding="utf-8")
    command_line(config, "init")
    comm = folder / "data" / "keys" / "lobby.comm"
    if not comm.exists():
        comm.touch(mode=0o600)
        comm.write_text(str(secrets.randbelow(900_000) + 100_000), encoding="ascii")
    text = SIMULATED.format(
        lobby_port=terminals[0], infra_port=terminals[1], comm_key=comm.read_text(encoding="ascii"), push_port=push_port
    )
    simulated.touch(mode=0o600)
    simulated.write_text(text, encoding="utf-8")
    site = folder / "site.toml"
    addresses = {"lobby": f"tcp://127.0.0.1:{terminals[0]}", "infra": f"tcp://127.0.0.1:{terminals[1]}"}
    site.write_text(SITE.format(mesa=folder.resolve() / "mesa", **addresses), encoding="utf-8")
    core = build(load(str(config)))
    command_line(config, "site", "apply", str(site))
    if fresh:
        accounts = _staff(core)
        for number in ("0A00123456", "2E00AF0EC9"):
            core.stock.add(SYSTEM, CardNumber.from_bytes(CardFormat.EM4100, bytes.fromhex(number)), label="reserva")
        _keep(folder / "accounts.json", accounts)
    core.store.close()
    kept = json.loads((folder / "accounts.json").read_text(encoding="utf-8"))
    return Installation(
        folder=folder,
        config=config,
        simulated=simulated,
        accounts={one["username"]: Account(**{**one, "roles": tuple(one["roles"])}) for one in kept},
    )


def _staff(core: Core) -> list[Account]:
    accounts = []
    for username, name, dpi, roles, position in STAFF:
        person = core.people.register(
            SYSTEM,
            full_name=name,
            document_kind="dpi",
            document_number=dpi,
            email=f"{username}@ejemplo.gob.gt",
            department=DEPARTMENT,
            position=position,
        )
        password = secrets.token_urlsafe(12)
        added = core.accounts.add(
            SYSTEM, username=username, password=password, person=person.id, roles=frozenset(roles), reference="demo"
        )
        named = tuple(role.value for role in roles)
        accounts.append(
            Account(id=added.id, username=username, password=password, person=person.id, name=name, roles=named)
        )
    return accounts


def _keep(file: Path, accounts: list[Account]) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump([asdict(account) for account in accounts], out, ensure_ascii=False, indent=1)
