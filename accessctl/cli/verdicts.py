"""What the command line says of the record: one sentence for each way in which something is not proven.

Spanish first, the exact finding in English after it. What was read is never quoted: it may be hostile.
"""

import errno
from collections.abc import Mapping
from pathlib import Path

from accessctl.record import RecordBroken, Verified, Why

SENTENCES: Mapping[Why, str] = {
    Why.UNREADABLE: "no se puede leer",
    Why.EMPTY: "está vacío",
    Why.TRUNCATED: "está cortado: faltan asientos del final",
    Why.TOO_LARGE: "excede los límites de lo que se acepta leer",
    Why.MALFORMED: "no tiene el formato que dice tener",
    Why.UNKNOWN_KEY: "no está firmado por ninguna clave en la que se confíe",
    Why.BAD_SIGNATURE: "la firma es falsa o está dañada",
    Why.ORDER: "falta un asiento, se repite o está fuera de lugar",
    Why.ENTRY_CHANGED: "un asiento fue alterado",
    Why.COLUMN_CHANGED: "una columna no muestra lo que se asentó",
    Why.PERSON_CHANGED: "la persona que se muestra no es la que se asentó",
    Why.NOT_IN_RECORD: "un asiento no consta en el registro firmado",
    Why.WRONG_ROOT: "los asientos no son los que se firmaron",
    Why.WRONG_SIZE: "no tiene tantos asientos como se firmaron",
    Why.FILE_CHANGED: "el archivo fue alterado después de exportarse",
    Why.SEAL_BROKEN: "el manifiesto fue alterado después de sellarse",
    Why.NOT_AN_EXTENSION: "el registro ya no contiene lo que un punto de control anterior firmó",
    Why.NOT_WHOLE: "una exportación parcial no muestra que el registro solo creció; la completa sí",
    Why.TILE_CHANGED: "el árbol guardado no concuerda con los asientos",
}
DISK: Mapping[int, str] = {
    errno.EEXIST: "ya existe, y nada se sobrescribe",
    errno.ENOENT: "la carpeta no existe",
    errno.EACCES: "sin permiso para escribir ahí",
    errno.ENOSPC: "no queda espacio en el disco",
    errno.EFBIG: "no queda espacio: el archivo excede el límite",
    errno.EROFS: "el disco es de solo lectura",
    errno.ENAMETOOLONG: "el nombre es demasiado largo",
}


def shown(path: Path) -> str:
    """A file's name for the terminal: what is not printable is replaced, so that no name can move the cursor."""
    return "".join(char if char.isprintable() else "\ufffd" for char in str(path))[:400]


def broken(found: RecordBroken) -> str:
    """One sentence: what is wrong and where first."""
    where = ""
    if found.index is not None:
        last = found.until
        where = (
            f", asiento {found.index}"
            if last in {None, found.index}
            else f", entre los asientos {found.index} y {last}"
        )
    return f"NO VERIFICADO: {SENTENCES[found.why]}{where} / {found}"


def verified(found: Verified) -> str:
    """One sentence: what was proven, under which checkpoint, and what was not."""
    signed = found.checkpoint
    if found.whole:
        what = f"registro completo, {found.entries} asientos, ninguno alterado, quitado ni añadido"
    elif found.entries:
        what = f"{found.entries} asientos, cada uno tal como consta en el registro"
    else:
        what = "punto de control auténtico" if not found.sealed else "exportación auténtica, sin asientos"
    kept = f"; continúa {found.held} punto(s) de control anteriores" if found.held else ""
    key = "" if found.pinned else "; la clave venía con el archivo: compárela con --key para saber de quién es"
    return f"verificado / verified: {what}; firmado por {signed.origin} sobre {signed.size} asientos{kept}{key}"


def unsealed(found: Verified) -> bool:
    """Whether something that a person reads in the file hangs on nothing: no seal, and more than entries to see."""
    return not found.bound


UNSEALED = (
    "NO VERIFICADO: las columnas visibles no llevan sello: pudieron alterarse, o quitarse líneas, aunque los asientos "
    "consten / no seal: what is shown may have been changed, or lines left out, though its entries are in the record"
)


def disk(failed: OSError, path: Path) -> str:
    """Why a file could not be written."""
    why = DISK.get(failed.errno or 0, failed.strerror or "error de escritura")
    return f"{shown(path)}: {why}"
