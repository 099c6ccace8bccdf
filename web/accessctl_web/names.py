"""What things are called on screen: roles, states, facts, alarms and the steps of the manual, in our own words.

Spanish is written here and is the key of the English catalogue. `N_` only marks a string for extraction; `named` and
`step_title` translate it for whoever is looking. A test checks that every member of every vocabulary has both names.
"""

from collections.abc import Mapping
from enum import StrEnum

from flask_babel import gettext

from accessctl.domain.alarms import AlarmKind, AlarmState, AlertType
from accessctl.domain.cards import CardEvent, CardState
from accessctl.domain.devices import CommandKind, CommandState
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import AntiPassback
from accessctl.domain.people import DocumentKind, Role
from accessctl.domain.places import Direction, Transport, ZoneClass
from accessctl.domain.requests import AuthorisedBy, GrantState
from accessctl.domain.visitor_cards import VisitorCardState
from accessctl.domain.visits import VisitState
from accessctl.services.register_comparison import LineDifference
from accessctl.services.reports import ReportName
from accessctl_web.export_shelf import Progress


def N_(text: str) -> str:  # noqa: N802 -- the name by which every catalogue tool knows the marker
    """Mark a string for the catalogue, unchanged."""
    return text


ROLES: Mapping[StrEnum, str] = {
    Role.RECEPCION: N_("Recepción"),
    Role.SECRETARIA_INFRA: N_("Secretaria de Infraestructura"),
    Role.TECNICO_INFRA: N_("Técnico en Infraestructura"),
    Role.TECNICO_TELECOM: N_("Técnico de Telecomunicaciones"),
    Role.ANALISTA_CALIDAD: N_("Analista de Control de Calidad"),
    Role.JEFE: N_("Jefe de departamento"),
    Role.DIRECTOR: N_("Director"),
    Role.SUBGERENTE: N_("Subgerente"),
    Role.GUARDIA: N_("Guardia"),
    Role.AUDITOR: N_("Auditoría"),
    Role.ADMIN: N_("Administración del sistema"),
    Role.USUARIO: N_("Usuario de la tarjeta"),
}

CARD_STATES: Mapping[StrEnum, str] = {
    CardState.IN_STOCK: N_("en existencia"),
    CardState.ENROLLED: N_("registrada, sin entregar"),
    CardState.ACTIVE: N_("entregada, activa"),
    CardState.SUSPENDED: N_("suspendida"),
    CardState.REVOKED: N_("revocada"),
    CardState.LOST: N_("extraviada"),
    CardState.STOLEN: N_("robada"),
    CardState.DAMAGED: N_("dañada"),
    CardState.RETURNED: N_("devuelta"),
    CardState.DESTROYED: N_("destruida"),
}

CARD_EVENTS: Mapping[StrEnum, str] = {
    CardEvent.ENROL: N_("registrar"),
    CardEvent.RELEASE: N_("volver a existencias"),
    CardEvent.DELIVER: N_("entregar"),
    CardEvent.SUSPEND: N_("suspender"),
    CardEvent.RESUME: N_("reactivar"),
    CardEvent.REVOKE: N_("revocar"),
    CardEvent.REPORT_LOST: N_("reportar extravío"),
    CardEvent.REPORT_STOLEN: N_("reportar robo"),
    CardEvent.REPORT_DAMAGED: N_("reportar daño"),
    CardEvent.TAKE_BACK: N_("recibir de vuelta"),
    CardEvent.DESTROY: N_("destruir"),
}

ALARM_KINDS: Mapping[StrEnum, str] = {
    AlarmKind.ESCORT_LEFT_FIRST: N_("El acompañante salió antes que la visita"),
    AlarmKind.ESCORT_MISSING: N_("Visita sin acompañante"),
    AlarmKind.VISIT_OVERSTAY: N_("Visita fuera de su horario"),
    AlarmKind.HOST_LEFT: N_("El anfitrión se retiró"),
    AlarmKind.DOOR_HELD_OPEN: N_("Puerta mantenida abierta"),
    AlarmKind.DOOR_FORCED: N_("Puerta forzada"),
    AlarmKind.POLICY_MISMATCH: N_("El equipo no coincide con lo autorizado"),
    AlarmKind.ROGUE_CREDENTIAL: N_("Credencial ajena en un equipo"),
    AlarmKind.DEVICE_OFFLINE: N_("Equipo sin comunicación"),
    AlarmKind.CLOCK_DOUBTFUL: N_("Reloj dudoso"),
    AlarmKind.REVOCATION_PENDING: N_("Baja sin confirmar en un equipo"),
    AlarmKind.TAMPER: N_("Equipo manipulado"),
    AlarmKind.DURESS: N_("Ingreso bajo coacción"),
    AlarmKind.FIRE: N_("Alarma de incendio"),
    AlarmKind.GAP: N_("Faltan eventos de un equipo"),
    AlarmKind.INTERLOCK: N_("Esclusa violada"),
    AlarmKind.OCCUPANCY: N_("Aforo superado"),
}

ALARM_STATES: Mapping[StrEnum, str] = {
    AlarmState.RAISED: N_("sin atender"),
    AlarmState.ASSIGNED: N_("asignada, sin atender"),
    AlarmState.ACKNOWLEDGED: N_("en atención"),
    AlarmState.RESOLVED: N_("resuelta, por verificar"),
    AlarmState.VERIFIED: N_("verificada"),
}

ALERT_TYPES: Mapping[StrEnum, str] = {
    AlertType.ENLACE: N_("Enlace"),
    AlertType.SERVIDORES: N_("Servidores"),
    AlertType.SISTEMAS: N_("Sistemas"),
    AlertType.TEMPERATURA: N_("Temperatura de ductos"),
    AlertType.ACCESO: N_("Acceso físico"),
}

GRANT_STATES: Mapping[StrEnum, str] = {
    GrantState.CHOSEN: N_("elegido, aún no abre"),
    GrantState.OPEN: N_("vigente"),
    GrantState.ENDED: N_("terminado"),
}

AUTHORISED_BY: Mapping[StrEnum, str] = {
    AuthorisedBy.SIGN_OFF: N_("autorizado en el panel por su jefatura"),
    AuthorisedBy.SCAN: N_("formulario firmado y sellado, escaneado"),
}

DOCUMENT_KINDS: Mapping[StrEnum, str] = {
    DocumentKind.DPI: N_("DPI"),
    DocumentKind.PASSPORT: N_("Pasaporte"),
}

TRANSPORTS: Mapping[StrEnum, str] = {
    Transport.ZK: N_("terminal de puerta"),
    Transport.PUSH: N_("controlador"),
    Transport.RDM6300: N_("lector de mesa"),
}

ZONE_CLASSES: Mapping[StrEnum, str] = {
    ZoneClass.PREMISES: N_("instalaciones"),
    ZoneClass.DATA_CENTRE: N_("centro de datos"),
}

DIRECTIONS: Mapping[StrEnum, str] = {Direction.IN: N_("entrada"), Direction.OUT: N_("salida")}

COMMAND_KINDS: Mapping[StrEnum, str] = {
    CommandKind.ENROL_FINGER: N_("registrar una huella"),
    CommandKind.UNLOCK: N_("abrir la puerta"),
    CommandKind.APPLY: N_("actualizar el equipo"),
}

COMMAND_STATES: Mapping[StrEnum, str] = {
    CommandState.WAITING: N_("en espera"),
    CommandState.RUNNING: N_("en curso"),
    CommandState.DONE: N_("hecho"),
    CommandState.FAILED: N_("falló"),
}

FACTS: Mapping[StrEnum, str] = {
    Fact.RECORD_BEGUN: N_("Registro iniciado"),
    Fact.SITE_APPLIED: N_("Archivo del sitio aplicado"),
    Fact.SETTING_CHANGED: N_("Ajuste cambiado"),
    Fact.EXPORT_MADE: N_("Exportación hecha"),
    Fact.CHECKPOINT_SIGNED: N_("Punto de control firmado"),
    Fact.CHECKPOINT_MAILED: N_("Punto de control enviado por correo"),
    Fact.CHECKPOINT_NOT_MAILED: N_("Punto de control que el correo no llevó"),
    Fact.KEY_ROTATED: N_("Llave del registro renovada"),
    Fact.RECORD_SEARCHED: N_("Registro consultado"),
    Fact.EXTRACT_MADE: N_("Extracto de una persona hecho"),
    Fact.PERSON_ERASED: N_("Datos de una persona borrados"),
    Fact.ACCOUNT_ADDED: N_("Cuenta creada"),
    Fact.ACCOUNT_DISABLED: N_("Cuenta deshabilitada"),
    Fact.ACCOUNT_SIGNED_IN: N_("Sesión iniciada"),
    Fact.ACCOUNT_SIGN_IN_REFUSED: N_("Inicio de sesión rechazado"),
    Fact.ACCOUNT_SIGNED_OUT: N_("Sesión cerrada"),
    Fact.ACCOUNT_PASSWORD_CHANGED: N_("Contraseña cambiada por su dueño"),
    Fact.PERSON_REGISTERED: N_("Persona registrada"),
    Fact.PERSON_CORRECTED: N_("Datos de la persona corregidos"),
    Fact.PERSON_REMOVED: N_("Acceso de la persona retirado"),
    Fact.CASE_OPENED: N_("Solicitud abierta"),
    Fact.CASE_STEP_DONE: N_("Paso cumplido"),
    Fact.CASE_STEP_REFUSED: N_("Paso rechazado"),
    Fact.CASE_ASSIGNED: N_("Solicitud asignada"),
    Fact.CASE_CLOSED: N_("Solicitud cerrada"),
    Fact.CASE_CANCELLED: N_("Solicitud anulada"),
    Fact.FORM_ATTACHED: N_("Documento adjuntado"),
    Fact.REQUEST_AUTHORISED: N_("Solicitud autorizada"),
    Fact.DOCUMENT_PRINTED: N_("Documento emitido"),
    Fact.FOLIOS_RESERVED: N_("Folios de contingencia reservados"),
    Fact.VISIT_REGISTER_PRINTED: N_("Registro de visitas impreso"),
    Fact.VISIT_LINE_PRINTED: N_("Línea del registro impresa"),
    Fact.VISIT_REGISTER_COMPARED: N_("Registro impreso comparado con el electrónico"),
    Fact.FOLIO_VOIDED: N_("Folio de contingencia anulado"),
    Fact.CARD_STOCKED: N_("Tarjeta ingresada a existencias"),
    Fact.CARD_ENROLLED: N_("Tarjeta registrada"),
    Fact.CARD_RELEASED: N_("Tarjeta devuelta a existencias"),
    Fact.CARD_DELIVERED: N_("Tarjeta entregada"),
    Fact.CARD_SUSPENDED: N_("Tarjeta suspendida"),
    Fact.CARD_RESUMED: N_("Tarjeta reactivada"),
    Fact.CARD_REVOKED: N_("Tarjeta revocada"),
    Fact.CARD_LOST: N_("Tarjeta reportada extraviada"),
    Fact.CARD_STOLEN: N_("Tarjeta reportada robada"),
    Fact.CARD_DAMAGED: N_("Tarjeta reportada dañada"),
    Fact.CARD_RETURNED: N_("Tarjeta recibida de vuelta"),
    Fact.CARD_DESTROYED: N_("Tarjeta destruida"),
    Fact.CAPTURE_STARTED: N_("Lectura de tarjeta iniciada"),
    Fact.CARD_CAPTURED: N_("Tarjeta leída en el escritorio"),
    Fact.FINGER_ENROLLED: N_("Huella registrada"),
    Fact.FINGER_REFUSED: N_("Huella no aceptada"),
    Fact.FINGER_WAIVED: N_("Huella dispensada"),
    Fact.FINGER_ERASED: N_("Huella borrada"),
    Fact.ACCESS_CHOSEN: N_("Acceso elegido"),
    Fact.ACCESS_GRANTED: N_("Acceso habilitado"),
    Fact.ACCESS_ENDED: N_("Acceso terminado"),
    Fact.RECEIPT_SIGNED: N_("Constancia de entrega firmada"),
    Fact.REMOVAL_REQUESTED: N_("Baja solicitada"),
    Fact.REMOVAL_CONFIRMED: N_("Baja confirmada en un equipo"),
    Fact.DOOR_GRANTED: N_("Ingreso permitido"),
    Fact.DOOR_REFUSED: N_("Ingreso denegado"),
    Fact.DOOR_EXITED: N_("Salida"),
    Fact.DOOR_UNLOCKED: N_("Cerradura liberada"),
    Fact.DOOR_OPENED: N_("Puerta abierta"),
    Fact.DOOR_CLOSED: N_("Puerta cerrada"),
    Fact.DOOR_FORCED: N_("Puerta forzada"),
    Fact.DOOR_HELD: N_("Puerta mantenida abierta"),
    Fact.EXIT_BUTTON: N_("Botón de salida"),
    Fact.DEVICE_EVENT: N_("Evento del equipo"),
    Fact.DEVICE_ONLINE: N_("Equipo en línea"),
    Fact.DEVICE_OFFLINE: N_("Equipo sin comunicación"),
    Fact.DEVICE_IDENTIFIED: N_("Equipo identificado"),
    Fact.DEVICE_CLOCK_SET: N_("Reloj del equipo puesto en hora"),
    Fact.DEVICE_CLOCK_DOUBTFUL: N_("Reloj del equipo dudoso"),
    Fact.DEVICE_APPLIED: N_("Equipo actualizado"),
    Fact.DEVICE_DRIFTED: N_("Equipo distinto de lo autorizado"),
    Fact.DEVICE_LOG_GAP: N_("Hueco en la bitácora del equipo"),
    Fact.DEVICE_COMMAND_ASKED: N_("Orden pedida al equipo"),
    Fact.DEVICE_COMMAND_DONE: N_("Orden cumplida por el equipo"),
    Fact.DEVICE_COMMAND_FAILED: N_("Orden fallida en el equipo"),
    Fact.VISIT_AUTHORISED: N_("Visita autorizada"),
    Fact.VISIT_DECLARED_FORTUITOUS: N_("Ingreso fortuito declarado"),
    Fact.VISIT_REGULARISED: N_("Ingreso fortuito regularizado"),
    Fact.VISIT_REGISTERED: N_("Datos de la visita registrados"),
    Fact.VISIT_BRIEFED: N_("Inducción de seguridad dada"),
    Fact.VISIT_SIGNED: N_("Registro de ingreso firmado"),
    Fact.VISIT_CARD_GIVEN: N_("Tarjeta de visita entregada"),
    Fact.VISIT_CARD_RETURNED: N_("Tarjeta de visita devuelta"),
    Fact.VISIT_CARD_MISSING: N_("Tarjeta de visita sin devolver"),
    Fact.VISITOR_CARD_CHANGED: N_("Tarjetas de visita: existencias cambiadas"),
    Fact.VISIT_ENTERED: N_("Visita adentro"),
    Fact.VISIT_LEFT: N_("Salida de la visita vista por el lector"),
    Fact.VISIT_ESCORT_ASSIGNED: N_("Acompañante asignado"),
    Fact.VISIT_ESCORT_RELIEVED: N_("Acompañante relevado"),
    Fact.VISIT_ESCORT_LEFT: N_("El acompañante salió primero"),
    Fact.VISIT_WORK_NOTED: N_("Actividades de la visita anotadas"),
    Fact.VISIT_EXIT_VERIFIED: N_("Salida de la visita comprobada"),
    Fact.VISIT_EXIT_RECORDED: N_("Salida de la visita anotada"),
    Fact.VISIT_UNVERIFIED: N_("Visita cerrada sin verificar"),
    Fact.VISIT_ENDED: N_("Autorización de visita vencida"),
    Fact.VISIT_CANCELLED: N_("Visita anulada"),
    Fact.ZONE_RULED: N_("Reglas de la zona cambiadas"),
    Fact.ZONE_LOCKED: N_("Ingreso a la zona bloqueado"),
    Fact.ZONE_REOPENED: N_("Ingreso a la zona reabierto"),
    Fact.FIRE_REPORTED: N_("Alarma de incendio recibida"),
    Fact.FIRE_ENDED: N_("Fin de la alarma de incendio"),
    Fact.PRESENCE_DOUBTED: N_("Presencia en la zona dudosa"),
    Fact.PRESENCE_FORGIVEN: N_("Doble paso perdonado"),
    Fact.ALARM_RAISED: N_("Alarma activada"),
    Fact.ALARM_ASSIGNED: N_("Alarma asignada"),
    Fact.ALARM_ACKNOWLEDGED: N_("Alarma atendida"),
    Fact.ALARM_RESOLVED: N_("Alarma resuelta"),
    Fact.ALARM_REOPENED: N_("Alarma reabierta"),
    Fact.ALARM_VERIFIED: N_("Alarma verificada"),
}

VISIT_STATES: Mapping[StrEnum, str] = {
    VisitState.AUTHORISED: N_("autorizada"),
    VisitState.REGISTERED: N_("registrada, sin firma"),
    VisitState.SIGNED: N_("firmada, puede entrar"),
    VisitState.INSIDE: N_("adentro"),
    VisitState.OUTSIDE: N_("afuera, por comprobar"),
    VisitState.VERIFIED: N_("salida comprobada"),
    VisitState.CLEARED: N_("personal propio, puede entrar"),
    VisitState.WORKING: N_("personal propio, adentro"),
    VisitState.GONE: N_("personal propio, afuera"),
    VisitState.CLOSED: N_("cerrada"),
    VisitState.UNVERIFIED: N_("no verificada"),
    VisitState.EXPIRED: N_("vencida sin usarse"),
    VisitState.NO_SHOW: N_("no se presentó"),
    VisitState.CANCELLED: N_("anulada"),
}

VISITOR_CARD_STATES: Mapping[StrEnum, str] = {
    VisitorCardState.FREE: N_("libre"),
    VisitorCardState.GIVEN: N_("entregada a una visita"),
    VisitorCardState.MISSING: N_("sin devolver"),
    VisitorCardState.RETIRED: N_("fuera de uso"),
}

ANTI_PASSBACK: Mapping[StrEnum, str] = {
    AntiPassback.OFF: N_("no se controla"),
    AntiPassback.SOFT: N_("se anota y abre"),
    AntiPassback.HARD: N_("no abre"),
}

DIFFERENCES: Mapping[str, str] = {  # by `visit_differences.KINDS`
    "entry_without_reader": N_("El ingreso consta en papel y ningún lector lo vio"),
    "reader_without_exit_line": N_("El lector vio la salida y falta su línea en el registro"),
    "exit_line_without_reader": N_("La salida está anotada y ningún lector la vio"),
    "exit_without_verification": N_("El lector vio la salida y nadie la comprobó"),
    "card_not_back": N_("La tarjeta de visita no volvió"),
    "fortuitous": N_("Ingreso fortuito sin regularizar"),
    "unverified": N_("Cerrada sin que nadie comprobara la salida"),
    "times_disagree": N_("Las horas de salida no coinciden"),
    "equipment": N_("El equipo que salió no es el que entró"),
    "still_inside": N_("Sigue adentro después de su horario"),
    "reader_without_visit": N_("El lector vio un ingreso sin línea en el registro"),
}

LINE_DIFFERENCES: Mapping[StrEnum, str] = {
    LineDifference.ALTERED: N_("El papel ya no dice lo que se imprimió"),
    LineDifference.LATER: N_("El registro cambió después de imprimirse"),
    LineDifference.MARK: N_("La marca no es la de esta línea"),
    LineDifference.NOT_ON_PAPER: N_("No está en el papel"),
    LineDifference.NOT_IN_RECORD: N_("No está en el registro"),
    LineDifference.ERASED: N_("Los datos de la persona se suprimieron"),
}

REPORTS: Mapping[StrEnum, str] = {
    ReportName.ENTRIES: N_("Ingresos por puerta y persona"),
    ReportName.REFUSALS: N_("Ingresos denegados por motivo"),
    ReportName.OUTSTANDING: N_("Tarjetas pendientes por jefatura"),
    ReportName.REVOCATIONS: N_("Bajas y su exposición"),
    ReportName.BLIND_SPOTS: N_("Puntos ciegos"),
    ReportName.LOOKED_AT: N_("Quién consultó qué"),
    ReportName.VISITS: N_("Visitas con sus catorce datos"),
    ReportName.FORTUITOUS: N_("Ingresos fortuitos sin regularizar"),
}

EXPORTS: Mapping[StrEnum, str] = {
    Progress.WAITING: N_("en espera"),
    Progress.RUNNING: N_("haciéndose"),
    Progress.READY: N_("completa"),
    Progress.STOPPED: N_("cancelada"),
    Progress.INTERRUPTED: N_("interrumpida: pídala de nuevo"),
    Progress.DISK: N_("no se pudo escribir: el disco está lleno o no acepta archivos"),
    Progress.TOO_LONG: N_("demasiado larga para ese formato: use CSV o acote la búsqueda"),
    Progress.BROKEN: N_("el registro no es el que se firmó: avise a administración"),
    Progress.REFUSED: N_("rechazada"),
}

FINGERS = (  # by the number that terminals use: the left hand from the little finger on, then the right from the thumb
    N_("meñique izquierdo"),
    N_("anular izquierdo"),
    N_("medio izquierdo"),
    N_("índice izquierdo"),
    N_("pulgar izquierdo"),
    N_("pulgar derecho"),
    N_("índice derecho"),
    N_("medio derecho"),
    N_("anular derecho"),
    N_("meñique derecho"),
)

OUTCOMES: Mapping[str, str] = {
    "": N_("se agotó el tiempo"),
    "quality": N_("la calidad no fue suficiente; limpie el dedo y el lector e intente de nuevo"),
    "duplicate": N_("esa huella ya está registrada a nombre de otra persona"),
    "timeout": N_("no se puso el dedo a tiempo"),
    "cancelled": N_("se canceló en la terminal"),
    "expired": N_("se agotó el tiempo"),
    "device": N_("la terminal falló durante el registro"),
    "interrupted": N_("se interrumpió; pídalo de nuevo"),
}

VOCABULARIES: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    Role: ROLES,
    CardState: CARD_STATES,
    CardEvent: CARD_EVENTS,
    AlarmKind: ALARM_KINDS,
    AlarmState: ALARM_STATES,
    AlertType: ALERT_TYPES,
    GrantState: GRANT_STATES,
    AuthorisedBy: AUTHORISED_BY,
    DocumentKind: DOCUMENT_KINDS,
    Transport: TRANSPORTS,
    ZoneClass: ZONE_CLASSES,
    Direction: DIRECTIONS,
    CommandKind: COMMAND_KINDS,
    CommandState: COMMAND_STATES,
    Fact: FACTS,
    Progress: EXPORTS,
    ReportName: REPORTS,
    LineDifference: LINE_DIFFERENCES,
    VisitState: VISIT_STATES,
    VisitorCardState: VISITOR_CARD_STATES,
    AntiPassback: ANTI_PASSBACK,
}

STEP_TITLES: Mapping[str, str] = {
    "p3.01": N_("Detectar la alerta y registrarla"),
    "p3.03": N_("Trasladarla a la jefatura del área"),
    "p3.04": N_("Asignar a un técnico del área"),
    "p3.05": N_("Atenderla y resolverla"),
    "p3.07": N_("Comprobar que se solucionó"),
    "p4": N_("Ingreso al centro de datos"),
    "p4.01": N_("Autorizar el ingreso"),
    "p4.02": N_("Tomar los datos de quien entra y de su equipo"),
    "p4.03": N_("¿Entra un tercero?"),
    "p4.04": N_("Firmar el registro de ingreso"),
    "p4.05": N_("Acompañar durante la visita"),
    "p4.06": N_("Hacer el trabajo previsto"),
    "p4.07": N_("Comprobar que la persona salió"),
    "p4.08": N_("Anotar la salida"),
    "p10": N_("Tarjeta y huella para la Subgerencia"),
    "p10.01": N_("Recibir la solicitud y su formulario"),
    "p10.02": N_("Asignar a un técnico"),
    "p10.03": N_("Preparar tarjeta, huella y puertas"),
    "p10.04": N_("Firmar la constancia de entrega"),
    "p10.05": N_("Registrar la entrega"),
    "p10.06": N_("Informar a quien lo solicitó"),
}

NORMS: Mapping[str, str] = {
    "N3.1": N_("la vigilancia es a toda hora"),
    "N3.5": N_("cada tipo de alerta tiene su área y su responsable"),
    "NG.3": N_("la solicitud lleva firma y sello de la jefatura"),
    "N4.1": N_("el ingreso al centro de datos se controla en la puerta y queda en un registro"),
    "N4.2": N_("lo fortuito se coordina con la autoridad superior"),
    "N4.3": N_("terceros entran acompañados por personal de Infraestructura o Telecomunicaciones"),
    "N4.4": N_("quien acompaña responde por los equipos durante la visita"),
    "N10.1": N_("el personal entra por los lectores de las puertas"),
    "N10.2": N_("solo personal y proveedores autorizados, con su documentación"),
    "N10.3": N_("no hay tarjeta sin autorización previa"),
    "N10.4": N_("la jefatura reporta las bajas y entrega la tarjeta"),
    "N10.5": N_("el departamento que recibe una visita le da seguimiento"),
    "N10.6": N_("la visita entra solo con la persona responsable presente"),
}

FIELDS: Mapping[str, str] = {
    "full_name": N_("nombre completo"),
    "document_kind": N_("clase de documento"),
    "document_number": N_("número de documento"),
    "email": N_("correo electrónico"),
    "department": N_("departamento"),
    "position": N_("puesto"),
    "justification": N_("justificación"),
    "reason": N_("motivo"),
    "comment": N_("comentario"),
    "cause": N_("causa"),
    "label": N_("etiqueta"),
    "username": N_("nombre de usuario"),
    "password": N_("contraseña"),
    "repeated": N_("contraseña nueva, otra vez"),
    "roles": N_("roles"),
    "doors": N_("puertas"),
    "door": N_("puerta"),
    "schedule": N_("horario"),
    "valid_from": N_("inicio de la vigencia"),
    "valid_until": N_("fin de la vigencia"),
    "beneficiary": N_("persona beneficiaria"),
    "requester": N_("solicitante"),
    "authority": N_("jefatura que autoriza"),
    "form": N_("formulario"),
    "access": N_("puertas y horario"),
    "card": N_("tarjeta"),
    "biometrics": N_("huella o dispensa"),
    "identity": N_("documento de identidad mostrado"),
    "signature": N_("firma"),
    "technician": N_("técnico"),
    "authorisation": N_("autorización"),
    "answer": N_("respuesta"),
    "waiver": N_("motivo de la dispensa"),
    "act": N_("acta"),
    "name": N_("nombre"),
    "document_shown": N_("documento mostrado"),
    "why": N_("motivo"),
    "reader": N_("lector"),
    "device": N_("equipo"),
    "finger": N_("dedo"),
    "event": N_("lo que pasó"),
    "capture": N_("lectura de la tarjeta"),
    "command": N_("orden"),
    "file_name": N_("nombre del archivo"),
    "requested_by": N_("jefatura que lo pide"),
    "person": N_("persona"),
    "since": N_("primer día"),
    "until": N_("último día"),
    "until_before_since": N_("las fechas: la última es anterior a la primera"),
    "before": N_("la página que se pide"),
    "paper": N_("el archivo: un CSV de 400 KB a lo sumo"),
    "line": N_("una columna de nombre línea, visita o folio, y solo las de la lista"),
    "after": N_("la página que se pide"),
    "width": N_("firma"),
    "height": N_("firma"),
    "kind": N_("qué se busca"),
    "norm": N_("norma o paso"),
    "visit": N_("visita"),
    "query": N_("búsqueda"),
    "searches": N_("búsquedas guardadas"),
    "visit_data": N_("datos de la visita"),
    "register_signature": N_("firma del registro"),
    "organisation": N_("empresa o institución"),
    "purpose": N_("motivo de la visita"),
    "zone": N_("zona"),
    "host": N_("persona visitada"),
    "visitor": N_("quien visita"),
    "equipment": N_("equipo"),
    "serial": N_("número de serie"),
    "vehicle": N_("vehículo"),
    "folio": N_("folio"),
    "folios": N_("cantidad de folios"),
    "activities": N_("actividades"),
    "entered_at": N_("hora de ingreso"),
    "exited_at": N_("hora de salida"),
    "visitor_card": N_("devolución de la tarjeta de visita"),
    "third_party": N_("si entra un tercero"),
    "occupancy_limit": N_("aforo"),
    "anti_passback": N_("doble paso"),
}


def named(member: StrEnum) -> str:
    """What a member of one of the vocabularies is called, in the language of whoever is looking."""
    return str(gettext(VOCABULARIES[type(member)][member]))


def fact_name(event: str) -> str:
    """The name of an entry's `event`; a word outside the vocabulary (an older record) is shown as it stands."""
    try:
        return named(Fact(event))
    except ValueError:
        return event


def step_title(key: str) -> str:
    """The title of a step or procedure, by the key that its definition carries (`p10.03`)."""
    return str(gettext(STEP_TITLES[key]))


def norm_title(reference: str) -> str:
    """What a step or norm asks for, in a few words of ours; empty for a reference that has none."""
    words = STEP_TITLES.get(reference.lower()) or NORMS.get(reference, "")
    return str(gettext(words)) if words else ""


def difference_name(kind: str) -> str:
    """What a difference of the day is called; a kind without an entry is shown as it is."""
    return str(gettext(DIFFERENCES[kind])) if kind in DIFFERENCES else kind


def finger_name(finger: int) -> str:
    """Which finger, by the number that terminals use (0 to 9)."""
    return str(gettext(FINGERS[finger])) if 0 <= finger < len(FINGERS) else str(finger)


def outcome_sentence(outcome: str) -> str:
    """Why an enrolment failed; a cause without an entry is shown as it is."""
    return str(gettext(OUTCOMES[outcome])) if outcome in OUTCOMES else outcome


def field_name(field: str) -> str:
    """What a field of a form is called; a name without an entry is shown as it is."""
    return str(gettext(FIELDS[field])) if field in FIELDS else field
