"""The map that never changes, against a plain dict."""

from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.sharded import Builder, ShardedMap, shard_of

keys = st.one_of(st.integers(-(2**40), 2**40), st.text(max_size=8))


@given(st.lists(st.tuples(keys, st.none() | st.integers()), max_size=60))
def test_it_is_a_dict_whose_past_stays(steps: list[tuple[int | str, int | None]]) -> None:
    plain: dict[int | str, int] = {}
    sharded: ShardedMap[int | str, int] = ShardedMap()
    past: list[tuple[ShardedMap[int | str, int], dict[int | str, int]]] = []
    for key, value in steps:
        past.append((sharded, dict(plain)))
        if value is None:
            plain.pop(key, None)
            sharded = sharded.without(key)
        else:
            plain[key] = value
            sharded = sharded.with_(key, value)
        assert sharded.get(key) == value
        assert (key in sharded) is (value is not None)
    for then, expected in [*past, (sharded, plain)]:
        assert dict(then.items()) == expected
        assert len(then) == len(expected)


@given(st.dictionaries(keys, st.integers()))
def test_built_in_place(entries: dict[int | str, int]) -> None:
    builder: Builder[int | str, int] = Builder()
    for key, value in entries.items():
        builder.set(key, value)
        assert builder.get(key) == value
    assert dict(builder.done().items()) == entries


def test_consecutive_numbers_and_texts_spread_evenly() -> None:
    for some in (range(1, 100_001), [f"em:{number:08X}" for number in range(100_000)]):
        filled = [0] * 1024
        for key in some:
            filled[shard_of(key)] += 1
        assert max(filled) < 3 * 100_000 / 1024
