"""What the product's source does nowhere but where a list gives the reason: patches at run time, late imports.

Where a list is out of date the failing test prints the lines that are new and those that are gone;
`python -m tools.house_size --late-imports` writes the list of imports anew, and leaves the reasons to be filled in.
"""

import ast
from collections.abc import Iterator

import pytest
from tools.house_size import LATE_IMPORTS, FunctionImport, Source, imports_in_functions, late_imports, sources

INTERNALS = "models/library_internals.py"

# What touches others at run time, by file and source text, and why it must.
PATCHES = {
    (INTERNALS, "setattr(module, f'{prefix}max_seq_len_cached', module.original_max_seq_len)"): "see forget_lengths",
    (INTERNALS, "setattr(owner, name, nn.ModuleList(list(blocks)[:depth]))"): "see cut_off; given back",
    (INTERNALS, "setattr(owner, name, blocks)"): "gives back what cut_off had taken",
    (INTERNALS, "model.config._attn_implementation"): "see attention_kind",
    (INTERNALS, "model._no_split_modules"): "see undivided_modules",
    (INTERNALS, "torch._softmax_backward_data"): "see softmax_gradient",
    (INTERNALS, "hasattr(module, '_hf_hook')"): "see is_offloaded",
    (INTERNALS, "getattr(module, '_hf_hook', None)"): "see execution_device",
    (INTERNALS, "getattr(model, '_orig_mod', None)"): "see compiled_module",
}
# Public in spite of its underscore.
_PUBLIC = {"_replace", "_asdict", "_fields", "_exit"}


@pytest.fixture(scope="module")
def files() -> list[Source]:
    """The product's source, parsed once."""
    return sources()


def _roots(target: ast.AST) -> Iterator[ast.Attribute]:
    """Yield the attributes that an assignment or a deletion writes."""
    if isinstance(target, ast.Tuple | ast.List):
        for one in target.elts:
            yield from _roots(one)
    elif isinstance(target, ast.Attribute):
        yield target


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _imported(tree: ast.Module) -> set[str]:
    """Return the names that imports bind, anywhere in the file."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _is_private(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_") and not name.startswith("__") and name not in _PUBLIC


def patches(file: Source) -> list[tuple[str, str]]:
    """Return what a file patches, and which privates of others it touches."""
    imported, found = _imported(file.tree), []
    for node in ast.walk(file.tree):
        is_patch = False
        if isinstance(node, ast.Assign | ast.Delete):
            is_patch = any(_root(one) in imported for target in node.targets for one in _roots(target))
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            is_patch = any(_root(one) in imported for one in _roots(node.target))
        elif isinstance(node, ast.Attribute):
            is_patch = _is_private(node.attr) and ast.unparse(node.value) not in {"self", "cls"}
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            named = [one.value for one in node.args if isinstance(one, ast.Constant)]
            is_patch = (
                name in {"setattr", "delattr", "__setattr__", "__delattr__"}
                or (name in {"getattr", "hasattr", "attrgetter"} and any(_is_private(one) for one in named))
                or (name == "set_start_method" and any(one.arg == "force" for one in node.keywords))
            )
        elif isinstance(node, ast.ImportFrom):
            is_patch = any(_is_private(alias.name) for alias in node.names)
        if is_patch:
            found.append((file.path, ast.unparse(node)))
    return found


def _differences(found: set[str], listed: set[str], where: str) -> str:
    lines = [f"+ {line}" for line in sorted(found - listed)] + [f"- {line}" for line in sorted(listed - found)]
    return f"{where} is out of date (+ is new, - is gone):\n" + "\n".join(lines)


def test_nothing_of_others_is_patched_or_private_but_what_is_listed_with_a_reason(files):
    found = {f"{path}: {text}" for file in files for path, text in patches(file)}
    listed = {f"{path}: {text}" for path, text in PATCHES}
    assert found == listed, _differences(found, listed, "PATCHES")
    assert all(PATCHES.values())


def test_imports_stand_in_functions_only_with_a_reason(files):
    def line(one: FunctionImport) -> str:
        return f"{one.file}\t{one.function}\t{one.module}"

    reasons = late_imports()
    found, listed = {line(one) for one in imports_in_functions(files)}, {line(one) for one in reasons}
    assert found == listed, _differences(found, listed, LATE_IMPORTS.name)
    without = [line(one) for one, reason in reasons.items() if not reason]
    assert not without, "\n".join(["these have no reason:", *without])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os\nos.environ = {}", ["os.environ = {}"]),
        ("from x import Popen\nPopen.launch, a = b, 1", ["Popen.launch, a = (b, 1)"]),
        ("from x import Popen\ndel Popen.a.b", ["del Popen.a.b"]),
        ("import x\nx.count += 1", ["x.count += 1"]),
        ("object.__setattr__(self, 'a', 1)", ["object.__setattr__(self, 'a', 1)"]),
        ("setattr(module, name, 1)", ["setattr(module, name, 1)"]),
        ("getattr(module, '_hook', None)", ["getattr(module, '_hook', None)"]),
        ("getattr(module, 'hook', None)\nself._x\nself.y = 1\nrow._replace(a=1)\nmodule.__dict__", []),
        ("a.b._c", ["a.b._c"]),
        ("from x import _y", ["from x import _y"]),
        ("multiprocess.set_start_method('spawn', force=True)", ["multiprocess.set_start_method('spawn', force=True)"]),
        ("multiprocessing.get_context('spawn')", []),
    ],
)
def test_a_patch_is_seen(source, expected):
    assert [text for _, text in patches(Source("file.py", ast.parse(source)))] == expected


def test_an_import_in_a_function_is_seen_once_and_with_its_place():
    source = (
        "import a\nif a:\n    import b\nclass C:\n    def d(self):\n        import e, f.g\n"
        "        def h():\n            from .i import j\n        if e:\n            import k"
    )
    found = imports_in_functions([Source("file.py", ast.parse(source))])
    assert [(one.function, one.module) for one in found] == [
        ("C.d", "e"), ("C.d", "f.g"), ("C.d", "k"), ("C.d.h", ".i"),
    ]  # fmt: skip


def test_the_report_computes_no_statistic(files):
    """It draws with numpy, and takes of the statistics the shape of an interval alone."""
    for file in files:
        if file.path.startswith("report/"):
            for node in ast.walk(file.tree):
                if isinstance(node, ast.Import):
                    modules = {alias.name.partition(".")[0] for alias in node.names}
                    assert not modules & {"scipy", "numpy", "statistics"} or file.path == "report/charts.py", file.path
                elif (
                    isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pivotlens.statistics")
                ):
                    assert [alias.name for alias in node.names] == ["Interval"], file.path
