"""Every refusal as a sentence a person can act on: one table, Spanish here, English in the catalogue.

A sentence may use the details of its refusal as `%(name)s`; codes among them (roles, steps, fields, states) are
replaced by what these are called on screen. A detail that is not there leaves a neutral word, never an error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from flask_babel import gettext

from accessctl.domain.cards import CardEvent, CardState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import ROLE_PERMISSIONS, Permission, Role
from accessctl_web.names import N_, field_name, named, norm_title

SENTENCES: Mapping[Reason, str] = {
    Reason.UNKNOWN_CREDENTIAL: N_("Credencial desconocida: no está en los registros."),
    Reason.MALFORMED_CREDENTIAL: N_("El lector envió algo que no es una credencial."),
    Reason.NOT_DELIVERED: N_("La tarjeta aún no ha sido entregada: no abre antes del paso 05."),
    Reason.SUSPENDED: N_("La tarjeta está suspendida."),
    Reason.REVOKED: N_("El acceso de esta persona fue retirado."),
    Reason.LOST_OR_STOLEN: N_("La tarjeta fue reportada como extraviada o robada."),
    Reason.NO_RIGHT: N_("Sin autorización para esta puerta."),
    Reason.NOT_YET_VALID: N_("La autorización todavía no comienza."),
    Reason.EXPIRED: N_("La autorización ya venció."),
    Reason.OUTSIDE_SCHEDULE: N_("Fuera del horario autorizado."),
    Reason.HOLIDAY: N_("Hoy es asueto y el horario autorizado no lo incluye."),
    Reason.VISIT_STEP_MISSING: N_("Falta %(missing_step)s."),
    Reason.ESCORT_MISSING: N_("La visita entra solo con la credencial de quien la acompaña."),
    Reason.ESCORT_NOT_ENTITLED: N_("Quien acompaña no pertenece a un departamento facultado para ello."),
    Reason.ESCORT_RATIO: N_("Quien acompaña ya tiene a su cargo el máximo de visitantes."),
    Reason.HOST_ABSENT: N_("La persona responsable de la visita no está dentro."),
    Reason.ANTI_PASSBACK: N_("La credencial ya consta como dentro de la zona."),
    Reason.OCCUPANCY_LIMIT: N_("La zona alcanzó su aforo."),
    Reason.LOCKDOWN: N_("Ingreso bloqueado por emergencia. La salida sigue libre."),
    Reason.INTERLOCK: N_("La otra puerta de la esclusa está abierta."),
    Reason.DEVICE_REFUSED: N_("La terminal decidió por sí sola y no dio la causa."),
    Reason.NOT_FOUND: N_("No se encontró lo que se buscaba."),
    Reason.WRONG_ROLE: N_("Esto le corresponde a otra función: %(needed)s."),
    Reason.STEP_OUT_OF_ORDER: N_("Antes falta %(missing_step)s."),
    Reason.CASE_CLOSED: N_("La solicitud ya está cerrada."),
    Reason.DUTIES_NOT_SEPARATED: N_(
        "Una misma persona no puede autorizar, configurar y recibir: se excluyen «%(one)s» y «%(other)s»."
    ),
    Reason.NOT_AUTHORISED: N_("Falta la autorización de la jefatura."),
    Reason.AUTHORITY_NOT_ENTITLED: N_(
        "Quien se nombra no puede autorizar una tarjeta (N10.3, NG.3): autoriza la jefatura de la dependencia que la"
        " solicita, una dirección o la Subgerencia."
    ),
    Reason.REQUEST_EXPIRED: N_("La autorización venció sin ejecutarse: hace falta una solicitud nueva."),
    Reason.FORM_INCOMPLETE: N_("Falta un dato: %(missing)s."),
    Reason.FORM_NOT_SIGNED: N_("El formulario no tiene la firma y el sello de la jefatura."),
    Reason.NOT_ASSIGNED_TO_YOU: N_("El paso está asignado a otra persona."),
    Reason.BEYOND_AUTHORISATION: N_("Se eligió más de lo que fue autorizado."),
    Reason.CARD_NOT_IN_STOCK: N_("La tarjeta no está en existencia o ya fue usada."),
    Reason.CARD_ALREADY_LIVE: N_("Ese número ya está en uso por otra tarjeta viva."),
    Reason.CARD_NEVER_AGAIN: N_("Ese número fue extraviado, robado o destruido: no vuelve a entregarse."),
    Reason.CARD_NUMBERS_DISAGREE: N_("Los dos números escritos no son de la misma tarjeta."),
    Reason.CARD_NUMBER_INVALID: N_("El número de tarjeta no es válido: %(why)s."),
    Reason.CARD_TOO_LONG_FOR_DEVICE: N_(
        "El número de la tarjeta no cabe en la terminal: guarda %(bits)s bits. No se recorta."
    ),
    Reason.CARD_TRANSITION: N_("Una tarjeta «%(state)s» no se puede %(event)s."),
    Reason.RECEIPT_UNSIGNED: N_("Falta la firma de la constancia."),
    Reason.SIGNATURE_INVALID: N_("La firma está vacía, es demasiado corta o llegó dañada."),
    Reason.IDENTITY_NOT_CHECKED: N_("Falta comprobar el documento de identidad de quien firma."),
    Reason.TEMPLATE_QUALITY: N_("La huella no tuvo la calidad necesaria, o falta registrarla."),
    Reason.FINGER_TAKEN: N_("Esa huella ya está registrada a nombre de otra persona."),
    Reason.DEVICE_UNAVAILABLE: N_("El equipo no responde en este momento."),
    Reason.CAPTURE_BUSY: N_("El lector está atendiendo a otra persona."),
    Reason.CAPTURE_EXPIRED: N_("Se agotó el tiempo para leer la tarjeta."),
    Reason.TEXT_INVALID: N_("El texto no se acepta: revise %(field)s."),
    Reason.DOCUMENT_INVALID: N_("El documento de identidad no es válido: revise los dígitos."),
    Reason.ALREADY_EXISTS: N_("Ya existe un registro con ese dato: %(field)s."),
    Reason.ALREADY_DONE: N_("Eso ya se hizo."),
    Reason.UPLOAD_INVALID: N_("El archivo no se acepta: PDF, JPEG o PNG, de 10 MB a lo sumo."),
    Reason.CREDENTIALS_WRONG: N_("El usuario o la contraseña no coinciden."),
    Reason.THROTTLED: N_("Demasiados intentos. Espere %(seconds)s segundos y pruebe de nuevo."),
    Reason.ACCOUNT_DISABLED: N_("La cuenta está deshabilitada."),
    Reason.PASSWORD_WEAK: N_("La contraseña es débil: use %(shortest)s caracteres o más, variados."),
}

STATUSES: Mapping[Reason, HTTPStatus] = {
    Reason.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Reason.WRONG_ROLE: HTTPStatus.FORBIDDEN,
    Reason.NOT_ASSIGNED_TO_YOU: HTTPStatus.FORBIDDEN,
    Reason.DUTIES_NOT_SEPARATED: HTTPStatus.FORBIDDEN,
    Reason.AUTHORITY_NOT_ENTITLED: HTTPStatus.FORBIDDEN,
    Reason.ACCOUNT_DISABLED: HTTPStatus.FORBIDDEN,
    Reason.CREDENTIALS_WRONG: HTTPStatus.UNAUTHORIZED,
    Reason.THROTTLED: HTTPStatus.TOO_MANY_REQUESTS,
    Reason.DEVICE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}

WHY_NUMBER: Mapping[str, str] = {
    "empty": N_("está vacío"),
    "characters": N_("tiene caracteres que no son de un número"),
    "form": N_("no está escrito como en la tarjeta"),
    "too_long": N_("es demasiado largo"),
    "ten_digits_needed": N_("hacen falta los diez dígitos"),
    "parity": N_("la paridad no coincide"),
    "length": N_("la longitud no es la del formato"),
    "zero": N_("el número cero no se usa"),
}

BARE: Mapping[Reason, str] = {  # of an entry of the record, which has the reason without its details
    Reason.VISIT_STEP_MISSING: N_("A la visita le falta un paso."),
    Reason.WRONG_ROLE: N_("Le corresponde a otra función."),
    Reason.STEP_OUT_OF_ORDER: N_("Falta un paso anterior."),
    Reason.DUTIES_NOT_SEPARATED: N_("Una misma persona no puede autorizar, configurar y recibir."),
    Reason.FORM_INCOMPLETE: N_("Falta un dato."),
    Reason.CARD_NUMBER_INVALID: N_("El número de tarjeta no es válido."),
    Reason.CARD_TOO_LONG_FOR_DEVICE: N_("El número de la tarjeta no cabe en la terminal. No se recorta."),
    Reason.CARD_TRANSITION: N_("El estado de la tarjeta no lo permite."),
    Reason.TEXT_INVALID: N_("El texto no se acepta."),
    Reason.ALREADY_EXISTS: N_("Ya existe un registro con ese dato."),
    Reason.THROTTLED: N_("Demasiados intentos."),
    Reason.PASSWORD_WEAK: N_("La contraseña es débil."),
}

PARTS: Mapping[str, str] = {
    "authoriser": N_("quien autoriza"),
    "configurer": N_("quien configura"),
    "deliverer": N_("quien entrega"),
    "beneficiary": N_("quien recibe"),
    "registrar": N_("quien registra"),
    "visitor": N_("quien visita"),
    "escort": N_("quien acompaña"),
    "handler": N_("quien atiende"),
    "verifier": N_("quien verifica"),
}


_STEP = re.compile(r"P([0-9]{1,2})\.([0-9]{2})")


class _Details(dict[str, str]):
    """A missing detail reads «…» in the sentence."""

    def __missing__(self, key: str) -> str:
        return "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal as it is shown: the sentence, the norm or step with what it asks for, and the status of the answer."""

    reason: str
    sentence: str
    norm: str
    norm_title: str
    status: HTTPStatus


def _shown(key: str, value: str | int) -> str:
    """What a detail is called on screen."""
    text = str(value)
    if key == "needed":
        return ", ".join(dict.fromkeys(name for code in text.split(", ") for name in _roles(code)))
    if key == "missing_step":
        return _step_words(text)
    if key in {"field", "missing"}:
        return field_name(text)
    if key == "why" and text in WHY_NUMBER:
        return str(gettext(WHY_NUMBER[text]))
    if key in {"one", "other"} and text in PARTS:
        return str(gettext(PARTS[text]))
    if key == "state" and text in set(CardState):
        return named(CardState(text))
    if key == "event" and text in set(CardEvent):
        return named(CardEvent(text))
    return text


def _step_words(reference: str) -> str:
    """A step as it is read aloud, with what it asks for: «P4 paso 04: firmar …». A norm stands as it is written."""
    step = _STEP.fullmatch(reference)
    words = gettext("P%(procedure)s paso %(step)s", procedure=step[1], step=step[2]) if step else reference
    title = norm_title(reference)
    return f"{words}: {title[:1].lower()}{title[1:]}" if title else words


def _roles(code: str) -> list[str]:
    """The names of the roles that a code stands for: a role, or those that have a permission."""
    if code in set(Permission):
        return [named(role) for role, allowed in ROLE_PERMISSIONS.items() if Permission(code) in allowed]
    return [named(Role(code))] if code in set(Role) else [code]


def sentence_of(reason: Reason, details: Mapping[str, str | int]) -> str:
    """The sentence of a reason, filled with what its details are called on screen."""
    shown = _Details((key, _shown(key, value)) for key, value in details.items())
    return str(gettext(SENTENCES[reason])) % shown


def refusal_of(error: AccessError) -> Refusal:
    """How a refusal is shown to whoever asked."""
    return Refusal(
        reason=error.reason.value,
        sentence=sentence_of(error.reason, error.details),
        norm=error.norm,
        norm_title=norm_title(error.norm),
        status=STATUSES.get(error.reason, HTTPStatus.CONFLICT),
    )


def reason_sentence(reason: str, norm: str = "") -> str:
    """The sentence for the `reason` column of an entry; a word outside the vocabulary is shown as it stands.

    Where a visit lacks a step, the entry's `norm` is that step.
    """
    if reason not in set(Reason):
        return reason
    if reason in BARE and not (reason == Reason.VISIT_STEP_MISSING and norm):
        return str(gettext(BARE[Reason(reason)]))
    return sentence_of(Reason(reason), {"missing_step": norm} if reason == Reason.VISIT_STEP_MISSING and norm else {})
