"""The values of every hash formula. A row that must change needs a new format in its pre-image, and readable old ones.

The values were taken from the package before its formulas came together in one file.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_jupyter.runtime import hashing
from mlops_jupyter.runtime.executors import remote_task
from mlops_jupyter.runtime.fingerprints.fingerprint import fingerprint
from mlops_jupyter.runtime.model import pipeline
from tests.house.source import PACKAGE, modules

FACTS = ("4f", [("x", "load")], (("y",),), [], [("n", "3")])
SHARED = hashing.source_digest("", [("shared.py", b"y = 2\n")])

GOLDEN: dict[str, tuple[Callable[[], object], object]] = {
    "content_digest": (
        lambda: hashing.content_digest(b"rows"),
        "2b492deb3f168fc524a0e70112047a24cde68acd7abfbceaecd793d2a5d24f95",
    ),
    "content_digest of nothing": (
        lambda: hashing.content_digest(b""),
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
    ),
    "secret_digest": (
        lambda: hashing.secret_digest("API_TOKEN", "x7Kq-92fa"),
        "0906794002cfc0b3f33d0b220cc271e8bca234a7c7664d619dbe43d88843865e",
    ),
    "initial_value_digest": (
        lambda: hashing.initial_value_digest({"b": [1, 2.5], "a": None}),
        "0e45b15d7900ca23b9b22b2e65b87158fe4b89116a537734d93c9f31e5535afe",
    ),
    "step_version": (lambda: hashing.step_version("x = 1", "y = 2"), "7172138a813574feb97f398d992b46b7"),
    "shown_version": (lambda: hashing.shown_version("x = 1"), "a4d39a604bd1"),
    "source_digest of shared code": (lambda: SHARED, "42e105174d28ab485d635ed766d8bc36"),
    "source_digest": (
        lambda: hashing.source_digest(SHARED, [("steps/a.py", b"x = 1\r\n")]),
        "60ebfff0507411411db8df43ce3f44fd",
    ),
    "module_version": (
        lambda: hashing.module_version([b"a = 1\n", b"b = 2\n"]),
        "source:339fbfac0c44340e75200799691d1c21e09a235bf3516defb948f577a08304c3",
    ),
    "stage_version": (lambda: hashing.stage_version(FACTS), "de56708c6466"),
    "written_file_digest": (lambda: hashing.written_file_digest(b"a\r\nb\n"), "8d020eb46fdee76eed11c25c3c809ede"),
    "written_line_digest": (lambda: hashing.written_line_digest("x = 1"), "26df36cb"),
    "written_line_digest of an empty line": (lambda: hashing.written_line_digest(""), "1271cf25"),
    "name_mark of four bytes": (lambda: hashing.name_mark("日本", 4), "ce47dfba"),
    "name_mark of three bytes": (lambda: hashing.name_mark("Train", 3), "2fa311"),
    "path_mark": (lambda: hashing.path_mark(Path("/home/a/b")), "ed544c04"),
    "path_mark of text": (lambda: hashing.path_mark("/home/a/b"), "ed544c04"),
    "tracking_id": (
        lambda: hashing.tracking_id("churn", "r1", "train", "0"),
        "b79462b24d2aa50d8c58229822d35ae0",
    ),
    "entropy": (lambda: hashing.entropy("00ff", 3).hex()[:16], "7a61fbee1539d7c8"),
    "default_hasher": (lambda: fingerprint({"a": [1, 2.5]}), "bfd83ff11c6df028c4bbe329905f8498"),
    "kernel_hasher": (
        lambda: fingerprint({"a": [1, 2.5]}, new=hashing.kernel_hasher()),
        "46be701d624e54a07aaba72574e6ed40",
    ),
    "watched_file_digest": (lambda: hashing.watched_file_digest(b"rows"), "a6b027b67ea9f1eb79b98e5d40656a87"),
}


@pytest.mark.parametrize(("value", "expected"), GOLDEN.values(), ids=GOLDEN)
def test_no_formula_changes_unnoticed(value: Callable[[], object], expected: object) -> None:
    assert value() == expected


def test_a_file_has_the_digest_of_its_content(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(b"a,b\r\n1,2\r\n")
    assert hashing.file_digest(file) == "9c05cf5e3623de78484c544a6c0e8f628651c757c1a1f7d484bf2320b0dea5cd"
    assert hashing.file_digest(file) == hashing.content_digest(file.read_bytes())


def test_the_key_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 11, 2))
    outputs = (("y",), ("~random",))
    step = pipeline.Step("a", "p.a:a", "4f0c", inputs={"x": "load"}, outputs=outputs, parameters=("n",))
    key = pipeline.cache_key(step, {"x": "ab"}, {"n": 3, "m": 1}, {"numpy": "2.0"}, {"MPLBACKEND": "Agg"})
    assert key == "b444ad60580a0c15650a52d1f407f5bb21a69ed9b4b50da459d1d22f03a90f85"


def test_every_formula_has_its_value_here() -> None:
    elsewhere = {"file_digest", "cache_key_digest", "change_hasher"}
    formulas = {name for name, _ in inspect.getmembers(hashing, inspect.isfunction) if not name.startswith("_")}
    assert formulas == {name.partition(" ")[0] for name in GOLDEN} | elsewhere


def test_a_cluster_checks_the_bundles_code_by_the_formula_of_stores() -> None:
    """`errand` travels to workers by value, so it has the formula's text a second time."""
    assert "hashlib.blake2b(data, digest_size=32).hexdigest()" in inspect.getsource(remote_task)


def hashes(node: ast.AST) -> bool:
    """Whether a part of a module gets hold of a hash function."""
    if isinstance(node, ast.Import):
        return any(alias.name == "hashlib" for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.module in ("hashlib", "xxhash")
    return isinstance(node, ast.Attribute) and node.attr.startswith(("xxh", "blake2"))


def test_formulas_stand_in_one_file() -> None:
    """House rule 8. What is hashed elsewhere is hashed by a function of `runtime/hashing.py`."""
    alone = {Path(hashing.__file__), Path(remote_task.__file__)}
    found = [
        f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
        for path, tree in modules().items()
        if path not in alone
        for node in ast.walk(tree)
        if hashes(node)
    ]
    assert found == []
