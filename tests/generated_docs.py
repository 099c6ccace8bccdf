"""The parts of the documentation that are drawn from the code's own tables.

    python -m tests.generated_docs      write them anew, between their marks, in README.md and docs/

A mark is `<!-- generated: NAME -->`, its end `<!-- end -->`. `tests/test_docs.py` compares: a table that changed and
was not drawn anew fails there.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import click

from accessctl.cli import group
from accessctl.domain.alarms import ALARM_TRANSITIONS, ALERTS, AlarmRules, AlarmState
from accessctl.domain.cards import CARD_TRANSITIONS, CardState
from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.machine import mermaid
from accessctl.domain.people import GRANTABLE, ROLE_PERMISSIONS, Role
from accessctl.domain.procedures import DATA_CENTRE_ENTRY, END, PREMISES_ACCESS, Procedure
from accessctl.domain.visitor_cards import VISITOR_CARD_TRANSITIONS, VisitorCardState
from accessctl.domain.visits import VISIT_TRANSITIONS, VisitState
from accessctl_web.messages import SENTENCES
from accessctl_web.names import ALERT_TYPES, FACTS, ROLES, STEP_TITLES

ROOT = Path(__file__).parent.parent
MARK = re.compile(r"(<!-- generated: ([a-z0-9-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

BOUNDS: Sequence[tuple[str, str, str, str]] = (
    # module, constant, unit, what it bounds
    ("accessctl.domain.card_numbers", "LONGEST_TYPED", "characters", "a card number as it is typed"),
    ("accessctl.domain.policy", "LONGEST_CREDENTIAL", "characters", "a credential that a device sends"),
    ("accessctl.services.uploads", "LARGEST", "bytes", "a scanned document (PDF, PNG or JPEG by its first bytes)"),
    ("accessctl_web.access", "LARGEST_PUBLIC_BODY", "bytes", "a request of somebody who has not signed in"),
    ("accessctl.services.delivery_desk", "MOST_POINTS", "points", "a signature on the screen"),
    ("accessctl.services.vault", "LARGEST", "bytes", "a finger template"),
    ("accessctl.services.site_desk", "MOST", "rows", "one table of a site's file"),
    ("accessctl.cli.site", "LARGEST", "bytes", "a site's file"),
    ("accessctl.storage.shelf", "LARGEST_ANSWER", "rows", "one question to the database"),
    ("accessctl.storage.events", "LARGEST_ANSWER", "rows", "one page of the record"),
    ("accessctl.record.canonical", "MAX_BYTES", "bytes", "one entry of the record"),
    ("accessctl.record.canonical", "MAX_DEPTH", "levels", "how deep an entry is nested"),
    ("accessctl.record.reading", "MAX_LINE", "bytes", "one line of an export, when it is verified"),
    ("accessctl.record.reading", "MAX_DOCUMENT", "bytes", "a manifest or a proof, when it is verified"),
    ("accessctl.record.notes", "MAX_NOTE_BYTES", "bytes", "a signed note"),
    ("accessctl.record.merkle", "MAX_PROOF", "hashes", "an audit path"),
    ("accessctl_drivers.zkteco.frames", "MAX_DATA", "bytes", "the data of one frame of a terminal"),
    ("accessctl_drivers.zkteco.datasets", "MAX_DATASET", "bytes", "one bulk transfer of a terminal"),
    ("accessctl_drivers.zkteco.templates", "MAX_TEMPLATE", "bytes", "one template in such a transfer"),
    ("accessctl_drivers.links", "MAX_ADDRESS", "characters", "the address of a device"),
)


def fenced(language: str, text: str) -> str:
    """A code block."""
    return f"```{language}\n{text}\n```"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a bar in a cell is escaped."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def codes(words: Sequence[str]) -> str:
    """Words as code, with commas between them."""
    return ", ".join(f"`{word}`" for word in words)


def steps_table(procedure: Procedure) -> str:
    """The steps of a procedure as the engine runs them."""
    rows = []
    for step in procedure.steps:
        branches = []
        for answer, to in step.then.items():
            target = "end" if to == END else procedure.step(to).reference(procedure.number)
            branches.append(f"{answer} → {target}" if answer else target)
        rows.append(
            (
                step.reference(procedure.number),
                STEP_TITLES[step.title],
                codes(sorted(role.value for role in step.responsible)),
                "; ".join(f"`{need.evidence}`, else `{need.reason.value}` ({need.norm})" for need in step.requires)
                or "—",
                ", ".join(branches),
                ", ".join(step.norms) or "—",
            )
        )
    kept_apart = "; ".join(f"`{one}` ≠ `{other}`" for one, other in procedure.apart)
    heads = ("step", "on screen", "responsible", "cannot be done without", "then", "norms")
    return f"{table(heads, rows)}\n\nKept apart ({procedure.apart_norm}): {kept_apart}."


def steps_diagram(procedure: Procedure) -> str:
    """The steps of a procedure as a Mermaid flow chart."""
    lines = ["flowchart TD"]
    for step in procedure.steps:
        who = " / ".join(ROLES[role] for role in sorted(step.responsible))
        label = f"{step.reference(procedure.number)} {STEP_TITLES[step.title]}<br/>{who}"
        lines.append(f'    s{step.number}["{label}"]')
    lines.append("    s0([fin])")
    for step in procedure.steps:
        for answer, to in step.then.items():
            lines.append(f"    s{step.number} -->{'|' + answer + '|' if answer else ''} s{to}")
    return fenced("mermaid", "\n".join(lines))


def roles_table() -> str:
    """Every role with what it may do in the panel."""
    rows = [
        (f"`{role.value}`", ROLES[role], codes(sorted(one.value for one in ROLE_PERMISSIONS[role])))
        for role in Role
        if role in GRANTABLE
    ]
    return table(("role", "on screen", "may"), rows)


def leaves(command: click.Command, names: Sequence[str]) -> Iterator[tuple[Sequence[str], click.Command]]:
    """Every command that does something, with the words that call it."""
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from leaves(command.commands[name], (*names, name))
    else:
        yield names, command


def commands_reference() -> str:
    """Every command of the command line with its arguments and options, as `--help` shows them."""
    parts = []
    for names, command in leaves(group, ("accessctl",)):
        context = click.Context(command, info_name=" ".join(names))
        usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")
        parts.append(f"### {' '.join(names)}\n\n`{' '.join(names)}{' ' + usage if usage else ''}`")
        parts.append(re.sub(r"\s*\n\s*", " ", (command.help or "").strip()))
        rows = []
        for one in command.params:
            record = one.get_help_record(context)
            if isinstance(one, click.Option) and record is not None and "--help" not in one.opts:
                rows.append((f"`{record[0]}`", " ".join(record[1].split()) or "—"))
        if rows:
            parts.append(table(("option", ""), rows))
    return "\n\n".join(parts)


def bounds_table() -> str:
    """The bounds of what is read from outside, with the values that the code has."""
    rows = []
    for module, name, unit, what in BOUNDS:
        value: int = getattr(import_module(module), name)
        rows.append((what, f"{value:,} {unit}", f"`{module}.{name}`"))
    return table(("what", "at most", "where"), rows)


def alerts_table() -> str:
    """Whose each kind of alarm is, where the installation says nothing else."""
    rows = []
    for kind, alert in ALERTS.items():
        area, responsible = AlarmRules().competence(kind)
        rows.append((f"`{kind.value}`", ALERT_TYPES[alert.type], alert.source, area, f"`{responsible.value}`"))
    return table(("kind", "type of alert", "follows from", "area", "assigned to"), rows)


def reasons_table() -> str:
    """Every reason of a refusal with its sentence; ‹name› stands for a detail."""
    rows = [(f"`{one.value}`", re.sub(r"%\((\w+)\)s", r"‹\1›", SENTENCES[one])) for one in Reason]
    return table(("`reason`", "on screen"), rows)


BLOCKS: Mapping[str, Callable[[], str]] = {
    "card-life": lambda: fenced("mermaid", mermaid(CARD_TRANSITIONS, CardState.IN_STOCK)),
    "alarm-life": lambda: fenced("mermaid", mermaid(ALARM_TRANSITIONS, AlarmState.RAISED)),
    "alerts": alerts_table,
    "visit-life": lambda: fenced("mermaid", mermaid(VISIT_TRANSITIONS, VisitState.AUTHORISED)),
    "visitor-card-life": lambda: fenced("mermaid", mermaid(VISITOR_CARD_TRANSITIONS, VisitorCardState.FREE)),
    "procedure-4": lambda: f"{steps_table(DATA_CENTRE_ENTRY)}\n\n{steps_diagram(DATA_CENTRE_ENTRY)}",
    "procedure-10": lambda: f"{steps_table(PREMISES_ACCESS)}\n\n{steps_diagram(PREMISES_ACCESS)}",
    "roles": roles_table,
    "commands": commands_reference,
    "facts": lambda: table(("`event`", "on screen"), [(f"`{one.value}`", FACTS[one]) for one in Fact]),
    "reasons": reasons_table,
    "bounds": bounds_table,
}


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def drawn(text: str) -> str:
    """The page with its generated parts as they should be now. KeyError for a mark that names no part."""
    return MARK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}", text)


def write() -> list[Path]:
    """Draw every page anew; returns those that changed."""
    changed = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (after := drawn(text)) != text:
            page.write_text(after, encoding="utf-8")
            changed.append(page)
    return changed


if __name__ == "__main__":
    for written in write():
        sys.stdout.write(f"{written.relative_to(ROOT)}\n")
