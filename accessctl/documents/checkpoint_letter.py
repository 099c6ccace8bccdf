"""The letter that carries a checkpoint outside: what it is, how to keep it, the note; proof and note as files."""

from accessctl.documents.imprint import moment
from accessctl.services.checkpoint_mail import CheckpointFacts, Letter

_TEXT = """\
Punto de control del registro de control de accesos «{origin}»
{at} (hora de Guatemala)

Hasta aquí llega hoy el registro: {size} asientos.{grown}

Guarde este correo tal como llegó, donde nadie del sistema de origen pueda
cambiarlo. Con él se comprueba más adelante que nada de lo que hoy consta fue
quitado ni reescrito:

  accessctl verify ESTE-CORREO.eml --key CLAVE
  accessctl verify REGISTRO.jsonl --key CLAVE --checkpoint ESTE-CORREO.eml
  accessctl witness sign ESTE-CORREO.eml --state CARPETA

La clave pública, que conviene cotejar una vez por otra vía:

  {key}

La nota firmada (C2SP), que también va como archivo:

{note}
Es evidencia de integridad; no es una firma electrónica avanzada de las que
regula el Decreto 47-2008.
"""


def compose(facts: CheckpointFacts) -> Letter:
    """The letter for a checkpoint."""
    grown = ""
    files = [(f"{facts.size:012}.checkpoint", facts.note.encode())]
    if facts.before is not None and facts.extension is not None:
        grown = f"\nVa la prueba de que continúa el del correo anterior, de {facts.before} asientos."
        files.append((f"{facts.size:012}.extension", facts.extension))
    return Letter(
        at=facts.at,
        subject=f"Punto de control del registro {facts.origin}: {facts.size} asientos",
        text=_TEXT.format(
            origin=facts.origin,
            at=moment(facts.at),
            size=facts.size,
            grown=grown,
            key=facts.verifier_key,
            note=facts.note,
        ),
        files=tuple(files),
    )
