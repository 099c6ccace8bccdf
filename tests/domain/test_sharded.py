"""The map that never changes, against a plain dict."""

from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.sharded import ShardedMap, shard_of

keys = st.one_of(st.integers(-(2**40), 2**40), st.text(max_size=8))


@given(st.lists(st.lists(st.tuples(keys, st.none() | st.integers()), max_size=8), max_size=12))
def test_it_is_a_dict_whose_past_stays(drafts: list[list[tuple[int | str, int | None]]]) -> None:
    plain: dict[int | str, int] = {}
    sharded: ShardedMap[int | str, int] = ShardedMap()
    past: list[tuple[ShardedMap[int | str, int], dict[int | str, int]]] = []
    for steps in drafts:
        past.append((sharded, dict(plain)))
        draft = sharded.draft()
        for key, value in steps:
            if value is None:
                plain.pop(key, None)
                draft.drop(key)
            else:
                plain[key] = value
                draft.set(key, value)
            assert draft.get(key) == value
        sharded = draft.done()
    for then, expected in [*past, (sharded, plain)]:
        assert dict(then.items()) == expected
        assert len(then) == len(expected)
        assert all(then.get(key) == value for key, value in expected.items())


def test_consecutive_numbers_and_texts_spread_evenly() -> None:
    for some in (range(1, 100_001), [f"em:{number:08X}" for number in range(100_000)]):
        filled = [0] * 1024
        for key in some:
            filled[shard_of(key)] += 1
        assert max(filled) < 3 * 100_000 / 1024
