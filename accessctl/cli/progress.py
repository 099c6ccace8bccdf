"""How far a long export is, on a terminal that somebody looks at; elsewhere nothing is said."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from accessctl.services.exports import Progress as Told


@contextmanager
def progress_bar(*, shown_if: bool) -> Iterator[Told | None]:
    """What to tell of the progress; None where nobody looks at standard error."""
    if not shown_if or not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.fields[lines]} asientos"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, lines=0)
        yield lambda lines, share: bar.update(task, completed=share, lines=lines)
