"""Signed notes against the vectors of golang.org/x/mod/sumdb/note (note_test.go, BSD-3-Clause) and C2SP's own
examples.
"""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.record.broken import RecordBroken, Why
from accessctl.record.merkle import EMPTY_ROOT
from accessctl.record.notes import (
    Checkpoint,
    Signer,
    Verifier,
    cosign,
    open_checkpoint,
    open_note,
    sign,
    sign_checkpoint,
)

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"  # 0x01 ‖ seed, from the same test file
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
# The example of C2SP tlog-checkpoint.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
# The example of C2SP signed-note: text with an empty line in it.
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)


def peter() -> Signer:
    return Signer("PeterNeumann", base64.b64decode(PETER_SECRET)[1:])


def why(note: bytes | str, *vkeys: str) -> Why:
    with pytest.raises(RecordBroken) as refused:
        open_note(note, [Verifier.parse(vkey) for vkey in vkeys])
    return refused.value.why


def test_keys_and_signatures_are_the_published_ones() -> None:
    assert peter().verifier.vkey == PETER
    assert Verifier.parse(PETER).vkey == PETER
    assert sign(TEXT, peter()) == TEXT + "\n" + PETER_LINE


def test_a_mangled_verifier_key_is_refused() -> None:
    mangled = [PETER[i:j] for i in range(len(PETER)) for j in range(i + 1, len(PETER) + 1) if (i, j) != (0, len(PETER))]
    mangled += [PETER[:i] + chr(ord(PETER[i]) + 1) + PETER[i + 1 :] for i in range(len(PETER))]
    mangled += [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # wrong length, id adjusted
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # unknown algorithm, id adjusted
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER + "\n",
        "",
    ]
    for vkey in mangled:
        with pytest.raises(RecordBroken):
            Verifier.parse(vkey)


def test_opens_with_one_key_or_both() -> None:
    note = TEXT + "\n" + PETER_LINE + ENOCH_LINE
    keys = [Verifier.parse(PETER), Verifier.parse(ENOCH)]
    assert open_note(note, keys[:1]).signed_by == (keys[0],)
    assert open_note(note.encode(), keys).signed_by == tuple(keys)
    assert open_note(note, keys).text == TEXT
    assert open_note(TEXT + "\n" + PETER_LINE * 2 + ENOCH_LINE, keys[:1]).signed_by == (keys[0],)
    assert why(note) is Why.UNKNOWN_KEY
    assert why(POEM, PETER) is Why.UNKNOWN_KEY
    assert why(TEXT + "\n" + PETER_LINE * 101, PETER) is Why.TOO_LARGE
    assert why(TEXT + "\n" + PETER_LINE[:60] + "ABCD" + PETER_LINE[60:], PETER) is Why.BAD_SIGNATURE
    assert why(TEXT.replace("know", "knew") + "\n" + PETER_LINE, PETER) is Why.BAD_SIGNATURE
    assert why(TEXT + "\n" + PETER_LINE.replace("PeterNeumann", "CarmenSandiego"), PETER) is Why.UNKNOWN_KEY
    assert why(TEXT + "\n" + PETER_LINE.replace("x08g", "xxxx"), PETER) is Why.UNKNOWN_KEY


@pytest.mark.parametrize(
    "note",
    [
        TEXT,
        TEXT + "\n",
        TEXT + "\n" + PETER_LINE[:-1],
        "\x01" + TEXT + "\n" + PETER_LINE,
        b"\xff" + (TEXT + "\n" + PETER_LINE).encode(),
        "\ud800" + TEXT + "\n" + PETER_LINE,
        TEXT + "\n" + PETER_LINE.replace("PeterNeumann", "Bad Name"),
        TEXT + "\n" + PETER_LINE + "Unexpected line.\n",
        TEXT + "\n" + PETER_LINE.replace("nAM=", "nAN="),  # another spelling of the same bytes
        TEXT + "\n" + PETER_LINE.replace("\n", "\r\n"),
    ],
)
def test_what_is_no_note(note: bytes | str) -> None:
    assert why(note, PETER) is Why.MALFORMED


def test_bounds() -> None:
    assert why(b"", PETER) is Why.EMPTY
    assert why(b"x" * 70_000, PETER) is Why.TOO_LARGE


@given(
    st.binary(max_size=200)
    | st.text(max_size=80).map(lambda text: (text + "\n\n" + PETER_LINE).encode("utf-8", "replace"))
)
def test_hostile_notes_raise_one_thing(note: bytes) -> None:
    with pytest.raises(RecordBroken):
        open_note(note, [Verifier.parse(PETER)])


@given(st.integers(0, len(sign(TEXT, peter()).encode()) * 8 - 1))
def test_no_bit_of_a_signed_note_may_flip(bit: int) -> None:
    note = bytearray(sign(TEXT, peter()).encode())
    note[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(RecordBroken):
        open_note(bytes(note), [Verifier.parse(PETER)])


def test_the_published_checkpoint_is_read() -> None:
    text, _, _ = SOFA.rpartition("\n\n")
    checkpoint = Checkpoint.parse(text + "\n")
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text == text + "\n"
    assert Checkpoint.parse(text + "\nextension\n") == checkpoint


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_signed_checkpoint_comes_back(size: int, root: bytes, seed: bytes) -> None:
    signer = Signer("example.gt/record", seed)
    checkpoint = Checkpoint(origin=signer.name, size=size, root=root)
    note = sign_checkpoint(checkpoint, signer)
    assert open_checkpoint(note, [signer.verifier]) == checkpoint
    witnessed = cosign(note, peter())
    assert open_note(witnessed, [Verifier.parse(PETER), signer.verifier]).signed_by == (
        signer.verifier,
        Verifier.parse(PETER),
    )


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\n",
        "origin\n1\nAAAA\n",
        "origin\n01\n" + base64.b64encode(EMPTY_ROOT).decode() + "\n",
        "origin\n-1\n" + base64.b64encode(EMPTY_ROOT).decode() + "\n",
        "origin\n9223372036854775808\n" + base64.b64encode(EMPTY_ROOT).decode() + "\n",
        "origin\n١\n" + base64.b64encode(EMPTY_ROOT).decode() + "\n",
        "\n1\n" + base64.b64encode(EMPTY_ROOT).decode() + "\n",
        "origin\n1\n" + base64.b64encode(EMPTY_ROOT).decode() + "\n\nextension after a gap\n",
        "origin\u2028\n1\n" + base64.b64encode(EMPTY_ROOT).decode() + "\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(RecordBroken) as refused:
        open_checkpoint(sign(text, peter()), [Verifier.parse(PETER)])
    assert refused.value.why is Why.MALFORMED


def test_secrets_do_not_show_and_mistakes_are_refused() -> None:
    signer = peter()
    assert "seed" not in repr(signer)
    assert repr(signer.seed)[2:10] not in repr(signer)
    for name, seed in (("a+b", bytes(32)), ("a b", bytes(32)), ("", bytes(32)), ("a", bytes(31)), ("a\x00", bytes(32))):
        with pytest.raises(ValueError, match=r"name|seed"):
            Signer(name, seed)
    with pytest.raises(ValueError, match="newline"):
        sign("abc", signer)
