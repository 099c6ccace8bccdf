"""The second half of the day: the data centre, where the door itself enforces procedure 4.

The controller asks the server at each card (online verification), so every refusal below is the service's own answer,
with the step or norm that is missing.
"""

import json
from dataclasses import dataclass, field
from datetime import timedelta

from demo_day import SIGNATURE, Day
from demo_processes import DemoFailed, wait_for

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.schedules import local
from accessctl.services.store import EventRow

VISITOR = {"name": "Carlos Proveedor", "document": "2000001280101", "card": "0000000002", "who": "visita"}
HOSTED = {"name": "Dora Proveedora", "document": "2000001360101", "card": "0000000003", "who": "visita2"}
INK = {"strokes": json.dumps(SIGNATURE), "width": "600", "height": "200"}


@dataclass
class VisitsDay:
    """Visits, played on top of a day whose staff have their cards."""

    day: Day
    visits: dict[str, str] = field(default_factory=dict)

    def play(self) -> None:
        """All of it, in order."""
        self.day.tell("El Centro de Datos: procedimiento 4, aplicado por la puerta")
        self._staff()
        carlos = self._authorised()
        self._at_the_door(carlos)
        self._inside(carlos)
        self._out(carlos)
        self._fortuitous()
        self._hosted()
        self._zones()

    # -- the pieces

    def show(self, who: str, *, door: int = 1, way: str = "in", opens: bool) -> None:
        """Hold a card to the controller's reader; the lock must do what is expected."""
        answer = self.day.simulator.say(f"cd-panel present card @{who} {door} {way}")
        if bool(answer.get("granted")) != opens:
            raise DemoFailed(f"{who} ante la puerta {door} ({way}): el panel respondió {answer}")

    def refusal(self, who: str, reason: str, norm: str, *, door: int = 1) -> EventRow:
        """The card is refused, and the record says for which reason and norm."""
        after = self.day.size()
        self.show(who, door=door, opens=False)
        row = self.day.await_event("door:entry:refused", after=after, device="cd-panel")
        if (row.reason, row.norm) != (reason, norm):
            raise DemoFailed(f"{who}: se esperaba {reason} ({norm}) y el registro dice {row.reason} ({row.norm})")
        self.day.tell(f"    {who}: rechazado, {reason} ({norm})")
        return row

    def _staff(self) -> None:
        """Two technicians get their cards by procedure 10, each configured by the other."""
        day = self.day
        day.act("los dos técnicos reciben su tarjeta: quien configura no es quien recibe")
        for username, configurer, typed, document in (
            ("tomas.perez", "nora.batz", "0001193046", "2000000200101"),
            ("nora.batz", "tomas.perez", "0011472585", "2000001010101"),
        ):
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

    def _pool(self, name: str, number: str) -> str:
        technician = self.day.people["tecnico_infra"]
        technician.post("/visitas/tarjetas/", {"typed": number, "format": "em4100", "label": name})
        with self.day.core.store.view() as tx:
            return next(card.id for card in tx.visitor_cards.find(limit=100) if card.label == name)

    def _authorised(self) -> str:
        day = self.day
        day.act("P4.01 la jefatura autoriza un ingreso; la tarjeta de visita se prepara")
        until = local(day.core.office.clock()) + timedelta(hours=2)
        page = day.people["jefe"].post(
            "/visitas/nueva",
            {
                "zone": "cdatos",
                "name": VISITOR["name"],
                "organisation": "Enlaces del Sur, S. A.",
                "purpose": "Cambio de una fuente de poder",
                "valid_until": until.strftime("%Y-%m-%dT%H:%M:%S"),
            },
        )
        visit = self.visits["carlos"] = page.rsplit("/", 1)[-1]
        card = self._pool("visita 1", VISITOR["card"])
        technician = day.people["tecnico_infra"]
        day.act("P4.02 y P4.03 el técnico registra los datos, el equipo y la inducción")
        technician = day.people["tecnico_infra"]
        technician.post(
            f"/visitas/{visit}/datos",
            {
                "document_kind": "dpi",
                "document_number": VISITOR["document"],
                "third_party": "si",
                "escort": day.place.accounts["tomas.perez"].person,
                "briefed": "1",
                "description": ["Fuente de poder 750 W", "Portátil"],
                "serial": ["FP-750-0042", "LT-9"],
            },
        )
        technician.post(f"/visitas/{visit}/tarjeta", {"card": card})
        return visit

    def _at_the_door(self, visit: str) -> None:
        day = self.day
        day.act("en la puerta: sin firma no, sin acompañante no, con quien no puede acompañar tampoco")
        self.refusal("visita", "visit_step_missing", "P4.04")
        day.people["tecnico_infra"].post(f"/visitas/{visit}/firma", INK)
        self.refusal("visita", "escort_missing", "N4.3")
        self.refusal("ana", "escort_not_entitled", "N4.3")
        day.act("P4.05 con la tarjeta del acompañante, dentro del tiempo de emparejamiento, la puerta abre")
        self.show("tomas", opens=True)
        day.await_event("visit:entry:made", after=0)

    def _inside(self, visit: str) -> None:
        day = self.day
        day.act("quien acompaña sale primero: la puerta abre y la alarma queda hasta el relevo")
        self.show("tomas", way="out", opens=True)
        day.await_alarm(AlarmKind.ESCORT_LEFT_FIRST, ("raised",))
        relief = {"relief": day.place.accounts["nora.batz"].person}
        escort = day.people["nora.batz"]
        day.refused("escort_missing", "N4.3", lambda: escort.post(f"/visitas/{visit}/relevo", relief))
        self.show("nora", opens=True)
        escort.post(f"/visitas/{visit}/relevo", relief)
        day.await_alarm(AlarmKind.ESCORT_LEFT_FIRST, ("resolved",))
        day.people["nora.batz"].post(f"/visitas/{visit}/actividades", {"activities": "Fuente cambiada y probada"})

    def _out(self, visit: str) -> None:
        day = self.day
        day.act("P4.06 a P4.08 salida por lector, comprobada por persona y anotada; P4.08 antes de P4.07 no")
        escort = day.people["nora.batz"]
        day.refused("step_out_of_order", "P4.08", lambda: escort.post(f"/visitas/{visit}/salida/anotar", {}))
        self.show("visita", way="out", opens=True)
        wait_for("la salida por lector", lambda: day.rows(events=("visit:exit:seen",)))
        escort.post(f"/visitas/{visit}/salida/comprobar", {"leaves": ["1"]})
        escort.post(f"/visitas/{visit}/tarjeta/devuelta")
        escort.post(f"/visitas/{visit}/salida/anotar", {})
        self.show("nora", way="out", opens=True)
        self.refusal("visita", "visit_step_missing", "P4.01")

    def _fortuitous(self) -> None:
        day = self.day
        day.act("N4.2 ingreso fortuito, coordinado con la autoridad superior, señalado hasta que se regulariza")
        head = day.place.accounts["julia.xicara"].person
        soon = local(day.core.office.clock()) + timedelta(seconds=4)
        technician = day.people["tecnico_infra"]
        page = technician.post(
            "/visitas/fortuito",
            {
                "zone": "cdatos",
                "name": "Técnico de guardia del proveedor",
                "organisation": "Enlaces del Sur, S. A.",
                "purpose": "Falla eléctrica",
                "authority": head,
                "reason": "Falla del respaldo a medianoche",
                "valid_until": soon.strftime("%Y-%m-%dT%H:%M:%S"),
            },
        )
        visit = self.visits["fortuito"] = page.rsplit("/", 1)[-1]
        with day.core.store.view() as tx:
            card = next(one.id for one in tx.visitor_cards.find(limit=100) if one.label == "visita 1")
        data = {"document_kind": "pasaporte", "document_number": "GT998877", "third_party": "si", "briefed": "1"}
        technician.post(f"/visitas/{visit}/datos", data)
        technician.post(f"/visitas/{visit}/tarjeta", {"card": card})
        technician.post(f"/visitas/{visit}/firma", INK)
        self.show("visita", opens=False)
        self.show("tomas", opens=True)
        day.people["jefe"].post(f"/visitas/{visit}/regularizar", {"comment": "Confirmo lo coordinado esa noche"})
        day.act("la visita se pasa de su ventana: alarma; sale, se comprueba y se anota")
        day.await_alarm(AlarmKind.VISIT_OVERSTAY, ("raised",), seconds=30)
        technician = day.people["tecnico_infra"]
        self.show("visita", way="out", opens=True)
        technician.post(f"/visitas/{visit}/salida/comprobar", {"activities": "Energía restablecida"})
        technician.post(f"/visitas/{visit}/tarjeta/devuelta")
        technician.post(f"/visitas/{visit}/salida/anotar", {})
        self.show("tomas", way="out", opens=True)

    def _hosted(self) -> None:
        day = self.day
        day.act("N10.6 una visita de la Subgerencia entra solo si la persona responsable está dentro")
        host = day.place.accounts["nora.batz"].person
        page = day.people["jefe"].post(
            "/visitas/nueva",
            {
                "zone": "telecom",
                "name": HOSTED["name"],
                "organisation": "Ministerio",
                "purpose": "Reunión",
                "host": host,
            },
        )
        visit = self.visits["dora"] = page.rsplit("/", 1)[-1]
        card = self._pool("visita 2", HOSTED["card"])
        guard = day.people["guardia"]
        data = {"document_kind": "dpi", "document_number": HOSTED["document"], "third_party": "si", "briefed": "1"}
        guard.post(f"/visitas/{visit}/datos", data)
        guard.post(f"/visitas/{visit}/firma", INK)
        guard.post(f"/visitas/{visit}/tarjeta", {"card": card})
        self.refusal("visita2", "host_absent", "N10.6", door=2)
        self.show("nora", door=2, opens=True)
        self.show("visita2", door=2, opens=True)
        day.act("la persona responsable se va: alarma; la visita sale y se cierra")
        self.show("nora", door=2, way="out", opens=True)
        day.await_alarm(AlarmKind.HOST_LEFT, ("raised",), seconds=30)
        self.show("visita2", door=2, way="out", opens=True)
        guard = day.people["guardia"]
        guard.post(f"/visitas/{visit}/salida/comprobar", {"activities": "Reunión"})
        guard.post(f"/visitas/{visit}/tarjeta/devuelta")
        guard.post(f"/visitas/{visit}/salida/anotar", {})

    def _zones(self) -> None:
        day = self.day
        day.act("aforo, bloqueo de emergencia y puerta forzada en el Centro de Datos; la salida sigue libre")
        technician = day.people["tecnico_infra"]
        technician.post("/adentro/zonas/cdatos/reglas", {"occupancy_limit": "1", "anti_passback": "hard"})
        self.show("tomas", opens=True)
        self.refusal("nora", "occupancy_limit", "N10.2")
        self.refusal("tomas", "anti_passback", "N10.1")
        technician.post("/adentro/zonas/cdatos/bloquear", {"why": "Humo en el pasillo"})
        self.refusal("nora", "lockdown", "N10.2")
        self.show("tomas", way="out", opens=True)
        technician.post("/adentro/zonas/cdatos/reabrir")
        technician.post("/adentro/zonas/cdatos/reglas", {"occupancy_limit": "0", "anti_passback": "off"})
        day.act("una puerta queda abierta y otra se fuerza")
        self.show("nora", door=2, opens=True)
        day.simulator.say("cd-panel open-door 2")
        wait_for("la cerradura de la puerta 1", lambda: self._locked(1))
        day.simulator.say("cd-panel force-door 1")
        day.await_alarm(AlarmKind.DOOR_FORCED, ("raised",))
        day.simulator.say("cd-panel close-door 1")
        day.await_alarm(AlarmKind.DOOR_HELD_OPEN, ("raised",), seconds=30)
        day.simulator.say("cd-panel close-door 2")
        self.show("nora", door=2, way="out", opens=True)

    def _locked(self, door: int) -> bool:
        return bool(self.day.simulator.say("cd-panel state")["doors"][str(door)]["locked"])
