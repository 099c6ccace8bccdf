"""What a Python source says, read from its syntax tree: the tests of the architecture ask here instead of grepping.

Names are resolved through the imports of their module, so that `from datetime import datetime as d; d.now()` is
`datetime.datetime.now` whatever it was called there.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One module: where it lies, relative to the project, and its tree."""

    path: str
    tree: ast.Module

    @classmethod
    def read(cls, root: Path, path: Path) -> "Source":
        return cls(
            path=path.relative_to(root).as_posix(), tree=ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        )

    @classmethod
    def of(cls, text: str) -> "Source":
        """A module that exists in a test only."""
        return cls(path="<text>", tree=ast.parse(text))

    def imports(self) -> frozenset[str]:
        """The dotted names of the modules it imports, at any depth of the code; relative imports are none of them."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module)
        return frozenset(found)

    def roots(self) -> frozenset[str]:
        """The first parts of `imports()`: `os` for `os.path`."""
        return frozenset(name.partition(".")[0] for name in self.imports())

    def mentions(self) -> frozenset[str]:
        """Every dotted name that the code uses, resolved through its imports; built-ins under their own name."""
        bound = self._bound()
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                dotted = _dotted(node)
                if dotted:
                    head, _, tail = dotted.partition(".")
                    found.add(f"{bound.get(head, head)}.{tail}" if tail else bound.get(head, head))
        return frozenset(found)

    def _bound(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    head = alias.name if alias.asname else alias.name.partition(".")[0]
                    names[alias.asname or head] = head
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return names

    def calls_of(self, method: str) -> Iterator[ast.Call]:
        """Calls of a method by its name, whatever it is called on."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
                yield node

    def hidden_commits(self) -> list[int]:
        """Lines of `x.commit()` that do not stand, outside a loop, in the `with … as x:` whose transaction they end."""
        return sorted(_hidden(self.tree, frozenset()))


def _dotted(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def _hidden(node: ast.AST, open_here: frozenset[str]) -> Iterator[int]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
        owner = node.func.value
        if not (isinstance(owner, ast.Name) and owner.id in open_here):
            yield node.lineno
    if isinstance(node, ast.With):
        names = {item.optional_vars.id for item in node.items if isinstance(item.optional_vars, ast.Name)}
        open_here |= names
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.For | ast.While):
        open_here = frozenset()  # a transaction opened outside a loop, or outside this function, is not ended in it
    for child in ast.iter_child_nodes(node):
        yield from _hidden(child, open_here)
