"""Searches of the record that somebody keeps, to ask them again."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """One search of one account, under a name of its own. `query` is the address part of the page, as it was asked."""

    id: str
    account: str
    name: str
    query: str
    saved_at: datetime
