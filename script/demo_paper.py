"""The register on paper (N4.1): reserved folios, an entry typed in afterwards, the day's differences."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from demo_day import PAPER
from demo_processes import DemoFailed
from demo_register import Register

from accessctl.domain.schedules import local

FAUSTO = "2000001520101"


@dataclass
class PaperDay:
    """`before` the power fails, folios are printed; `afterwards` what was written on one is typed in."""

    register: Register

    def __post_init__(self) -> None:
        self.day, self.doors = self.register.day, self.register.day.doors
        self.visit = ""

    def before(self) -> None:
        """Two blank folios with numbers of their own; an entry is authorised."""
        day = self.day
        day.act("N4.1 se reservan dos folios de contingencia, y se autoriza un ingreso más")
        day.papers["folios.pdf"] = day.people["guardia"].prints("/visitas/folios", {"folios": "2"})
        self.visit = self.register.authorised("fausto", "cdatos", "Fausto Electricista", "Revisión de tableros")

    def afterwards(self) -> None:
        """No reader saw it: the sheet did. Its folio is named, and the folio that is missing is reported."""
        day, doors, register = self.day, self.doors, self.register
        day.act("lo que solo vio el papel se anota después, con su folio; el folio que falta se dice")
        with day.core.store.view() as tx:
            entered = tx.visits.get(self.visit).authorised_at + timedelta(seconds=2)
        doors.show("tomas", opens=True)
        technician = day.people["tecnico_infra"]
        register.registered(self.visit, FAUSTO, by="tecnico_infra", folio="C-000002")
        technician.post(
            f"/visitas/{self.visit}/firma-en-papel", {"folio": "C-000002"}, {"form": ("hoja firmada.pdf", PAPER)}
        )
        late = f"/visitas/{self.visit}/ingreso-tardio"
        typed: dict[str, str | list[str]] = {"entered_at": _field(entered), "folio": ""}
        day.refused("form_incomplete", "N4.1", lambda: technician.post(late, typed))
        technician.post(late, {**typed, "folio": "C-000002"})
        technician.post(f"/visitas/{self.visit}/salida/comprobar", {"activities": "Tableros revisados"})
        out = {"exited_at": _field(entered + timedelta(seconds=1))}
        technician.post(f"/visitas/{self.visit}/salida/anotar", out)
        doors.show("tomas", way="out", opens=True)
        page = day.people["auditor"].get("/visitas/diferencias/")
        for name in ("C-000001", "Fausto Electricista", "Elena Instaladora", "FP-750-0042", "Ana Lucía Xol Ñáñez"):
            if name not in page:
                raise DemoFailed(f"las diferencias del día no nombran: {name}")
        day.papers["visits.pdf"] = day.people["auditor"].download("/visitas/registro.pdf")


def _field(moment: datetime) -> str:
    return local(moment).strftime("%Y-%m-%dT%H:%M:%S")
