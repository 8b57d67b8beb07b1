"""Files that somebody damaged and lines that somebody mistyped: one line or the right answer, never a traceback."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.errors import UserError as RuntimeUserError
from mlops_jupyter.runtime.execution.cache_lookup import CacheLookup
from mlops_jupyter.runtime.model.pipeline import Pipeline, Step
from mlops_jupyter.runtime.storage.store import Store
from mlops_jupyter.runtime.verify import verification
from mlops_jupyter.services.export.bundle import manifest, read
from mlops_jupyter.services.retention import run_stores
from mlops_jupyter.services.retention.policy import Deleted, Policy
from mlops_jupyter.surfaces.cli import headless
from tests.fuzz import mutants
from tests.services.export.recorded import export, notebook
from tests.services.pipeline.played import session

STEP = Step("load", "demo.steps.load:load", "1", outputs=(("x",),))
PIPELINE = Pipeline("demo", "demo", (STEP,), outputs={"x": "load"})


def one_line(act: Callable[[], object], what: str) -> bool:
    """Do something; return whether it was refused. A refusal must be a line, and nothing else may be raised."""
    try:
        act()
    except (UserError, RuntimeUserError) as fault:
        assert "\n" not in str(fault).strip(), what
        assert str(fault), what
        return True
    except BaseException as fault:
        raise AssertionError(f"{type(fault).__name__}: {fault}\nfor {what[:2000]}") from fault
    return False


def test_notebooks(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    text = json.dumps(notebook([("# Load", "x = 1", "skip"), "print(x)"]))
    refused = 0
    for mutant in mutants.of_json(text, "notebook"):
        path.write_text(mutant, errors="surrogatepass")
        refused += one_line(lambda: headless.read(path), mutant)
    assert 0 < refused < mutants.COUNT


def store_of(folder: Path) -> Store:
    store = Store(folder)
    data = b'{"a": 1}'
    artifact = {"names": ["x"], "digest": store.put(data), "format": "pickle", "bytes": len(data)}
    delivered = {"name": "x", "file": "x.json", "format": "json", "fingerprint": "0", "note": None}
    facts = {"outputs": [artifact], "delivered": [{**artifact, **delivered}], "tracking": None, "displays": []}
    store.remember("k", {**facts, "volatile": [], "files": {"/nowhere": "1"}})
    store.set_step("one", {"step": "load", "version": "1", "key": "k", "status": "done", "error": None, **facts})
    store.write("one", "outputs/x.json", data)
    store.set_run("one", {"run": "one", "pipeline": "demo", "status": "succeeded", "started": 1.0, "ended": 2.0})
    store.index("one")
    return store


FILES = ("cache/k.json", "one/steps/load.json", "one/run.json", "one/outputs/outputs.json")


@pytest.mark.parametrize("name", FILES)
def test_files_of_a_store(name: str, tmp_path: Path) -> None:
    folder, expected = tmp_path / "store", tmp_path / "expected"
    expected.mkdir()
    row = {"name": "x", "fingerprint": "0", "file": "", "format": "json", "shown": "", "value": {"a": 1}}
    (expected / "expected.json").write_text(json.dumps([row]))
    store_of(folder)
    text = (folder / name).read_text()
    for mutant in mutants.of_json(text, name):
        (folder / name).write_text(mutant, errors="surrogatepass")
        store = Store(folder)
        one_line(lambda store=store: CacheLookup(store, "two", PIPELINE).take(STEP, "k"), mutant)
        one_line(lambda store=store: verification.check(PIPELINE, store, "one", expected), mutant)
        one_line(lambda store=store: store.index("one"), mutant)
        one_line(lambda: run_stores.prune(folder, Policy(1, 1.0, dry_run=True), time.time(), Deleted(True)), mutant)
        shutil.rmtree(folder / "two", ignore_errors=True)


def test_expected_values(tmp_path: Path) -> None:
    store = store_of(tmp_path / "store")
    expected = tmp_path / "expected.json"
    rows = [
        {"name": "x", "fingerprint": "0", "file": "x.json", "format": "json", "shown": "a dict"},
        {"name": "y", "fingerprint": "0", "file": "", "format": "json", "shown": "", "value": [1, 2]},
    ]
    (tmp_path / "x.json").write_text('{"a": 1}')
    pipeline = Pipeline("demo", "demo", (STEP,), outputs={"x": "load", "y": "load"})
    for mutant in mutants.of_json(json.dumps(rows), "expected"):
        expected.write_text(mutant, errors="surrogatepass")
        one_line(lambda: verification.check(pipeline, store, "one", tmp_path), mutant)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    cells = [("", "n = 2", "parameters"), ("# Load", "x = [n] * 3"), ("# Sum", "total = sum(x)")]
    assert "fault" not in export(folder, cells, ["total"], cron="0 6 * * *", targets=["python", "airflow"])
    return folder / "out"


def test_manifests(bundle: Path, tmp_path: Path) -> None:
    text = (bundle / ".bundle.json").read_text()
    for mutant in mutants.of_json(text, "manifest"):
        (tmp_path / ".bundle.json").write_text(mutant, errors="surrogatepass")
        one_line(lambda: manifest.read(tmp_path), mutant)


def test_plans_of_bundles(bundle: Path, tmp_path: Path) -> None:
    text = (bundle / "pipeline.yaml").read_text()
    for mutant in mutants.of_lines([text], "yaml"):
        (tmp_path / "pipeline.yaml").write_text(mutant, errors="surrogatepass")
        one_line(lambda: read.read(tmp_path), mutant)


LINES = [
    "%track log auc=0.9 --step 3",
    "%track start base -e churn",
    "%track params depth=3 'name=a b'",
    "%track end",
    "%register m --name churn --data X,y --alias champion",
    "%pipeline slice x",
    "%pipeline history x",
    "%pipeline export -o out --outputs x --name play",
    "%pipeline --json",
    "%drift a b --name d",
    "%%pipeline load --params n=1 --cpu 2 --memory 4GB --retries 2\nx = 2",
    "%%track base -e churn\nx = 2",
    "%%private\nx = 2",
]


def test_lines_of_magics() -> None:
    refused = 0
    with session() as (run, _):
        run("x = [1, 2]\nm = {'a': 1}\na = b = [1.0, 2.0]")
        for line in mutants.of_lines([line.replace("\n", "\0") for line in LINES], "magic"):
            cell = line.replace("\0", "\n", 1).replace("\0", "")
            result = run(cell)
            fault = result.error_before_exec or result.error_in_exec
            if isinstance(fault, UsageError):
                refused += 1
                assert "\n" not in str(fault).strip(), cell
            else:
                assert fault is None or cell[0] != "%" or isinstance(fault, SyntaxError | NameError), (cell, fault)
    assert refused > 50
