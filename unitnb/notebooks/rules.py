"""What make asks before the environment is there: the notebooks, what each depends on and writes (standard library only)."""

import ast
import sys
from pathlib import Path

from .. import _MODULE_OF
from ..profiles import project_root

PACKAGE = Path(__file__).parents[1]


def sources() -> list[Path]:
    """The notebooks' sources in the order of the paper, ``notebooks/NN_*.py``: the one list of them."""
    return sorted((project_root() / "notebooks").glob("[0-9][0-9]_*.py"))


def pair_sources() -> list[Path]:
    """The sources of all notebook pairs: those of the paper, and the explorer, which makes no figure of it."""
    return [*sources(), *(project_root() / "notebooks").glob("explore.py")]


def _attributes(tree: ast.AST) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "unitnb"
    }


def _modules(name: str) -> set[Path]:
    """The files that a dotted name below ``unitnb`` stands for: a module, the module of a public name, or every module of a package."""
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
    """The files of the package that are imported from by ``from . import`` or ``from unitnb import``, seen from ``package``."""
    found: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "unitnb"):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            base = [*above, *(node.module or "").split(".")[0 if node.level else 1 :]]
            found |= {
                file for alias in node.names for file in _modules(".".join([*filter(None, base), alias.name]))
            }
    return found


def imported_modules(module: Path) -> set[Path]:
    """The files of the package that one of its files imports from."""
    return _imports(
        ast.parse(module.read_text(encoding="utf-8")), module.parent.relative_to(PACKAGE).parts
    ) - {module}


def dependencies(source: Path) -> list[Path]:
    """The files of the package that a notebook uses, by the names it calls and what their modules import."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    waiting = {file for name in _attributes(tree) for file in _modules(name)} | _imports(tree, ())
    found: set[Path] = set()
    while waiting:
        found.add(module := waiting.pop())
        waiting |= imported_modules(module) - found
    return sorted(found)


def saved_files(source: Path) -> list[str]:
    """The figures and tables that a notebook writes, by the literal names in its ``unitnb.save_*`` calls."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "").startswith("save_")
    ]
    endings = {"save_figure": ".png", "save_table": ".md"}
    return [call.args[1].value + endings[call.func.attr] for call in calls if call.func.attr in endings]


def make_rules() -> str:
    """Two variables a notebook for the Makefile: what it depends on, and what it writes."""
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
