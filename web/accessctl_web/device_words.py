"""What a driver said of a device, in words: why it does not answer, what it refused, where it left its protocol.

Drivers and keepers write short English sentences with what was seen in them (an address, a number); the record and the
log keep those, since they are what somebody who repairs a line looks for. People read these. The first pattern that
fits counts, the narrow ones stand first; a text that none fits is shown as it stands.
"""

import re

from flask_babel import gettext

from accessctl_web.names import N_

ERRNO: dict[str, str] = {
    "2": N_("el aparato no está conectado"),
    "5": N_("el aparato se desconectó"),
    "6": N_("el aparato se desconectó"),
    "13": N_("el servicio no tiene permiso"),
    "16": N_("otro programa lo usa"),
    "19": N_("el aparato no está conectado"),
    "32": N_("la otra parte cerró la conexión"),
    "101": N_("no hay red"),
    "104": N_("la otra parte cortó la conexión"),
    "110": N_("no contestó a tiempo"),
    "111": N_("nadie atiende en esa dirección"),
    "113": N_("no se llega hasta esa dirección"),
}
"""Numbers of errors, the same on every Linux that this runs on (errno(3))."""

TIMED_OUT, UNKNOWN = N_("no contestó a tiempo"), N_("la línea falló")

TROUBLES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        # -- nobody answers
        (r"(?P<address>\S+) does not answer: (?P<system>.*)", N_("%(address)s: %(system)s")),
        (r"(?P<address>\S+) broke the line: (?P<system>.*)", N_("se cortó la línea con %(address)s: %(system)s")),
        (
            r"(?P<address>\S+) does not take what we send: (?P<system>.*)",
            N_("%(address)s no recibe lo que se le envía: %(system)s"),
        ),
        (r"(?P<address>\S+) is not connected", N_("no hay conexión con %(address)s")),
        (r"(?P<address>\S+) was silent until the deadline", N_("%(address)s no contestó a tiempo")),
        (r"(?P<address>\S+) closed the line", N_("%(address)s cerró la conexión")),
        (r"no answer to \S+ within (?P<seconds>\S+) s", N_("sin respuesta en %(seconds)s s")),
        (r"\S+: no answer", N_("no respondió a lo que se le pidió")),
        (r"the session(?: is over|'s process was ended by signal \S+)", N_("la sesión con el equipo se interrumpió")),
        (r"terminal is busy: .*", N_("está ocupado con otra cosa")),
        (r"silent", N_("dejó de llamar")),
        # -- it refuses
        (
            r".*comm_key_file: (?P<file>.+): is open to others \(mode (?P<mode>\d+).*",
            N_("otros pueden leer el archivo de su clave de comunicación, %(file)s (modo %(mode)s): debe ser 0600"),
        ),
        (
            r".*comm_key_file: (?P<file>.+): cannot be read",
            N_("el archivo de su clave de comunicación, %(file)s, no se puede leer"),
        ),
        (
            r".*comm_key_file: (?P<file>.+): a comm key is a number .*",
            N_("su clave de comunicación en %(file)s no es un número de hasta nueve cifras"),
        ),
        (r"terminal refused: wrong comm key", N_("la clave de comunicación no es la suya")),
        (r"terminal refused command (?P<command>\S+) with \S+", N_("rechazó la orden %(command)s")),
        (r"terminal refused: .*", N_("rechazó la orden")),
        (r"the terminal does not tell its serial number", N_("no dice su número de serie")),
        (
            r"the terminal keeps users in (?P<size>\S+) bytes: .*",
            N_("guarda usuarios de %(size)s bytes: indíquelo en el archivo del sitio"),
        ),
        # -- it does not take what it should hold
        (r"(?P<count>\d+) differences left", N_("quedan %(count)s diferencias con lo que debe tener")),
        (r"(?P<table>\S+): returned (?P<code>\S+), told .*", N_("no dio entera su tabla %(table)s: código %(code)s")),
        (r"(?P<what>.+): returned (?P<code>-?\w+)", N_("rechazó %(what)s: código %(code)s")),
        # -- it breaks its protocol: which of its things cannot be believed
        (r".*another serial number than.*", N_("su número de serie no es el del archivo del sitio")),
        (r"checksum .*", N_("una suma de comprobación no coincide")),
        (r".*\b(?:template|finger)\b.*", N_("sus huellas no se pueden leer")),
        (r".*\b(?:users?|slot)\b.*", N_("su lista de usuarios no se puede leer")),
        (r".*\blog\b.*", N_("su bitácora no se puede leer")),
        (r"clock .*", N_("su reloj no dice una fecha")),
        (r".*\btime zone\b.*", N_("sus horarios no se pueden leer")),
        (r"door state .*", N_("no dice si la puerta está abierta")),
        (r"(?:answer|reply id|pyzk:) .*", N_("contestó otra cosa que lo preguntado")),
        (r".*\b(?:bytes|sizes|stream|dataset)\b.*", N_("lo que envió no tiene la forma debida")),
        # -- the line of a desk reader
        (r"(?P<system>\[Errno \d+\].*)", "%(system)s"),
    )
)


def device_trouble(text: str) -> str:
    """The words of what was said of a device; the text itself where it is none that we know."""
    for pattern, words in TROUBLES:
        found = pattern.fullmatch(text)
        if found:
            values = {key: _system(value) if key == "system" else value for key, value in found.groupdict().items()}
            return str(gettext(words)) % values
    return text


def _system(text: str) -> str:
    """What the system said of a line, by its number; its own words are English, and say no more."""
    number = re.match(r"\[Errno (\d+)\]", text)
    words = TIMED_OUT if "timed out" in text else UNKNOWN
    if number is not None:
        words = ERRNO.get(number[1], words)
    return str(gettext(words))
