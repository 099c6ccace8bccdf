"""What people ask of a terminal, carried out: asked and committed first, then done, then the outcome recorded.

A command that nobody could carry out in time has failed (`expired`), also while its terminal is away: a door is never
opened late. One that ran when the service was stopped has failed as well (`interrupted`); nothing is repeated.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from accessctl.domain.devices import Command, CommandKind, CommandState, HeldUser
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor
from accessctl.domain.places import Device
from accessctl.ports import DeviceError, DeviceRefused, EnrolmentFailed, Terminal, TerminalUser
from accessctl.services.enrolment_desk import EnrolmentDesk
from accessctl.services.office import Office

LONGEST_ENROLMENT_S = 60.0  # meanwhile the terminal hears nothing else of us, a removal neither
APPLYING_WAITS = timedelta(seconds=30)
UNFINISHED = (CommandState.WAITING, CommandState.RUNNING)


def ask_apply(office: Office, actor: Actor, device: str) -> Command:
    """Ask whoever keeps the terminal to bring it to what it should hold, now. The command tells how it went."""
    now = office.clock()
    with office.begin(actor) as tx:
        tx.devices.get(device)
        command = Command(
            id=office.new_id(),
            device=device,
            kind=CommandKind.APPLY,
            state=CommandState.WAITING,
            asked_by=actor.account,
            asked_at=now,
            expires_at=now + APPLYING_WAITS,
        )
        tx.commands.add(command)
        data: dict[str, str | int | bool | None] = {"kind": command.kind.value}
        tx.record(Fact.DEVICE_COMMAND_ASKED, at=now, actor=actor, device=device, data=data)
        tx.commit()
    return command


class Errands:
    """The commands of one terminal."""

    def __init__(self, office: Office, device: Device, enrolment: EnrolmentDesk) -> None:
        self._office = office
        self._device = device
        self._enrolment = enrolment

    def waiting(self) -> list[Command]:
        """What is to be done, oldest first."""
        with self._office.store.view() as tx:
            return tx.commands.find(device=self._device.id, state=CommandState.WAITING)

    def expire(self) -> None:
        """Give up what waited too long. For a keeper whose terminal is away."""
        now = self._office.clock()
        for command in self.waiting():
            if command.expires_at <= now:
                self._failed(command, "expired")

    def interrupted(self) -> None:
        """Commands that ran when the service was stopped did not finish: say so rather than run them late."""
        with self._office.store.view() as tx:
            running = tx.commands.find(device=self._device.id, state=CommandState.RUNNING)
        for command in running:
            self._failed(command, "interrupted")

    def carry_out(self, terminal: Terminal, command: Command, *, apply: Callable[[], bool]) -> None:
        """Do it and record the outcome. `apply` brings the terminal to what it should hold, True where that worked.

        A refusal of the terminal is the command's failure and nothing else; what ends the session is raised again.
        """
        if not self._taken(command):
            return
        try:
            if command.kind is CommandKind.UNLOCK:
                terminal.unlock(seconds=command.seconds)
            elif command.kind is CommandKind.ENROL_FINGER:
                self._enrol(terminal, command)
                apply()
                return
            elif not apply():
                self._failed(command, "differs")
                return
            self._done(command)
        except EnrolmentFailed as failure:
            self._failed(command, failure.reason)
            apply()
        except DeviceRefused:
            self._failed(command, "refused")
        except DeviceError:
            self._failed(command, "device")
            raise

    def _taken(self, command: Command) -> bool:
        """Whether it is ours to carry out: still waiting, and in time."""
        now = self._office.clock()
        if command.expires_at <= now:
            self._failed(command, "expired")
            return False
        with self._office.store.begin() as tx:
            if tx.commands.get(command.id).state is not CommandState.WAITING:
                return False
            tx.commands.save(replace(command, state=CommandState.RUNNING))
            data: dict[str, str | int | bool | None] = {"kind": command.kind.value, "state": "running"}
            tx.record(Fact.DEVICE_COMMAND_ASKED, at=now, actor=SYSTEM, device=self._device.id, data=data)
            tx.commit()
        return True

    def _enrol(self, terminal: Terminal, command: Command) -> None:
        """Enrol a finger in a disabled slot, take the template off the terminal again, and give it to the desk."""
        slot = self._slot_for(terminal, command)
        left = (command.expires_at - self._office.clock()).total_seconds()
        enrolled = terminal.enrol(slot, command.finger, seconds=min(max(left, 1.0), LONGEST_ENROLMENT_S))
        terminal.remove_templates(slot.uid, (command.finger,))  # where it failed, the next read-back finds what is left
        self._enrolment.finger_enrolled(command.id, enrolled.template)

    def _slot_for(self, terminal: Terminal, command: Command) -> TerminalUser:
        """The person's slot here, or a disabled one that is reserved, and known as ours, before it is written."""
        users = terminal.users()
        with self._office.store.begin() as tx:
            person = tx.people.get(command.person)
            user_id = str(person.number)
            for user in users:
                if user.user_id == user_id:
                    return user
            taken = {user.uid for user in users}
            uid = next(number for number in range(1, 65536) if number not in taken)
            slot = TerminalUser(uid=uid, user_id=user_id, name=terminal.fit_name(person.full_name), disabled=True)
            row = HeldUser(
                id=f"{self._device.id}/{uid}",
                device=self._device.id,
                uid=uid,
                user_id=user_id,
                person=person.id,
                card=0,
                disabled=True,
                templates=0,
                digest="",
                read_at=self._office.clock(),
            )
            if tx.held_users.maybe(row.id) is None:
                tx.held_users.add(row)
            else:
                tx.held_users.save(row)
            tx.commit()
        terminal.put_users([slot])
        return slot

    def _done(self, command: Command) -> None:
        now = self._office.clock()
        with self._office.store.begin() as tx:
            tx.commands.save(replace(command, state=CommandState.DONE, finished_at=now))
            data: dict[str, str | int | bool | None] = {"kind": command.kind.value, "asked_by": command.asked_by}
            tx.record(Fact.DEVICE_COMMAND_DONE, at=now, actor=SYSTEM, device=self._device.id, data=data)
            tx.commit()

    def _failed(self, command: Command, why: str) -> None:
        now = self._office.clock()
        finger = command.kind is CommandKind.ENROL_FINGER
        with self._office.store.begin() as tx:
            if tx.commands.get(command.id).state not in UNFINISHED:
                return
            tx.commands.save(replace(command, state=CommandState.FAILED, outcome=why, finished_at=now))
            tx.record(
                Fact.FINGER_REFUSED if finger else Fact.DEVICE_COMMAND_FAILED,
                at=now,
                actor=SYSTEM,
                device=self._device.id,
                case=command.case,
                person=command.person,
                norm="P10.03" if finger else "",
                data={"kind": command.kind.value, "why": why, "asked_by": command.asked_by},
            )
            tx.commit()
