"""The premises in the day: a visit with its host (N10.6), fire and muster, duress, and what a zone asks at its entry.

Leaving is free in all of it.
"""

from dataclasses import dataclass

from demo_processes import DemoFailed, wait_for
from demo_register import INK, Register

from accessctl.domain.alarms import AlarmKind

DORA = "2000001360101"


@dataclass
class ZonesDay:
    """Played when the data centre's visits have left."""

    register: Register

    def __post_init__(self) -> None:
        self.day, self.doors = self.register.day, self.register.day.doors

    def play(self) -> None:
        """All of it, in order."""
        dora = self._hosted()
        self._fire()
        self._host_leaves(dora)
        self._held_open_begins()
        self._twice()
        self._full()
        self._locked_down()
        self._duress()
        self._forced()

    def _hosted(self) -> str:
        day, doors, register = self.day, self.doors, self.register
        day.act("N10.6 una visita de la Subgerencia entra solo si la persona responsable está dentro")
        host = day.place.accounts["nora.batz"].person
        visit = register.authorised("dora", "telecom", "Dora Proveedora", "Reunión", host=host)
        register.pool("visita2", "0000000003")
        register.registered(visit, DORA, by="guardia")
        day.people["guardia"].post(f"/visitas/{visit}/firma", INK)
        register.handed(visit, "visita2", by="guardia")
        doors.refusal("visita2", "host_absent", "N10.6", door=2)
        doors.show("nora", door=2, opens=True)
        doors.show("visita2", door=2, opens=True)
        return visit

    def _fire(self) -> None:
        day, doors = self.day, self.doors
        day.act("la entrada de incendio se activa: nadie entra, salir es libre, y la lista dice quién está dentro")
        doors.show("ana", opens=True)  # staff of another department on a right of her own: the register has no line
        day.simulator.say("cd-panel fire on")
        day.await_alarm(AlarmKind.FIRE, ("raised",))
        doors.refusal("tomas", "lockdown", "N10.2", door=2)
        self._mustered()
        doors.show("ana", way="out", opens=True)
        after = day.size()
        day.simulator.say("cd-panel fire off")
        day.await_event("device:event:received", after=after, device="cd-panel")
        doors.refusal("tomas", "lockdown", "N10.2", door=2)  # until somebody who may says that it is over
        day.act("termina la alarma de incendio: lo dice la guardia, y el ingreso se reabre")
        day.people["guardia"].post("/adentro/zonas/subgerencia/fin-de-incendio")
        day.await_alarm(AlarmKind.FIRE, ("resolved",))
        doors.show("tomas", door=2, opens=True)
        doors.show("tomas", door=2, way="out", opens=True)

    def _mustered(self) -> None:
        """By zone, on the page and on paper."""
        guard = self.day.people["guardia"]
        parts = {part.zone: part for part in self.day.core.zones.muster(self.day.actor("gaspar.tun")).parts}
        for zone, names in (("cdatos", {"Ana Lucía Xol Ñáñez"}), ("telecom", {"Nora Batz", "Dora Proveedora"})):
            found = {line.name for line in parts[zone].lines}
            if found != names:
                raise DemoFailed(f"la lista de evacuación tiene en {zone} a {sorted(found)}, no a {sorted(names)}")
        page = guard.get("/adentro/lista")
        for name in ("Ana Lucía Xol Ñáñez", "Nora Batz", "Dora Proveedora", "incendio"):
            if name not in page:
                raise DemoFailed(f"la página de evacuación no nombra: {name}")
        self.day.papers["muster.pdf"] = guard.download("/adentro/lista.pdf")

    def _host_leaves(self, visit: str) -> None:
        day, doors, register = self.day, self.doors, self.register
        day.act("la persona responsable se va: alarma; la visita sale y se cierra")
        doors.show("nora", door=2, way="out", opens=True)
        day.await_alarm(AlarmKind.HOST_LEFT, ("raised",), seconds=30)
        doors.show("visita2", door=2, way="out", opens=True)
        register.closed(visit, by="guardia", activities="Reunión")

    # -- what a zone asks

    def _held_open_begins(self) -> None:
        """The door's alarm comes fifteen seconds later: the day goes on meanwhile."""
        self.day.act("una puerta queda abierta")
        self.doors.show("nora", door=2, opens=True)
        self.day.simulator.say("cd-panel open-door 2")

    def _rule(self, limit: int, passback: str) -> None:
        rules: dict[str, str | list[str]] = {"occupancy_limit": str(limit), "anti_passback": passback}
        self.day.people["tecnico_infra"].post("/adentro/zonas/cdatos/reglas", rules)

    def _twice(self) -> None:
        day, doors = self.day, self.doors
        day.act("doble paso: blando, se anota y abre; duro, no abre hasta que se perdona una vez")
        self._rule(0, "soft")
        doors.show("tomas", opens=True)
        noted = doors.passes("tomas")
        if (noted.reason, noted.norm) != ("anti_passback", "N10.1"):
            raise DemoFailed(f"el doble paso blando no quedó anotado: {noted.reason} ({noted.norm})")
        self._rule(0, "hard")
        doors.refusal("tomas", "anti_passback", "N10.1")
        day.people["guardia"].post(f"/adentro/personas/{day.place.accounts['tomas.perez'].person}/perdonar")
        doors.show("tomas", opens=True)

    def _full(self) -> None:
        self.day.act("aforo: con uno dentro, nadie más entra")
        self._rule(1, "off")
        self.doors.refusal("ana", "occupancy_limit", "N10.2")
        self.day.await_alarm(AlarmKind.OCCUPANCY, ("raised",))
        self._rule(0, "off")

    def _locked_down(self) -> None:
        day, doors = self.day, self.doors
        day.act("bloqueo de emergencia en el Centro de Datos; la salida sigue libre")
        technician = day.people["tecnico_infra"]
        technician.post("/adentro/zonas/cdatos/bloquear", {"why": "Humo en el pasillo"})
        doors.refusal("ana", "lockdown", "N10.2")
        doors.show("tomas", way="out", opens=True)
        technician.post("/adentro/zonas/cdatos/reabrir")

    def _duress(self) -> None:
        day, doors = self.day, self.doors
        day.act("bajo coacción la puerta abre como siempre, y la alarma es silenciosa")
        doors.show("tomas", opens=True, duress=True)
        day.await_alarm(AlarmKind.DURESS, ("raised",), about="cd-1")
        doors.show("tomas", way="out", opens=True)

    def _forced(self) -> None:
        day, doors = self.day, self.doors
        day.act("una puerta se fuerza, y la que quedó abierta avisa")
        doors.await_locked(1)
        day.simulator.say("cd-panel force-door 1")
        day.await_alarm(AlarmKind.DOOR_FORCED, ("raised",), about="cd-1")
        day.simulator.say("cd-panel close-door 1")
        day.await_alarm(AlarmKind.DOOR_HELD_OPEN, ("raised",), seconds=30)
        day.simulator.say("cd-panel close-door 2")
        doors.show("nora", door=2, way="out", opens=True)
        wait_for("la puerta 2 cerrada", lambda: day.rows(events=("door:leaf:closed",), doors=("tel-1",)))
