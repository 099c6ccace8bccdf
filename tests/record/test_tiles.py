"""Tiles: growing in any steps gives the same tiles, and proofs from tiles are the RFC's proofs."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessctl.record.merkle import Frontier, leaf_hash
from accessctl.record.tiles import WIDTH, Edge, StoredTree, completed, split
from tests.record import reference

LEAVES = [leaf_hash(str(number).encode()) for number in range(1400)]
ALL_ROOTS: dict[int, bytes] = {}


def root(size: int) -> bytes:
    if size not in ALL_ROOTS:
        ALL_ROOTS[size] = reference.root(LEAVES[:size])
    return ALL_ROOTS[size]


class Shelf:
    """A store in memory that refuses to be read where nothing was written."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = leaves
        self.tiles: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        self.reads = 0

    def hashes(self, level: int, start: int, count: int) -> Sequence[bytes]:
        self.reads += 1
        assert 0 < count <= WIDTH
        assert start // WIDTH == (start + count - 1) // WIDTH
        if count == WIDTH:
            return split(self.tiles[level, start // WIDTH][0])
        if level == 0:
            found = self.leaves[start : start + count]
            assert len(found) == count
            return found
        return [self.tiles[level - 1, number][1] for number in range(start, start + count)]


def grown(steps: Sequence[int], leaves: Sequence[bytes]) -> tuple[Shelf, Edge, int]:
    shelf, edge, done = Shelf(leaves), Edge(), 0
    for step in steps:
        upto = min(done + step, len(leaves))
        tiles = edge.extend(leaves[done:upto])
        assert [(tile.level, tile.index) for tile in tiles] == sorted(completed(done, upto))
        for tile in tiles:
            assert (tile.level, tile.index) not in shelf.tiles
            shelf.tiles[tile.level, tile.index] = tile.hashes, tile.root
        done = upto
    return shelf, edge, done


@settings(max_examples=40)
@given(st.lists(st.integers(0, 700), max_size=6), st.data())
def test_any_growth_gives_the_same_tree(steps: list[int], data: st.DataObject) -> None:
    shelf, edge, size = grown(steps, LEAVES)
    assert (edge.size, edge.root()) == (size, root(size))
    again = Edge.load(size, shelf)
    assert (again.size, again.root()) == (size, edge.root())
    assert again.extend(LEAVES[:300]) == edge.extend(LEAVES[:300])  # and goes on alike
    tree = StoredTree(size, shelf)
    then = data.draw(st.integers(0, size))
    assert tree.root(then) == root(then)
    if then:
        index, old = data.draw(st.integers(0, then - 1)), data.draw(st.integers(1, then))
        assert tree.inclusion(index, then) == reference.path(index, LEAVES[:then])
        assert tree.consistency(old, then) == reference.proof(old, LEAVES[:then])


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 1280])
def test_every_index_at_the_awkward_sizes(size: int) -> None:
    shelf, _, _ = grown([size], LEAVES)
    tree = StoredTree(size, shelf)
    assert tree.root() == root(size)
    for index in {0, 1, size // 2, size - 2, size - 1, 254, 255, 256, 257} & set(range(size)):
        assert tree.inclusion(index) == reference.path(index, LEAVES[:size])
        assert tree.consistency(index + 1) == reference.proof(index + 1, LEAVES[:size])
    assert tree.consistency(0) == []
    assert list(tree.inclusions(range(size))) == [StoredTree(size, shelf).inclusion(index) for index in range(size)]


def test_three_levels_of_tiles() -> None:
    """More than 65,536 leaves: too many for the recursion, so the frontier (tested against it) is the judge."""
    size = 2 * WIDTH * WIDTH + 300
    leaves = [number.to_bytes(32, "big") for number in range(size)]
    shelf, edge, _ = grown([1000] * (size // 1000 + 1), leaves)
    assert {level for level, _ in shelf.tiles} == {0, 1}
    frontier = Frontier()
    frontier.extend(leaves)
    assert edge.root() == StoredTree(size, shelf).root() == frontier.root()
    assert Edge.load(size, shelf).root() == frontier.root()
    shelf.reads = 0
    assert len(StoredTree(size, shelf).inclusion(77_777)) == 17 + 1
    assert shelf.reads <= 5


def test_outside_the_tree_is_a_mistake() -> None:
    shelf, _, _ = grown([10], LEAVES)
    tree = StoredTree(10, shelf)
    for wrong in (
        lambda: tree.root(11),
        lambda: tree.inclusion(10),
        lambda: tree.inclusion(-1),
        lambda: tree.inclusion(5, 5),
        lambda: tree.consistency(6, 5),
        lambda: tree.inclusion(0, 0),
    ):
        with pytest.raises(ValueError, match="between"):
            wrong()
