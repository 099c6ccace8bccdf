"""The manual as data, and the small engine that runs it. Nothing in the engine knows of cards or visits.

A procedure is numbered steps; each names who is responsible, where it may lead (a branch for each answer), and what
must exist before it can be done (requirements, each with the refusal that its absence gets). A case is one run of a
procedure: the steps done so far, the evidence gathered, and who played which part. `complete` is a pure function from
a case and a step to the next case, or a refusal that names the step or norm.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Role

END = 0
CITATION = "Resolución 407-ST/2022, versión 1"  # its own dates disagree, so the citation is data


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Evidence that must exist before a step is done, and the refusal where it does not."""

    evidence: str
    reason: Reason
    norm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One numbered step. `then` maps an answer to the next step; a step without a question has the answer `""`."""

    number: int
    responsible: frozenset[Role]
    title: str  # key in the catalogues; the manual's sentences are not pasted in
    then: Mapping[str, int]
    part: str = ""  # the part that whoever does this step plays in the case
    requires: tuple[Requirement, ...] = ()
    norms: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()

    def reference(self, procedure: int) -> str:
        """How the step is cited everywhere: `P10.05`."""
        return f"P{procedure}.{self.number:02d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One procedure of the manual. `apart` lists parts that must be played by different people, with the norm."""

    number: int
    title: str
    steps: tuple[Step, ...]
    apart: tuple[tuple[str, str], ...] = ()
    apart_norm: str = ""

    def step(self, number: int) -> Step:
        """The step with that number; a number outside the procedure is a bug of the caller (KeyError)."""
        for step in self.steps:
            if step.number == number:
                return step
        raise KeyError(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """A step that was done: by whom (account and person), when, and with which answer."""

    step: int
    account: str
    person: str
    at: datetime
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run of a procedure. `parts` names the person behind each part; `step` is the one waiting (END = closed)."""

    id: str
    procedure: int
    step: int
    opened_at: datetime
    done: tuple[StepDone, ...] = ()
    evidence: frozenset[str] = frozenset()
    parts: Mapping[str, str] = field(default_factory=dict)
    assigned_to: str = ""  # the account that the waiting step was given to, where one was named
    cancelled: bool = False
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether a step still waits."""
        return self.step != END and not self.cancelled


def open_case(procedure: Procedure, *, case_id: str, at: datetime, parts: Mapping[str, str]) -> Case:
    """A new case that waits at the first step."""
    case = Case(id=case_id, procedure=procedure.number, step=procedure.steps[0].number, opened_at=at)
    return with_parts(procedure, case, parts)


def with_evidence(case: Case, *evidence: str) -> Case:
    """The case with more evidence."""
    return replace(case, evidence=case.evidence | frozenset(evidence))


def without_evidence(case: Case, evidence: str) -> Case:
    """The case with evidence withdrawn (a card put back before the step was done)."""
    return replace(case, evidence=case.evidence - {evidence})


def with_parts(procedure: Procedure, case: Case, parts: Mapping[str, str]) -> Case:
    """The case with parts named; refused where two parts that the procedure keeps apart fall on one person."""
    merged = {**case.parts, **parts}
    for one, other in procedure.apart:
        if merged.get(one) and merged.get(one) == merged.get(other):
            raise AccessError(Reason.DUTIES_NOT_SEPARATED, procedure.apart_norm, one=one, other=other)
    return replace(case, parts=merged)


def missing(procedure: Procedure, case: Case) -> tuple[Requirement, ...]:
    """What the waiting step still lacks, in the order of the definition."""
    if not case.is_open:
        return ()
    return tuple(need for need in procedure.step(case.step).requires if need.evidence not in case.evidence)


def check_turn(procedure: Procedure, case: Case, number: int, roles: Iterable[Role]) -> Step:
    """The step, if it is its turn and one of `roles` is responsible for it; refused otherwise."""
    step = procedure.step(number)
    reference = step.reference(procedure.number)
    if not case.is_open:
        raise AccessError(Reason.CASE_CLOSED, reference)
    if case.step != number:
        waiting = procedure.step(case.step).reference(procedure.number)
        raise AccessError(Reason.STEP_OUT_OF_ORDER, reference, missing_step=waiting)
    if not step.responsible.intersection(roles):
        needed = ", ".join(sorted(role.value for role in step.responsible))
        raise AccessError(Reason.WRONG_ROLE, reference, needed=needed)
    return step


def complete(
    procedure: Procedure,
    case: Case,
    number: int,
    *,
    account: str,
    person: str,
    roles: Iterable[Role],
    at: datetime,
    answer: str = "",
) -> Case:
    """Do the step: its turn, the right role, duties kept apart, everything that it requires there.

    Returns the case at the next step. Raises `AccessError` naming the step or the norm; nothing changes then.
    """
    step = check_turn(procedure, case, number, roles)
    if step.part:
        case = with_parts(procedure, case, {step.part: person})
    for need in missing(procedure, case):
        raise AccessError(need.reason, need.norm, missing=need.evidence)
    if answer not in step.then:
        raise AccessError(Reason.FORM_INCOMPLETE, step.reference(procedure.number), missing="answer")
    following = step.then[answer]
    done = StepDone(step=number, account=account, person=person, at=at, answer=answer)
    return replace(
        case,
        step=following,
        done=(*case.done, done),
        assigned_to="",
        closed_at=at if following == END else None,
    )


def _need(evidence: str, reason: Reason, norm: str) -> Requirement:
    return Requirement(evidence=evidence, reason=reason, norm=norm)


_TECHNICIANS = frozenset({Role.TECNICO_INFRA, Role.TECNICO_TELECOM})
_AUTHORITIES = frozenset({Role.JEFE, Role.DIRECTOR, Role.SUBGERENTE})

DATA_CENTRE_ENTRY = Procedure(
    number=4,
    title="p4",
    apart=(("authoriser", "registrar"), ("authoriser", "visitor"), ("registrar", "visitor")),
    apart_norm="P4.01",
    steps=(
        Step(number=1, responsible=_AUTHORITIES, title="p4.01", then={"": 2}, part="authoriser", norms=("N4.2",)),
        Step(
            number=2,
            responsible=_TECHNICIANS,
            title="p4.02",
            then={"": 3},
            part="registrar",
            requires=(_need("visit_data", Reason.FORM_INCOMPLETE, "P4.02"),),
        ),
        Step(number=3, responsible=_TECHNICIANS, title="p4.03", then={"si": 4, "no": 8}, norms=("N4.3",)),
        Step(
            number=4,
            responsible=frozenset({Role.USUARIO}),
            title="p4.04",
            then={"": 5},
            part="visitor",
            requires=(_need("register_signature", Reason.RECEIPT_UNSIGNED, "P4.04"),),
            norms=("N4.1",),
            documents=("register",),
        ),
        Step(number=5, responsible=_TECHNICIANS, title="p4.05", then={"": 6}, norms=("N4.3", "N4.4")),
        Step(number=6, responsible=frozenset({Role.USUARIO}), title="p4.06", then={"": 7}),
        Step(number=7, responsible=_TECHNICIANS, title="p4.07", then={"": 8}, norms=("N4.4",)),
        Step(number=8, responsible=_TECHNICIANS, title="p4.08", then={"": END}),
    ),
)

PREMISES_ACCESS = Procedure(
    number=10,
    title="p10",
    apart=(
        ("authoriser", "configurer"),
        ("authoriser", "deliverer"),
        ("authoriser", "beneficiary"),
        ("configurer", "beneficiary"),
        ("deliverer", "beneficiary"),
    ),
    apart_norm="N10.3",
    steps=(
        Step(
            number=1,
            responsible=frozenset({Role.RECEPCION}),
            title="p10.01",
            then={"": 2},
            part="registrar",
            requires=(_need("form", Reason.FORM_INCOMPLETE, "P10.01"),),
            norms=("N10.2", "NG.3"),
        ),
        Step(
            number=2,
            responsible=frozenset({Role.SECRETARIA_INFRA}),
            title="p10.02",
            then={"": 3},
            part="assigner",
            requires=(
                _need("authorisation", Reason.NOT_AUTHORISED, "N10.3"),
                _need("technician", Reason.FORM_INCOMPLETE, "P10.02"),
            ),
            norms=("N10.3",),
        ),
        Step(
            number=3,
            responsible=frozenset({Role.TECNICO_INFRA}),
            title="p10.03",
            then={"": 4},
            part="configurer",
            requires=(
                _need("card", Reason.CARD_NOT_IN_STOCK, "P10.03"),
                _need("access", Reason.FORM_INCOMPLETE, "P10.03"),
                _need("biometrics", Reason.TEMPLATE_QUALITY, "P10.03"),
            ),
            norms=("N10.1", "N10.3"),
        ),
        Step(
            number=4,
            responsible=frozenset({Role.USUARIO}),
            title="p10.04",
            then={"": 5},
            part="beneficiary",
            requires=(
                _need("identity", Reason.IDENTITY_NOT_CHECKED, "P10.04"),
                _need("signature", Reason.RECEIPT_UNSIGNED, "P10.04"),
            ),
            documents=("receipt",),
        ),
        Step(
            number=5,
            responsible=frozenset({Role.TECNICO_INFRA}),
            title="p10.05",
            then={"": 6},
            part="deliverer",
            requires=(_need("signature", Reason.RECEIPT_UNSIGNED, "P10.04"),),
        ),
        Step(
            number=6,
            responsible=frozenset({Role.SECRETARIA_INFRA}),
            title="p10.06",
            then={"": END},
            part="informer",
            documents=("notice",),
        ),
    ),
)

PROCEDURES: Mapping[int, Procedure] = {one.number: one for one in (DATA_CENTRE_ENTRY, PREMISES_ACCESS)}
