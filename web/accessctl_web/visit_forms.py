"""The forms of visits as values: the entry of P4.01 and N4.2, the data of P4.02, pieces of equipment."""

from datetime import timedelta
from itertools import zip_longest

from flask import request

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.visits import Equipment, Visit
from accessctl.services.visit_desk import EntryForm
from accessctl.services.visit_register_desk import MOST_EQUIPMENT, RegisterForm
from accessctl_web.desks import desks
from accessctl_web.forms import chosen, typed, when

USUAL = timedelta(hours=8)  # what the form proposes as the window; whoever authorises says how long


def entry_form() -> EntryForm:
    """P4.01: who, why, which window, which zone. A window without a start begins now."""
    now = desks().clock()
    begins = when("valid_from") or now
    return EntryForm(
        zone=typed("zone"),
        name=typed("name"),
        organisation=typed("organisation"),
        purpose=typed("purpose"),
        valid_from=begins,
        valid_until=when("valid_until") or begins + USUAL,
        department=typed("department"),
        host=typed("host"),
        visitor=typed("visitor"),
    )


def register_form() -> RegisterForm:
    """P4.02 and P4.03, as typed from the document in the hand of whoever enters."""
    return RegisterForm(
        document_kind=typed("document_kind"),
        document_number=typed("document_number"),
        name=typed("name"),
        organisation=typed("organisation"),
        vehicle=typed("vehicle"),
        brought=pieces(),
        third_party=typed("third_party", "si") == "si",
        escort=typed("escort"),
        briefed=typed("briefed") == "1",
        folio=typed("folio"),
    )


def typed_pieces() -> list[tuple[str, str]]:
    """The rows of equipment as typed, empty ones left out; also what the template puts back after a refusal."""
    rows = zip_longest(request.form.getlist("description"), request.form.getlist("serial"), fillvalue="")
    return [(description, serial) for description, serial in rows if description.strip() or serial.strip()]


def pieces() -> tuple[Equipment, ...]:
    """The rows of equipment. Raises `AccessError(FORM_INCOMPLETE)` where there are more than a visit may have."""
    rows = typed_pieces()
    if len(rows) > MOST_EQUIPMENT:
        raise AccessError(Reason.FORM_INCOMPLETE, "P4.02", missing="equipment")
    return tuple(Equipment(description=description, serial=serial) for description, serial in rows)


def taken(visit: Visit) -> tuple[Equipment, ...]:
    """P4.07: what leaves, the ticked pieces of those that came in and whatever else was typed."""
    ticked = set(chosen("leaves"))
    return tuple(one for at, one in enumerate(visit.brought) if str(at) in ticked) + pieces()
