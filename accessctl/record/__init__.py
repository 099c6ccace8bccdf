"""The record: append-only entries whose integrity anybody can check without us.

Every fact becomes one entry of canonical bytes (`canonical`), its hash a leaf of a Merkle tree (`merkle`, RFC 6962,
stored in `tiles`), and from time to time the tree's size and root are signed (`notes`, C2SP checkpoint). Names and
documents enter as salted commitments (`commitment`) and can be erased without breaking anything. Exports carry what
is needed to check them offline (`columns`, `manifest`), small files prove one entry or the record's growth
(`proofs`), and `verify_file` checks all of these.

This package is pure: it opens no database and no socket, asks no clock and no dice, and imports nothing of
accessctl but itself. It reads hostile bytes and answers with a value or with `RecordBroken`.
"""

from accessctl.record.broken import RecordBroken, Why
from accessctl.record.canonical import Json, NotCanonical, clean, decode, encode
from accessctl.record.commitment import SALT_BYTES, Opening, commit, opens, seal
from accessctl.record.files import verify_document, verify_file
from accessctl.record.manifest import Manifest
from accessctl.record.merkle import Frontier, consistency_holds, inclusion_holds, leaf_hash, node_hash
from accessctl.record.notes import (
    Checkpoint,
    Signer,
    Verifier,
    cosign,
    open_checkpoint,
    open_note,
    sign_checkpoint,
)
from accessctl.record.proofs import extension_file, proof_file, require_extension, verify_extension, verify_proof
from accessctl.record.tiles import Edge, StoredTree, Tile, TileReader
from accessctl.record.verify import Verified, verify_export

__all__ = [
    "SALT_BYTES",
    "Checkpoint",
    "Edge",
    "Frontier",
    "Json",
    "Manifest",
    "NotCanonical",
    "Opening",
    "RecordBroken",
    "Signer",
    "StoredTree",
    "Tile",
    "TileReader",
    "Verified",
    "Verifier",
    "Why",
    "clean",
    "commit",
    "consistency_holds",
    "cosign",
    "decode",
    "encode",
    "extension_file",
    "inclusion_holds",
    "leaf_hash",
    "node_hash",
    "open_checkpoint",
    "open_note",
    "opens",
    "proof_file",
    "require_extension",
    "seal",
    "sign_checkpoint",
    "verify_document",
    "verify_export",
    "verify_extension",
    "verify_file",
    "verify_proof",
]
