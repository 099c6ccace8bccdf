"""What is said in the panel where something of the record is not proven: one sentence for each way.

What was read is never quoted: it may be hostile.
"""

from collections.abc import Mapping

from flask_babel import gettext

from accessctl.services.record_findings import RecordBroken, Why
from accessctl_web.names import N_

FINDINGS: Mapping[Why, str] = {
    Why.UNREADABLE: N_("No se puede leer."),
    Why.EMPTY: N_("Está vacío."),
    Why.TRUNCATED: N_("Está cortado: faltan asientos del final."),
    Why.TOO_LARGE: N_("Excede los límites de lo que se acepta leer."),
    Why.MALFORMED: N_("No tiene el formato de un punto de control."),
    Why.UNKNOWN_KEY: N_("No lo firmó ninguna llave de este registro."),
    Why.BAD_SIGNATURE: N_("La firma es falsa o está dañada."),
    Why.ORDER: N_("Falta un asiento, se repite o está fuera de lugar."),
    Why.ENTRY_CHANGED: N_("Un asiento fue alterado."),
    Why.COLUMN_CHANGED: N_("Una columna no muestra lo que se asentó."),
    Why.PERSON_CHANGED: N_("La persona que se muestra no es la que se asentó."),
    Why.NOT_IN_RECORD: N_("Un asiento no consta en el registro firmado."),
    Why.WRONG_ROOT: N_("Los asientos no son los que se firmaron."),
    Why.WRONG_SIZE: N_("No hay tantos asientos como se firmaron."),
    Why.FILE_CHANGED: N_("El archivo fue alterado después de exportarse."),
    Why.SEAL_BROKEN: N_("El manifiesto fue alterado después de sellarse."),
    Why.NOT_AN_EXTENSION: N_("El registro ya no contiene lo que este punto de control firmó: fue reescrito."),
    Why.NOT_WHOLE: N_("Es solo una parte del registro."),
    Why.TILE_CHANGED: N_("El árbol guardado no concuerda con los asientos."),
}


def finding(found: RecordBroken) -> str:
    """The sentence, in the language of whoever is looking."""
    return str(gettext(FINDINGS[found.why]))
