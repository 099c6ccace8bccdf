"""Hashes, roots and the checking of proofs: published vectors, the RFC's own recursion, and every forgery we can
think of.
"""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.record.merkle import (
    EMPTY_ROOT,
    Frontier,
    Inclusions,
    consistency_holds,
    inclusion_holds,
    leaf_hash,
    node_hash,
    root_of,
)
from tests.record import reference

# Entries, roots and proofs of certificate-transparency's own tests, as kept by transparency-dev/merkle
# (testonly/constants.go and proof/verify_test.go, Apache-2.0).
ENTRIES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(each)
    for each in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
INCLUSION = {  # (index, size)
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {  # (old size, new size)
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 7): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
SOME_HASH = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")
LEAVES = [leaf_hash(str(number).encode()) for number in range(300)]


def unhex(proof: list[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in proof]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    leaves = [leaf_hash(entry) for entry in ENTRIES[:size]]
    assert root_of(leaves) == ROOTS[size]
    assert reference.root(leaves) == ROOTS[size]  # the reference sits the same exam


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_published_inclusion_proofs_and_their_forgeries(index: int, size: int) -> None:
    proof, leaf, root = unhex(INCLUSION[index, size]), leaf_hash(ENTRIES[index]), ROOTS[size]
    assert reference.path(index, [leaf_hash(entry) for entry in ENTRIES[:size]]) == proof
    assert inclusion_holds(index, size, leaf, proof, root)
    forged = [
        (index - 1, size, leaf, proof, root),
        (index + 1, size, leaf, proof, root),
        (index ^ 2, size, leaf, proof, root),
        (index, size * 2, leaf, proof, root),
        (index, size // 2, leaf, proof, root),
        (index, size, b"WrongLeaf", proof, root),
        (index, size, SOME_HASH, proof, root),
        (index, size, leaf, proof, EMPTY_ROOT),
        (index, size, leaf, proof, SOME_HASH),
        (index, size, leaf, [*proof, b""], root),
        (index, size, leaf, [*proof, root], root),
        (index, size, leaf, [b"", *proof], root),
        (index, size, leaf, [root, *proof], root),
        (index, size, leaf, [*proof, *[root] * 200], root),
    ]
    forged += [(index, size, leaf, proof[:-1], root)] if proof else []
    forged += [(index, size, leaf, _flipped(proof, at, 8), root) for at in range(len(proof))]
    assert [each for each in forged if inclusion_holds(*each)] == []


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_published_consistency_proofs_and_their_forgeries(old: int, new: int) -> None:
    proof = unhex(CONSISTENCY[old, new])
    assert reference.proof(old, [leaf_hash(entry) for entry in ENTRIES[:new]]) == proof
    assert consistency_holds(old, new, ROOTS[old], ROOTS[new], proof)
    if old == new:
        return
    forged = [
        (old - 1, new, ROOTS[old], ROOTS[new], proof),
        (old + 1, new, ROOTS[old], ROOTS[new], proof),
        (old ^ 2, new, ROOTS[old], ROOTS[new], proof),
        (old, new * 2, ROOTS[old], ROOTS[new], proof),
        (old, new // 2, ROOTS[old], ROOTS[new], proof),
        (old, new, b"WrongRoot", ROOTS[new], proof),
        (old, new, ROOTS[old], b"WrongRoot", proof),
        (old, new, ROOTS[new], ROOTS[old], proof),
        (old, new, ROOTS[old], ROOTS[new], []),
        *((old, new, ROOTS[old], ROOTS[new], [*proof, extra]) for extra in (b"", ROOTS[old], ROOTS[new])),
        *((old, new, ROOTS[old], ROOTS[new], [extra, *proof]) for extra in (b"", ROOTS[old], ROOTS[new], proof[0])),
        (old, new, ROOTS[old], ROOTS[new], proof[:-1]),
        *((old, new, ROOTS[old], ROOTS[new], _flipped(proof, at, 16)) for at in range(len(proof))),
    ]
    assert [each for each in forged if consistency_holds(*each)] == []


def test_the_edges_of_consistency() -> None:
    assert consistency_holds(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert consistency_holds(0, 5, EMPTY_ROOT, ROOTS[5], [])
    assert not consistency_holds(0, 5, SOME_HASH, ROOTS[5], [])
    assert not consistency_holds(0, 0, SOME_HASH, SOME_HASH, [])
    assert not consistency_holds(0, 5, EMPTY_ROOT, ROOTS[5], [EMPTY_ROOT])
    assert not consistency_holds(2, 1, ROOTS[2], ROOTS[1], [])
    assert not consistency_holds(-1, 1, ROOTS[2], ROOTS[1], [])
    assert not inclusion_holds(0, 0, SOME_HASH, [], EMPTY_ROOT)


@given(st.lists(st.integers(0, 40), max_size=12))
def test_a_frontier_grows_like_the_recursion(steps: list[int]) -> None:
    frontier, done = Frontier(), 0
    for step in steps:
        frontier.extend(LEAVES[done : done + step])
        done = min(done + step, len(LEAVES))
        assert (frontier.size, frontier.root()) == (done, reference.root(LEAVES[:done]))
    twin = frontier.copy()
    twin.append(SOME_HASH)
    assert frontier.root() == reference.root(LEAVES[:done])
    assert twin.root() == reference.root([*LEAVES[:done], SOME_HASH])


@given(st.lists(st.integers(0, 4), max_size=12))
def test_a_frontier_takes_whole_subtrees(heights: list[int]) -> None:
    frontier, done = Frontier(), 0
    for height in heights:
        more = LEAVES[done : done + (1 << height)]
        if len(more) < 1 << height:
            break
        if done % (1 << height):
            with pytest.raises(ValueError, match="within a subtree"):
                frontier.extend([reference.root(more)], height)
            continue
        frontier.extend([reference.root(more)], height)
        done += len(more)
        assert (frontier.size, frontier.root()) == (done, reference.root(LEAVES[:done]))


@given(st.data())
def test_true_proofs_hold_and_changed_ones_do_not(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, old_root = reference.root(LEAVES[:size]), reference.root(LEAVES[:old])
    path, proof = reference.path(index, LEAVES[:size]), reference.proof(old, LEAVES[:size])
    assert inclusion_holds(index, size, LEAVES[index], path, root)
    assert consistency_holds(old, size, old_root, root, proof)
    if path:
        at, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 7))
        assert not inclusion_holds(index, size, LEAVES[index], _flipped(path, at, 1 << bit), root)
    if proof:
        at, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 7))
        assert not consistency_holds(old, size, old_root, root, _flipped(proof, at, 1 << bit))
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index)) if size > 1 else 1
    assert not inclusion_holds(other, size, LEAVES[index], path, root)


@given(st.data())
def test_many_paths_in_turn_are_judged_as_each_alone(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    root = reference.root(LEAVES[:size])
    inclusions = Inclusions(size, root)
    for index in data.draw(st.lists(st.integers(0, size - 1), max_size=12)):
        path, leaf = reference.path(index, LEAVES[:size]), LEAVES[index]
        change = data.draw(st.sampled_from(["none", "none", "hash", "longer", "shorter", "leaf", "place"]))
        if change == "hash" and path:
            path = _flipped(path, data.draw(st.integers(0, len(path) - 1)), 1)
        path = [*path, SOME_HASH] if change == "longer" else path[:-1] if change == "shorter" else path
        leaf = SOME_HASH if change == "leaf" else leaf
        place = index ^ 1 if change == "place" else index
        assert inclusions.hold(place, leaf, path) == inclusion_holds(place, size, leaf, path, root)


@given(
    st.integers(-2, 2**65), st.integers(-2, 2**65), st.binary(max_size=33), st.lists(st.binary(max_size=33), max_size=5)
)
def test_checking_never_raises(first: int, second: int, some: bytes, proof: list[bytes]) -> None:
    assert inclusion_holds(first, second, some, proof, SOME_HASH) in (True, False)
    assert consistency_holds(first, second, some, SOME_HASH, proof) in (True, False)


def test_domains_are_apart() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert node_hash(left, right) == hashlib.sha256(b"\x01" + left + right).digest()


def _flipped(proof: list[bytes], at: int, mask: int) -> list[bytes]:
    changed = list(proof)
    changed[at] = bytes([proof[at][0] ^ mask]) + proof[at][1:]
    return changed
