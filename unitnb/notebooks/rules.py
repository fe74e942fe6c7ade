"""Rules for make: the notebooks, and the files that each depends on and writes.

Standard library only: make asks before the environment exists (``python3 -m unitnb.notebooks.rules``).
"""

import ast
import sys
from pathlib import Path

from .. import _MODULE_OF
from ..profiles import project_root

PACKAGE = Path(__file__).parents[1]


def sources() -> list[Path]:
    """The notebooks' sources ``notebooks/NN_*.py`` in the order of the paper, the only list of them."""
    return sorted((project_root() / "notebooks").glob("[0-9][0-9]_*.py"))


def pair_sources() -> list[Path]:
    """The sources of all notebook pairs: those of the paper, and the explorer, which makes no figure."""
    return [*sources(), *(project_root() / "notebooks").glob("explore.py")]


def _attributes(tree: ast.AST) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "unitnb"
    }


def _modules(name: str) -> set[Path]:
    """The files of a dotted name below ``unitnb``.

    It names a module, a public name (its module), or a package (all its modules).
    """
    path = PACKAGE.joinpath(*name.split("."))
    if path.with_suffix(".py").is_file():
        return {path.with_suffix(".py")}
    if path.is_dir():
        return set(path.rglob("*.py"))
    public, above = _MODULE_OF.get(path.name), PACKAGE.joinpath(*name.split(".")[:-1])
    if public and PACKAGE.joinpath(*public.split(".")).is_relative_to(above):
        return _modules(public)
    return {file for file in (above.with_suffix(".py"), above / "__init__.py") if file.is_file()}


def _imports(tree: ast.AST, package: tuple[str, ...]) -> set[Path]:
    """The files that code inside ``package`` imports by ``from . import`` or ``from unitnb import``."""
    found: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "unitnb"):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            base = [*above, *(node.module or "").split(".")[0 if node.level else 1 :]]
            names = (".".join([*filter(None, base), alias.name]) for alias in node.names)
            found |= {file for name in names for file in _modules(name)}
    return found


def imported_modules(module: Path) -> set[Path]:
    """The files of unitnb that one of its files imports from."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return _imports(tree, module.parent.relative_to(PACKAGE).parts) - {module}


def dependencies(source: Path) -> list[Path]:
    """The files that a notebook uses: the modules of the names it calls, and all that these import."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    waiting = {file for name in _attributes(tree) for file in _modules(name)} | _imports(tree, ())
    found: set[Path] = set()
    while waiting:
        found.add(module := waiting.pop())
        waiting |= imported_modules(module) - found
    return sorted(found)


def saved_files(source: Path) -> list[str]:
    """The files that a notebook writes, by the literal names in its ``unitnb.save_*`` calls.

    Figures with the numbers behind them, and tables.
    """
    endings = {"save_figure": (".png", ".csv"), "save_table": (".md",)}
    found = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            for ending in endings.get(getattr(node.func, "attr", ""), ()):
                found.append(ast.literal_eval(node.args[1]) + ending)
    return found


def make_rules() -> str:
    """Two variables for each notebook, for the Makefile: the files it depends on, and those it writes."""
    lines = []
    for source in sources():
        files = [PACKAGE / "__init__.py", *dependencies(source)]
        modules = " ".join((Path("unitnb") / file.relative_to(PACKAGE)).as_posix() for file in files)
        lines += [
            f"DEPENDS_{source.stem} := {modules}",
            f"WRITES_{source.stem} := {' '.join(saved_files(source))}",
        ]
    return "\n".join([f"NOTEBOOKS := {' '.join(source.stem for source in sources())}", *lines, ""])


if __name__ == "__main__":
    sys.stdout.write(make_rules())
