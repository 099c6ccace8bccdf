"""What time does to visits: lapsing, overstaying, without company, and never closed silently."""

from accessctl.domain.visits import VisitState
from tests.services.visiting import OUT, Visiting


def test_what_was_not_used_lapses(visiting: Visiting) -> None:
    authorised, signed = visiting.authorised(), visiting.signed("X2")
    assert visiting.watch.sweep() == 0
    visiting.wait(hours=4, minutes=16)
    assert visiting.watch.sweep() == 2
    assert visiting.visit(authorised).state is VisitState.EXPIRED
    assert visiting.visit(signed).state is VisitState.NO_SHOW
    assert not visiting.show(visiting.key(0)).granted
    assert visiting.watch.sweep() == 0


def test_overstaying_alarms_once_and_is_settled_by_the_exit(visiting: Visiting) -> None:
    visit = visiting.inside(hours=1)
    visiting.wait(hours=1, minutes=16)
    assert visiting.watch.sweep() == 1
    assert visiting.watch.sweep() == 0
    assert visiting.alarms() == {"visit_overstay": "raised"}
    with visiting.store.view() as tx:
        assert tx.alarms.find()[0].count == 1
    today = visiting.now.date()
    kinds = [one.kind for one in visiting.differences.differences(visiting.actor("auditor"), today)]
    assert kinds == ["still_inside"]
    visiting.show(visiting.key(0), OUT)
    visiting.closed(visit)
    assert visiting.alarms() == {"visit_overstay": "resolved"}


def test_a_visit_open_after_midnight_alarms_inside_its_window(visiting: Visiting) -> None:
    visiting.inside(hours=23)
    visiting.wait(hours=15)  # 23:00 in Guatemala
    assert visiting.watch.sweep() == 0
    visiting.wait(hours=2)
    assert visiting.watch.sweep() == 1
    assert visiting.alarms() == {"visit_overstay": "raised"}


def test_a_visitor_without_company_alarms(visiting: Visiting) -> None:
    visit = visiting.signed()
    signed_at = visiting.now
    visiting.escorts.record_entry(visiting.actor("tecnico"), visit, at=signed_at, folio="C-1")
    assert visiting.watch.sweep() == 1
    assert visiting.alarms() == {"escort_missing": "raised"}


def test_what_nobody_verified_ends_as_such_and_stays_in_the_report(visiting: Visiting) -> None:
    visit = visiting.inside(hours=1)
    visiting.show(visiting.key(0), OUT)
    visiting.wait(hours=25)
    assert visiting.watch.sweep() == 1
    ended = visiting.visit(visit)
    assert (ended.state, ended.exited_at, ended.verified_at) == (VisitState.UNVERIFIED, None, None)
    assert ended.left_at is not None
    assert visiting.alarms() == {"visit_overstay": "raised"}
    assert "P4.07" not in visiting.steps(visit)
    day = ended.left_at.date()
    kinds = {one.kind for one in visiting.differences.differences(visiting.actor("auditor"), day)}
    assert kinds == {"reader_without_exit_line", "exit_without_verification", "unverified", "card_not_back"}


def test_staff_in_the_data_centre_without_a_line_are_listed(visiting: Visiting) -> None:
    assert visiting.show("telecom").granted
    visiting.inside()
    found = visiting.differences.differences(visiting.actor("auditor"), visiting.now.date())
    assert [(one.kind, one.name) for one in found] == [("reader_without_visit", "Teo Tot")]
