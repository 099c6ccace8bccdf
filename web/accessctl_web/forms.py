"""What a person typed, as values; and what happens after it was handed to a desk.

The desks judge the content (lengths, characters, sense); here text only becomes what their methods take. What cannot
become that is refused as an incomplete form. `attempt` is the one way in which a page hands something in: on success
it goes on, on a refusal the same page comes back with the refusal beside the form and everything that was typed.
"""

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response, flash, make_response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from accessctl.domain.errors import AccessError, Reason
from accessctl.services.delivery_desk import Strokes
from accessctl.services.uploads import Upload
from accessctl_web.desks import put_on_record
from accessctl_web.language import from_local
from accessctl_web.messages import Refusal, refusal_of

Page = Callable[[Refusal], str]


def typed(name: str, default: str = "") -> str:
    """The text of a field, as typed; also what the template puts back into it after a refusal."""
    return request.form.get(name, default)


def chosen(name: str) -> tuple[str, ...]:
    """The ticked values of a list."""
    return tuple(request.form.getlist(name))


def number(name: str) -> int:
    """A small whole number. Raises `AccessError(FORM_INCOMPLETE)` naming the field."""
    text = typed(name).strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 6:
        raise AccessError(Reason.FORM_INCOMPLETE, missing=name)
    return int(text)


def day(name: str) -> date | None:
    """A day from a date field, None where it was left empty."""
    return _day(typed(name), name)


def asked_day(name: str) -> date | None:
    """The same from the address of the page."""
    return _day(request.args.get(name, ""), name)


def _day(text: str, name: str) -> date | None:
    if not text.strip():
        return None
    try:
        found = date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise AccessError(Reason.FORM_INCOMPLETE, missing=name) from None
    if not 2000 <= found.year <= 2199:
        raise AccessError(Reason.FORM_INCOMPLETE, missing=name)
    return found


def start_of(name: str, default: datetime) -> datetime:
    """When a validity begins: midnight in Guatemala at the start of the day, or `default` where none was given."""
    found = day(name)
    return from_local(datetime.combine(found, time())) if found else default


def end_of(name: str) -> datetime | None:
    """When a validity ends: midnight in Guatemala at the end of the day; None means without an end."""
    found = day(name)
    return from_local(datetime.combine(found + timedelta(days=1), time())) if found else None


def when(name: str) -> datetime | None:
    """A day and time from a `datetime-local` field, by the clock of Guatemala; None where it was left empty."""
    text = typed(name).strip()
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text[:19])
    except ValueError:
        raise AccessError(Reason.FORM_INCOMPLETE, missing=name) from None
    if found.tzinfo is not None or not 2000 <= found.year <= 2199:
        raise AccessError(Reason.FORM_INCOMPLETE, missing=name)
    return from_local(found)


def strokes(name: str, *, norm: str) -> Strokes:
    """A signature as its page sent it: a list of lists of `[x, y]`. Anything else is no valid signature."""
    try:
        sent = json.loads(typed(name) or "[]")
        return [[(float(x), float(y)) for x, y in stroke] for stroke in sent]
    except (ValueError, TypeError, RecursionError):
        raise AccessError(Reason.SIGNATURE_INVALID, norm) from None


def upload(name: str) -> Upload | None:
    """A scanned document, None where no file was chosen. The name and the type that came with it are claims only."""
    file = request.files.get(name)
    if file is None or not file.filename:
        return None
    with file.stream:
        return Upload(name=file.filename, content=file.read())


def needed_upload(name: str) -> Upload:
    """The same where a document must be there."""
    found = upload(name)
    if found is None:
        raise AccessError(Reason.FORM_INCOMPLETE, missing=name)
    return found


def pairs(values: Iterable[Any], attribute: str) -> list[tuple[str, str]]:
    """What a list to choose from shows: each value's `id`, and what it is called."""
    return [(value.id, getattr(value, attribute)) for value in values]


def attempt(act: Callable[[], object], *, then: str | Callable[[], str], again: Page, said: str = "") -> BaseResponse:
    """Hand something to a desk; go to `then` saying `said`, or show the page `again` with the refusal."""
    try:
        act()
    except AccessError as error:
        put_on_record(error)
        refusal = refusal_of(error)
        response: Response = make_response(again(refusal), int(refusal.status))
        if "seconds" in error.details:
            response.headers["Retry-After"] = str(error.details["seconds"])
        return response
    if said:
        flash(said)
    return redirect(then if isinstance(then, str) else then(), 303)
