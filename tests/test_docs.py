"""The documentation is true: its map is the tree, links lead somewhere, tables are the code's, nothing is left out.

What is drawn from the code is compared (`tests/generated_docs.py` draws it anew). The verifier that the page on exports
quotes is run, on real exports and on spoiled ones.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest
from click import Command

from accessctl.cli import group
from accessctl.domain.alarms import AlarmKind
from accessctl.domain.people import GRANTABLE
from accessctl.services.export_lines import Format
from accessctl.services.exports import EVERYTHING, ExportDesk
from accessctl.services.site_desk import _KEYS as SITE_KEYS
from accessctl.services.site_desk import read_site
from accessctl.services.store import EventFilter
from accessctl.settings import Settings
from accessctl.storage.unit_of_work import SqlStore
from accessctl_web.names import ALARM_KINDS
from accessctl_web.navigation import SECTIONS
from tests.generated_docs import BLOCKS, MARK, ROOT, drawn, leaves, pages
from tests.services.premises import SIGNER, Premises
from tests.test_architecture import LOCAL, MACHINE_PATHS, OURS_WITH_A_DOT, REGISTRIES

DOCS = ROOT / "docs"
MANUAL = DOCS / "manual"
IMAGES = sorted((*(DOCS / "images").iterdir(), *(MANUAL / "img").iterdir()))
LARGEST_IMAGE = 200_000

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SYMBOL = re.compile(r"`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)`")
FOLDERS = "accessctl|drivers|web|hardware-sim|script|tests|docs|requirements"
MENTIONED = re.compile(rf"`((?!accessctl/\w+/v\d)(?:{FOLDERS})/[\w./-]*)`")  # not the names of formats
MANUAL_OF = {
    "recepcion": "recepcion.md",
    "secretaria_infra": "secretaria.md",
    "tecnico_infra": "tecnico.md",
    "tecnico_telecom": "tecnico.md",
    "analista_calidad": "alarmas.md",
    "jefe": "jefatura.md",
    "director": "jefatura.md",
    "subgerente": "jefatura.md",
    "guardia": "guardia.md",
    "auditor": "auditor.md",
    "admin": "administracion.md",
}


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def everything() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in pages())


def anchors(page: Path) -> set[str]:
    """What a heading is called in an address, as Git hosts make it."""
    heads = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.replace("`", "").lower()).replace(" ", "-") for head in heads}


def links(page: Path) -> Iterator[tuple[str, str, Path]]:
    """Text, address and target of every link of a page that leads to something of ours."""
    for _, text, address in LINK.findall(prose(page)):
        if not re.match(r"[a-z]+:", address):
            yield text, address, (page.parent / address.partition("#")[0] if address[0] != "#" else page)


# -- pages, links, images


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for _, address, target in links(page):
        assert target.resolve().is_relative_to(ROOT.resolve()), address
        assert target.exists(), f"{address} does not exist"
        anchor = address.partition("#")[2]
        if anchor:
            assert anchor in anchors(target), f"{address}: no such heading; there are {sorted(anchors(target))}"


def defined(tree: ast.Module) -> set[str]:
    """Names of a module's functions, classes, methods and constants."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names |= {one.id for one in targets if isinstance(one, ast.Name)}
    return names


def test_what_a_link_names_is_defined_where_it_leads() -> None:
    checked = 0
    for page in pages():
        for text, address, target in links(page):
            symbol = SYMBOL.fullmatch(text)
            if symbol and target.suffix == ".py" and symbol[1] != target.name:
                tree = ast.parse(target.read_text(encoding="utf-8"))
                assert symbol[1] in defined(tree), f"{page.name}: {symbol[1]} is not in {address}"
                checked += 1
    assert checked > 40


def test_a_newcomer_finds_the_decision_in_three_clicks() -> None:
    assert "[`decide`](accessctl/domain/policy.py)" in prose(ROOT / "README.md").partition("## Follow one card")[2]


def test_files_that_are_mentioned_exist() -> None:
    for page in pages():
        for name in MENTIONED.findall(prose(page)):
            assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_every_page_is_linked_from_another() -> None:
    linked = {target.resolve() for page in pages() for _, _, target in links(page)}
    lonely = [page for page in pages() if page.resolve() not in linked and page.name != "README.md"]
    assert lonely == []


def test_images_are_small_and_shown() -> None:
    shown = {target.resolve() for page in pages() for _, _, target in links(page)}
    assert len(IMAGES) > 10
    for image in IMAGES:
        assert image.resolve() in shown, f"{image.name} is shown nowhere"
        assert image.stat().st_size <= LARGEST_IMAGE, image.name
        head = image.read_bytes()[:24]
        assert head.startswith(b"\x89PNG\r\n\x1a\n"), image.name
        assert int.from_bytes(head[16:20]) <= 1280, f"{image.name} is wider than a page"


def test_no_path_of_a_machine_and_no_address_of_a_registry() -> None:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        assert not MACHINE_PATHS.search(text), f"{page.name}: {MACHINE_PATHS.search(text)}"
        assert not REGISTRIES.search(text), f"{page.name}: {REGISTRIES.search(text)}"


# -- the map of the README


def mapped() -> list[PurePosixPath]:
    """The paths of the README's map."""
    block = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Map")[2].split("```")[1]
    parents: list[str] = []
    found = []
    for line in block.strip().splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        parents = [*parents[:depth], name]
        found.append(PurePosixPath("".join(parents)))
    return found


def folders() -> set[PurePosixPath]:
    """Every folder of ours that holds a file."""
    found: set[PurePosixPath] = set()
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if LOCAL & set(parts) or (parts[0].startswith(".") and parts[0] not in OURS_WITH_A_DOT) or not path.is_file():
            continue
        found.update(PurePosixPath(*parts[:depth]) for depth in range(1, len(parts)))
    return found


def test_the_map_is_the_tree() -> None:
    listed = mapped()
    assert len(listed) == len(set(listed))
    for one in listed:
        assert (ROOT / one).exists(), f"{one} is on the map and not there"
    opened = {parent for one in listed for parent in one.parents if parent in listed or parent == PurePosixPath()}
    for folder in folders():
        if folder.parent in opened:
            assert folder in listed, f"{folder} is there and not on the map"
    top = {PurePosixPath(path.name) for path in ROOT.iterdir() if path.is_file() and path.name[0] != "."}
    assert top <= set(listed)


# -- what is drawn from the code


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_generated_parts_are_as_the_code_draws_them(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert drawn(text) == text, "python -m tests.generated_docs draws it anew"


def test_every_generated_part_stands_on_a_page() -> None:
    assert {name for _, name, _ in MARK.findall(everything())} == set(BLOCKS)


def test_every_table_of_states_is_drawn() -> None:
    tables = {
        name
        for path in (ROOT / "accessctl/domain").glob("*.py")
        for name in defined(ast.parse(path.read_text(encoding="utf-8")))
        if name.endswith("_TRANSITIONS")
    }
    diagrams = {
        f"{name.removesuffix('-life').replace('-', '_').upper()}_TRANSITIONS" for name in BLOCKS if "-life" in name
    }
    assert tables == diagrams


# -- nothing is left out


def test_every_command_and_option_is_documented() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    found: list[tuple[str, Command]] = [(" ".join(names), command) for names, command in leaves(group, ("accessctl",))]
    assert len(found) > 15
    for name, command in found:
        part = re.search(rf"^### {re.escape(name)}\n(.*?)(?=^### |^<!-- end)", text, flags=re.MULTILINE | re.DOTALL)
        assert part, name
        shown = [one for one in command.params if not getattr(one, "hidden", False)]
        for option in (opt for one in shown for opt in one.opts if opt.startswith("--") and opt != "--help"):
            assert option in part[1], f"{name} {option}"


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \| ", prose(DOCS / "settings.md"), flags=re.MULTILINE))
    assert rows == {key: str(field.default) for key, field in Settings.model_fields.items()}


def test_every_key_of_a_sites_file_is_documented() -> None:
    rows = re.findall(r"^\| (zone|door|device) \| ([^|]+) \|", prose(DOCS / "operations.md"), flags=re.MULTILINE)
    documented = {(table, key) for table, keys in rows for key in re.findall(r"`(\w+)`", keys)}
    assert documented == {(table, key) for table, keys in SITE_KEYS.items() for key in keys}


def test_the_example_of_a_site_is_one() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / "operations.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    site = read_site(tomllib.loads(blocks[0]))
    assert {one.transport.value for one in site.devices} == {"zk", "push", "rdm6300"}


def test_every_alarm_is_explained_to_operators_and_to_users() -> None:
    operators = prose(DOCS / "operations.md")
    users = prose(MANUAL / "que-hacer-cuando.md")
    for kind in AlarmKind:
        assert f"\n| `{kind.value}` | " in operators, kind
        assert f"**{ALARM_KINDS[kind]}**" in users, kind


def options_of(script: str) -> set[str]:
    """The long options of an argparse program."""
    return set(re.findall(r'add_argument\("(--[a-z-]+)"', (ROOT / script).read_text(encoding="utf-8")))


def test_the_two_commands_and_their_options_are_documented() -> None:
    text = prose(ROOT / "README.md")
    options = options_of("script/demo.py")
    assert {"--once", "--out"} <= options
    for word in ("script/demo", "script/test", "script/test -k", "script/bench", *options):
        assert f"`{word}" in text or f" {word}" in text, word


def test_every_section_of_the_panel_is_in_the_manual() -> None:
    text = "\n".join(prose(page) for page in MANUAL.glob("*.md"))
    for _, name in SECTIONS:
        assert f"**{name}**" in text, name


def test_every_role_has_its_page() -> None:
    assert MANUAL_OF.keys() == {role.value for role in GRANTABLE}
    for role, page in MANUAL_OF.items():
        assert (MANUAL / page).exists()
        assert f"`{role}`" in prose(ROOT / "README.md"), role


def on_screen() -> set[str]:
    """Every text that the panel can show, as its source has it."""
    found: set[str] = set()
    for path in (ROOT / "web/accessctl_web").rglob("*"):
        if path.suffix in {".html", ".py"}:
            text = path.read_text(encoding="utf-8")
            found.update(re.findall(r'\b(?:_|N_|gettext)\(\s*"((?:[^"\\]|\\.)+)"', text))
            found.update(re.findall(r"\b_\(\s*'([^']+)'", text))
    return found


def test_words_of_the_panel_in_the_readme_are_on_the_screen() -> None:
    steps = prose(ROOT / "README.md").partition("### Procedure 10 by hand")[2].partition("\n## ")[0]
    words = set(re.findall(r"«([^»]+)»", steps)) - {"Subgerencia, ingreso principal"}  # a door of the demo's site
    assert len(words) > 8
    assert words <= on_screen()


@pytest.mark.parametrize("page", sorted(MANUAL.glob("*.md")), ids=lambda page: page.name)
def test_words_in_bold_in_the_manual_are_words_on_the_screen(page: Path) -> None:
    shown = on_screen()
    assert len(shown) > 300
    unknown = [words for words in re.findall(r"\*\*(.+?)\*\*", prose(page)) if words not in shown]
    assert unknown == []


# -- the verifier that the page on exports quotes


@pytest.fixture(scope="session")
def quoted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The verifier, in a file of its own."""
    text = (DOCS / "export-format.md").read_text(encoding="utf-8")
    found = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(found) == 1
    file = tmp_path_factory.mktemp("quoted") / "verify.py"
    file.write_text(found[0], encoding="utf-8")
    return file


def verdict(verifier: Path, file: Path, key: str = SIGNER.verifier.vkey) -> tuple[int, str]:
    """What it says: exit code and words."""
    command = [sys.executable, "-I", str(verifier), str(file), key]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=file.parent)
    return ran.returncode, (ran.stdout + ran.stderr).strip()


@pytest.fixture
def busy(premises: Premises) -> Premises:
    """A delivered card and some events at the doors."""
    _, person = premises.delivered()
    premises.door_events(40, person=person.id)
    return premises


@pytest.fixture
def premises(fresh_store: SqlStore) -> Premises:
    """Six people with roles, two doors, one terminal."""
    return Premises(store=fresh_store)


def test_the_quoted_verifier_shares_nothing_with_us(quoted: Path) -> None:
    tree = ast.parse(quoted.read_text(encoding="utf-8"))
    roots = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    assert roots - sys.stdlib_module_names == {"cryptography"}


@pytest.mark.parametrize("fmt", ["csv", "jsonl"])
def test_the_quoted_verifier_accepts_what_we_export(busy: Premises, quoted: Path, tmp_path: Path, fmt: Format) -> None:
    desk, actor = ExportDesk(busy.office, busy.keeper), busy.actors["auditor"]
    part = EventFilter(doors=("sub-1",))
    made = [
        desk.make(actor, which=EVERYTHING, fmt=fmt, target=tmp_path / f"all.{fmt}"),
        desk.make(actor, which=part, fmt=fmt, target=tmp_path / f"part.{fmt}"),
        desk.make(actor, which=part, fmt=fmt, target=tmp_path / f"public.{fmt}", public=True),
        desk.whole_record(actor, tmp_path / "record.jsonl"),
    ]
    for one in made:
        assert one.lines > 20
        assert verdict(quoted, one.path) == (0, f"verified: {one.lines} entries")


def swapped(text: bytes, old: bytes, new: bytes) -> bytes:
    """The text with one thing changed, which must be there."""
    assert old in text
    return text.replace(old, new, 1)


SPOILS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a word of a column": ("", lambda text: swapped(text, b"door:entry:granted", b"door:entry:refused")),
    "a line left out": ("", lambda text: b"".join(text.splitlines(keepends=True)[:-1])),
    "the digest adapted": (".manifest", lambda text: re.sub(rb'"sha256":"[0-9a-f]', b'"sha256":"x', text)),
    "the size": (".manifest", lambda text: swapped(text, b"/record\\n", b"/record\\n1")),
    "who exported": (".manifest", lambda text: swapped(text, b'"exported_by":"', b'"exported_by":"not ')),
    "the seal taken off": (".manifest", lambda text: re.sub(rb'"seal":"[^"]*",', b"", text)),
    "a proof": (".proofs", lambda text: re.sub(rb'\["[0-9a-f]{4}', b'["0000', text)),
    "no proof at all": (".proofs", lambda text: text[:0]),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_the_quoted_verifier_refuses_what_was_changed(busy: Premises, quoted: Path, tmp_path: Path, spoil: str) -> None:
    desk = ExportDesk(busy.office, busy.keeper)
    made = desk.make(busy.actors["auditor"], which=EventFilter(doors=("sub-1",)), fmt="csv", target=tmp_path / "e.csv")
    suffix, change = SPOILS[spoil]
    file = Path(f"{made.path}{suffix}")
    file.write_bytes(change(file.read_bytes()))
    code, said = verdict(quoted, made.path)
    assert code == 1
    assert said.startswith("not verified: ")
    assert "Traceback" not in said
