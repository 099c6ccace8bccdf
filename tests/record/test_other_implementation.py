"""The tree against pymerkle, written by others after RFC 9162: the same roots and audit paths, the same growth proven.

pymerkle counts leaves from 1 and begins an audit path with the leaf itself. Its consistency paths are cut in another
way than those of RFC 6962 §2.1.2, so there each checks its own path against the roots of the other.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InclusionProof, InmemoryTree, InvalidProof, verify_consistency, verify_inclusion

from accessctl.record.merkle import consistency_holds, inclusion_holds, leaf_hashes
from accessctl.record.tiles import StoredTree
from tests.record.test_tiles import grown

ENTRIES = [b"\x00" * (number % 5) + str(number).encode() * (number % 70) for number in range(1400)]
LEAVES = leaf_hashes(ENTRIES)
THEIRS = InmemoryTree(algorithm="sha256")
THEIRS.append_entries(ENTRIES)
OURS = StoredTree(len(LEAVES), grown([len(LEAVES)], LEAVES)[0])


def test_every_root_is_the_same() -> None:
    sizes = range(len(LEAVES) + 1)
    assert [OURS.root(size) for size in sizes] == [THEIRS.get_root(size) for size in sizes]


@settings(max_examples=300)
@given(st.data())
def test_each_accepts_the_audit_path_of_the_other(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(LEAVES)), "size")
    index = data.draw(st.integers(0, size - 1), "index")
    ours, theirs = OURS.inclusion(index, size), THEIRS.prove_inclusion(index + 1, size)
    assert [LEAVES[index], *ours] == theirs.path
    assert inclusion_holds(index, size, LEAVES[index], theirs.path[1:], THEIRS.get_root(size))
    made = InclusionProof("sha256", True, size, index + 1, theirs.rule, [LEAVES[index], *ours])
    verify_inclusion(LEAVES[index], OURS.root(size), made, index=index + 1, size=size)


@settings(max_examples=300)
@given(st.data())
def test_both_prove_the_same_growth_and_no_other(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, len(LEAVES)), "new")
    old = data.draw(st.integers(1, new - 1), "old")
    other = data.draw(st.integers(1, new - 1).filter(lambda size: size != old), "other") if new > 2 else 0
    ours, theirs = OURS.consistency(old, new), THEIRS.prove_consistency(old, new)
    assert consistency_holds(old, new, THEIRS.get_root(old), THEIRS.get_root(new), ours)
    assert not consistency_holds(old, new, THEIRS.get_root(other), THEIRS.get_root(new), ours)
    verify_consistency(OURS.root(old), OURS.root(new), theirs, prior_size=old, later_size=new)
    with pytest.raises(InvalidProof):
        verify_consistency(OURS.root(other), OURS.root(new), theirs)
