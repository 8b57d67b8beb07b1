"""The rules of the house that a machine can check (HOUSE.md is not in the repository; each test says its rule)."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.house.source import PACKAGE, ROOT, Function, files, functions, imported_at_load, modules, where

LONGEST = 60
"""Lines of a function that are not its docstring."""

HEAVY = re.compile(r"(joblib|jsonschema|matplotlib|mlflow|nbformat|numpy|pandas|plotly|pyarrow|scipy|skops|sklearn)\b")

# Spelled in parts, so that this file does not name what it forbids.
MACHINE = re.compile("|".join([r"/wo" + "rk/(main|shared)", "/ro" + "ot/", r"/opt/py" + "pi", r"\.lib" + "rary/"]))
HOSTS = re.compile(
    "|".join(
        part.replace("_", r"\.")
        for part in (
            "py" + "pi_org",
            "python" + "hosted_org",
            "npm" + "js_(org|com)",
            "yarn" + "pkg_com",
            "deb" + "ian_org",
        )
    )
)
JUNK = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "shared"}


def test_there_are_files_to_check() -> None:
    assert len(files()) > 50
    assert len(modules()) > 20


def test_layers() -> None:
    """Dependencies point down (pyproject.toml, tool.importlinter)."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-6000:]
    assert ", 0 broken" in done.stdout


def test_every_return_is_annotated() -> None:
    assert [where(p, f.lineno) for p, tree in modules().items() for f in functions(tree) if f.returns is None] == []


def test_functions_are_small() -> None:
    lengths = {where(p, f.lineno): length(f) for p, tree in modules().items() for f in functions(tree)}
    assert {place: lines for place, lines in lengths.items() if lines > LONGEST} == {}


def length(function: Function) -> int:
    first = function.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if told else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_modules_say_what_they_are() -> None:
    assert [where(path, 1) for path, tree in modules().items() if tree.body and not ast.get_docstring(tree)] == []


def test_heavy_imports_stay_inside() -> None:
    found = [
        f"{where(path, line)} {name}"
        for path, tree in modules().items()
        for line, name in imported_at_load(tree)
        if HEAVY.match(name)
    ]
    assert found == []


def test_runtime_stands_alone() -> None:
    """It is copied into bundles: relative imports and the standard library, nothing else when it is loaded."""
    found = [
        f"{where(path, line)} {name}"
        for path, tree in modules().items()
        if PACKAGE / "runtime" in path.parents
        for line, name in imported_at_load(tree)
        if not name.startswith(".") and name.partition(".")[0] not in sys.stdlib_module_names
    ]
    assert found == []
    runtime = [p for p in modules() if PACKAGE / "runtime" in p.parents]
    ours = re.compile(r"^\s*(from|import) mlops_jupyter\b", re.MULTILINE)
    assert [where(p, 1) for p in runtime if ours.search(p.read_text("utf-8"))] == []


def test_no_junk_drawers() -> None:
    assert [where(path, 1) for path in modules() if path.stem in JUNK or path.parent.name in JUNK] == []


def test_an_assertion_makes_one_claim() -> None:
    """`assert a and b` does not say which half failed. Of two assertions the second is reached if the first held."""
    joined = [
        where(path, node.lineno)
        for path in files()
        if path.suffix == ".py" and path.is_relative_to(ROOT / "tests")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And)
    ]
    assert joined == []


@pytest.mark.parametrize("what", [MACHINE, HOSTS], ids=["a path of one machine", "a registry's host"])
def test_no_file_names(what: re.Pattern[str]) -> None:
    found = []
    for path in files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{where(path, 1 + text.count(chr(10), 0, m.start()))} {m[0]}" for m in what.finditer(text)]
    assert found == []


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.lock")), ids=lambda path: path.name)
def test_locks_hold_versions_alone(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*==[\w.!+]+( ;.*)?", line)] == []


def test_node_lock_holds_no_addresses() -> None:
    assert '"resolved"' not in (ROOT / "labextension" / "package-lock.json").read_text()


def test_magics_import_each_other_without_a_circle() -> None:
    """Imports inside functions count: the table of verbs knows the verbs, and no verb asks it, or who reads it."""
    room = PACKAGE / "surfaces" / "magics"
    parts = {p.relative_to(PACKAGE.parent).with_suffix("").parts: p for p in modules() if room in p.parents}
    names = {".".join(part for part in parts if part != "__init__"): path for parts, path in parts.items()}
    graph = {name: set(_imported(modules()[path], names)) for name, path in names.items()}
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError with the circle


def _imported(tree: ast.Module, names: Collection[str]) -> Iterator[str]:
    """Yield those modules that a file imports when it is loaded or when its functions run; not for types only."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.ImportFrom):
            taken = [f"{node.module}.{alias.name}" for alias in node.names]
            read = {name if name in names else str(node.module) for name in taken}
            yield from read.intersection(names)
        waiting += ast.iter_child_nodes(node)


DUMPS = {"dump", "dump_all", "safe_dump", "safe_dump_all", "serialize", "emit"}
LOADS = {"load", "load_all", "safe_load", "safe_load_all", "full_load", "unsafe_load", "parse", "compose", "scan"}


@pytest.mark.parametrize("calls, home", [(DUMPS, "emit/yaml.py"), (LOADS, "bundle/read.py")], ids=["write", "read"])
def test_one_module_does_it_to_yaml(calls: set[str], home: str) -> None:
    """The one quotes what some reader takes for a number, a day or a truth value; the other checks what it reads."""
    found = [
        where(path, node.lineno)
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if path != PACKAGE / "services" / "export" / home and isinstance(node, ast.Attribute)
        if node.attr in calls and ast.unparse(node.value) == "yaml"
    ]
    assert found == []


CROWDED = 18
"""Modules in one folder, its `__init__` not counted, above which a room needs sub-packages."""

WIRE = PACKAGE / "surfaces" / "server" / "messages.py"
"""Its classes are the types of `wire.ts`, which the panel knows by these names."""

RETIRED = frozenset({
    "asked", "bare", "carried", "carrier", "causes", "choosing", "conductor", "culprit", "differences", "doubts",
    "drafts", "errand", "evidence", "fanning", "faults", "flows", "gather", "given", "here",
    "installed", "journal", "keep", "keep_plan", "listening", "live", "meaning", "parcel", "parting", "parts",
    "pauses", "picture", "pieces", "recall", "refusals", "registering", "silence", "spelling", "standing",
    "submodules", "surroundings", "telling", "uncarried", "unimported", "unseen", "values", "whole", "wishes",
    "writing", "Asked", "Book", "Carrier", "Conductor", "Draft", "Errand", "Evidence", "Fault", "Flows", "Keeper",
    "Kept", "Looked", "Meaning", "Need", "Parcels", "Part", "Parting", "Partings", "Parts", "Pieces", "Ran",
    "Recall", "Registering", "RunBook", "Silence", "Site", "Sound", "Standing", "Surroundings", "Uncarried",
    "Unseen",
})  # fmt: skip
"""Names of modules and classes that gave way to the field's words (ARCHITECTURE.md, "Old words")."""


def test_no_room_is_crowded() -> None:
    rooms = Counter(path.parent for path in modules() if path.name != "__init__.py")
    assert {where(room, 1): count for room, count in rooms.items() if count > CROWDED} == {}


def test_no_class_name_stands_twice() -> None:
    """Whoever searches for a class finds one."""
    places: dict[str, list[str]] = {}
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and path != WIRE:
                places.setdefault(node.name, []).append(where(path, node.lineno))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_retired_names_do_not_come_back() -> None:
    retired = [where(path, 1) for path in modules() if RETIRED & {path.stem, path.parent.name}]
    retired += [
        where(path, node.lineno)
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name in RETIRED and path != WIRE
    ]
    assert retired == []


def test_architecture_names_files_that_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    named = {path for path in re.findall(r"`([\w./-]+\.py)`", text) if "<" not in path and not path.startswith("src/")}
    assert len(named) > 30
    missing = [path for path in sorted(named) if not (PACKAGE / path).is_file() and not (ROOT / path).is_file()]
    assert missing == []


def test_modules_link_to_the_decisions_that_they_obey() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition("## Decisions that are not obvious")[2]
    named = {PACKAGE / path for path in re.findall(r"`([\w/]+\.py)`", text) if (PACKAGE / path).is_file()}
    assert len(named) > 30
    assert [where(path, 1) for path in sorted(named) if "ARCHITECTURE.md" not in path.read_text("utf-8")] == []
