"""After a disk that failed: the mark stays until the record was read whole with nothing failing meanwhile."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from accessctl.domain.alarms import AlarmKind, AlarmState
from accessctl.record import Checkpoint
from accessctl.services.disk_failure import DiskWatch, disk_failed, note_failure
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.store import RecordFound
from tests.services.premises import SIGNER, Premises


class FailingMeanwhile(RecordKeeper):
    """Reads the record, and the disk fails once more while it does."""

    folder: Path
    premises: Premises
    failures = 1

    def verify_store(self, held: Sequence[Checkpoint] = ()) -> RecordFound:
        found = super().verify_store(held)
        if self.failures:
            self.failures -= 1
            note_failure(self.folder, self.premises.now + timedelta(minutes=1))
        return found


def states(premises: Premises) -> list[AlarmState]:
    with premises.store.view() as tx:
        return [one.state for one in tx.alarms.find(kind=AlarmKind.GAP, key="disk", limit=5)]


def test_a_disk_that_fails_again_while_the_record_is_read_has_it_read_again(premises: Premises, tmp_path: Path) -> None:
    premises.keeper.checkpoint()
    keeper = FailingMeanwhile(premises.office, SIGNER)
    keeper.folder, keeper.premises = tmp_path, premises
    watch = DiskWatch(premises.office, keeper, tmp_path)
    assert watch.look()
    assert states(premises) == []
    note_failure(tmp_path, premises.now)
    assert watch.look()
    assert disk_failed(tmp_path)
    assert states(premises) == [AlarmState.RAISED]
    assert watch.look()
    assert not disk_failed(tmp_path)
    assert states(premises) == [AlarmState.RESOLVED]
