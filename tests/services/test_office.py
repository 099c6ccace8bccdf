"""How refusals reach the record: once, with what was asked for, and without what somebody half did."""

from dataclasses import replace

import pytest

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Permission, Role
from accessctl.services.refusals import Refusals
from accessctl.services.store import EventFilter, NothingRecorded
from tests.services.premises import Premises
from tests.services.refusing import contents, entries_since, facts_since, recorded, refused

HOSTILE = ["1' OR '1'='1", "%", "\x00", "x" * 10_000, "\u202e", "\ud800", "=cmd|'/C calc'!A0", "../../etc/cron.d/x"]


def test_what_was_written_before_a_refusal_is_undone_and_the_refusal_recorded(premises: Premises) -> None:
    guard = premises.actors["guardia"]

    def half_done() -> None:
        with premises.office.begin(guard) as tx:
            tx.people.save(replace(tx.people.get(guard.person), full_name="Otra"))
            tx.record(Fact.PERSON_CORRECTED, at=premises.now, actor=guard)
            guard.require(Role.JEFE, norm="P10.05")
            tx.commit()

    with refused(premises, guard, Reason.WRONG_ROLE, "P10.05"):
        half_done()


def test_a_refusal_is_recorded_once_however_often_it_is_handed_on(premises: Premises) -> None:
    guard = premises.actors["guardia"]
    error = AccessError(Reason.FORM_INCOMPLETE, "N10.4", missing="act")
    size = recorded(premises.store)
    for _ in range(3):
        Refusals(premises.office).record(guard, error)
    assert error.recorded
    assert facts_since(premises.store, size) == [Fact.CASE_STEP_REFUSED.value]


@pytest.mark.parametrize("reason", [Reason.THROTTLED, Reason.CREDENTIALS_WRONG])
def test_refusals_of_the_sign_in_are_not_recorded_a_second_time(premises: Premises, reason: Reason) -> None:
    size = recorded(premises.store)
    Refusals(premises.office).record(premises.actors["guardia"], AccessError(reason))
    assert recorded(premises.store) == size


def test_a_refusal_names_its_case_only_where_there_is_one(premises: Premises) -> None:
    case = premises.request(premises.person("Nora Noj"))
    guard, size = premises.actors["guardia"], recorded(premises.store)
    for named in (case, "no-such-case", "\x00"):
        Refusals(premises.office).record(guard, AccessError(Reason.CARD_NUMBERS_DISAGREE, "P10.03"), case=named)
    assert [row.case for row in entries_since(premises.store, size)] == [case, "", ""]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_details_are_recorded_bounded_and_harmless(premises: Premises, text: str) -> None:
    guard = premises.actors["guardia"]
    error = AccessError(Reason.BEYOND_AUTHORISATION, "N10.3", beyond=text, count=7)
    premises.office.refused(error, guard, case=text)
    with premises.store.view() as tx:
        [(row, data)] = list(tx.events.stream(EventFilter(events=(Fact.CASE_STEP_REFUSED.value,))))
    assert row.reason == "beyond_authorisation"
    assert len(data) < 1000
    assert b"\x00" not in data


def test_whoever_lacks_the_permission_is_refused_and_the_service_itself_never(premises: Premises) -> None:
    guard, jefe = premises.actors["guardia"], premises.actors["jefe"]
    with refused(premises, guard, Reason.WRONG_ROLE, "P10.02") as caught:
        premises.office.require(guard, Permission.REQUEST_ASSIGN, Permission.REQUEST_SIGN_OFF, norm="P10.02")
    assert caught.value.details == {"needed": "request:assign, request:sign_off"}
    premises.office.require(jefe, Permission.REQUEST_ASSIGN, Permission.REQUEST_SIGN_OFF, norm="P10.02")
    premises.office.require(SYSTEM, Permission.REQUEST_ASSIGN, norm="P10.02")


def test_what_changes_a_shelf_and_records_nothing_is_no_commit(premises: Premises) -> None:
    before = contents(premises.store)

    def silently() -> None:
        with premises.office.begin(SYSTEM) as tx:
            tx.people.save(replace(tx.people.get(premises.actors["jefe"].person), full_name="Otra"))
            tx.commit()

    with pytest.raises(NothingRecorded):
        silently()
    assert contents(premises.store) == before


def test_a_bug_is_no_refusal(premises: Premises) -> None:
    size = recorded(premises.store)
    with pytest.raises(KeyError), premises.office.begin(SYSTEM):
        raise KeyError("bug")
    assert recorded(premises.store) == size
