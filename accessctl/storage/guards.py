"""Triggers that hold history in the database itself: what is never deleted, and the projection that never changes.

The record's own tables have theirs in `record_tables`. `GUARDS` is plain SQL for each dialect, as the first migration
runs it word for word. What may be deleted is named by its absence: templates (erased when access ends), captures,
sign-in tries, what a device holds and how it is, who is where (observations), holidays that were entered wrongly, and
openings.
"""

from collections.abc import Mapping

KEPT = (
    "people",
    "cards",
    "cases",
    "requests",
    "accounts",
    "grants",
    "removals",
    "removal_targets",
    "attachments",
    "signatures",
    "zones",
    "doors",
    "devices",
    "schedules",
    "commands",
    "alarms",
    "visits",
    "visitor_cards",
    "zone_states",
)


def _sqlite() -> tuple[str, ...]:
    statements = [
        f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'history is kept: no DELETE on {table}'); END"
        for table in KEPT
    ]
    statements += [
        f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event "
        f"BEGIN SELECT RAISE(ABORT, 'history is kept: no {verb} on event'); END"
        for verb in ("UPDATE", "DELETE")
    ]
    statements.append(
        "CREATE TRIGGER event_continues BEFORE INSERT ON event "
        "WHEN NEW.idx <> (SELECT coalesce(max(idx), -1) + 1 FROM event) "
        "BEGIN SELECT RAISE(ABORT, 'history is kept: an event continues the record'); END"
    )
    return tuple(statements)


def _postgresql() -> tuple[str, ...]:
    function = (
        "CREATE FUNCTION history_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = 'history is kept: no ' || TG_OP || ' on ' || TG_TABLE_NAME; END $$"
    )
    statements = [function]
    for table, verbs in (*((table, "DELETE OR TRUNCATE") for table in KEPT), ("event", "UPDATE OR DELETE OR TRUNCATE")):
        statements.append(
            f"CREATE TRIGGER {table}_kept BEFORE {verbs} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept()"
        )
        statements.append(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_kept")  # in replica role too
    return tuple(statements)


GUARDS: Mapping[str, tuple[str, ...]] = {"sqlite": _sqlite(), "postgresql": _postgresql()}
