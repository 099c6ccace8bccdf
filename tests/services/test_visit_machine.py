"""Invariants 1, 2, 3 and 6 of the domain over random days: people, doors, clocks, lost and late events, a real store.

The machine plays at random everything that desks, doors and devices can do, emergencies and the rules of a zone among
it; refusals are as welcome as successes. After each act the invariants are asked of what is stored and of the record,
never of the code that decided.
"""

import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from accessctl.domain.cards import CardEvent
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import AntiPassback, Presence, ZoneState
from accessctl.domain.people import SYSTEM, Role
from accessctl.domain.places import Direction
from accessctl.domain.procedures import DATA_CENTRE_ENTRY
from accessctl.domain.visits import VisitRules, VisitState
from accessctl.services.removal_desk import RemovalDesk
from tests.services.premises import Premises
from tests.services.visiting import DISK, IN, OUT, Visiting
from tests.stores import sqlite_store

STAFF = ("analista", "operadora")  # of another department, each with a card and a right to the data centre's door
CREDENTIALS = st.sampled_from(["tecnico", "telecom", "jefe", *STAFF, *range(4), "em:DEADBEEF"])
TWO_EACH = VisitRules(visitors_per_escort=2)
WHO = st.sampled_from(["tecnico", "telecom", "jefe", "director", "guardia"])
DOORS = st.sampled_from(["cd-1", "cd-1", "cd-1", "sub-1"])
WHICH = st.integers(0, 3)
REVOKING = (Fact.PERSON_REMOVED, Fact.CARD_SUSPENDED, Fact.CARD_RESUMED)
LOCKING = (Fact.ZONE_LOCKED, Fact.ZONE_REOPENED, Fact.FIRE_REPORTED, Fact.FIRE_ENDED)


class DayMachine(RuleBasedStateMachine):
    """A data centre on a bad day."""

    @initialize()
    def opens(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="accessctl-day-"))
        self.site = Visiting(Premises(store=sqlite_store(self.folder / "day.db")), rules=TWO_EACH)
        self.visits: list[str] = []
        self.staff: dict[str, str] = {}
        for number, who in enumerate(STAFF, start=20):
            self.staff[who] = self.site.somebody(who.capitalize()).id
            self.site.cards[who] = self.site.card(self.staff[who], number)
        self.removals = RemovalDesk(self.site.premises.office)

    def teardown(self) -> None:
        if hasattr(self, "site"):
            self.site.store.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def picked(self, which: int) -> str:
        return self.visits[which % len(self.visits)] if self.visits else "nothing"

    @rule(hours=st.sampled_from([1, 4]), who=WHO)
    def authorise(self, hours: int, who: str) -> None:
        try:
            form = self.site.form(name=f"V{len(self.visits)}", hours=hours)
            self.visits.append(self.site.desk.authorise(self.site.actor(who), form))
        except AccessError:
            assert Role.JEFE not in self.site.actor(who).roles

    @rule()
    def an_ordinary_morning(self) -> None:
        """So that the door is often asked about a visit that may enter."""
        free = {card.id for card in self.site.visitor_cards.free()}
        card = next((number for number in range(4) if self.site.pool[number].id in free), None)
        if card is not None:
            self.visits.append(self.site.signed(f"M{len(self.visits)}", card=card))

    @rule(which=WHICH, who=WHO, escort=WHO)
    def register(self, which: int, who: str, escort: str) -> None:
        data = self.site.data(f"D{which}", escort=escort, brought=(DISK,))
        self.attempt(lambda: self.site.register_desk.register(self.site.actor(who), self.picked(which), data))

    @rule(which=WHICH)
    def sign(self, which: int) -> None:
        self.attempt(lambda: self.site.sign(self.picked(which)))

    @rule(which=WHICH, card=WHICH)
    def give_card(self, which: int, card: int) -> None:
        pool = self.site.pool[card].id
        self.attempt(lambda: self.site.visitor_cards.give(self.site.actor("guardia"), self.picked(which), pool))

    @rule(card=WHICH)
    def take_card_back(self, card: int) -> None:
        self.attempt(lambda: self.site.visitor_cards.take_back(self.site.actor("guardia"), self.site.pool[card].id))

    @rule(which=WHICH, who=WHO, to=WHO)
    def hand_over(self, which: int, who: str, to: str) -> None:
        person = self.site.person(to)
        self.attempt(lambda: self.site.escorts.hand_over(self.site.actor(who), self.picked(which), to=person))

    @rule(which=WHICH, who=WHO)
    def verify(self, which: int, who: str) -> None:
        actor = self.site.actor(who)
        self.attempt(lambda: self.site.escorts.verify_exit(actor, self.picked(which), activities="Trabajo"))

    @rule(which=WHICH, who=WHO)
    def record_exit(self, which: int, who: str) -> None:
        self.attempt(lambda: self.site.escorts.record_exit(self.site.actor(who), self.picked(which)))

    @rule(which=WHICH, who=WHO)
    def cancel(self, which: int, who: str) -> None:
        self.attempt(lambda: self.site.desk.cancel(self.site.actor(who), self.picked(which), why="x"))

    @rule(who=CREDENTIALS, door=DOORS)
    def enters(self, who: str | int, door: str) -> None:
        self.shows(self.key(who), door=door)

    @rule(card=WHICH, escort=st.sampled_from(["tecnico", "telecom"]), first=st.booleans())
    def two_at_the_door(self, card: int, escort: str, first: bool) -> None:
        for who in (escort, self.key(card)) if first else (self.key(card), escort):
            self.shows(who)

    def shows(self, who: str, *, door: str = "cd-1") -> None:
        """A credential at an entry; where it opens, the zone's own rules allowed it."""
        before = self.inside_of("cdatos")
        state = next((one for one in self.site.zones.states() if one.id == "cdatos"), ZoneState(id="cdatos"))
        decision = self.site.show(who, IN, door=door)
        if not decision.granted or door != "cd-1":
            return
        was = before.get(decision.person)
        if state.anti_passback is AntiPassback.HARD and was is not None:
            assert not was.certain, "whoever is surely inside came in again"
        after = self.inside_of("cdatos")
        if state.occupancy_limit:
            assert len(after) <= max(state.occupancy_limit, len(before)), "more than the limit"
        with self.site.store.view() as tx:
            inside = tx.visits.find(state=VisitState.INSIDE)
        entered = [one for one in inside if one.visitor in after.keys() - before.keys()]
        for escort in {one.escort for one in entered}:
            with_them = sum(one.escort == escort for one in inside)
            assert with_them <= TWO_EACH.visitors_per_escort, "more visitors than an escort may have"

    def inside_of(self, zone: str) -> dict[str, Presence]:
        with self.site.store.view() as tx:
            return {one.id: one for one in tx.presence.find(zone=zone, limit=100)}

    @rule(who=CREDENTIALS, door=DOORS)
    def leaves(self, who: str | int, door: str) -> None:
        assert self.site.show(self.key(who), OUT, door=door).granted, "leaving was refused"

    @rule(
        who=CREDENTIALS,
        late=st.sampled_from([0, 5, 4000, 90_000]),
        direction=st.sampled_from([IN, OUT]),
        times=st.sampled_from([1, 1, 2, 3]),
    )
    def an_event_comes_late_or_again(self, who: str | int, late: int, direction: Direction, times: int) -> None:
        """What a device opened alone, told afterwards; the second time it changes nothing. Others are never told."""
        at = self.site.now - timedelta(seconds=late)
        self.site.report(self.key(who), direction, at=at)
        once = self.told()
        for _ in range(times - 1):
            self.site.report(self.key(who), direction, at=at)
            assert self.told() == once, "an event that came again moved somebody"

    def told(self) -> tuple[object, ...]:
        with self.site.store.view() as tx:
            places = sorted((one.id, one.zone, one.certain) for one in tx.presence.find(limit=100))
            return places, sorted((one.id, one.state) for one in tx.visits.find(limit=100))

    @rule(door=DOORS)
    def a_door_opens_and_nobody_is_read(self, door: str) -> None:
        with self.site.store.begin() as tx:
            tx.record(Fact.EXIT_BUTTON, at=self.site.now, actor=SYSTEM, door=door)
            self.site.reports.unread(tx, door=door, at=self.site.now)
            tx.commit()

    @rule(gone=st.sets(CREDENTIALS, max_size=2))
    def counted(self, gone: set[str | int]) -> None:
        people = tuple(self.staff[who] for who in gone if isinstance(who, str) and who in self.staff)
        self.attempt(lambda: self.site.zones.counted(self.site.actor("guardia"), "cdatos", gone=people))

    @rule(limit=st.sampled_from([0, 1, 2, 3]), passback=st.sampled_from(AntiPassback))
    def rule_of_the_zone(self, limit: int, passback: AntiPassback) -> None:
        technician = self.site.actor("tecnico")
        self.site.zones.rule(technician, "cdatos", occupancy_limit=limit, anti_passback=passback)

    @rule(who=st.sampled_from(["tecnico", "telecom", "jefe"]))
    def forgive(self, who: str) -> None:
        self.attempt(lambda: self.site.zones.forgive(self.site.actor("guardia"), self.site.person(who)))

    @rule(on=st.booleans())
    def fire(self, on: bool) -> None:
        if on:
            self.site.zones.fire_reported(device="cd-in", door="cd-1", at=self.site.now)
        else:
            self.attempt(lambda: self.site.zones.fire_over(self.site.actor("guardia"), "sub"))

    @rule(who=st.sampled_from(STAFF))
    def access_ends(self, who: str) -> None:
        head = self.site.actor("jefe")
        self.attempt(
            lambda: self.removals.request(head, person=self.staff[who], requested_by=head.person, reason="Traslado")
        )

    @rule(who=st.sampled_from(STAFF), event=st.sampled_from([CardEvent.SUSPEND, CardEvent.RESUME]))
    def a_card_is_suspended_or_resumed(self, who: str, event: CardEvent) -> None:
        card = f"card-{20 + STAFF.index(who)}"
        self.attempt(lambda: self.site.premises.stock.happen(self.site.actor("tecnico"), card, event, why="Revisión"))

    @rule(seconds=st.sampled_from([1, 15, 25, 1800, 7200]))
    def time_passes(self, seconds: int) -> None:
        self.site.wait(seconds=seconds)
        self.site.watch.sweep()

    @rule(on=st.booleans())
    def lockdown(self, on: bool) -> None:
        guard = self.site.actor("guardia")
        if on:
            self.attempt(lambda: self.site.zones.lock_down(guard, "cdatos", why="x"))
        else:
            self.attempt(lambda: self.site.zones.reopen(guard, "cdatos"))

    def key(self, who: str | int) -> str:
        return self.site.key(who) if isinstance(who, int) else who

    def attempt(self, act: Callable[[], object]) -> None:
        """Do it, or be refused with a norm or step; a visit that does not exist has none."""
        try:
            act()
        except AccessError as refusal:
            unnamed = refusal.reason is Reason.NOT_FOUND
            if not (refusal.norm or unnamed):
                raise

    @invariant()
    def no_credential_opened_after_it_was_revoked_nor_anybody_a_locked_zone(self) -> None:
        """Invariant 1 and the emergencies, from the record alone, in its order."""
        if not hasattr(self, "site"):
            return
        revoked: set[str] = set()
        locked: set[str] = set()
        for row in self.site.rows(*REVOKING, *LOCKING, Fact.DOOR_GRANTED):
            match row.event:
                case Fact.PERSON_REMOVED | Fact.CARD_SUSPENDED:
                    revoked.add(row.person)
                case Fact.CARD_RESUMED:
                    revoked.discard(row.person)
                case Fact.ZONE_LOCKED | Fact.FIRE_REPORTED:
                    locked.add(f"{row.event} {row.zone}")
                case Fact.ZONE_REOPENED:
                    locked.discard(f"{Fact.ZONE_LOCKED} {row.zone}")
                case Fact.FIRE_ENDED:
                    locked.discard(f"{Fact.FIRE_REPORTED} {row.zone}")
                case _:
                    assert row.person not in revoked, "a revoked credential opened"
                    around = {f"{Fact.FIRE_REPORTED} sub", f"{Fact.ZONE_LOCKED} {row.zone}"}
                    assert not locked & around, "a locked zone was entered"

    @invariant()
    def no_third_party_was_admitted_without_steps_and_escort(self) -> None:
        if not hasattr(self, "site"):
            return
        granted = self.site.rows(Fact.DOOR_GRANTED)
        signed = {row.visit: row.index for row in self.site.rows(Fact.VISIT_SIGNED)}
        for row in granted:
            if not row.visit:
                continue
            assert signed[row.visit] < row.index, "admitted before P4.04"
            if row.zone != "cdatos":
                continue
            duties = {duty.person for duty in self.site.visit(row.visit).escorts}
            near = [
                one
                for one in granted
                if one.person in duties
                and one.door == row.door
                and one.index < row.index
                and row.at - one.at <= TWO_EACH.pairing_time
            ]
            assert near, "admitted without the escort at the door"

    @invariant()
    def every_step_is_in_order_and_of_its_role(self) -> None:
        for visit_id in getattr(self, "visits", ()):
            visit = self.site.visit(visit_id)
            with self.site.store.view() as tx:
                case = tx.cases.get(visit_id)
                for done in case.done:
                    roles = set(tx.accounts.get(done.account).roles)
                    responsible = DATA_CENTRE_ENTRY.step(done.step).responsible
                    if Role.USUARIO in responsible:
                        assert done.person == visit.visitor
                    else:
                        assert roles & responsible
            assert [done.step for done in case.done] == list(range(1, len(case.done) + 1))
            apart = [case.parts[part] for part in ("authoriser", "registrar", "visitor") if part in case.parts]
            assert len(set(apart)) == len(apart)
            if visit.state is VisitState.CLOSED:
                assert len(case.done) == 8
                assert visit.verified_at is not None
                assert visit.exit_recorded_at is not None

    @invariant()
    def whoever_is_left_alone_is_alarmed(self) -> None:
        """After a round, no visitor is inside without company and without an alarm."""
        if not hasattr(self, "site"):
            return
        self.site.watch.sweep()
        with self.site.store.view() as tx:
            for visit in tx.visits.find(state=VisitState.INSIDE):
                company = tx.presence.maybe(visit.escort) if visit.escort else None
                if company is None or company.zone != visit.zone:
                    assert tx.alarms.find(key=visit.id), f"visit {visit.number} is alone and nobody is told"


TestDay = DayMachine.TestCase
TestDay.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
