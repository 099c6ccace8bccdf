"""Copyists: readers that make the pages of a long export (see `readers`)."""

from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import TypeAlias

from accessctl.record.broken import RecordBroken, Why
from accessctl.services.export_pages import Copying, Page, block_for, page_of
from accessctl.services.ledger_rows import Places
from accessctl.storage.reader import Address
from accessctl.storage.readers import answers, processors
from accessctl.storage.record_rows import RecordRows

_Broken: TypeAlias = tuple[Why, str, int | None]


def copyists_for(address: Address) -> "CopyistProcesses | None":
    """As many as there are processors; none where there is but one, which the export has itself."""
    count = processors()
    return CopyistProcesses(address, count) if count > 1 else None


class CopyistProcesses:
    """Calls copyists for one database (see `accessctl.services.export_pages.Copyists`)."""

    def __init__(self, address: Address, count: int) -> None:
        self._address = address
        self._count = count

    def copy(self, task: Copying, pages: Iterator[Places]) -> Generator[tuple[Places, Page], None, None]:
        """The pages in their order; each copyist is called when there is a page for it."""
        for places, answer in answers(self._address, self._count, partial(copying, task), pages):
            if not isinstance(answer, Page):
                why, text, index = answer
                raise RecordBroken(why, text, index=index)
            yield places, answer


def copying(task: Copying, rows: RecordRows) -> Callable[[Places], Page | _Broken]:
    """What a copyist does."""
    block = block_for(task)

    def page(places: Places) -> Page | _Broken:
        try:
            return page_of(rows, task, places, block)
        except RecordBroken as broken:
            return broken.why, str(broken), broken.index

    return page
