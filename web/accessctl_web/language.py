"""Words and times as the person reads them: Spanish first, English second, and always the clock of Guatemala.

Templates are written in Spanish; English comes from the catalogue in `translations/`. Inside, every time is UTC.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask, current_app, session
from flask_babel import Babel, format_date, format_datetime, gettext, ngettext
from markupsafe import Markup

from accessctl_web.desks import desks
from accessctl_web.session import LANGUAGE
from accessctl_web.settings import PanelSettings

GUATEMALA = ZoneInfo("America/Guatemala")  # UTC-6 all year
LANGUAGES = {"es": "Español", "en": "English"}


def _chosen() -> str:
    """The language of this visit: what was chosen at the foot of the page, or the installation's."""
    settings: PanelSettings = current_app.extensions["accessctl_settings"]
    chosen = session.get(LANGUAGE)
    return chosen if chosen in LANGUAGES else settings.language


def _time(at: datetime, text: str) -> Markup:
    """A `<time>` element: the instant for machines, the text for people."""
    return Markup('<time datetime="{}">{}</time>').format(at.astimezone(UTC).isoformat(timespec="seconds"), text)


def moment(at: datetime | None) -> Markup:
    """Day and time to the minute: `24/11/2026 08:15`."""
    return _time(at, format_datetime(at, "dd/MM/yyyy HH:mm")) if at is not None else Markup("—")


def clock(at: datetime | None) -> Markup:
    """Time of the day to the second, for today's events: `08:15:42`."""
    return _time(at, format_datetime(at, "HH:mm:ss")) if at is not None else Markup("—")


def instant(at: datetime | None) -> Markup:
    """Day and time to the second, for the record: `24/11/2026 08:15:42`."""
    return _time(at, format_datetime(at, "dd/MM/yyyy HH:mm:ss")) if at is not None else Markup("—")


def day(at: datetime | date | None) -> Markup:
    """The day alone: `24/11/2026`."""
    if at is None:
        return Markup("—")
    if isinstance(at, datetime):
        return _time(at, format_datetime(at, "dd/MM/yyyy"))
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), format_date(at, "dd/MM/yyyy"))


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `2 h 05 min`, `3 días 4 h`."""
    seconds = max(0, int(length.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return str(ngettext("%(num)s día", "%(num)s días", days)) + f" {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02d} min"
    if minutes:
        return f"{minutes} min {seconds % 60:02d} s"
    return f"{seconds} s"


def seconds_span(seconds: int) -> str:
    """The same for a number of seconds."""
    return span(timedelta(seconds=seconds))


def skew(seconds: int) -> str:
    """By how much a device's clock is off, with its sign: `−2 h 01 min`."""
    return f"{'−' if seconds < 0 else '+' if seconds > 0 else ''}{seconds_span(abs(seconds))}"


def device_time(text: str) -> str:
    """What a device's own clock said, as `24/11/2026 08:15:42`; a text that is no time is shown as it stands."""
    try:
        return f"{datetime.fromisoformat(text):%d/%m/%Y %H:%M:%S}"
    except ValueError:
        return text


def file_size(size: int) -> str:
    """How long a file is: `872 bytes`, `12.5 kB`, `1.2 GB`."""
    if size < 1000:
        return f"{size} bytes"
    power = 1 if size < 10**6 else 2 if size < 10**9 else 3
    return f"{size / 1000**power:.1f} {'kMG'[power - 1]}B"


def ago(at: datetime | None) -> Markup:
    """How long ago, with the instant behind it: `hace 3 min 05 s`."""
    if at is None:
        return Markup("—")
    return _time(at, str(gettext("hace %(span)s", span=span(desks().clock() - at))))


def from_local(when: datetime) -> datetime:
    """A naive time typed on a form, as UTC: what people type is Guatemala's clock."""
    return when.replace(tzinfo=GUATEMALA).astimezone(UTC)


def local_field(at: datetime) -> str:
    """A moment as a `datetime-local` field holds it: `2026-11-24T08:15`, by the clock of Guatemala."""
    return at.astimezone(GUATEMALA).strftime("%Y-%m-%dT%H:%M")


def day_bounds(of: date) -> tuple[datetime, datetime]:
    """A calendar day in Guatemala as a half-open window in UTC."""
    start = datetime(of.year, of.month, of.day, tzinfo=GUATEMALA)
    return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)


def today() -> date:
    """The calendar day in Guatemala, by the desks' clock."""
    return desks().clock().astimezone(GUATEMALA).date()


def install(app: Flask) -> None:
    """Catalogues, the time zone, and the filters that templates use."""
    app.config["BABEL_DEFAULT_TIMEZONE"] = "America/Guatemala"
    app.config["BABEL_DEFAULT_LOCALE"] = "es"
    Babel(app, locale_selector=_chosen)
    for one in (moment, clock, instant, day, span, seconds_span, skew, device_time, file_size, ago, local_field):
        app.add_template_filter(one, one.__name__)
    app.add_template_global(_chosen, "language")
    app.jinja_env.globals["languages"] = LANGUAGES
