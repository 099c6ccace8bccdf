"""The shelves that answer more than "which have this value": people, cards, cases, requests, visits and their cards."""

from collections.abc import Mapping

from sqlalchemy import exists, func, or_, select, update

from accessctl.domain.alarms import Alarm
from accessctl.domain.cards import LIVE, OUTSTANDING, Card, CardState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Person
from accessctl.domain.procedures import END, Case
from accessctl.domain.requests import AccessRequest
from accessctl.domain.visitor_cards import IN_POOL, VisitorCard
from accessctl.domain.visits import ENTERED, OPEN, Visit
from accessctl.services.store import VisitFilter
from accessctl.storage import kinds
from accessctl.storage.entries import plain_text
from accessctl.storage.kinds import folded
from accessctl.storage.shelf import SqlShelf
from accessctl.storage.tables import alarms, cards, cases, people, requests, visitor_cards, visits
from accessctl.storage.transaction import Transaction

FIRST_NUMBER = 1001
LAST_NUMBER = 999_999_999  # nine digits are what a terminal's user id takes
LONGEST_SEARCH = 200
MOST_WORDS = 8
ESCAPE = "\\"


class PeopleShelf(SqlShelf[Person]):
    """People, found by name, document or number."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction, kinds.PERSON)

    def search(self, text: str, *, limit: int = 50) -> list[Person]:
        """Whose name has every word of `text` (case and accents do not matter), or whose number or document it is.

        `%`, `_` and the escape character mean themselves.
        """
        words = folded(plain_text(text[:LONGEST_SEARCH].replace("\x00", " "))).split()[:MOST_WORDS]
        if not words or len(text) > LONGEST_SEARCH:
            return []
        named = [people.c.search_name.contains(word, autoescape=True, escape=ESCAPE) for word in words]
        typed = "".join(words).replace("-", "")
        bare = func.replace(people.c.document_number, "-", "")
        alternatives = [bare == typed.upper()]
        if typed.isascii() and typed.isdigit() and len(typed) <= len(str(LAST_NUMBER)):
            alternatives.append(people.c.number == int(typed))
        condition = named[0]
        for further in named[1:]:
            condition &= further
        return self._listed(or_(condition, *alternatives), limit=limit)

    def next_number(self) -> int:
        """The number of the next person: above all that were ever given, since nobody is ever deleted.

        Should somebody hold the last one, the lowest number that nobody ever had.
        """
        highest = self._connection.execute(select(func.max(people.c.number))).scalar()
        if highest is None or highest < FIRST_NUMBER:
            return FIRST_NUMBER
        if highest < LAST_NUMBER:
            return int(highest) + 1
        if not self.count(number=FIRST_NUMBER):
            return FIRST_NUMBER
        other = people.alias("other")
        taken = exists().where(other.c.number == people.c.number + 1)
        free = select(func.min(people.c.number) + 1).where(people.c.number >= FIRST_NUMBER, ~taken)
        return int(self._connection.execute(free).scalar_one())


class CardShelf(SqlShelf[Card]):
    """Cards, with the questions of N10.3 and N10.4."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction, kinds.CARD)

    def by_family(self, family_key: str, *, states: frozenset[CardState]) -> list[Card]:
        """The lives, in one of `states`, of cards that our devices cannot tell apart."""
        return self._listed(
            cards.c.family_key == family_key, cards.c.state.in_([state.value for state in states]), limit=500
        )

    def outstanding(self, *, limit: int = 1000) -> list[Card]:
        """Cards that no longer open and were not handed in yet, the longest owed first (N10.4)."""
        return self._listed(
            cards.c.state.in_([state.value for state in OUTSTANDING]), cards.c.holder.is_not(None), limit=limit
        )

    def _taken(self, row: Mapping[str, object]) -> AccessError:
        """A number that is live elsewhere is refused by its norm."""
        live = {state.value for state in LIVE}
        twins = select(cards.c.id).where(
            cards.c.family_key == row["family_key"], cards.c.state.in_(live), cards.c.id != row["id"]
        )
        if row["state"] in live and self._connection.execute(twins).first() is not None:
            return AccessError(Reason.CARD_ALREADY_LIVE, "N10.3")
        return super()._taken(row)


class CaseShelf(SqlShelf[Case]):
    """Cases with their steps."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction, kinds.CASE)

    def waiting(self, *, limit: int = 500) -> list[Case]:
        """Cases of which a step waits, oldest first."""
        return self._listed(cases.c.step != END, cases.c.cancelled.is_(False), limit=limit)


class RequestShelf(SqlShelf[AccessRequest]):
    """Requests of procedure 10."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction, kinds.REQUEST)

    def next_folio(self) -> int:
        """The folio of the next request: no number is left out, since a request is never deleted."""
        return int(self._connection.execute(select(func.coalesce(func.max(requests.c.folio), 0))).scalar_one()) + 1


class AlarmShelf(SqlShelf[Alarm]):
    """Alarms, counted while they are open."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction, kinds.ALARM)

    def count_again(self, alarm_id: str) -> None:
        """One more of the same."""
        self._transaction.touch(operational=True)
        counted = update(alarms).where(alarms.c.id == alarm_id).values(count=alarms.c.count + 1)
        self._connection.execute(counted)


class VisitShelf(SqlShelf[Visit]):
    """Visits, with the questions that a door asks."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction, kinds.VISIT)

    def next_number(self) -> int:
        """The number of the next visit: none is left out, since a visit is never deleted."""
        return int(self._connection.execute(select(func.coalesce(func.max(visits.c.number), 0))).scalar_one()) + 1

    def escorted_by(self, person: str, *, limit: int = 200) -> list[Visit]:
        """The open visits for which somebody is on escort duty now, oldest first."""
        open_states = [state.value for state in OPEN]
        return self._listed(visits.c.escort == person, visits.c.state.in_(open_states), limit=limit)

    def matching(self, which: VisitFilter, *, after: int = 0, limit: int = 500) -> list[Visit]:
        """Those numbered above `after`, in the order of their numbers.

        A visit goes on from its entry, or where there is none its window, to its exit, or the end of the window; who
        entered and was not seen leaving is there still.
        """
        where = [visits.c.number > after]
        if which.until is not None:
            where.append(func.coalesce(visits.c.entered_at, visits.c.valid_from) < which.until)
        if which.since is not None:
            over = func.coalesce(visits.c.exited_at, visits.c.left_at, visits.c.valid_until) >= which.since
            where.append(or_(over, visits.c.state.in_([state.value for state in ENTERED])))
        if which.zones:
            where.append(visits.c.zone.in_([plain_text(zone) for zone in which.zones]))
        if which.person:
            who = plain_text(which.person)
            named = [visits.c[part] == who for part in ("visitor", "host", "authority")]
            where.append(or_(*named, visits.c.escorts.contains(f'"{who}"', autoescape=True, escape=ESCAPE)))
        if which.awaits_regularisation:
            where += [visits.c.fortuitous != "", visits.c.regularised_at.is_(None)]
        return self._listed(*where, limit=limit)


class VisitorCardShelf(SqlShelf[VisitorCard]):
    """Cards of the visitors' pool."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction, kinds.VISITOR_CARD)

    def lives(self, family_key: str) -> list[VisitorCard]:
        """Every card and slip that ever bore the number."""
        return self._listed(visitor_cards.c.family_key == plain_text(family_key), limit=500)

    def in_pool(self, family_key: str) -> VisitorCard | None:
        """The card of that number that is not retired; there is at most one."""
        states = [state.value for state in IN_POOL]
        found = self._listed(
            visitor_cards.c.family_key == plain_text(family_key), visitor_cards.c.state.in_(states), limit=1
        )
        return found[0] if found else None
