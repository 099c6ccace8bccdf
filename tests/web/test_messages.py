"""Every refusal has its sentence, every member of every vocabulary its name, in both languages."""

from collections.abc import Iterator
from enum import StrEnum

import pytest
from flask import Flask
from flask_babel import Babel, force_locale, get_translations

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.procedures import PROCEDURES
from accessctl_web import names
from accessctl_web.messages import PARTS, SENTENCES, WHY_NUMBER, reason_sentence, refusal_of


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    made = Flask("accessctl_web")
    made.config["BABEL_DEFAULT_LOCALE"] = "es"
    Babel(made)
    with made.test_request_context():
        yield made


def in_english(text: str) -> str:
    with force_locale("en"):
        return str(get_translations().ugettext(text))


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_in_both_languages(app: Flask, reason: Reason) -> None:
    assert SENTENCES[reason].endswith(".")
    english = in_english(SENTENCES[reason])
    assert english != SENTENCES[reason]
    assert english.endswith(".")


@pytest.mark.parametrize(("kind", "member"), [(kind, one) for kind in names.VOCABULARIES for one in kind], ids=str)
def test_every_member_has_a_name(app: Flask, kind: type[StrEnum], member: StrEnum) -> None:
    assert names.named(member)
    assert in_english(names.VOCABULARIES[kind][member])


def test_every_step_of_every_procedure_has_a_title(app: Flask) -> None:
    for procedure in PROCEDURES.values():
        assert names.step_title(procedure.title)
        for step in procedure.steps:
            assert names.step_title(step.title)
            assert names.norm_title(step.reference(procedure.number)) == names.step_title(step.title)
            assert all(names.norm_title(norm) for norm in step.norms)


def test_a_refusal_names_step_role_and_field_in_words(app: Flask) -> None:
    order = refusal_of(AccessError(Reason.STEP_OUT_OF_ORDER, "P10.05", missing_step="P10.04"))
    assert order.sentence == "Antes falta P10 paso 04: firmar la constancia de entrega."
    assert (order.norm, order.norm_title) == ("P10.05", "Registrar la entrega")
    role = refusal_of(AccessError(Reason.WRONG_ROLE, "P10.02", needed="secretaria_infra, jefe"))
    assert role.sentence == ("Esto le corresponde a otra función: Secretaria de Infraestructura, Jefe de departamento.")
    assert role.status == 403
    field = refusal_of(AccessError(Reason.TEXT_INVALID, "", field="full_name", longest=120))
    assert "nombre completo" in field.sentence
    card = refusal_of(AccessError(Reason.CARD_TRANSITION, "P10.03", state="lost", event="deliver"))
    assert card.sentence == "Una tarjeta «extraviada» no se puede entregar."
    duties = refusal_of(AccessError(Reason.DUTIES_NOT_SEPARATED, "N10.3", one="authoriser", other="beneficiary"))
    assert "«quien autoriza» y «quien recibe»" in duties.sentence


def test_details_of_a_refusal_are_shown_as_data_never_as_a_pattern(app: Flask) -> None:
    hostile = refusal_of(AccessError(Reason.TEXT_INVALID, "", field="%(secret)s %s {0} <b>"))
    assert "%(secret)s %s {0} <b>" in hostile.sentence
    missing = refusal_of(AccessError(Reason.THROTTLED))
    assert "…" in missing.sentence


def test_a_reason_from_an_older_record_is_shown_as_it_stands(app: Flask) -> None:
    assert reason_sentence("no_such_reason") == "no_such_reason"
    assert names.fact_name("no:such:fact") == "no:such:fact"
    assert reason_sentence("expired") == SENTENCES[Reason.EXPIRED]


def test_a_refusal_at_the_door_names_the_missing_step(app: Flask) -> None:
    assert reason_sentence("visit_step_missing", "P4.04") == "Falta P4 paso 04: firmar el registro de ingreso."


def test_the_words_behind_details_are_all_in_both_languages(app: Flask) -> None:
    for text in (*PARTS.values(), *WHY_NUMBER.values(), *names.FIELDS.values(), *names.NORMS.values()):
        assert in_english(text)
