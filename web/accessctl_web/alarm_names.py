"""What the service itself says about an alarm, in words: why it was raised, and how it went away by itself.

Devices and services write short codes (`silent`, `closed`, `index_missing`), reasons of refusals and norms; people
write sentences. A code has its words here; what no row knows was written by somebody, or by a device, and stays as it
stands. `DETAILS` are patterns, because some carry a number, an address or the digits of a card.
"""

import re
from collections.abc import Mapping

from flask import Flask
from flask_babel import gettext

from accessctl.domain.errors import Reason
from accessctl.services.record_findings import Why
from accessctl_web.device_words import device_trouble
from accessctl_web.findings import FINDINGS
from accessctl_web.messages import reason_sentence
from accessctl_web.names import N_, norm_title

CAUSES: Mapping[str, str] = {
    "closed": N_("la puerta se cerró"),
    "clock_right": N_("el reloj volvió a coincidir"),
    "clock_set": N_("el reloj se puso en hora y se leyó bien"),
    "confirmed": N_("el equipo confirmó las bajas"),
    "device_retired": N_("el equipo se retiró del sitio"),
    "filled": N_("los eventos que faltaban llegaron"),
    "gone": N_("el usuario ajeno ya no está en el equipo"),
    "record_verified": N_("el registro se leyó entero y está en orden"),
    "online": N_("el equipo volvió a comunicarse"),
    "the record was signed again": N_("el registro se volvió a firmar"),
}

DETAILS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("disk_failed"), N_("el disco no guardó lo escrito: revíselo")),
    (re.compile("rtstate"), N_("según el estado que envía el controlador")),
    (re.compile("silent"), N_("dejó de llamar")),
    (re.compile("exit_without_entry"), N_("salió sin que conste su ingreso")),
    (re.compile("log_epoch_changed"), N_("su bitácora empezó de nuevo")),
    (re.compile("index_missing"), N_("faltan números en su bitácora")),
    (re.compile(r"(?P<first>\d+)-(?P<last>\d+)"), N_("faltan los eventos %(first)s a %(last)s")),
    (re.compile(r"(?P<seconds>[+-]?\d+) s"), N_("se aparta %(seconds)s s")),
    (re.compile(r"(?P<count>\d+): (?P<users>[\d, ]+)"), N_("%(count)s usuarios ajenos: %(users)s")),
    (re.compile(r"(?P<count>\d+)"), N_("bajas sin confirmar: %(count)s")),
    (re.compile(r"visita (?P<number>\d+)"), N_("visita %(number)s")),
    (re.compile(r"same serial from (?P<source>\S+)"), N_("otro equipo llama con su número de serie desde %(source)s")),
    (re.compile(r"pin (?P<pin>\S*), card (?P<card>\S*)"), N_("usuario %(pin)s, tarjeta %(card)s")),
    (re.compile(r"DeviceUnreachable: (?P<said>.*)", re.DOTALL), N_("no responde: %(said)s")),
    (re.compile(r"DeviceRefused: (?P<said>.*)", re.DOTALL), N_("rechazó lo pedido: %(said)s")),
    (re.compile(r"DeviceMisbehaved: (?P<said>.*)", re.DOTALL), N_("no respeta su protocolo: %(said)s")),
)

_BROKEN = re.compile(r"(?P<why>[a-z_]+)(?: (?P<index>\d+))?")  # the record is not what was signed; from which entry on
_NORM = re.compile(r"[PN](G|\d{1,2})\.\d{1,2}")


def alarm_cause(text: str) -> str:
    """A cause: the words of a code, a norm with what it asks for, or what somebody wrote."""
    if text in CAUSES:
        return str(gettext(CAUSES[text]))
    if _NORM.fullmatch(text):
        title = norm_title(text)
        return f"{text}, {title}" if title else text
    return text


def alarm_detail(text: str) -> str:
    """A detail: the sentence of a reason, the words of a pattern with what it carries, or the text itself."""
    if text in set(Reason):
        return reason_sentence(text)
    broken = _BROKEN.fullmatch(text)
    if broken and broken["why"] in set(Why):
        said = str(gettext(FINDINGS[Why(broken["why"])]))
        return f"{said} ({gettext('asiento')} {broken['index']})" if broken["index"] else said
    for pattern, words in DETAILS:
        found = pattern.fullmatch(text)
        if found:
            values = found.groupdict()
            if "said" in values:
                values["said"] = device_trouble(values["said"])
            return str(gettext(words)) % values
    return text


def alarm_said(text: str) -> str:
    """What an entry of an alarm's history says, whichever of the two it is."""
    known = alarm_cause(text)
    return known if known != text else alarm_detail(text)


def install(app: Flask) -> None:
    """The filters that templates use."""
    for one in (alarm_cause, alarm_detail, alarm_said, device_trouble):
        app.add_template_filter(one, one.__name__)
