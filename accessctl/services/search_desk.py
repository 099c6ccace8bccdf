"""Searches of the record: noted as what somebody looked at, and kept under a name by whoever asks them again."""

import orjson

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission, clean_text
from accessctl.domain.searches import SavedSearch
from accessctl.record import Json
from accessctl.services.exports import filter_said
from accessctl.services.office import Office
from accessctl.services.report_names import Names, Told
from accessctl.services.store import EventFilter

MOST = 50  # of one account
LONGEST_NAME = 100
LONGEST_QUERY = 2000


class SearchDesk:
    """Whose searches these are: each account sees its own."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def searched(self, actor: Actor, which: EventFilter) -> None:
        """Note a search for a person, a card or a visit: it is about somebody. Once for a search, not for each page."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        said: dict[str, Json] = filter_said(which)
        if not said.keys() & {"person", "credential", "credentials", "visit"}:
            return
        with self._office.begin(actor) as tx:
            person = which.person if which.person and tx.people.maybe(which.person) else ""
            data: dict[str, str | int | bool | None] = {"filter": orjson.dumps(said).decode()[:LONGEST_QUERY]}
            tx.record(
                Fact.RECORD_SEARCHED, at=self._office.clock(), actor=actor, norm="N10.2", person=person, data=data
            )
            tx.commit()

    def told(self, actor: Actor, which: EventFilter, *, public: bool = False) -> Told:
        """What a filter asks for, with names in the place of identifiers; a public one does not say of whom."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        said = filter_said(which, public=public) | ({"public": True} if public else {})
        with self._office.store.view() as tx:
            return Names(tx).told(orjson.dumps(said).decode())

    def save(self, actor: Actor, *, name: str, query: str) -> SavedSearch:
        """Keep a search; one of the same name is replaced. `query` is the address part, as it was asked."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        named = clean_text(name, field="name", longest=LONGEST_NAME)
        asked = clean_text(query, field="query", longest=LONGEST_QUERY, empty=True)
        with self._office.begin(actor) as tx:
            for old in tx.saved_searches.find(account=actor.account, name=named, limit=1):
                tx.saved_searches.delete(old.id)
            if tx.saved_searches.count(account=actor.account) >= MOST:
                raise AccessError(Reason.TEXT_INVALID, "N10.2", field="searches", longest=MOST)
            saved = SavedSearch(
                id=self._office.new_id(), account=actor.account, name=named, query=asked, saved_at=self._office.clock()
            )
            tx.saved_searches.add(saved)
            tx.commit()
        return saved

    def saved(self, actor: Actor) -> list[SavedSearch]:
        """One's own, the oldest first."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        with self._office.store.view() as tx:
            return tx.saved_searches.find(account=actor.account, limit=MOST)

    def forget(self, actor: Actor, search: str) -> None:
        """Drop one of one's own. Raises `AccessError(NOT_FOUND)`, also for somebody else's."""
        self._office.require(actor, Permission.EVENTS_SEE, norm="N10.2")
        with self._office.begin(actor) as tx:
            if tx.saved_searches.get(search).account != actor.account:
                raise AccessError(Reason.NOT_FOUND, kind="saved_searches")
            tx.saved_searches.delete(search)
            tx.commit()
