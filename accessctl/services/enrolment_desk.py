"""P10.03: the technician chooses the card, the doors and the schedule, and enrols a finger at a terminal.

Nothing chosen here opens a door: the card becomes `enrolled`, the grants stay `chosen`, the template is taken off the
terminal as soon as it is stored (sealed), and terminals that decide alone hold a disabled slot without card or finger
until the delivery (P10.05). They hold only what may open now.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from accessctl.domain.card_numbers import CardNumber
from accessctl.domain.cards import LIVE, Card, CardEvent, CardState
from accessctl.domain.devices import Command, CommandKind, CommandState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, clean_text
from accessctl.domain.places import Transport
from accessctl.domain.procedures import with_evidence, without_evidence
from accessctl.domain.requests import AccessGrant, AccessRequest, GrantState, StoredTemplate
from accessctl.ports import TerminalTemplate
from accessctl.services.office import Office
from accessctl.services.procedure_run import at_step, do_step
from accessctl.services.stock_desk import check_number_free
from accessctl.services.store import Entropy, Work
from accessctl.services.vault import NONCE_BYTES, Vault
from accessctl.services.wanted import devices_wanted

ENROLMENT_WAITS = timedelta(seconds=90)


class EnrolmentDesk:
    """Card, doors, schedule and finger of one request (P10.03)."""

    def __init__(self, office: Office, vault: Vault, entropy: Entropy) -> None:
        self._office = office
        self._vault = vault
        self._entropy = entropy

    def choose_card(self, actor: Actor, case_id: str, number: CardNumber) -> Card:
        """The card that was held to the reader, or typed and cross-checked: it must be in stock and unused."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            case, request = at_step(tx, case_id, 3, actor=actor, at=now)
            card = self._from_stock(tx, number, request)
            if card.state is CardState.ENROLLED:  # chosen already: once more changes nothing
                return card
            self._put_back(tx, actor, request)
            card = replace(card, state=card.after(CardEvent.ENROL), holder=request.beneficiary, case=case_id, since=now)
            tx.cards.save(card)
            key = card.number.key
            person = request.beneficiary
            tx.record(
                Fact.CARD_ENROLLED, at=now, actor=actor, case=case_id, person=person, credential=key, norm="P10.03"
            )
            tx.requests.save(replace(request, card=card.id))
            tx.cases.save(with_evidence(case, "card"))
            tx.commit()
        return card

    def put_back_card(self, actor: Actor, case_id: str) -> None:
        """The chosen card goes back to stock: another one will be chosen."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            case, request = at_step(tx, case_id, 3, actor=actor, at=now)
            if not self._put_back(tx, actor, request):
                raise AccessError(Reason.CARD_NOT_IN_STOCK, "P10.03")
            tx.requests.save(replace(request, card=""))
            tx.cases.save(without_evidence(case, "card"))
            tx.commit()

    def choose_access(self, actor: Actor, case_id: str, *, doors: tuple[str, ...], schedule: str) -> None:
        """Doors and schedule, within what was authorised (N10.3). What was chosen before is replaced."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            case, request = at_step(tx, case_id, 3, actor=actor, at=now)
            beyond = sorted(set(doors) - set(request.doors))
            if not doors:
                raise AccessError(Reason.FORM_INCOMPLETE, "P10.03", missing="doors")
            if beyond:
                raise AccessError(Reason.BEYOND_AUTHORISATION, "N10.3", beyond=", ".join(beyond)[:200])
            if not tx.schedules.get(request.schedule).covers(tx.schedules.get(schedule)):
                raise AccessError(Reason.BEYOND_AUTHORISATION, "N10.3", beyond=schedule)
            for old in tx.grants.find(case=case_id, state=GrantState.CHOSEN):
                tx.grants.save(replace(old, state=GrantState.ENDED))
            for door in sorted(set(doors)):
                tx.grants.add(
                    AccessGrant(
                        id=self._office.new_id(),
                        person=request.beneficiary,
                        door=door,
                        schedule=schedule,
                        valid_from=request.valid_from,
                        valid_until=request.valid_until,
                        case=case_id,
                    )
                )
            tx.cases.save(with_evidence(case, "access"))
            data = {"doors": " ".join(sorted(set(doors))), "schedule": schedule}
            person = request.beneficiary
            tx.record(Fact.ACCESS_CHOSEN, at=now, actor=actor, case=case_id, person=person, norm="P10.03", data=data)
            tx.commit()

    def ask_finger(self, actor: Actor, case_id: str, *, device: str, finger: int) -> Command:
        """Ask a terminal to enrol a finger (0 to 9). The intention is committed here; the fleet carries it out."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            _, request = at_step(tx, case_id, 3, actor=actor, at=now)
            if not 0 <= finger <= 9:
                raise AccessError(Reason.FORM_INCOMPLETE, "P10.03", missing="finger")
            terminal = tx.devices.get(device)
            health = tx.health.maybe(device)
            if terminal.transport is not Transport.ZK or terminal.retired:
                raise AccessError(Reason.NOT_FOUND, "P10.03", field="device")
            if health is None or not health.online:
                raise AccessError(Reason.DEVICE_UNAVAILABLE, "P10.03", device=device)
            running = (CommandState.WAITING, CommandState.RUNNING)
            for command in tx.commands.find(device=device, kind=CommandKind.ENROL_FINGER, state=running):
                if command.expires_at > now:
                    raise AccessError(Reason.CAPTURE_BUSY, "P10.03", reader=device)
            command = Command(
                id=self._office.new_id(),
                device=device,
                kind=CommandKind.ENROL_FINGER,
                state=CommandState.WAITING,
                asked_by=actor.account,
                asked_at=now,
                expires_at=now + ENROLMENT_WAITS,
                case=case_id,
                person=request.beneficiary,
                finger=finger,
            )
            tx.commands.add(command)
            data = {"kind": command.kind.value, "finger": finger}
            person = request.beneficiary
            tx.record(
                Fact.DEVICE_COMMAND_ASKED,
                at=now,
                actor=actor,
                case=case_id,
                person=person,
                device=device,
                norm="P10.03",
                data=data,
            )
            tx.commit()
        return command

    def command(self, actor: Actor, command_id: str) -> Command:
        """How an enrolment goes; only its asker may look. One that waited too long has failed."""
        with self._office.store.view() as tx:
            command = tx.commands.get(command_id)
        if command.asked_by != actor.account:
            raise AccessError(Reason.NOT_FOUND, "P10.03", field="command")
        return command

    def finger_enrolled(self, command_id: str, template: TerminalTemplate) -> StoredTemplate | None:
        """The terminal enrolled the finger: seal the template and give the case its evidence.

        None where nobody waits for it any more (the case was cancelled, the person removed): then nothing is kept.
        """
        now = self._office.clock()
        with self._office.store.begin() as tx:
            command = tx.commands.get(command_id)
            case = tx.cases.get(command.case)
            if not case.is_open or case.step != 3 or command.state in {CommandState.DONE, CommandState.FAILED}:
                self._unwanted(tx, command, now)
                tx.commit()
                return None
            device = tx.devices.get(command.device)
            row = StoredTemplate(
                id=self._office.new_id(),
                person=command.person,
                finger=command.finger,
                flag=template.flag,
                format=f"{device.transport.value}-finger-10",
                device=command.device,
                nonce=self._entropy(NONCE_BYTES),
                ciphertext=b"",
                digest="",
                at=now,
            )
            sealed = self._vault.seal(template, row=row)
            for old in tx.templates.find(person=command.person, finger=command.finger):
                tx.templates.delete(old.id)
            tx.templates.add(sealed)
            tx.commands.save(replace(command, state=CommandState.DONE, finished_at=now))
            tx.cases.save(with_evidence(case, "biometrics"))
            tx.record(
                Fact.FINGER_ENROLLED,
                at=now,
                actor=SYSTEM,
                case=command.case,
                person=command.person,
                device=command.device,
                norm="P10.03",
                data={"finger": command.finger, "asked_by": command.asked_by},
            )
            tx.commit()
        return sealed

    def waive_finger(self, actor: Actor, case_id: str, *, why: str) -> None:
        """No finger can be enrolled (injury, worn ridges …): the reason is recorded, the card alone will serve."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            case, request = at_step(tx, case_id, 3, actor=actor, at=now)
            reason = clean_text(why, field="why", longest=300)
            tx.requests.save(replace(request, waiver=reason))
            tx.cases.save(with_evidence(case, "biometrics"))
            person = request.beneficiary
            data = {"why": reason}
            tx.record(Fact.FINGER_WAIVED, at=now, actor=actor, case=case_id, person=person, norm="P10.03", data=data)
            tx.commit()

    def complete(self, actor: Actor, case_id: str) -> None:
        """P10.03 is done: the slots are reserved on the terminals, and the user may sign."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            case, request = at_step(tx, case_id, 3, actor=actor, at=now)
            if request.card and tx.cards.get(request.card).state is not CardState.ENROLLED:  # lost since it was chosen
                raise AccessError(Reason.CARD_NOT_IN_STOCK, "P10.03")
            done = do_step(tx, case, 3, actor=actor, at=now)
            tx.cases.save(replace(done, assigned_to=actor.account))
            devices_wanted(tx, now, person=request.beneficiary)
            tx.commit()

    def _from_stock(self, tx: Work, number: CardNumber, request: AccessRequest) -> Card:
        for card in tx.cards.by_family(number.family_key, states=LIVE):
            if card.state is CardState.IN_STOCK or (card.case == request.id and card.state is CardState.ENROLLED):
                return card
        check_number_free(tx, number)  # says why not, where something is known against it
        raise AccessError(Reason.CARD_NOT_IN_STOCK, "P10.03")

    def _put_back(self, tx: Work, actor: Actor, request: AccessRequest) -> bool:
        """The card of the request goes back to stock; False where there is none that can."""
        card = tx.cards.get(request.card) if request.card else None
        if card is None or card.state is not CardState.ENROLLED or card.case != request.id:
            return False
        now = self._office.clock()
        tx.cards.save(replace(card, state=card.after(CardEvent.RELEASE), holder=None, case=None, since=now))
        key = card.number.key
        tx.record(Fact.CARD_RELEASED, at=now, actor=actor, case=request.id, credential=key, norm="P10.03")
        return True

    def _unwanted(self, tx: Work, command: Command, now: datetime) -> None:
        if command.state not in {CommandState.DONE, CommandState.FAILED}:
            tx.commands.save(
                replace(command, state=CommandState.FAILED, outcome=Reason.CASE_CLOSED.value, finished_at=now)
            )
        tx.record(
            Fact.FINGER_REFUSED,
            at=now,
            actor=SYSTEM,
            case=command.case,
            person=command.person,
            device=command.device,
            norm="P10.03",
            reason=Reason.CASE_CLOSED.value,
        )
