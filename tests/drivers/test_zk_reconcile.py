"""Reading a log only once, against a model of a terminal whose log grows, is cleared, wraps and changes its format."""

import itertools
from hashlib import sha256

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from accessctl.ports import LogMark
from accessctl_drivers.zkteco.reconcile import (
    WINDOW,
    Tail,
    continues,
    mark_after,
    moved_to,
    new_records,
    records_from,
    tail_start,
)

CAPACITY = 150


class AReader(RuleBasedStateMachine):
    """Every record of the model is unique, so what was read twice or skipped in silence shows."""

    @initialize(size=st.sampled_from([8, 16, 40]))
    def switched_on(self, size: int) -> None:
        self.numbers = itertools.count(1)
        self.size = size
        self.log: list[bytes] = []
        self.mark: LogMark | None = None
        self.got: list[bytes] = []  # what the reader got of the log as it is now
        self.lost = 0  # records that made room since the last read
        self.broken = False  # the log behind the mark was touched since the last read
        self.cleared_since = False

    def record(self) -> bytes:
        return next(self.numbers).to_bytes(self.size, "little")

    @rule(count=st.integers(1, 120))
    def people_come(self, count: int) -> None:
        for _ in range(count):
            if len(self.log) == CAPACITY:
                self.log.pop(0)
                self.lost += 1
                self.broken = self.broken or bool(self.mark and self.mark.count)
            self.log.append(self.record())

    @rule()
    def cleared(self) -> None:
        self.broken = self.broken or bool(self.mark and self.mark.count)
        self.cleared_since = True
        self.log.clear()

    @rule(size=st.sampled_from([8, 16, 40]))
    def other_firmware(self, size: int) -> None:
        if size != self.size:
            self.cleared()
            self.size = size

    @rule()
    def read(self) -> None:
        whole = Tail(count=len(self.log), first=0, records=memoryview(b"".join(self.log)), record_size=self.size)
        if self.mark is not None:
            first = min(tail_start(self.mark), len(self.log))
            seen = memoryview(b"".join(self.log[first:]))
            tail = Tail(count=len(self.log), first=first, records=seen, record_size=self.size)
            assert continues(self.mark, tail) is not self.broken
            if continues(self.mark, tail):
                new = new_records(self.mark, tail)
                assert new.first == self.mark.count
                self.got += [bytes(new.records[at : at + self.size]) for at in range(0, len(new.records), self.size)]
                self.mark = mark_after(tail, self.mark.epoch)
                assert self.got == self.log
                self.lost, self.cleared_since = 0, False
                return
            moved = moved_to(self.mark, whole)
            still_there = not self.cleared_since and self.mark.count - self.mark.window >= self.lost
            assert (moved is not None) is still_there
            if moved is not None:
                new = records_from(whole, moved)
                assert (moved, new.first) == (self.mark.count - self.lost, moved)
                self.got = self.got[self.lost :]
                self.got += [bytes(new.records[at : at + self.size]) for at in range(0, len(new.records), self.size)]
                assert self.got == self.log
        epoch = 0 if self.mark is None else self.mark.epoch + 1
        self.got = list(self.log)
        self.mark = mark_after(whole, epoch)
        self.broken = self.cleared_since = False
        self.lost = 0

    @invariant()
    def mark_says_what_it_covers(self) -> None:
        if getattr(self, "mark", None) is not None and not self.broken:
            assert self.mark is not None
            window = self.log[self.mark.count - self.mark.window : self.mark.count]
            assert self.mark.window == len(window) <= WINDOW
            assert self.mark.digest == sha256(b"".join(window)).digest()


TestAReader = AReader.TestCase
TestAReader.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
