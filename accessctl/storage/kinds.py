"""Every kind of value that is kept: its table, its order, and what is derived from it.

`operational` marks observations, which change without a fact in the record.
"""

import unicodedata

from accessctl.domain.accounts import Account, SignInTry
from accessctl.domain.alarms import Alarm
from accessctl.domain.cards import Card
from accessctl.domain.devices import Capture, Command, DeviceHealth, HeldUser
from accessctl.domain.occupancy import Presence, ZoneState
from accessctl.domain.people import Person
from accessctl.domain.places import Device, Door, Zone
from accessctl.domain.procedures import Case
from accessctl.domain.requests import (
    AccessGrant,
    AccessRequest,
    Attachment,
    Removal,
    RemovalTarget,
    Signature,
    StoredTemplate,
)
from accessctl.domain.schedules import Holiday, WeeklySchedule
from accessctl.domain.searches import SavedSearch
from accessctl.domain.visitor_cards import VisitorCard
from accessctl.domain.visits import Visit
from accessctl.storage import tables
from accessctl.storage.shelf import Kind


def folded(text: str) -> str:
    """How names are compared: lower case, without accents, single spaces (`Ñandú  Pérez` → `nandu perez`)."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in apart if not unicodedata.combining(char)).split())


PERSON = Kind(
    Person,
    tables.people,
    order=("number",),
    derived={"search_name": lambda person: folded(person.full_name)},
)
CARD = Kind(Card, tables.cards, order=("since",), derived={"family_key": lambda card: card.number.family_key})
CASE = Kind(Case, tables.cases, order=("opened_at",))
REQUEST = Kind(AccessRequest, tables.requests, order=("folio",))
ACCOUNT = Kind(
    Account,
    tables.accounts,
    order=("added_at",),
    derived={"username_key": lambda account: account.username.casefold()},
)
SIGN_IN_TRY = Kind(SignInTry, tables.sign_in_tries, order=("at",), operational=True)
GRANT = Kind(AccessGrant, tables.grants, order=("valid_from",))
REMOVAL = Kind(Removal, tables.removals, order=("at",))
REMOVAL_TARGET = Kind(RemovalTarget, tables.removal_targets)
ATTACHMENT = Kind(Attachment, tables.attachments, order=("at",))
SIGNATURE = Kind(Signature, tables.signatures, order=("at",))
TEMPLATE = Kind(StoredTemplate, tables.templates, order=("at",))
ZONE = Kind(Zone, tables.zones)
DOOR = Kind(Door, tables.doors)
DEVICE = Kind(Device, tables.devices)
SCHEDULE = Kind(WeeklySchedule, tables.schedules)
HOLIDAY = Kind(Holiday, tables.holidays, order=("date",))
HEALTH = Kind(DeviceHealth, tables.device_health, operational=True)
HELD_USER = Kind(HeldUser, tables.held_users, order=("device", "uid"), operational=True)
COMMAND = Kind(Command, tables.commands, order=("asked_at",))
CAPTURE = Kind(Capture, tables.captures, order=("started_at",), operational=True)
ALARM = Kind(Alarm, tables.alarms, order=("raised_at",))
VISIT = Kind(Visit, tables.visits, order=("number",), derived={"escort": lambda visit: visit.escort})
VISITOR_CARD = Kind(
    VisitorCard,
    tables.visitor_cards,
    order=("label",),
    derived={"family_key": lambda card: card.number.family_key},
)
PRESENCE = Kind(Presence, tables.presence, order=("since",), operational=True)
SAVED_SEARCH = Kind(SavedSearch, tables.saved_searches, order=("saved_at",), operational=True)
ZONE_STATE = Kind(ZoneState, tables.zone_states)
