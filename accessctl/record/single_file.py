"""Verificador de exportaciones de accessctl, en un solo archivo / verifier of accessctl exports, in a single file.

Necesita solo Python 3.11 y el paquete `cryptography`; ni base de datos, ni servidor, ni red / it needs only Python
3.11 and the package `cryptography`, no database, no server, no network:

    python3 FILE.verify.py [--key CLAVE] [--checkpoint NOTA] [ARCHIVO …]

Sin ARCHIVO verifica el que está a su lado. `--key` es la clave pública de la institución, obtenida de ella y no de la
carpeta de la exportación: sin ella el archivo solo concuerda consigo mismo. Quien desconfía de quien le dio la
exportación toma también este programa de otra parte. Sale con 0 (verificado), 1 (no verificado) o 2 (uso incorrecto).

It accepts and refuses what `accessctl verify` does (the tests hold one against the other), shares no line with it, and
is one file on purpose, so that it can be read and carried as one: hence its length. What it checks is the page "Export
format": leaves SHA-256(0x00 ‖ entry), nodes SHA-256(0x01 ‖ left ‖ right) (RFC 6962), C2SP signed notes with Ed25519.
"""

import argparse
import base64
import binascii
import csv
import hashlib
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_LINE, MAX_DOCUMENT, MAX_NOTE, MAX_ENTRY, MAX_PROOF = 512 * 1024, 4 * 1024 * 1024, 64 * 1024, 64 * 1024, 128
COLUMNS = (
    "at", "received_at", "device", "door", "zone", "direction", "event", "reason", "norm", "person_id", "credential",
    "visit", "device_time", "skew_s",
)  # fmt: skip
VKEY = re.compile(r"([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")
SIGNATURE = re.compile(r"— ([^\s+]{1,255}) ([A-Za-z0-9+/]+={0,2})")
ENDS = ("first_index", "last_index")
HASH, NUMBER = re.compile(r"[0-9a-f]{64}"), re.compile(r"0|[1-9][0-9]{0,18}")
Json = dict[str, Any]
Key = tuple[str, bytes, bytes]  # name, key id, public key
Point = tuple[str, int, bytes]  # origin, size, root


class Broken(Exception):
    """Not proven, and why, in one sentence."""


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# ---- reading


def read(file: BinaryIO, count: int) -> bytes:
    try:
        return file.read(count)
    except OSError:
        raise Broken("un archivo no se puede leer / a file cannot be read") from None


def lines_of(file: BinaryIO, name: str, digest: Any = None) -> Iterator[bytes]:
    """Whole lines without their ends, none too long."""
    while True:
        try:
            line = file.readline(MAX_LINE + 2)
        except OSError:
            raise Broken(f"{name}: no se puede leer / cannot be read") from None
        if not line:
            return
        if digest is not None:
            digest.update(line)
        if not line.endswith(b"\n") or len(line) > MAX_LINE + 1:
            raise Broken(f"{name}: cortado, o una línea demasiado larga / cut, or a line too long")
        yield line[:-1]


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError
    return value


def _no_constant(text: str) -> None:
    raise ValueError(text)


def once(pairs: list[tuple[str, Any]]) -> Json:
    """An object in which no key stands twice: readers would not agree on its value."""
    if len(values := dict(pairs)) != len(pairs):
        raise ValueError
    return values


def parse(data: bytes, name: str, hook: Any = None) -> Json:
    """A JSON object; surrogates, infinities and what is no UTF-8 are refused."""
    value: Any = None
    try:
        text = data.decode("utf-8")
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=hook)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # fails on half of a surrogate pair
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Broken(f"{name}: no es un objeto JSON / is not a JSON object")
    return value


def need(values: Json, key: str, kind: type, name: str) -> Any:
    value: Any = values.get(key)
    if type(value) is not kind or (isinstance(value, int) and value < 0):
        raise Broken(f"{name}: «{key}» falta o no es lo que debe / is missing or not what it should be")
    return value


def need_hash(values: Json, key: str, name: str) -> bytes:
    text = need(values, key, str, name)
    if HASH.fullmatch(text) is None:
        raise Broken(f"{name}: «{key}» no es un resumen SHA-256 / is no SHA-256")
    return bytes.fromhex(text)


def need_path(values: Json, name: str) -> list[bytes]:
    found = need(values, "proof", list, name)
    if len(found) > MAX_PROOF or not all(isinstance(one, str) and HASH.fullmatch(one) for one in found):
        raise Broken(f"{name}: su camino no se puede leer / its path cannot be read")
    return [bytes.fromhex(one) for one in found]


def canonical(value: Json) -> bytes:
    """The one spelling of an entry. Raises ValueError."""

    def check(inner: Any, depth: int) -> None:
        if isinstance(inner, (dict, list)):
            if depth > 16:
                raise ValueError
            for one in inner.values() if isinstance(inner, dict) else inner:
                check(one, depth + 1)
        elif isinstance(inner, int) and not isinstance(inner, bool):
            if abs(inner) > 2**53 - 1:
                raise ValueError
        elif inner is not None and type(inner) not in {str, bool}:
            raise ValueError

    check(value, 0)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    data = text.encode("utf-8")
    if len(data) > MAX_ENTRY or not all_normal(value):
        raise ValueError
    return data


def all_normal(value: Any) -> bool:
    if isinstance(value, str):
        return unicodedata.is_normalized("NFC", value)
    if isinstance(value, dict):
        return all(all_normal(key) and all_normal(inner) for key, inner in value.items())
    return all(all_normal(inner) for inner in value) if isinstance(value, list) else True


def entry_of(data: bytes, name: str) -> Json:
    try:
        value = parse(data, name)
        if len(data) <= MAX_ENTRY and canonical(value) == data:
            return value
    except ValueError:
        pass
    raise Broken(f"{name}: el asiento no está en su forma canónica / the entry is not canonical")


# ---- keys, notes, tree


def key_of(vkey: str) -> Key:
    parts = VKEY.fullmatch(vkey)
    data = unbase64(parts[3]) if parts else None
    if parts is None or data is None or data[:1] != b"\x01" or not parts[1].isprintable():
        raise Broken("la clave pública no se puede leer / the public key cannot be read")
    key_id = sha(parts[1].encode() + b"\n" + data)[:4]
    if key_id.hex() != parts[2]:
        raise Broken("la clave pública no concuerda con su identificador / the key does not match its id")
    return parts[1], key_id, data[1:]


def unbase64(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text else None


def note_text(note: bytes | str, keys: list[Key]) -> str:
    """The text of a note that one of the keys signed."""
    if not note or len(note) > MAX_NOTE:
        raise Broken("la nota está vacía o es demasiado larga / the note is empty or too long")
    try:
        text = note.decode() if isinstance(note, bytes) else note.encode().decode()
    except UnicodeError:
        raise Broken("la nota no es texto UTF-8 / the note is not UTF-8") from None
    body, gap, tail = text.rpartition("\n\n")
    if any(char < " " and char != "\n" for char in text) or not gap or not tail.endswith("\n"):
        raise Broken("la nota no tiene la forma de una nota firmada / this is no signed note")
    found = signatures_in(tail)
    by = {key[:2]: key[2] for key in keys}
    good = False
    for name, blob in found:
        public = by.pop((name, blob[:4]), None)
        if public is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], (body + "\n").encode())
        except (InvalidSignature, ValueError):
            raise Broken("la firma es falsa o está dañada / the signature is forged or damaged") from None
        good = True
    if not good:
        raise Broken("no está firmado por ninguna clave en la que se confíe / signed by none of the trusted keys")
    return body + "\n"


def signatures_in(tail: str) -> list[tuple[str, bytes]]:
    """Name, and key id with signature, of each signature line."""
    found = []
    for line in tail[:-1].split("\n"):
        parts = SIGNATURE.fullmatch(line)
        blob = unbase64(parts[2]) if parts else None
        if parts is None or blob is None or len(blob) < 5:
            raise Broken("una línea de firma no se puede leer / a signature line cannot be read")
        found.append((parts[1], blob))
    if len(found) > 100:
        raise Broken("la nota tiene demasiadas firmas / the note has too many signatures")
    return found


def point_of(note: bytes | str, keys: list[Key]) -> Point:
    parts = note_text(note, keys).split("\n")
    root = unbase64(parts[2]) if len(parts) >= 4 else None
    if len(parts) < 4 or parts[-1] or not all(parts[:-1]) or not parts[0].isprintable() or root is None:
        raise Broken("la nota no es un punto de control / the note is no checkpoint")
    if NUMBER.fullmatch(parts[1]) is None or int(parts[1]) >= 2**63 or len(root) != 32:
        raise Broken("el punto de control no se puede leer / the checkpoint cannot be read")
    return parts[0], int(parts[1]), root


class Tree:
    """The root over leaves that pass by once."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []  # of complete subtrees, the largest first

    def add(self, leaf: bytes) -> None:
        self.size += 1
        place = self.size
        while not place & 1:
            leaf = sha(b"\x01" + self.peaks.pop() + leaf)
            place >>= 1
        self.peaks.append(leaf)

    def root(self) -> bytes:
        if not self.peaks:
            return sha(b"")
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha(b"\x01" + peak + root)
        return root


def included(index: int, point: Point, leaf: bytes, proof: list[bytes]) -> bool:
    """RFC 9162 §2.1.3.2."""
    _, size, root = point
    if not 0 <= index < size:
        return False
    place, last = index, size - 1
    for beside in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            leaf = sha(b"\x01" + beside + leaf)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            leaf = sha(b"\x01" + leaf + beside)
        place, last = place >> 1, last >> 1
    return last == 0 and leaf == root


def extends(old: Point, new: Point, proof: list[bytes]) -> bool:
    """RFC 9162 §2.1.4.2."""
    if old[0] != new[0] or old[1] > new[1] or (old[1] == 0 and old[2] != sha(b"")):
        return False
    if old[1] in {0, new[1]}:
        return not proof and (old[1] < new[1] or old[2] == new[2])
    path = [old[2], *proof] if old[1] & (old[1] - 1) == 0 else proof
    if not path:
        return False
    place, last = old[1] - 1, new[1] - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    left = right = path[0]
    for beside in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            left, right = sha(b"\x01" + beside + left), sha(b"\x01" + beside + right)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            right = sha(b"\x01" + right + beside)
        place, last = place >> 1, last >> 1
    return last == 0 and (left, right) == (old[2], new[2])


# ---- exports


def checked_manifest(data: bytes, trusted: list[Key]) -> tuple[Json, Point]:
    """The manifest, in order with its checkpoint and its seal."""
    name = "el manifiesto / the manifest"
    if len(data) > MAX_DOCUMENT:
        raise Broken(f"{name}: demasiado largo / too long")
    said = parse(data, name, once)
    for key, kind in (("exported_by", str), ("exported_at", str), ("lines", int), ("whole", bool), ("checkpoint", str)):
        need(said, key, kind, name)
    need_hash(said, "sha256", name)
    for key in ENDS:
        if said.get(key) is not None:
            need(said, key, int, name)
    for key in ("seal", "format"):
        if said.get(key) is not None:
            need(said, key, str, name)
    vkey = need(said, "verifier_key", str, name)
    keys = trusted or [key_of(vkey)]
    point = point_of(said["checkpoint"], keys)
    if not agrees(said, point[1]):
        raise Broken(f"{name}: se contradice o no cuenta lo que se firmó / contradicts itself or the checkpoint")
    if said.get("seal") is not None:
        require_seal(said, keys)
    return said, point


def require_seal(said: Json, keys: list[Key]) -> None:
    try:
        digest = sha(canonical({key: value for key, value in said.items() if key != "seal"})).hex()
    except ValueError:
        raise Broken("el manifiesto no tiene forma canónica / the manifest has no canonical form") from None
    if note_text(said["seal"], keys) != f"accessctl/export/v1\n{said['sha256']}\n{said['lines']}\n{digest}\n":
        raise Broken("el manifiesto fue alterado después de sellarse / the manifest was changed after it was sealed")


def agrees(said: Json, size: int) -> bool:
    """Whether a manifest makes sense in itself, under a checkpoint of that size."""
    first, last, lines, whole = (said.get(key) for key in (*ENDS, "lines", "whole"))
    if whole and said.get("format") is not None:
        return False
    if lines == 0:
        return first is None and last is None and (not whole or size == 0)
    if first is None or last is None:
        return False
    if whole:
        return bool(size == lines and first == 0 and last == lines - 1)
    return bool(first <= last < size and lines <= last - first + 1)


def checked_entry(values: Json, leaf: str, name: str) -> bytes:
    """The leaf of a line that carries its entry."""
    try:
        data = binascii.a2b_base64(need(values, "entry", str, name), strict_mode=True)
    except ValueError:
        raise Broken(f"{name}: su asiento no está en base64 / its entry is not base64") from None
    if sha(b"\x00" + data).hex() != leaf:
        raise Broken(f"{name}: un asiento fue alterado / an entry was changed")
    if {*COLUMNS, "person", "person_salt"}.isdisjoint(values):
        return sha(b"\x00" + data)
    entry = entry_of(data, name)
    for column in COLUMNS:
        if column in values and not same(values[column], entry.get(column)):
            raise Broken(f"{name}: la columna {column} no muestra lo que se asentó / does not show what was recorded")
    salt, person, promise = values.get("person_salt"), values.get("person"), entry.get("person")
    if salt is not None:
        promised = promise.get("c") if isinstance(promise, dict) else None
        if not isinstance(salt, str) or HASH.fullmatch(salt) is None or not opened(promised, salt, person):
            raise Broken(f"{name}: la persona no es la que se asentó / the person is not the one recorded")
    return sha(b"\x00" + data)


def same(shown: Any, recorded: Any) -> bool:
    return type(shown) is type(recorded) and bool(shown == recorded)


def opened(promise: Any, salt: str, value: Any) -> bool:
    if not isinstance(promise, str) or not isinstance(value, str):
        return False
    return sha(b"accessctl/commitment/v1\n" + bytes.fromhex(salt) + value.encode()).hex() == promise


def tied(line: bytes, values: Json) -> bool:
    """Whether a line shows nothing that its entry does not say."""
    try:
        parse(line, "", once)
    except Broken:
        return False
    known = {"index", "leaf", "entry", "person", "person_salt", *COLUMNS}
    return values.keys() <= known and (values.get("person") is None or values.get("person_salt") is not None)


def entries_in(file: BinaryIO, digest: Any, *, sealed: bool) -> Iterator[tuple[int, bytes, bool]]:
    """Index, leaf, and whether it shows its entry and nothing else, of each line of a CSV or JSON lines file."""
    columns: list[str] | None = None
    for number, line in enumerate(lines_of(file, "el archivo / the file", digest), start=1):
        name = f"línea / line {number}"
        if number == 1 and not line.startswith(b"{"):
            columns = row_of(line, name)
            if len(set(columns)) != len(columns) or not {"index", "leaf"} <= set(columns):
                raise Broken("no es ni JSON ni CSV con índice y hoja / neither JSON lines nor CSV with index and leaf")
        elif columns is None:
            values = parse(line, name)
            index = need(values, "index", int, name)
            if "entry" in values:
                yield index, checked_entry(values, need(values, "leaf", str, name), name), sealed or tied(line, values)
            else:
                yield index, need_hash(values, "leaf", name), False
        else:
            cells = dict(zip(columns, row := row_of(line, name), strict=False))
            if len(row) != len(columns) or not NUMBER.fullmatch(cells["index"]) or not HASH.fullmatch(cells["leaf"]):
                raise Broken(f"{name}: no es una fila de esta tabla / is not a row of this table")
            yield int(cells["index"]), bytes.fromhex(cells["leaf"]), False


def row_of(line: bytes, name: str) -> list[str]:
    try:
        rows = list(csv.reader([line.removesuffix(b"\r").decode()], strict=True))
    except (csv.Error, UnicodeDecodeError):
        rows = []
    if len(rows) != 1 or not rows[0]:
        raise Broken(f"{name}: no es CSV en UTF-8 / is not CSV in UTF-8")
    return rows[0]


def counted(file: BinaryIO, said: Json) -> Iterator[tuple[int, bytes, bool]]:
    """The entries of a file, as many and in the order that the manifest says; its digest is compared at the end."""
    digest, count, expected = hashlib.sha256(), 0, 0
    for index, leaf, shown in entries_in(file, digest, sealed=said.get("seal") is not None):
        count += 1
        if index != expected if said["whole"] else index < expected:
            raise Broken(f"falta el asiento {expected} o está fuera de lugar / missing or out of place")
        if count > said["lines"]:
            raise Broken("hay más líneas que en el manifiesto / more lines than the manifest counts")
        expected = index + 1
        yield index, leaf, shown
    if count < said["lines"]:
        raise Broken(f"faltan líneas: {count} de {said['lines']} / lines are missing")
    if digest.hexdigest() != said["sha256"]:
        raise Broken("el archivo fue alterado después de exportarse / the file was changed after the export")


def check_whole(file: BinaryIO, said: Json, point: Point, held: list[Point]) -> int:
    """Hash the leaves up to the signed root, and on the way to those held; how many lines showed their entry alone."""
    tree, shown = Tree(), 0
    waiting = sorted(held, key=lambda one: one[1])
    if any(one[0] != point[0] or one[1] > point[1] for one in waiting):
        raise Broken("un punto de control anterior no cabe en este registro / an older checkpoint does not fit")
    for _, leaf, with_entry in counted(file, said):
        while waiting and waiting[0][1] == tree.size:
            require_begins(tree, waiting.pop(0))
        tree.add(leaf)
        shown += with_entry
    for one in waiting:
        require_begins(tree, one)
    if tree.root() != point[2]:
        raise Broken("los asientos no son los que se firmaron / the entries are not those that were signed")
    return shown


def check_filtered(file: BinaryIO, said: Json, point: Point, proofs: BinaryIO | None) -> int:
    """Each line's path up to the signed root; how many lines showed their entry."""
    first = last = None
    shown, paths = 0, proof_lines(proofs)
    for index, leaf, with_entry in counted(file, said):
        data = next(paths, None)
        if data is None or data[0] != index or not included(index, point, leaf, data[2]):
            raise Broken(f"el asiento {index} no consta en el registro firmado / is not in the signed record")
        first, last, shown = index if first is None else first, index, shown + with_entry
    if next(paths, None) is not None or (first, last) != tuple(map(said.get, ENDS)):
        raise Broken("pruebas o extremos no concuerdan con el manifiesto / proofs or ends disagree with the manifest")
    return shown


def require_begins(tree: Tree, older: Point) -> None:
    if tree.size != older[1] or tree.root() != older[2]:
        raise Broken(f"el registro ya no empieza con los {older[1]} asientos firmados antes / it was rewritten")


def proof_lines(proofs: BinaryIO | None) -> Iterator[tuple[int, str, list[bytes]]]:
    if proofs is None:
        raise Broken("faltan las pruebas (.proofs) junto al archivo / no proofs stand beside the file")
    for number, line in enumerate(lines_of(proofs, "las pruebas / the proofs"), start=1):
        name = f"pruebas, línea / proofs, line {number}"
        values = parse(line, name)
        yield need(values, "index", int, name), str(values.get("leaf")), need_path(values, name)


def check_opaque(file: BinaryIO, said: Json, point: Point, proofs: BinaryIO | None) -> None:
    """A workbook or a PDF: its digest, and the leaves in its proofs."""
    digest = hashlib.sha256()
    while block := read(file, 1 << 20):
        digest.update(block)
    if digest.hexdigest() != said["sha256"]:
        raise Broken("el archivo fue alterado después de exportarse / the file was changed after the export")
    first = last = None
    count = 0
    for count, (index, leaf, path) in enumerate(proof_lines(proofs), start=1):
        if count > said["lines"] or (last is not None and index <= last) or HASH.fullmatch(leaf) is None:
            raise Broken(f"pruebas, línea {count}: fuera de lugar / out of place")
        if not included(index, point, bytes.fromhex(leaf), path):
            raise Broken(f"el asiento {index} no consta en el registro firmado / is not in the signed record")
        first, last = index if first is None else first, index
    if count < said["lines"] or (first, last) != tuple(map(said.get, ENDS)):
        raise Broken("las pruebas no concuerdan con el manifiesto / the proofs disagree with the manifest")


def check_export(file: BinaryIO, said: Json, point: Point, proofs: BinaryIO | None, held: list[Point]) -> int:
    """Check a file of any format; how many of its lines showed their entry."""
    if said.get("format") is not None:
        check_opaque(file, said, point, proofs)
        return 0
    return check_whole(file, said, point, held) if said["whole"] else check_filtered(file, said, point, proofs)


# ---- proofs, extensions, checkpoints


def check_proof(values: Json, keys: list[Key]) -> Point:
    name = "la prueba / the proof"
    point = point_of(need(values, "checkpoint", str, name), keys)
    index, leaf = need(values, "index", int, name), need_hash(values, "leaf", name)
    try:
        data = binascii.a2b_base64(need(values, "entry", str, name), strict_mode=True)
    except ValueError:
        raise Broken(f"{name}: su asiento no está en base64 / its entry is not base64") from None
    if sha(b"\x00" + data) != leaf or not included(index, point, leaf, need_path(values, name)):
        raise Broken(f"{name}: el asiento {index} no consta en el registro firmado / is not in the signed record")
    promised = set(promises(entry_of(data, name)))
    shown = values.get("openings", [])
    if not isinstance(shown, list) or len(shown) > 100:
        raise Broken(f"{name}: lo que revela no se puede leer / what it discloses cannot be read")
    for one in shown:
        mark, salt, value = ([one.get(key) for key in ("c", "salt", "value")]) if isinstance(one, dict) else (0, 0, 0)
        if (
            not isinstance(mark, str)
            or mark not in promised
            or not isinstance(salt, str)
            or not HASH.fullmatch(salt)
            or not opened(mark, salt, value)
        ):
            raise Broken(f"{name}: un dato revelado no es el que se asentó / a disclosed detail is another")
    return point


def promises(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("c"), str):
        yield value["c"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from promises(inner)


def check_small(data: bytes, keys: list[Key], held: list[Point]) -> tuple[str, Point]:
    """A proof, an extension or a checkpoint."""
    if data.lstrip().startswith(b"{"):
        if len(data) > MAX_DOCUMENT:
            raise Broken("no hay manifiesto junto al archivo / no manifest stands beside the file")
        values = parse(data, "el archivo / the file", once)
        if values.get("format") == "accessctl/extension/v1":
            name = "la extensión / the extension"
            keys = keys or [key_of(need(values, "verifier_key", str, name))]
            old, new = (point_of(need(values, which, str, name), keys) for which in ("old", "new"))
            if not extends(old, new, need_path(values, name)):
                raise Broken("el registro no continúa el anterior / the record does not extend the older one")
            return f"el registro de {old[1]} asientos es el comienzo del de {new[1]} / it only grew", new
        if values.get("format") != "accessctl/proof/v1":
            raise Broken("ni exportación, ni prueba, ni punto de control / no export, proof or checkpoint")
        keys = keys or [key_of(need(values, "verifier_key", str, "la prueba / the proof"))]
        return "1 asiento, tal como consta en el registro / one entry, as recorded", check_proof(values, keys)
    if not data or len(data) > MAX_NOTE or b"\n\n" not in data:
        raise Broken("ni exportación con manifiesto, ni prueba, ni punto de control / no export, proof or checkpoint")
    if not keys:
        raise Broken("un punto de control solo no prueba nada sin --key / a checkpoint needs --key")
    point = point_of(data, keys)
    if any(one != point for one in held):
        raise Broken("dos puntos de control distintos: hace falta la extensión / two checkpoints need an extension")
    return "punto de control auténtico / genuine checkpoint", point


# ---- what a person starts


def open_file(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # a pipe waits, /dev/zero never ends
            raise Broken("es una tubería o un dispositivo, no un archivo / a pipe or a device, not a file")
        return path.open("rb")
    except (OSError, ValueError):
        raise Broken("no se puede abrir / cannot be opened") from None


def there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def verify(path: Path, keys: list[Key], held_notes: list[bytes]) -> str:
    """One sentence on what was proven. Raises Broken."""
    if path.suffix in {".manifest", ".proofs"}:
        path = path.with_suffix("")
    manifest, proofs = path.parent / f"{path.name}.manifest", path.parent / f"{path.name}.proofs"
    with open_file(path) as file:
        if not there(manifest):
            data = read(file, MAX_DOCUMENT + 1)
            if held_notes and not keys:
                keys = [key_of(str(parse(data, "el archivo / the file", once).get("verifier_key")))]
            proven, point = check_small(data, keys, [point_of(note, keys) for note in held_notes])
            return f"{proven}; {signed(point, keys)}"
        with open_file(manifest) as beside:
            said, point = checked_manifest(read(beside, MAX_DOCUMENT + 1), keys)
        held = [point_of(note, keys or [key_of(said["verifier_key"])]) for note in held_notes]
        if held and not said["whole"]:
            raise Broken("solo el registro completo muestra que creció / a filtered export cannot show that it grew")
        paths = open_file(proofs) if there(proofs) else None
        try:
            shown = check_export(file, said, point, paths, held)
        finally:
            if paths is not None:
                paths.close()
    if said.get("seal") is None and not (said["whole"] and shown == said["lines"] > 0):
        raise Broken("sin sello: pudo alterarse o recortarse / no seal: may have been changed, or lines left out")
    what = "registro completo / the whole record" if said["whole"] else "tal como constan / as recorded"
    return f"{said['lines']} asientos, {what}; {signed(point, keys)}"


def signed(point: Point, keys: list[Key]) -> str:
    own = "" if keys else " (la clave venía con el archivo: compárela con --key / the key came with the file)"
    return f"firmado por / signed by {point[0]}, {point[1]} asientos{own}"


def small_file(text: str, parser: argparse.ArgumentParser) -> bytes:
    try:
        with Path(text).open("rb") as file:
            return file.read(MAX_NOTE + 1)
    except (OSError, ValueError):
        parser.error("un archivo nombrado no se puede leer / a file that was named cannot be read")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Verifica exportaciones de accessctl / verifies accessctl exports")
    parser.add_argument("files", nargs="*", metavar="ARCHIVO")
    parser.add_argument(
        "--key", action="append", default=[], help="clave pública o su archivo / public key or its file"
    )
    parser.add_argument("--checkpoint", action="append", default=[], help="punto de control anterior / held before")
    given = parser.parse_args(arguments)
    own = Path(__file__)
    files = [Path(name) for name in given.files] or [own.with_name(own.name.removesuffix(".verify.py"))]
    try:
        texts = [
            text if "+" in text and not there(Path(text)) else small_file(text, parser).decode("ascii", "replace")
            for text in given.key
        ]
        keys = [key_of(text.strip()) for text in texts]
    except Broken as wrong:
        parser.error(str(wrong))
    held = [small_file(name, parser) for name in given.checkpoint]
    failed = False
    for path in files:
        name = "".join(char if char.isprintable() else "\ufffd" for char in str(path))[:400]
        try:
            sys.stdout.write(f"{name}: verificado / verified: {verify(path, keys, held)}\n")
        except Broken as wrong:
            failed = True
            sys.stderr.write(f"{name}: NO VERIFICADO / NOT VERIFIED: {wrong}\n")
    return 1 if failed else 0


def started(arguments: list[str]) -> int:
    """What a person starts: no accent, no full disk and nobody who stopped reading makes an error of ours."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # they are text streams
    try:
        code = main(arguments)
        sys.stdout.flush()
    except OSError:
        sys.stderr.write("la respuesta no se pudo escribir / the answer could not be written\n")
        sys.stderr.flush()
        os._exit(1)  # closing what cannot be written would fail again
    return code


if __name__ == "__main__":
    sys.exit(started(sys.argv[1:]))
