"""What a person asks of the record, as typed into a form or carried in an address, and back again.

One vocabulary for the search, its pages, saved searches and exports, so that what was found is what is exported. Times
are Guatemala's: a day means all of it, a minute means all of that minute. What is no time is refused, and named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.services.store import EventFilter
from accessctl_web.desks import actor, desks
from accessctl_web.language import from_local
from accessctl_web.names import N_

LONGEST = 200  # characters of any field

KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    # code in addresses: name on screen, and how the facts of the group begin
    "doors": (N_("Lo que pasó en las puertas"), ("door:",)),
    "granted": (N_("Ingresos permitidos"), (Fact.DOOR_GRANTED.value,)),
    "refused": (N_("Ingresos denegados"), (Fact.DOOR_REFUSED.value,)),
    "alarms": (N_("Alarmas"), ("alarm:",)),
    "devices": (N_("Equipos y sus huecos"), ("device:",)),
    "requests": (N_("Solicitudes y sus pasos"), ("case:", "access:", "receipt:")),
    "cards": (N_("Tarjetas"), ("card:",)),
    "fingers": (N_("Huellas"), ("finger:",)),
    "removals": (N_("Bajas"), ("removal:", Fact.PERSON_REMOVED.value)),
    "visits": (N_("Visitas y zonas"), ("visit:", "zone:", "person:presence:")),
    "people": (N_("Personas en el archivo"), ("person:",)),
    "accounts": (N_("Cuentas y sesiones"), ("account:",)),
    "record": (N_("El registro mismo: consultas, exportaciones, llaves"), ("record:", "site:")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The fields as they were typed; empty where nothing was."""

    since: str = ""
    until: str = ""
    door: str = ""
    person: str = ""
    card: str = ""
    visit: str = ""
    kind: str = ""
    norm: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "Query":
        """From a form or an address. Raises `AccessError(TEXT_INVALID)` for what is too long."""
        found = {name: fields.get(name, "").strip() for name in cls.__slots__}
        for name, text in found.items():
            if len(text) > LONGEST:
                raise AccessError(Reason.TEXT_INVALID, field=name, longest=LONGEST)
        return cls(**found)

    def asked(self) -> dict[str, str]:
        """The fields that are not empty, for an address."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """The half-open time in UTC. Raises `AccessError(TEXT_INVALID)` for what is no time, or ends too early."""
        since, until = _span(self.since, "since"), _span(self.until, "until")
        if since and until and until[1] <= since[0]:
            raise AccessError(Reason.TEXT_INVALID, field="until_before_since")
        return since and since[0], until and until[1]


def facts_of(kind: str) -> tuple[str, ...]:
    """The facts of a group, or the one fact of that code; none for no group. Raises `AccessError(TEXT_INVALID)`."""
    if not kind:
        return ()
    if kind in set(Fact):
        return (kind,)
    if kind not in KINDS:
        raise AccessError(Reason.TEXT_INVALID, field="kind")
    begins = KINDS[kind][1]
    return tuple(fact.value for fact in Fact if fact.value.startswith(begins))


def _span(text: str, name: str) -> tuple[datetime, datetime] | None:
    """A day or a minute of Guatemala as a half-open span in UTC."""
    if not text:
        return None
    try:
        if len(text) == 10:
            start, length = datetime.combine(date.fromisoformat(text), time()), timedelta(days=1)
        else:
            start, length = _minute(text), timedelta(minutes=1)
    except ValueError:
        raise AccessError(Reason.TEXT_INVALID, field=name) from None
    if not 2000 <= start.year <= 2199:
        raise AccessError(Reason.TEXT_INVALID, field=name)
    return from_local(start), from_local(start + length)


def _minute(text: str) -> datetime:
    """A minute as the field of a form gives it, with or without seconds, by the clock of Guatemala."""
    form = "%Y-%m-%dT%H:%M:%S" if text.count(":") == 2 else "%Y-%m-%dT%H:%M"
    return datetime.strptime(text, form).replace(second=0)  # noqa: DTZ007 -- Guatemala's


def filter_of(query: Query) -> EventFilter:
    """What the record is asked. Raises `AccessError` for a field that is no time, no kind."""
    since, until = query.bounds()
    return EventFilter(
        since=since,
        until=until,
        doors=(query.door,) if query.door else (),
        person=query.person,
        credentials=desks().watch.credentials_of(actor(), query.card) if query.card else (),
        visit=desks().watch.visit_of(actor(), query.visit) if query.visit else "",
        norm=query.norm.upper(),
        events=facts_of(query.kind),
    )
