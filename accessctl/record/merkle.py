"""The Merkle tree of RFC 6962 §2.1: hashes, growing roots, and the checking of proofs.

    leaf  = SHA-256(0x00 ‖ entry)          node = SHA-256(0x01 ‖ left ‖ right)          empty tree = SHA-256("")

A tree of n leaves splits at the largest power of two smaller than n. All hashes are 32 raw bytes; indexes count
from 0. Nothing here knows where leaves are stored: `Frontier` makes roots from leaves that pass by once,
`inclusion_holds` and `consistency_holds` check what somebody else claims and never raise, whatever they are given.
Proofs are made in `tiles`.
"""

import hashlib
from collections.abc import Iterable, Sequence

HASH_BYTES = 32
MAX_PROOF = 128  # two paths of a tree with 2^63 leaves; a longer "proof" is not looked at
EMPTY_ROOT = hashlib.sha256(b"").digest()
_sha256 = hashlib.sha256
_begun_leaf = _sha256(b"\x00").copy  # a hash that already took the first byte: copying it is a tenth cheaper than
_begun_node = _sha256(b"\x01").copy  # making a new one and joining that byte to what follows


def leaf_hash(entry: bytes) -> bytes:
    return _sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The leaf hashes of many entries; one loop for all is what makes a million of them a matter of half a second."""
    found: list[bytes] = []
    begun = _begun_leaf
    for entry in entries:
        leaf = begun()
        leaf.update(entry)
        found.append(leaf.digest())
    return found


def node_hash(left: bytes, right: bytes) -> bytes:
    return _sha256(b"\x01" + left + right).digest()


def pair_up(nodes: Sequence[bytes]) -> list[bytes]:
    """One level up: an even number of neighbours becomes half as many parents."""
    found: list[bytes] = []
    begun = _begun_node
    for left, right in zip(nodes[::2], nodes[1::2], strict=True):
        node = begun()
        node.update(left + right)
        found.append(node.digest())
    return found


class Frontier:
    """The right edge of a growing tree: one hash for each 1 in the binary size, enough for every later root.

    Appending costs one hash per leaf on average and memory for 64 hashes at most, so a file of any length is
    checked in one pass.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[
            bytes | None
        ] = []  # at place i the root of the complete subtree of 2^i leaves, if bit i of size is set

    def append(self, leaf: bytes) -> None:
        self.extend((leaf,))

    def extend(self, nodes: Sequence[bytes], height: int = 0) -> None:
        """Append leaf hashes in order; a long sequence at once is faster than many short ones.

        With `height` they are the roots of complete subtrees of 2^height leaves each, which must begin where such
        subtrees do: `ValueError`.
        """
        if nodes and self.size % (1 << height):
            raise ValueError(f"{self.size} leaves end within a subtree of height {height}")
        rising: list[bytes] = list(nodes)
        level = height
        self.size += len(rising) << height
        while rising:
            while level >= len(self._peaks):
                self._peaks.append(None)
            waiting = self._peaks[level]
            if waiting is not None:
                rising.insert(0, waiting)
            self._peaks[level] = rising.pop() if len(rising) % 2 else None
            rising = pair_up(rising)
            level += 1

    def root(self) -> bytes:
        return fold_peaks(peak for peak in self._peaks if peak is not None)

    def copy(self) -> "Frontier":
        twin = Frontier()
        twin.size, twin._peaks = self.size, list(self._peaks)
        return twin


def fold_peaks(smallest_first: Iterable[bytes]) -> bytes:
    """The root over complete subtrees of falling size, given from the right end of the tree."""
    root: bytes | None = None
    for peak in smallest_first:
        root = peak if root is None else node_hash(peak, root)
    return EMPTY_ROOT if root is None else root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes that are all at hand."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def _well_formed(*hashes: bytes) -> bool:
    return all(len(each) == HASH_BYTES for each in hashes)


def inclusion_holds(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` leads from the leaf at `index` to the root of the tree with `size` leaves (RFC 9162 §2.1.3.2)."""
    return Inclusions(size, root).hold(index, leaf, proof)


class Inclusions:
    """Checks audit paths to one root, many in turn: where one comes upon the way of the last, the rest is known."""

    __slots__ = ("_proof", "_root", "_size", "_way")

    def __init__(self, size: int, root: bytes) -> None:
        self._size = size
        self._root = root
        self._proof: Sequence[bytes] = ()  # the last that held,
        self._way: list[tuple[int, int, bytes]] = []  # and what stood before each of its hashes was taken in

    def hold(self, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
        """Whether `proof` leads from the leaf at `index` to the root."""
        if not 0 <= index < self._size or len(proof) > MAX_PROOF or not _well_formed(leaf, self._root, *proof):
            return False
        place, last, found = index, self._size - 1, leaf
        way: list[tuple[int, int, bytes]] = []
        for at, beside in enumerate(proof):
            here = place, last, found
            if at < len(self._way) and self._way[at] == here and self._proof[at:] == proof[at:]:
                self._proof, self._way = proof, way + self._way[at:]
                return True
            if last == 0:
                return False
            way.append(here)
            if place & 1 or place == last:
                found = node_hash(beside, found)
                while place and not place & 1:  # the right edge: levels at which this subtree has no sibling
                    place >>= 1
                    last >>= 1
            else:
                found = node_hash(found, beside)
            place >>= 1
            last >>= 1
        if last or found != self._root:
            return False
        self._proof, self._way = proof, way
        return True


def consistency_holds(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `old_size` leaves is the beginning of the one of `new_size` (RFC 9162 §2.1.4.2).

    Everything extends the empty tree, with an empty proof; but the old root must then be the root of the empty tree.
    """
    if not 0 <= old_size <= new_size or len(proof) > MAX_PROOF or not _well_formed(old_root, new_root, *proof):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root and (old_size > 0 or old_root == EMPTY_ROOT)
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # a complete tree stands in the new one as a node, so the proof leaves it out
        path.insert(0, old_root)
    return bool(path) and _climb(path, old_size - 1, new_size - 1) == (old_root, new_root)


def _climb(path: Sequence[bytes], place: int, last: int) -> tuple[bytes, bytes] | None:
    """The old and the new root that a consistency path leads to, or None where it is too short or too long."""
    while place & 1:
        place >>= 1
        last >>= 1
    old_found = new_found = path[0]
    for beside in path[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old_found = node_hash(beside, old_found)
            new_found = node_hash(beside, new_found)
            while place and not place & 1:
                place >>= 1
                last >>= 1
        else:
            new_found = node_hash(new_found, beside)
        place >>= 1
        last >>= 1
    return (old_found, new_found) if last == 0 else None
