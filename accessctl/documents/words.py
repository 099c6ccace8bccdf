"""What papers call things, in Spanish: formats, states, outcomes, what happens at a door and why it was refused.

A word outside these vocabularies (an older record, a newer device) is printed as it stands.
"""

from collections.abc import Mapping
from enum import StrEnum

from accessctl.domain.alarms import AlarmKind, AlarmState
from accessctl.domain.card_numbers import CardFormat
from accessctl.domain.cards import CardState
from accessctl.domain.errors import Reason
from accessctl.domain.people import DocumentKind
from accessctl.domain.places import Direction
from accessctl.domain.requests import AuthorisedBy, GrantState
from accessctl.domain.visits import VisitState
from accessctl.services.paper_facts import DoorOutcome

CARD_FORMATS: Mapping[CardFormat, str] = {
    CardFormat.EM4100: "Proximidad EM4100, 125 kHz",
    CardFormat.EM4100_32: "Proximidad EM4100, 125 kHz",
    CardFormat.H10301: "Proximidad Wiegand de 26 bits",
    CardFormat.H10306: "Proximidad Wiegand de 34 bits",
    CardFormat.W34CSN: "Número de serie en Wiegand de 34 bits",
    CardFormat.H10302: "Proximidad Wiegand de 37 bits",
    CardFormat.H10304: "Proximidad Wiegand de 37 bits con código de sitio",
    CardFormat.C1K35S: "Proximidad de 35 bits",
    CardFormat.CSN4: "Número de serie de 4 bytes, 13.56 MHz",
    CardFormat.CSN7: "Número de serie de 7 bytes, 13.56 MHz",
}
CARD_STATES: Mapping[CardState, str] = {
    CardState.IN_STOCK: "en existencia",
    CardState.ENROLLED: "registrada, sin entregar",
    CardState.ACTIVE: "entregada, activa",
    CardState.SUSPENDED: "suspendida",
    CardState.REVOKED: "revocada",
    CardState.LOST: "extraviada",
    CardState.STOLEN: "robada",
    CardState.DAMAGED: "dañada",
    CardState.RETURNED: "devuelta",
    CardState.DESTROYED: "destruida",
}
DOCUMENTS: Mapping[DocumentKind, str] = {DocumentKind.DPI: "DPI", DocumentKind.PASSPORT: "Pasaporte"}
ALARM_KINDS: Mapping[str, str] = {
    AlarmKind.ESCORT_LEFT_FIRST: "El acompañante salió antes que la visita",
    AlarmKind.ESCORT_MISSING: "Visita sin acompañante",
    AlarmKind.VISIT_OVERSTAY: "Visita fuera de su horario",
    AlarmKind.HOST_LEFT: "El anfitrión se retiró",
    AlarmKind.DOOR_HELD_OPEN: "Puerta mantenida abierta",
    AlarmKind.DOOR_FORCED: "Puerta forzada",
    AlarmKind.POLICY_MISMATCH: "El equipo no coincide con lo autorizado",
    AlarmKind.ROGUE_CREDENTIAL: "Credencial ajena en un equipo",
    AlarmKind.DEVICE_OFFLINE: "Equipo sin comunicación",
    AlarmKind.CLOCK_DOUBTFUL: "Reloj dudoso",
    AlarmKind.REVOCATION_PENDING: "Baja sin confirmar en un equipo",
    AlarmKind.TAMPER: "Equipo manipulado",
    AlarmKind.DURESS: "Ingreso bajo coacción",
    AlarmKind.FIRE: "Alarma de incendio",
    AlarmKind.GAP: "Faltan eventos de un equipo",
    AlarmKind.INTERLOCK: "Esclusa violada",
    AlarmKind.OCCUPANCY: "Aforo superado",
}
ALARM_STATES: Mapping[str, str] = {
    AlarmState.RAISED: "sin atender",
    AlarmState.ASSIGNED: "asignada, sin atender",
    AlarmState.ACKNOWLEDGED: "en atención",
    AlarmState.RESOLVED: "resuelta, por verificar",
    AlarmState.VERIFIED: "verificada",
}
GRANT_STATES: Mapping[str, str] = {
    GrantState.CHOSEN: "elegido, aún no abre",
    GrantState.OPEN: "vigente",
    GrantState.ENDED: "terminado",
}
VISIT_STATES: Mapping[str, str] = {
    VisitState.AUTHORISED: "autorizada",
    VisitState.REGISTERED: "registrada, sin firma",
    VisitState.SIGNED: "firmada, puede entrar",
    VisitState.INSIDE: "adentro",
    VisitState.OUTSIDE: "afuera, por comprobar",
    VisitState.VERIFIED: "salida comprobada",
    VisitState.CLEARED: "personal propio, puede entrar",
    VisitState.WORKING: "personal propio, adentro",
    VisitState.GONE: "personal propio, afuera",
    VisitState.CLOSED: "cerrada",
    VisitState.UNVERIFIED: "no verificada",
    VisitState.EXPIRED: "vencida sin usarse",
    VisitState.NO_SHOW: "no se presentó",
    VisitState.CANCELLED: "anulada",
}
AUTHORISED: Mapping[str, str] = {
    AuthorisedBy.SIGN_OFF: "autorización propia en el sistema",
    AuthorisedBy.SCAN: "formulario firmado y sellado",
}
OUTCOMES: Mapping[DoorOutcome, str] = {
    DoorOutcome.CONFIRMED: "Configurada y confirmada por el equipo",
    DoorOutcome.PENDING: "Pendiente: el equipo está en línea y aún no confirma",
    DoorOutcome.OFFLINE: "Pendiente: el equipo está sin conexión",
    DoorOutcome.UNGUARDED: "Autorizada; la puerta no tiene equipo",
    DoorOutcome.ENDED: "El acceso ya terminó",
}
DIRECTIONS: Mapping[str, str] = {Direction.IN: "Entrada", Direction.OUT: "Salida"}
REASONS: Mapping[str, str] = {
    Reason.UNKNOWN_CREDENTIAL: "credencial desconocida",
    Reason.MALFORMED_CREDENTIAL: "lectura que no es una credencial",
    Reason.NOT_DELIVERED: "tarjeta sin entregar",
    Reason.SUSPENDED: "tarjeta suspendida",
    Reason.REVOKED: "acceso retirado",
    Reason.LOST_OR_STOLEN: "tarjeta extraviada o robada",
    Reason.NO_RIGHT: "sin autorización para la puerta",
    Reason.NOT_YET_VALID: "autorización aún no vigente",
    Reason.EXPIRED: "autorización vencida",
    Reason.OUTSIDE_SCHEDULE: "fuera de horario",
    Reason.HOLIDAY: "asueto",
    Reason.VISIT_STEP_MISSING: "a la visita le falta un paso",
    Reason.ESCORT_MISSING: "visita sin acompañante",
    Reason.ESCORT_NOT_ENTITLED: "acompañante no facultado",
    Reason.ESCORT_RATIO: "el acompañante ya lleva a otras visitas",
    Reason.HOST_ABSENT: "la persona responsable no está dentro",
    Reason.ANTI_PASSBACK: "la credencial ya consta dentro",
    Reason.OCCUPANCY_LIMIT: "aforo completo",
    Reason.LOCKDOWN: "ingreso bloqueado por emergencia",
    Reason.INTERLOCK: "la otra puerta de la esclusa está abierta",
    Reason.DEVICE_REFUSED: "la terminal decidió sin dar causa",
    # what was refused at a desk, which an export of the whole record lists too
    Reason.NOT_FOUND: "no se encontró",
    Reason.WRONG_ROLE: "no corresponde a su función",
    Reason.STEP_OUT_OF_ORDER: "falta un paso anterior",
    Reason.CASE_CLOSED: "el caso ya está cerrado",
    Reason.DUTIES_NOT_SEPARATED: "quien autoriza, configura y recibe no puede ser la misma persona",
    Reason.NOT_AUTHORISED: "sin autorización",
    Reason.AUTHORITY_NOT_ENTITLED: "autoridad no facultada",
    Reason.REQUEST_EXPIRED: "solicitud vencida",
    Reason.FORM_INCOMPLETE: "formulario incompleto",
    Reason.FORM_NOT_SIGNED: "formulario sin firma",
    Reason.NOT_ASSIGNED_TO_YOU: "asignado a otra persona",
    Reason.BEYOND_AUTHORISATION: "más de lo autorizado",
    Reason.CARD_NOT_IN_STOCK: "la tarjeta no está en existencia",
    Reason.CARD_ALREADY_LIVE: "la tarjeta ya es de otra persona",
    Reason.CARD_NEVER_AGAIN: "la tarjeta no puede volver a usarse",
    Reason.CARD_NUMBERS_DISAGREE: "los números de la tarjeta no coinciden",
    Reason.CARD_NUMBER_INVALID: "número de tarjeta no válido",
    Reason.CARD_TOO_LONG_FOR_DEVICE: "número de tarjeta más largo de lo que admite el equipo",
    Reason.CARD_TRANSITION: "el estado de la tarjeta no lo permite",
    Reason.RECEIPT_UNSIGNED: "constancia sin firma",
    Reason.SIGNATURE_INVALID: "firma no válida",
    Reason.IDENTITY_NOT_CHECKED: "identidad sin comprobar",
    Reason.TEMPLATE_QUALITY: "huella de poca calidad",
    Reason.FINGER_TAKEN: "el dedo ya está registrado",
    Reason.DEVICE_UNAVAILABLE: "el equipo no responde",
    Reason.CAPTURE_BUSY: "el lector está ocupado",
    Reason.CAPTURE_EXPIRED: "la lectura venció",
    Reason.TEXT_INVALID: "texto no aceptado",
    Reason.DOCUMENT_INVALID: "documento de identidad no válido",
    Reason.ALREADY_EXISTS: "ya existe",
    Reason.ALREADY_DONE: "ya estaba hecho",
    Reason.UPLOAD_INVALID: "archivo no aceptado",
    Reason.CREDENTIALS_WRONG: "usuario o contraseña incorrectos",
    Reason.THROTTLED: "demasiados intentos",
    Reason.ACCOUNT_DISABLED: "cuenta deshabilitada",
    Reason.PASSWORD_WEAK: "contraseña débil",
}
TAKEN: Mapping[str, str] = {  # what was printed or taken away (`reports`, "who looked at what")
    "receipt": "constancia de entrega",
    "notice": "oficio",
    "register": "registro diario",
    "visit_register": "registro de visitas",
    "badge": "gafete de visita",
    "muster": "lista de evacuación",
    "folios": "hojas de contingencia",
    "csv": "CSV",
    "jsonl": "JSON lines",
    "json": "JSON",
    "xlsx": "XLSX",
    "pdf": "PDF",
    "record": "registro completo",
    "proof": "prueba de un asiento",
}


def word(words: Mapping[str, str], code: str | StrEnum) -> str:
    """The word for a code that came from the record; the code itself where there is none."""
    return words.get(str(code), str(code))
