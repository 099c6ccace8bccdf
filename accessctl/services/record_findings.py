"""What the panel may know of the record: its one refusal, why, and an opened checkpoint. Nothing to compute with."""

from accessctl.record import Checkpoint, RecordBroken, Why

__all__ = ["Checkpoint", "RecordBroken", "Why"]
