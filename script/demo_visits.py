"""The second half of the day: the data centre, where the door itself enforces procedure 4.

Third parties with their escort, own staff without visitors (P4.03 no), and the fortuitous entry of N4.2.
"""

from dataclasses import dataclass
from datetime import timedelta

from demo_day import Day
from demo_paper import PaperDay
from demo_processes import DemoFailed, wait_for
from demo_register import COMPANY, INK, Register
from demo_zones import ZonesDay

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.schedules import local
from accessctl.services.store import EventFilter

CARLOS, ELENA = "2000001280101", "2000001440101"
STAFF = (  # who gets a card by procedure 10, configured by whom, the number printed on it, the DPI
    ("tomas.perez", "nora.batz", "0001193046", "2000000200101"),
    ("nora.batz", "tomas.perez", "0011472585", "2000001010101"),
)


@dataclass
class VisitsDay:
    """Visits, played on top of a day whose staff have their cards."""

    day: Day

    def __post_init__(self) -> None:
        self.doors = self.day.doors
        self.register = Register(self.day)

    def play(self) -> None:
        """All of it, in order."""
        self.day.tell("El Centro de Datos: procedimiento 4, aplicado por la puerta")
        self._staff()
        paper = PaperDay(self.register)
        paper.before()
        carlos = self._authorised()
        self._at_the_door(carlos)
        elena = self._one_too_many()
        self._relieved(carlos)
        self._out(carlos)
        self._escort_first(elena)
        self._own_staff()
        self._fortuitous()
        ZonesDay(self.register).play()
        paper.afterwards()

    def _person(self, username: str) -> str:
        return self.day.place.accounts[username].person

    def _staff(self) -> None:
        """Two technicians get their cards by procedure 10, each configured by the other."""
        day = self.day
        day.act("los dos técnicos reciben su tarjeta: quien configura no es quien recibe")
        for username, configurer, typed, document in STAFF:
            account = day.place.accounts[username]
            case = day.request_for(account.person, ["sub-1", "cd-1", "tel-1"], scan=True)
            by = day.place.accounts[configurer]
            day.people["secretaria_infra"].post(f"/solicitudes/{case}/asignar", {"technician": by.id})
            desk = day.people[configurer]
            desk.post(f"/solicitudes/{case}/tarjeta", {"typed": typed, "format": "em4100"})
            desk.post(f"/solicitudes/{case}/acceso", {"doors": ["sub-1", "cd-1", "tel-1"], "schedule": "always"})
            desk.post(f"/solicitudes/{case}/dispensa", {"why": "Solo tarjeta para el acompañamiento"})
            desk.post(f"/solicitudes/{case}/preparada")
            desk.post(f"/solicitudes/{case}/firma", {**INK, "document_shown": document})
            desk.post(f"/solicitudes/{case}/entregar")
            day.people["secretaria_infra"].post(f"/solicitudes/{case}/informar")

    # -- a third party, from the authorisation to the door

    def _authorised(self) -> str:
        day, register = self.day, self.register
        day.act("P4.01 la jefatura autoriza un ingreso; la tarjeta de visita se prepara")
        visit = register.authorised("carlos", "cdatos", "Carlos Proveedor", "Cambio de una fuente de poder")
        register.pool("visita", "0000000002")
        day.act("P4.02 y P4.03 el técnico registra los datos, el equipo y la inducción")
        equipment: dict[str, str | list[str]] = {
            "description": ["Fuente de poder 750 W", "Portátil"],
            "serial": ["FP-750-0042", "LT-9"],
        }
        ana = day.persons["ana"]
        day.refused(  # Ana is of Desarrollo de Sistemas: no escort of the manual's
            "escort_not_entitled",
            "N4.3",
            lambda: register.registered(visit, CARLOS, by="tecnico_infra", escort=ana, **equipment),
        )
        register.registered(visit, CARLOS, by="tecnico_infra", escort=self._person("tomas.perez"), **equipment)
        register.handed(visit, "visita", by="tecnico_infra")
        return visit

    def _at_the_door(self, visit: str) -> None:
        day, doors = self.day, self.doors
        day.act("en la puerta: sin firma no, sin acompañante no, con alguien de otro departamento tampoco")
        doors.refusal("visita", "visit_step_missing", "P4.04")
        day.people["tecnico_infra"].post(f"/visitas/{visit}/firma", INK)
        doors.refusal("visita", "escort_missing", "N4.3")
        doors.refusal("ana", "escort_not_entitled", "N4.3")
        day.act("P4.05 primero la visita, luego quien acompaña, dentro del tiempo de emparejamiento: la puerta abre")
        doors.show("visita", opens=False)
        doors.show("tomas", opens=True)
        day.await_event("visit:entry:made", after=0)

    def _one_too_many(self) -> str:
        """`visitors_per_escort` is one in the demo: a second visitor of the same escort is one too many."""
        day, doors, register = self.day, self.doors, self.register
        day.act("N4.3 quien acompaña ya tiene a sus visitantes: uno más no entra")
        visit = register.authorised("elena", "cdatos", "Elena Instaladora", "Tendido de fibra")
        register.pool("visita3", "0000000004")
        register.registered(visit, ELENA, by="tecnico_infra", escort=self._person("tomas.perez"))
        register.handed(visit, "visita3", by="tecnico_infra")
        day.people["tecnico_infra"].post(f"/visitas/{visit}/firma", INK)
        doors.show("tomas", opens=True)
        doors.refusal("visita3", "escort_ratio", "N4.3")
        return visit

    def _relieved(self, visit: str) -> None:
        day, doors = self.day, self.doors
        day.act("quien acompaña sale primero: la puerta abre y la alarma queda hasta el relevo")
        doors.show("tomas", way="out", opens=True)
        day.await_alarm(AlarmKind.ESCORT_LEFT_FIRST, ("raised",), about=visit)
        relief = {"relief": self._person("nora.batz")}
        escort = day.people["nora.batz"]
        day.refused("escort_missing", "N4.3", lambda: escort.post(f"/visitas/{visit}/relevo", relief))
        other = {"relief": day.persons["ana"]}
        day.refused("escort_not_entitled", "N4.3", lambda: escort.post(f"/visitas/{visit}/relevo", other))
        doors.show("nora", opens=True)
        escort.post(f"/visitas/{visit}/relevo", relief)
        day.await_alarm(AlarmKind.ESCORT_LEFT_FIRST, ("resolved",), about=visit)
        escort.post(f"/visitas/{visit}/actividades", {"activities": "Fuente cambiada y probada"})

    def _out(self, visit: str) -> None:
        day, doors, register = self.day, self.doors, self.register
        day.act("P4.06 a P4.08 salida por lector, comprobada por persona y anotada; P4.08 antes de P4.07 no")
        escort = day.people["nora.batz"]
        day.refused("step_out_of_order", "P4.08", lambda: escort.post(f"/visitas/{visit}/salida/anotar", {}))
        doors.show("visita", way="out", opens=True)
        wait_for("la salida por lector", lambda: day.rows(events=("visit:exit:seen",)))
        register.closed(visit, by="nora.batz", leaves=["1"])  # the power supply stays: a difference of the day
        doors.show("nora", way="out", opens=True)
        doors.refusal("visita", "visit_step_missing", "P4.01")

    def _escort_first(self, visit: str) -> None:
        day, doors = self.day, self.doors
        day.act("el otro orden: primero quien acompaña, luego la visita; y la alarma que termina con su salida")
        doors.show("tomas", opens=True)
        doors.passes("visita3")
        doors.show("tomas", way="out", opens=True)
        day.await_alarm(AlarmKind.ESCORT_LEFT_FIRST, ("raised",), about=visit)
        doors.show("visita3", way="out", opens=True)
        day.await_alarm(AlarmKind.ESCORT_LEFT_FIRST, ("resolved",), about=visit)
        day.act("la tarjeta de visita no vuelve: queda en la lista, y ya no abre")
        escort = day.people["tomas.perez"]
        escort.post(f"/visitas/{visit}/salida/comprobar", {"activities": "Fibra tendida"})
        day.refused("form_incomplete", "P4.08", lambda: escort.post(f"/visitas/{visit}/salida/anotar", {}))
        escort.post(f"/visitas/{visit}/tarjeta/perdida", {"why": "Se fue con ella"})
        escort.post(f"/visitas/{visit}/salida/anotar", {})
        if "tarjeta de visita3" not in day.people["guardia"].get("/visitas/tarjetas/"):
            raise DemoFailed("la tarjeta que no volvió no está en la lista")
        doors.refusal("visita3", "visit_step_missing", "P4.01")

    # -- own staff, and what was not planned

    def _own_staff(self) -> None:
        day, doors, register = self.day, self.doors, self.register
        day.act("P4.03 no: personal propio sin visitantes entra solo, y su salida también se anota (P4.08)")
        tomas = self._person("tomas.perez")
        visit = register.authorised(
            "tomas", "cdatos", "", "Revisión del aire acondicionado", visitor=tomas, organisation=""
        )
        register.registered(visit, "2000000200101", by="nora.batz", third_party="no")
        doors.show("tomas", opens=True)
        doors.show("tomas", way="out", opens=True)
        day.people["nora.batz"].post(f"/visitas/{visit}/salida/anotar", {})
        which = EventFilter(visit=visit, events=("visit:exit:recorded",))
        with day.core.store.view() as tx:
            if [row.norm for row in tx.events.rows(which, limit=2)] != ["P4.08"]:
                raise DemoFailed("la salida de quien entró sin visitantes no quedó anotada")

    def _fortuitous(self) -> None:
        day, doors, register = self.day, self.doors, self.register
        day.act("N4.2 ingreso fortuito, coordinado con la autoridad superior, señalado hasta que se regulariza")
        soon = local(day.core.office.clock()) + timedelta(seconds=4)
        technician = day.people["tecnico_infra"]
        page = technician.post(
            "/visitas/fortuito",
            {
                "zone": "cdatos",
                "name": "Técnico de guardia del proveedor",
                "organisation": COMPANY,
                "purpose": "Falla eléctrica",
                "authority": self._person("julia.xicara"),
                "reason": "Falla del respaldo a medianoche",
                "valid_until": soon.strftime("%Y-%m-%dT%H:%M:%S"),
            },
        )
        visit = register.visits["fortuito"] = page.rsplit("/", 1)[-1]
        register.registered(visit, "GT998877", by="tecnico_infra", document_kind="pasaporte")
        register.handed(visit, "visita", by="tecnico_infra")
        technician.post(f"/visitas/{visit}/firma", INK)
        doors.show("visita", opens=False)
        doors.show("tomas", opens=True)
        day.people["jefe"].post(f"/visitas/{visit}/regularizar", {"comment": "Confirmo lo coordinado esa noche"})
        day.act("la visita se pasa de su ventana: alarma; sale, se comprueba y se anota")
        day.await_alarm(AlarmKind.VISIT_OVERSTAY, ("raised",), seconds=30)
        doors.show("visita", way="out", opens=True)
        register.closed(visit, by="tecnico_infra", activities="Energía restablecida")
        doors.show("tomas", way="out", opens=True)
