"""How large and how flat the product code is: the figures that a change of structure is held to.

python -m tools.house_size            # figures, with the limit where there is one
python -m tools.house_size --names    # and what they are made of
"""

from __future__ import annotations

import argparse
import ast
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "pivotlens"
# The imports that may stand in functions, with the reason; a test holds the source against it.
LATE_IMPORTS = ROOT / "tests" / "unit" / "late_imports.tsv"
# Tools that render results pages, as far as there are any.
RESULTS_TOOLS = ("*_results.py", "attribution_facts.py")
# The most that the product may have; None where the figure is only shown.
LIMITS = {
    "lines of report and results tools": 4500,
    "functions named stage_run": 1,
    "imports in functions": 40,
    "functions with more than 6 parameters": 0,
    "class names that are repeated": None,
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class FunctionImport:
    """A module imported inside a function.

    Attributes:
        file: Path within the package.
        function: Qualified name of the function.
        module: What is imported, dots in front where it is relative.
    """

    file: str
    function: str
    module: str


@dataclass(frozen=True)
class Source:
    """A file of the product."""

    path: str
    tree: ast.Module

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Yield all functions and methods with their qualified names."""

        def walk(node: ast.AST, owners: tuple[str, ...]) -> Iterator[tuple[str, Function]]:
            for child in ast.iter_child_nodes(node):
                named = isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
                inner = (*owners, child.name) if named else owners  # type: ignore[attr-defined]
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield ".".join(inner), child
                yield from walk(child, inner)

        return walk(self.tree, ())


def sources(package: Path = PACKAGE) -> list[Source]:
    """Return the parsed files of a package, in the order of their paths."""
    return [
        Source(path.relative_to(package).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(package.rglob("*.py"))
    ]


def imports_in_functions(files: list[Source]) -> list[FunctionImport]:
    """Return each import statement inside a function, once for each module that it names."""
    found = []
    for file in files:
        for name, function in file.functions():
            for node in _own_statements(function):
                if isinstance(node, ast.Import):
                    found += [FunctionImport(file.path, name, alias.name) for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    found.append(FunctionImport(file.path, name, "." * node.level + (node.module or "")))
    return sorted(found)


def _own_statements(function: Function) -> Iterator[ast.AST]:
    """Yield what stands in a function, but not in one that is within it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)


def late_imports() -> dict[FunctionImport, str]:
    """Return the imports that are listed, with the reason."""
    with LATE_IMPORTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", strict=True))
    return {FunctionImport(row["file"], row["function"], row["module"]): row["reason"].strip() for row in rows}


def write_late_imports(files: list[Source]) -> None:
    """List the imports that there are; what is new gets the reason of its module in that file, or none."""
    known = late_imports()
    by_module = {(one.file, one.module): reason for one, reason in known.items()}
    lines = ["file\tfunction\tmodule\treason"]
    for one in sorted(set(imports_in_functions(files))):
        reason = known.get(one) or by_module.get((one.file, one.module), "")
        lines.append(f"{one.file}\t{one.function}\t{one.module}\t{reason}")
    LATE_IMPORTS.write_text("\n".join([*lines, ""]), encoding="utf-8")


def many_parameters(files: list[Source], most: int = 6) -> list[str]:
    """Return the functions with more parameters than that, ``self`` and ``cls`` not counted."""
    found = []
    for file in files:
        for name, function in file.functions():
            given = function.args
            parameters = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            parameters += [one.arg for one in (given.vararg, given.kwarg) if one]
            number = len(parameters) - (parameters[:1] in (["self"], ["cls"]))
            if number > most:
                found.append(f"{file.path}: {name} ({number})")
    return found


def repeated_classes(files: list[Source]) -> list[str]:
    """Return the names of classes that several files define."""
    places: dict[str, list[str]] = {}
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(file.path)
    return [f"{name}: {', '.join(paths)}" for name, paths in sorted(places.items()) if len(paths) > 1]


def _lines(paths: list[Path]) -> int:
    return sum(path.read_bytes().count(b"\n") for path in paths)


def report_lines() -> int:
    """Return the lines of the report, templates and scripts too, and of the tools that render results."""
    room = [path for path in (PACKAGE / "report").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return _lines(room + [path for pattern in RESULTS_TOOLS for path in (ROOT / "tools").glob(pattern)])


def lines_by_room() -> dict[str, int]:
    """Return the lines of Python in each room; files of the package itself stand under ``.``."""
    lines: Counter[str] = Counter()
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).parts
        lines[parts[0] if len(parts) > 1 else "."] += _lines([path])
    return dict(sorted(lines.items()))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--names", action="store_true", help="also print what the figures are made of")
    parser.add_argument("--late-imports", action="store_true", help=f"write {LATE_IMPORTS.name} anew, and nothing else")
    given = parser.parse_args()
    names: bool = given.names
    files, rooms = sources(), lines_by_room()
    if given.late_imports:
        write_late_imports(files)
        return
    print("lines of Python")
    for room, lines in rooms.items():
        print(f"  {room:<12}{lines:>7,}")
    print(f"  {'all':<12}{sum(rooms.values()):>7,}")
    imports = imports_in_functions(files)
    plans = [f"{file.path}: {name}" for file in files for name, _ in file.functions() if name == "stage_run"]
    many, repeated = many_parameters(files), repeated_classes(files)
    figures: dict[str, tuple[int, list[str]]] = {
        "lines of report and results tools": (report_lines(), []),
        "functions named stage_run": (len(plans), plans),
        "imports in functions": (len(imports), [f"{one.file}: {one.function}: {one.module}" for one in imports]),
        "functions with more than 6 parameters": (len(many), many),
        "class names that are repeated": (len(repeated), repeated),
    }
    for title, (number, made_of) in figures.items():
        limit = LIMITS[title]
        print(f"{title}: {number:,}" + ("" if limit is None else f" (at most {limit:,})"))
        for one in made_of if names or title == "functions with more than 6 parameters" else ():
            print(f"  {one}")


if __name__ == "__main__":
    main()
