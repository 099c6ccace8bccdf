"""The scripted day: procedure 10 as its five people live it, and everything that goes wrong around it.

Every act goes through the panel over HTTP, every card and finger through a simulated device; what should follow is
waited for and checked. With `kill_before` the service is killed between two acts, whatever its devices and streams
do at that moment, and started again; the people sign in once more and go on. The day is one class because its acts
share what came before them, hence the length.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos, sin
from typing import Any

from demo_doors import Doors
from demo_panel import Panel, Refused
from demo_processes import DemoFailed, Service, Simulator, wait_for
from demo_site import ANA, BETO, DEPARTMENT, Installation

from accessctl.bootstrap import Service as Core
from accessctl.domain.alarms import AlarmKind
from accessctl.domain.people import Actor, Role
from accessctl.services.store import EventFilter, EventRow

PAPER = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
SIGNATURE = [
    [[60 + 3 * k + 22 * sin(k / 4), 110 - 34 * sin(k / 5.5) - 12 * cos(k / 2.3)] for k in range(110)],
    [[300 + 2 * k, 120 + 26 * sin(k / 6)] for k in range(70)],
    [[80 + 5 * k, 150 - k / 4] for k in range(80)],
]


@dataclass
class Day:
    """One day at the Subgerencia. `tell` says what happens, for whoever follows it on the terminal."""

    place: Installation
    core: Core
    simulator: Simulator
    service: Service
    tell: Callable[[str], None]
    kill_before: frozenset[int] = frozenset()  # acts before which the service is killed and started again
    acts: int = 0
    people: dict[str, Panel] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)
    papers: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.doors = Doors(self)

    # -- acting and looking

    def act(self, what: str) -> None:
        """A new act begins; here the service may be killed."""
        self.acts += 1
        if self.acts in self.kill_before:
            self.tell(f"  (el servicio muere con SIGKILL antes de: {what})")
            self.service.kill()
            self.service.start()
            self._signed_in_again()
        self.tell(f"  {what}")

    def rows(self, **which: Any) -> list[EventRow]:
        """Entries of the record."""
        with self.core.store.view() as tx:
            return tx.events.rows(EventFilter(**which), limit=1000)

    def actor(self, username: str) -> Actor:
        """Somebody of the panel, for reading at the service's own desks."""
        account = self.place.accounts[username]
        return Actor(account=account.id, person=account.person, roles=frozenset(map(Role, account.roles)))

    def await_event(self, event: str, *, after: int, seconds: float = 15.0, **which: Any) -> EventRow:
        """The first such entry after an index."""
        found = wait_for(
            f"{event} {which}",
            lambda: self.rows(after_index=after, events=(event,), **which),
            seconds=seconds,
        )
        row: EventRow = found[0]
        return row

    def size(self) -> int:
        """The index of the newest entry."""
        with self.core.store.view() as tx:
            return tx.events.size() - 1

    def await_alarm(self, kind: AlarmKind, states: tuple[str, ...], seconds: float = 25.0, *, about: str = "") -> None:
        """An alarm of this kind in one of these states, `about` this door or device where one is given."""

        def is_there() -> bool:
            found = self.core.alarms.find(limit=500)
            return any(one.kind is kind and one.state in states and about in {"", one.key} for one in found)

        wait_for(f"alarma {kind.value} {states} {about}", is_there, seconds=seconds)

    def await_settled(self, device: str) -> None:
        """The device holds what it should."""

        def settled() -> bool:
            with self.core.store.view() as tx:
                health = tx.health.maybe(device)
                return bool(
                    health and health.online and health.wanted_at is None and health.drift == 0 and health.synced_at
                )

        wait_for(f"{device} al día", settled, seconds=40)

    def refused(self, reason: str, norm: str, attempt: Callable[[], object]) -> None:
        """The attempt must be refused for this reason, naming this norm or step."""
        try:
            attempt()
        except Refused as refusal:
            if (refusal.reason, refusal.norm) != (reason, norm):
                raise DemoFailed(f"se esperaba {reason} ({norm}) y llegó {refusal}") from None
            self.tell(f"    rechazado: {reason} ({norm})")
            return
        raise DemoFailed(f"debió rechazarse: {reason} ({norm})")

    def _signed_in_again(self) -> None:
        """Everybody at the panel, wherever it is now: who was in the middle of something goes on at the new one."""
        for username, account in self.place.accounts.items():
            panel = self.people.setdefault(username, Panel(account.name))
            panel.sign_in(self.service.panel, username, account.password)
            self.people.setdefault(account.roles[0], panel)

    # -- the day

    def play(self, midday: Callable[["Day"], None]) -> None:
        """All of it, in order; `midday` comes when the staff have their cards and nothing was taken away yet."""
        self._signed_in_again()
        self.await_settled("lobby")
        self.await_settled("infra")
        self._stock()
        ana = self._ana()
        self._doors_live(ana)
        beto = self._beto()
        midday(self)
        self._removal(beto)
        self._lost_card(ana)
        self._trouble()
        self._alarm_through_procedure_3()

    def _stock(self) -> None:
        self.tell("El técnico ingresa dos tarjetas a existencias, leídas en la mesa")
        for person in ("ana", "beto"):
            self.act(f"lee la tarjeta de {person}")
            technician = self.people["tecnico_infra"]
            page = technician.post("/tarjetas/lectura", {"reader": "mesa"})
            capture = re.search(r"lectura=([0-9a-f]{32})", page)
            if capture is None:
                raise DemoFailed(f"la lectura no comenzó: {page}")
            self._held_to_reader(person, capture.group(1))
            technician.post("/tarjetas/", {"capture": capture.group(1), "label": f"demo-{person}"})

    def _held_to_reader(self, person: str, capture: str) -> None:
        technician = self.people["tecnico_infra"]
        self.simulator.say(f"card {person} mesa 0.6")
        wait_for(
            "el número en la página",
            lambda: capture in (page := technician.get(f"/lecturas/{capture}")) and 'name="capture"' in page,
        )

    def _register(self, who: dict[str, str]) -> str:
        desk = self.people["recepcion"]
        fields: dict[str, str | list[str]] = {
            "document_kind": "dpi",
            "email": "",
            "department": DEPARTMENT,
            "position": "Analista",
            **who,
        }
        return desk.post("/personas/nueva", fields).rsplit("/", 1)[-1]

    def request_for(self, beneficiary: str, doors: list[str], *, scan: bool, authority: str | None = None) -> str:
        head = self.place.accounts["julia.xicara"].person
        fields: dict[str, str | list[str]] = {
            "beneficiary": beneficiary,
            "requester": head,
            "authority": authority or head,
            "justification": "Labores de operación en la Subgerencia",
            "doors": doors,
            "schedule": "always",
        }
        files = {"form": ("formulario firmado.pdf", PAPER)} if scan else None
        return (
            self.people["recepcion"].post("/solicitudes/nueva", fields, files or {"form": ("", b"")}).rsplit("/", 1)[-1]
        )

    def _ana(self) -> str:
        self.tell("Procedimiento 10: Ana pide una tarjeta")
        technician = self.people["tecnico_infra"]
        self.act("P10.01 recepción registra a Ana y su solicitud; falta la firma de la jefatura")
        ana = self.persons["ana"] = self._register(ANA)
        self.refused(
            "duties_not_separated", "N10.3", lambda: self.request_for(ana, ["sub-1"], scan=False, authority=ana)
        )
        case = self.request_for(ana, ["sub-1", "cd-1"], scan=False)
        account = self.place.accounts["tomas.perez"]
        self.refused(
            "not_authorised",
            "N10.3",
            lambda: self.people["secretaria_infra"].post(f"/solicitudes/{case}/asignar", {"technician": account.id}),
        )
        self.act("N10.3 la jefatura autoriza en el panel")
        self.people["jefe"].post(f"/solicitudes/{case}/autorizar")
        self.act("P10.02 la secretaria asigna al técnico")
        self.people["secretaria_infra"].post(f"/solicitudes/{case}/asignar", {"technician": account.id})
        self.act("P10.03 la tarjeta se lee en la mesa y su número llega a la página")
        technician = self.people["tecnico_infra"]
        technician.post(f"/solicitudes/{case}/lectura", {"reader": "mesa"})
        found = re.search(r"/lecturas/([0-9a-f]{32})", technician.get(f"/solicitudes/{case}"))
        if found is None:
            raise DemoFailed("la página no espera la tarjeta")
        self._held_to_reader("ana", found.group(1))
        technician.post(f"/solicitudes/{case}/tarjeta", {"capture": found.group(1)})
        self.refused(
            "beyond_authorisation",
            "N10.3",
            lambda: technician.post(f"/solicitudes/{case}/acceso", {"doors": ["sub-1", "sub-2"], "schedule": "always"}),
        )
        technician.post(f"/solicitudes/{case}/acceso", {"doors": ["sub-1", "cd-1"], "schedule": "always"})
        self._finger(case, "ana", finger=1)
        self._not_before_delivery(case)
        self._sign_and_deliver(case, ANA["document_number"])
        return case

    def _finger(self, case: str, person: str, *, finger: int) -> None:
        technician = self.people["tecnico_infra"]
        self.act("P10.03 un dedo que no da la calidad, y el mismo dedo bien puesto")
        for line, wanted in (
            (f"lobby finger-ready {person} bad-quality", "failed"),
            (f"finger {person} lobby {finger}", "done"),
        ):
            technician.post(f"/solicitudes/{case}/huella", {"device": "lobby", "finger": str(finger)})
            with self.core.store.view() as tx:
                command = tx.commands.find(case=case, newest=True, limit=1)[0]
            wait_for("la terminal espera el dedo", lambda key=command.id: self._awaits_finger("lobby", key))
            self.simulator.say(line)
            outcome = wait_for("la huella", lambda key=command.id: self._over(key), seconds=30)
            if outcome != wanted:
                raise DemoFailed(f"la huella terminó en {outcome}, se esperaba {wanted}")
        self.await_settled("lobby")
        technician.post(f"/solicitudes/{case}/preparada")

    def _command_state(self, key: str) -> str:
        with self.core.store.view() as tx:
            return tx.commands.get(key).state.value

    def _awaits_finger(self, device: str, key: str) -> bool:
        """Whether the terminal itself waits: a finger that comes before is one that wants to come in."""
        return bool(self.simulator.say(f"{device} state")["enrolling"]) or bool(self._over(key))

    def _over(self, key: str) -> str:
        state = self._command_state(key)
        return state if state in {"done", "failed"} else ""

    def _not_before_delivery(self, case: str) -> None:
        technician = self.people["tecnico_infra"]
        self.act("antes de la entrega la tarjeta y el dedo no abren, y sin firma no hay entrega")
        self.await_settled("lobby")
        after = self.size()
        for line in ("walk ana lobby", "finger ana lobby 1"):
            if self.simulator.say(line).get("granted"):
                raise DemoFailed(f"una puerta abrió antes de P10.05: {line}")
        self.await_event("door:entry:refused", after=after)
        self.doors.refusal("ana", "not_delivered", "P10.05")
        self.refused("step_out_of_order", "P10.05", lambda: technician.post(f"/solicitudes/{case}/entregar"))

    def _sign_and_deliver(self, case: str, document: str) -> None:
        technician = self.people["tecnico_infra"]
        signature: dict[str, str | list[str]] = {
            "strokes": json.dumps(SIGNATURE),
            "width": "600",
            "height": "200",
            "document_shown": "1234567890101",
        }
        self.act("P10.04 el usuario firma la constancia en pantalla")
        self.refused("identity_not_checked", "P10.04", lambda: technician.post(f"/solicitudes/{case}/firma", signature))
        signature["document_shown"] = document
        empty = {**signature, "strokes": "[]"}
        self.refused("receipt_unsigned", "P10.04", lambda: technician.post(f"/solicitudes/{case}/firma", empty))
        technician.post(f"/solicitudes/{case}/firma", signature)
        self.act("P10.05 el técnico registra la entrega: desde ahora la tarjeta abre")
        technician = self.people["tecnico_infra"]
        technician.post(f"/solicitudes/{case}/entregar")
        self.await_settled("lobby")
        self.act("P10.06 la secretaria informa al solicitante")
        secretary = self.people["secretaria_infra"]
        secretary.post(f"/solicitudes/{case}/informar")
        self.papers.setdefault("receipt.pdf", secretary.download(f"/solicitudes/{case}/constancia.pdf"))
        self.papers.setdefault("notice.pdf", secretary.download(f"/solicitudes/{case}/oficio.pdf"))

    def _doors_live(self, case: str) -> None:
        del case
        self.tell("Las puertas en vivo")
        self.act("Ana entra con su tarjeta, luego con su dedo; en la otra puerta no; una tarjeta desconocida tampoco")
        self.await_settled("infra")
        for line, door, event in (
            ("walk ana lobby", "sub-1", "door:entry:granted"),
            ("finger ana lobby 1", "sub-1", "door:entry:granted"),
            ("walk ana infra", "sub-2", "door:entry:refused"),
            ("walk extrano lobby", "sub-1", "door:entry:refused"),
        ):
            after = self.size()
            granted = bool(self.simulator.say(line).get("granted"))
            if granted != event.endswith("granted"):
                raise DemoFailed(f"{line}: la terminal respondió {granted}")
            row = self.await_event(event, after=after, doors=(door,))
            self.tell(f"    {line}: {row.event} {row.person_name or row.credential} {row.reason} {row.norm}".rstrip())
        self.doors.refusal("ana", "no_right", "N10.2", door=2)
        after = self.size()
        self.simulator.say("leave ana lobby")
        self.await_event("door:exit:requested", after=after)

    def _beto(self) -> str:
        self.tell("Beto: el formulario llega firmado y sellado, escaneado; las dos puertas, sin huella")
        self.act("P10.01 a P10.06")
        beto = self.persons["beto"] = self._register(BETO)
        case = self.request_for(beto, ["sub-1", "sub-2"], scan=True)
        account = self.place.accounts["tomas.perez"]
        self.people["secretaria_infra"].post(f"/solicitudes/{case}/asignar", {"technician": account.id})
        technician = self.people["tecnico_infra"]
        typed: dict[str, str | list[str]] = {"typed": "0018226646", "cross_check": "022,07639", "format": "em4100"}
        self.refused("card_numbers_disagree", "P10.03", lambda: technician.post(f"/solicitudes/{case}/tarjeta", typed))
        live: dict[str, str | list[str]] = {"typed": "0025489530", "format": "em4100"}
        self.refused("card_already_live", "N10.3", lambda: technician.post(f"/solicitudes/{case}/tarjeta", live))
        typed["cross_check"] = "022,07638"
        technician.post(f"/solicitudes/{case}/tarjeta", typed)
        technician.post(f"/solicitudes/{case}/acceso", {"doors": ["sub-1", "sub-2"], "schedule": "always"})
        technician.post(f"/solicitudes/{case}/dispensa", {"why": "Huellas gastadas por el trabajo"})
        technician.post(f"/solicitudes/{case}/preparada")
        self._sign_and_deliver(case, BETO["document_number"])
        for device in ("lobby", "infra"):
            self.await_settled(device)
            after = self.size()
            if not self.simulator.say(f"walk beto {device}").get("granted"):
                raise DemoFailed(f"la tarjeta entregada no abre en {device}")
            self.await_event("door:entry:granted", after=after, device=device)
        return beto

    def _removal(self, beto: str) -> None:
        self.tell("N10.4: la jefatura retira el acceso de Beto mientras una terminal está apagada")
        self.act("la terminal de Infraestructura se apaga")
        self.simulator.say("infra power-off")
        self.await_alarm(AlarmKind.DEVICE_OFFLINE, ("raised",))
        head = self.place.accounts["julia.xicara"].person
        page = self.people["jefe"].post(
            "/bajas/nueva", {"person": beto, "requested_by": head, "reason": "Deja el cargo"}
        )
        removal = page.rsplit("/", 1)[-1]
        wait_for("1 de 2 puertas", lambda: self.core.removals.progress(removal).reached_doors == 1)
        progress = self.core.removals.progress(removal)
        self.tell(
            f"    alcanzó {progress.reached_doors} de {progress.all_doors} puertas; "
            f"expuesta: {', '.join(progress.exposed_doors)}"
        )
        after = self.size()
        if self.simulator.say("walk beto lobby").get("granted"):
            raise DemoFailed("la tarjeta retirada abrió")
        self.await_event("door:entry:refused", after=after)
        self.doors.refusal("beto", "revoked", "N10.4")
        self.await_alarm(AlarmKind.REVOCATION_PENDING, ("raised",), seconds=30)
        self.act("la terminal vuelve: el retiro se confirma solo")
        self.simulator.say("infra power-on")
        wait_for("2 de 2 puertas", lambda: self.core.removals.progress(removal).removal.completed_at, seconds=40)
        self.await_alarm(AlarmKind.REVOCATION_PENDING, ("resolved",))
        self.act("la tarjeta sigue en la lista de pendientes hasta que se entrega")
        technician = self.people["tecnico_infra"]
        if "Beto" not in technician.get("/tarjetas/pendientes"):
            raise DemoFailed("la tarjeta retirada no está en la lista de pendientes")
        self.papers["outstanding.pdf"] = technician.download("/tarjetas/pendientes.pdf")
        owed = next(card for card in self.core.stock.outstanding() if card.holder == beto)
        technician.post(
            f"/tarjetas/{owed.id}", {"event": "take_back", "why": "Entregada por su jefatura"}, {"act": ("", b"")}
        )

    def _lost_card(self, case: str) -> None:
        self.act("Ana pierde su tarjeta: con su acta, y el número no vuelve a entregarse nunca")
        technician = self.people["tecnico_infra"]
        with self.core.store.view() as tx:
            card = tx.cards.get(tx.requests.get(case).card)
        self.refused(
            "form_incomplete",
            "N10.4",
            lambda: technician.post(
                f"/tarjetas/{card.id}", {"event": "report_lost", "why": "Extravío"}, {"act": ("", b"")}
            ),
        )
        technician.post(
            f"/tarjetas/{card.id}", {"event": "report_lost", "why": "Extravío"}, {"act": ("acta.pdf", PAPER)}
        )
        self.await_settled("lobby")
        after = self.size()
        if self.simulator.say("walk ana lobby").get("granted"):
            raise DemoFailed("la tarjeta extraviada abrió")
        self.await_event("door:entry:refused", after=after)
        self.doors.refusal("ana", "lost_or_stolen", "N10.3")
        again: dict[str, str | list[str]] = {"typed": "0025489530", "format": "em4100"}
        self.refused("card_never_again", "N10.4", lambda: technician.post("/tarjetas/", again))

    def _trouble(self) -> None:
        self.tell("Lo que sale mal con las terminales")
        self.act("alguien agrega un usuario a mano en la terminal, y abre con él")
        after = self.size()
        self.simulator.say("lobby add-user 666 card=666 name=Intruso")
        if not self.simulator.say("lobby present card 666").get("granted"):
            raise DemoFailed("el usuario puesto a mano debía abrir: la terminal decide sola")
        self.await_event("door:entry:granted", after=after)
        self.await_alarm(AlarmKind.POLICY_MISMATCH, ("raised",))
        self.people["tecnico_infra"].post("/equipos/lobby/aplicar")
        self.await_alarm(AlarmKind.ROGUE_CREDENTIAL, ("raised",))
        self.act("manipulan una terminal y fuerzan la otra puerta")
        self.simulator.say("lobby tamper")
        self.await_alarm(AlarmKind.TAMPER, ("raised",))
        self.simulator.say("infra force-door")
        self.await_alarm(AlarmKind.DOOR_FORCED, ("raised",), about="sub-2")
        self.act("una terminal pierde la corriente y vuelve con el reloj en el año 2000")
        self.simulator.say("infra power-off")
        self.simulator.say("infra set-clock 2000-01-01T00:00:00")
        self.await_alarm(AlarmKind.DEVICE_OFFLINE, ("raised",))
        self.simulator.say("infra power-on")
        self.await_alarm(AlarmKind.CLOCK_DOUBTFUL, ("resolved",), seconds=30)
        self.act("el intruso borra la bitácora de la terminal y entra otra vez: el hueco se dice")
        self.simulator.say("lobby clear-log")
        if not self.simulator.say("lobby present card 666").get("granted"):
            raise DemoFailed("el usuario puesto a mano seguía en la terminal: es una alarma, no se retira en silencio")
        self.await_alarm(AlarmKind.GAP, ("raised",), seconds=40)

    def _alarm_through_procedure_3(self) -> None:
        self.tell("Procedimiento 3: una alarma se asigna y se resuelve, vuelve a asignarse y se cierra")
        head, tomas, nora = (self.people[name] for name in ("jefe", "tomas.perez", "nora.batz"))
        found = self.core.alarms.find(limit=500)
        page = f"/alarmas/{next(one.id for one in found if (one.kind, one.key) == (AlarmKind.DOOR_FORCED, 'sub-2'))}"

        def assigned(username: str) -> None:
            head.post(f"{page}/asignar", {"technician": self.place.accounts[username].id})

        self.act("P3.04 la jefatura la asigna a Tomás; a otra persona no le toca")
        assigned("tomas.perez")
        self.refused("not_assigned_to_you", "P3.05", lambda: nora.post(f"{page}/atender", {"comment": "Voy yo"}))
        tomas.post(f"{page}/atender", {"comment": "Voy a la puerta"})
        tomas.post(f"{page}/resolver", {"cause": "La puerta se cerró con llave"})
        self.refused("duties_not_separated", "P3.07", lambda: tomas.post(f"{page}/verificar"))
        self.act("P3.07 la jefatura comprueba: no, la chapa sigue floja; vuelve a asignarse, ahora a Nora")
        head.post(f"{page}/reabrir", {"comment": "La chapa sigue floja"})
        assigned("nora.batz")
        nora.post(f"{page}/atender", {"comment": "Llevo la chapa nueva"})
        nora.post(f"{page}/resolver", {"cause": "Chapa cambiada"})
        self.act("P3.07 sí, y P3.08: comprobada y cerrada")
        head.post(f"{page}/verificar")
