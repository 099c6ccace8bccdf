"""The engine against any sequence of attempts: no step skipped, no duties mixed, nothing done without what it needs.

What is right is judged here from the definitions alone, step by step over what was done, not by asking the engine.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Role
from accessctl.domain.procedures import (
    DATA_CENTRE_ENTRY,
    END,
    PREMISES_ACCESS,
    PROCEDURES,
    Case,
    Procedure,
    Requirement,
    Step,
    check_turn,
    complete,
    missing,
    open_case,
    with_evidence,
    with_parts,
    without_evidence,
)

AT = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
PEOPLE = [f"person-{number}" for number in range(5)]
EVIDENCE = sorted({need.evidence for one in PROCEDURES.values() for step in one.steps for need in step.requires})


def begun(procedure: Procedure, **parts: str) -> Case:
    return open_case(procedure, case_id="case", at=AT, parts=parts)


@st.composite
def attempts(draw: st.DrawFn) -> tuple[Procedure, list[tuple[str, object]]]:
    """A procedure, and what people try with one case of it: mostly the step that waits, often something else."""
    procedure = draw(st.sampled_from(list(PROCEDURES.values())))
    numbers = [step.number for step in procedure.steps]
    one = st.tuples(
        st.sampled_from([None, None, None, *numbers]),  # None: whatever waits
        st.sampled_from(PEOPLE),
        st.one_of(st.none(), st.frozensets(st.sampled_from(sorted(Role)), max_size=3)),  # None: whoever is responsible
        st.sampled_from(["", "", "", "si", "no", "quizá"]),
    )
    gathered = st.frozensets(st.sampled_from(EVIDENCE), min_size=1)
    tries = st.one_of(st.tuples(st.just("try"), one), st.tuples(st.just("gather"), gathered))
    lost = st.tuples(st.just("lose"), st.sampled_from(EVIDENCE))
    return procedure, draw(st.lists(st.one_of(tries, tries, tries, lost), max_size=40))


@settings(max_examples=300)
@given(attempts(), st.sampled_from(PEOPLE), st.booleans())
def test_any_sequence_of_attempts_keeps_the_manual(
    attempted: tuple[Procedure, list[tuple[str, object]]], beneficiary: str, complete_evidence: bool
) -> None:
    procedure, tries = attempted
    part = "beneficiary" if procedure.number == 10 else "visitor"
    case = with_evidence(begun(procedure, **{part: beneficiary}), *(EVIDENCE if complete_evidence else ()))
    doers: list[tuple[int, frozenset[Role], frozenset[str]]] = []
    for kind, what in tries:
        if kind == "gather":
            assert isinstance(what, frozenset)
            case = with_evidence(case, *what)
        elif kind == "lose":
            case = without_evidence(case, str(what))
        else:
            assert isinstance(what, tuple)
            asked, person, roles, answer = what
            number = asked if asked is not None else case.step or procedure.steps[0].number
            by = procedure.step(number).responsible if roles is None else roles
            before, norm = case, "done"
            try:
                at = AT + timedelta(minutes=len(doers))
                case = complete(
                    procedure, case, number, account=f"a-{person}", person=person, roles=by, at=at, answer=answer
                )
            except AccessError as refused:
                norm = refused.norm
            assert norm, "a refusal that names neither step nor norm"
            if norm == "done":
                doers.append((number, by, before.evidence))
            else:
                assert case == before
    the_manual_was_kept(procedure, case, doers)


def the_manual_was_kept(
    procedure: Procedure, case: Case, doers: list[tuple[int, frozenset[Role], frozenset[str]]]
) -> None:
    waiting = procedure.steps[0].number
    for done, (number, roles, evidence) in zip(case.done, doers, strict=True):
        step = procedure.step(number)
        assert done.step == number == waiting, "a step was skipped, repeated or done out of order"
        assert roles & step.responsible, "somebody else's step"
        assert {need.evidence for need in step.requires} <= evidence, "done without what it requires"
        waiting = step.then[done.answer]
    assert case.step == waiting
    assert (case.closed_at is not None) == (waiting == END)
    played = {procedure.step(done.step).part: done.person for done in case.done if procedure.step(done.step).part}
    for part, person in played.items():
        assert case.parts[part] == person
    for one, other in procedure.apart:
        if one in case.parts and other in case.parts:
            assert case.parts[one] != case.parts[other], f"{one} and {other} are one person"


def walk(procedure: Procedure, case: Case, *answers: str, people: dict[int, str] | None = None) -> Case:
    """Every step as it should be, each by somebody else, until the end or until the answers say otherwise."""
    given = list(answers)
    while case.is_open:
        step = procedure.step(case.step)
        answer = given.pop(0) if "" not in step.then else ""
        person = (people or {}).get(step.number, f"doer-{step.number}")
        case = complete(
            procedure, case, step.number, account="a", person=person, roles=step.responsible, at=AT, answer=answer
        )
    return case


def test_procedure_10_takes_its_six_steps() -> None:
    case = with_evidence(begun(PREMISES_ACCESS, authoriser="head", beneficiary="user"), *EVIDENCE)
    closed = walk(PREMISES_ACCESS, case, people={4: "user"})
    assert [done.step for done in closed.done] == [1, 2, 3, 4, 5, 6]
    assert closed.closed_at == AT


@pytest.mark.parametrize(("answer", "steps"), [("si", [1, 2, 3, 4, 5, 6, 7, 8]), ("no", [1, 2, 3, 8])])
def test_procedure_4_branches_at_its_question(answer: str, steps: list[int]) -> None:
    case = with_evidence(begun(DATA_CENTRE_ENTRY), *EVIDENCE)
    assert [done.step for done in walk(DATA_CENTRE_ENTRY, case, answer).done] == steps


def test_a_question_without_its_answer_is_refused() -> None:
    case = replace(with_evidence(begun(DATA_CENTRE_ENTRY), *EVIDENCE), step=3)
    with pytest.raises(AccessError) as refused:
        complete(DATA_CENTRE_ENTRY, case, 3, account="a", person="p", roles={Role.TECNICO_INFRA}, at=AT)
    assert (refused.value.reason, refused.value.norm) == (Reason.FORM_INCOMPLETE, "P4.03")


@pytest.mark.parametrize("number", [3, 4, 5, 6])
def test_the_refusal_names_the_step_that_is_missing(number: int) -> None:
    case = replace(with_evidence(begun(PREMISES_ACCESS), *EVIDENCE), step=2)
    with pytest.raises(AccessError) as refused:
        check_turn(PREMISES_ACCESS, case, number, set(Role))
    assert (refused.value.reason, refused.value.norm) == (Reason.STEP_OUT_OF_ORDER, f"P10.{number:02d}")
    assert refused.value.details == {"missing_step": "P10.02"}


@pytest.mark.parametrize("procedure", PROCEDURES.values(), ids=lambda one: f"p{one.number}")
def test_each_missing_requirement_is_refused_by_its_own_reason_and_norm(procedure: Procedure) -> None:
    seen = 0
    for step in procedure.steps:
        for need in step.requires:
            others = {one.evidence for one in step.requires} - {need.evidence}
            case = replace(with_evidence(begun(procedure), *others), step=step.number)
            assert missing(procedure, case) == (need,)
            with pytest.raises(AccessError) as refused:
                complete(procedure, case, step.number, account="a", person="p", roles=step.responsible, at=AT)
            assert (refused.value.reason, refused.value.norm) == (need.reason, need.norm)
            seen += 1
    assert seen


def test_who_authorises_is_never_who_configures_delivers_or_benefits() -> None:
    apart = {frozenset(pair) for pair in PREMISES_ACCESS.apart}
    assert apart >= {frozenset({"authoriser", other}) for other in ("configurer", "deliverer", "beneficiary")}
    assert frozenset({"configurer", "beneficiary"}) in apart


@pytest.mark.parametrize(
    ("one", "other"),
    PREMISES_ACCESS.apart,
)
def test_parts_that_the_manual_keeps_apart_are_refused_to_one_person(one: str, other: str) -> None:
    with pytest.raises(AccessError) as refused:
        begun(PREMISES_ACCESS, **{one: "p", other: "p"})
    assert (refused.value.reason, refused.value.norm) == (Reason.DUTIES_NOT_SEPARATED, "N10.3")
    assert set(refused.value.details.values()) == {one, other}
    case = begun(PREMISES_ACCESS, **{one: "p"})
    with pytest.raises(AccessError):
        with_parts(PREMISES_ACCESS, case, {other: "p"})
    assert with_parts(PREMISES_ACCESS, case, {other: "q"}).parts == {one: "p", other: "q"}


@pytest.mark.parametrize("case", [begun(PREMISES_ACCESS), begun(DATA_CENTRE_ENTRY)], ids=["p10", "p4"])
def test_a_case_that_is_over_takes_no_step(case: Case) -> None:
    procedure = PROCEDURES[case.procedure]
    for over in (replace(case, cancelled=True), replace(case, step=END)):
        assert missing(procedure, over) == ()
        for step in procedure.steps:
            with pytest.raises(AccessError) as refused:
                complete(procedure, over, step.number, account="a", person="p", roles=set(Role), at=AT)
            assert refused.value.reason is Reason.CASE_CLOSED


@pytest.mark.parametrize("procedure", PROCEDURES.values(), ids=lambda one: f"p{one.number}")
def test_definitions_are_whole(procedure: Procedure) -> None:
    """Numbers in order, every branch leads on to a step or to the end, every step is somebody's and can be reached."""
    numbers = [step.number for step in procedure.steps]
    assert numbers == sorted(set(numbers))
    reached = {numbers[0]}
    for step in procedure.steps:
        assert step.responsible
        assert set(step.then.values()) <= {*numbers, END}
        assert all(following == END or following > step.number for following in step.then.values())
        assert step.number in reached
        reached |= set(step.then.values())
    assert END in reached
    parts = {step.part for step in procedure.steps} | {"authoriser", "beneficiary", "visitor"}
    assert {part for pair in procedure.apart for part in pair} <= parts


def test_the_engine_runs_a_procedure_that_it_was_never_told_of() -> None:
    loop = Procedure(
        number=3,
        title="p3",
        steps=(
            Step(number=1, responsible=frozenset({Role.GUARDIA}), title="a", then={"": 2}),
            Step(
                number=2,
                responsible=frozenset({Role.JEFE}),
                title="b",
                then={"si": END, "no": 1},
                requires=(Requirement(evidence="cause", reason=Reason.FORM_INCOMPLETE, norm="P3.02"),),
            ),
        ),
    )
    case = with_evidence(open_case(loop, case_id="x", at=AT, parts={}), "cause")
    assert [done.step for done in walk(loop, case, "no", "no", "si").done] == [1, 2, 1, 2, 1, 2]
    with pytest.raises(KeyError):
        loop.step(3)
