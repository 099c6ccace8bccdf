"""Checkpoints by mail: when they are due, what a failure does, and that a saved mail is a checkpoint."""

import re
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.bootstrap.post import MailServer, SmtpPost
from accessctl.documents.checkpoint_letter import compose
from accessctl.domain.facts import Fact
from accessctl.record import RecordBroken, open_checkpoint, verify_document, verify_extension
from accessctl.services.checkpoint_mail import MOST_TRIES, CheckpointMail, Letter, MailRhythm, NotSent, Post, is_failing
from accessctl.services.saved_letter import saved_document, saved_note
from accessctl.services.store import EventFilter
from accessctl.services.witness import Witness
from tests.mail_server import MailBox, serving
from tests.services.premises import SIGNER, Premises

KEYS = [SIGNER.verifier]
NEVER = Event()


class Counter:
    """A mail server that takes letters, or refuses them while `down`."""

    def __init__(self) -> None:
        self.down = False
        self.letters: list[Letter] = []
        self.tries = 0

    def deliver(self, letter: Letter, stop: Event) -> None:
        del stop
        self.tries += 1
        if self.down:
            raise NotSent("535 no such account\r\nX: \x1b[2J")
        self.letters.append(letter)


def mail_of(premises: Premises, post: Post, **rhythm: object) -> CheckpointMail:
    wanted = {"every": timedelta(hours=24), "entries": 100} | rhythm
    return CheckpointMail(premises.office, premises.keeper, post, compose, MailRhythm(**wanted))  # type: ignore[arg-type]  # a test's shorthand


def facts(premises: Premises) -> list[str]:
    which = EventFilter(events=(Fact.CHECKPOINT_MAILED.value, Fact.CHECKPOINT_NOT_MAILED.value))
    with premises.store.view() as tx:
        return [row.event for row in tx.events.rows(which)]


def test_a_letter_is_due_after_so_long_or_so_many_entries(premises: Premises) -> None:
    post = Counter()
    mail = mail_of(premises, post)
    assert mail.look(NEVER), "the first"
    assert not mail.look(NEVER)
    premises.now += timedelta(hours=25)
    assert not mail.look(NEVER), "nothing was added but the letter itself"
    premises.door_events(5, start=premises.now)
    assert mail.look(NEVER)
    premises.door_events(99, start=premises.now)
    assert mail.look(NEVER), "so many entries"
    assert not mail_of(premises, post).look(NEVER), "what was sent is known from the record, by the next process too"
    assert facts(premises) == [Fact.CHECKPOINT_MAILED] * 3


def test_what_is_not_sent_is_tried_later_and_later_and_said_once(premises: Premises) -> None:
    post = Counter()
    post.down = True
    mail = mail_of(premises, post)
    waits = []
    for _ in range(MOST_TRIES):
        tried, waited = post.tries, 0
        while post.tries == tried:
            assert not mail.look(NEVER)
            premises.now += timedelta(minutes=1)
            waited += 1
        waits.append(waited)
    assert waits[1:7] == [1, 2, 4, 8, 16, 32]
    assert max(waits) <= 61
    tried = post.tries
    premises.now += timedelta(hours=23)
    assert not mail.look(NEVER)
    assert post.tries == tried, "given up until the next is due"
    assert facts(premises) == [Fact.CHECKPOINT_NOT_MAILED]
    with premises.store.view() as tx:
        assert is_failing(tx)
        size = tx.events.size()
        (entry,) = [data for _, data, _ in tx.ledger.entries(size - 1, size)]
    assert b"535 no such account" in entry
    assert b"\\u001b" not in entry
    post.down = False
    premises.now += timedelta(hours=2)
    assert mail.look(NEVER)
    with premises.store.view() as tx:
        assert not is_failing(tx)


def test_commits_go_on_while_a_letter_is_under_way(premises: Premises) -> None:
    class Slow(Counter):
        def deliver(self, letter: Letter, stop: Event) -> None:
            premises.door_events(3, start=premises.now)  # would wait for ever if the store were held
            super().deliver(letter, stop)

    assert mail_of(premises, Slow()).look(NEVER)


def test_a_record_that_was_rewritten_is_not_mailed(premises: Premises) -> None:
    post = Counter()
    mail = mail_of(premises, post)
    assert mail.look(NEVER)
    with premises.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        connection.exec_driver_sql("DROP TRIGGER entry_no_update")
        connection.exec_driver_sql("UPDATE entry SET leaf = randomblob(32) WHERE idx = 1")
        connection.exec_driver_sql("COMMIT")
    premises.now += timedelta(hours=25)
    premises.door_events(5, start=premises.now)
    assert not mail.look(NEVER)
    assert len(post.letters) == 1


def test_saved_mails_are_co_signed_one_after_the_other(premises: Premises, tmp_path: Path) -> None:
    box = MailBox()
    with serving(box) as server:
        post = SmtpPost(
            MailServer(
                host="127.0.0.1", port=server.port, security="none", user="", password="",
                sender="registro@igss.example", recipients=("auditoria@igss.example",),
            )
        )  # fmt: skip
        mail = mail_of(premises, post)
        for _ in range(3):
            premises.door_events(120, start=premises.now)
            assert mail.look(NEVER)
    witness = Witness.begin(
        tmp_path / "w", name="auditoria/testigo", trusted=SIGNER.verifier.vkey, entropy=lambda count: b"w" * count
    )
    sizes = [witness.sign(saved_document(letter)).checkpoint.size for letter in box.letters]
    assert sizes == sorted(set(sizes))
    assert len(sizes) == 3
    for letter in box.letters:
        assert open_checkpoint(saved_note(letter), KEYS).size in sizes
        assert verify_document(saved_document(letter), trusted=KEYS).checkpoint.size in sizes
    with pytest.raises(RecordBroken, match="extension begins at"):
        witness.sign(saved_document(box.letters[1]))


def test_the_text_of_a_mail_saved_alone_has_the_note(premises: Premises) -> None:
    post = Counter()
    assert mail_of(premises, post).look(NEVER)
    text = post.letters[0].text
    assert "asientos" in post.letters[0].subject
    note = post.letters[0].files[0][1].decode()
    edited = ["\ufeff" + one.replace("\n", "\r\n") for one in (text, note)]  # as an editor of Windows saves it
    for saved in (text, text.replace("\n", "\r\n"), text.strip(), note, *edited):
        assert open_checkpoint(saved_note(saved.encode()), KEYS).size > 0
        assert open_checkpoint(saved_document(saved.encode()), KEYS).size > 0
    forged = re.sub(r"\n([0-9]+)\n([A-Za-z0-9+/]{43}=)\n", lambda found: f"\n{int(found[1]) + 1}\n{found[2]}\n", text)
    with pytest.raises(RecordBroken):
        open_checkpoint(saved_note(forged.encode()), KEYS)


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"Subject: x\n\n", b"Content-Type: multipart/mixed; boundary=a\n\n--a\n"]),
)
def test_hostile_mails_are_only_bytes(content: bytes, head: bytes) -> None:
    for read in (saved_document, saved_note):
        found = read(head + content)
        assert isinstance(found, bytes)
        with pytest.raises(RecordBroken):
            verify_extension(found, trusted=KEYS)
