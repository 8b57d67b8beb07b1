"""Files that lie beside the notebook's folder: a bundle has them where the code looks, when the project is gone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.services.export.recorded import export


@dataclass(frozen=True)
class Case:
    """A notebook in `notebooks/` of a project, with the project's files on the day of export and on another day."""

    cells: tuple[str, ...]
    today: int
    other: int
    files: dict[str, str] = field(default_factory=lambda: {"data/n.txt": "1"})
    newer: dict[str, str] = field(default_factory=lambda: {"data/n.txt": "2"})


LOADER = "from pathlib import Path\nHERE = Path(__file__).resolve().parent\ndef load():\n    return "

CASES = {
    "a path that leads up": Case(("text = open('../data/n.txt').read()", "answer = int(text)"), 1, 2),
    "a path from the working directory": Case(
        ("from pathlib import Path\nroot = Path.cwd().parent", "answer = int((root / 'data' / 'n.txt').read_text())"),
        1,
        2,
    ),
    "a change of the working directory": Case(
        (
            "import os\nif Path.cwd().name == 'notebooks':\n    os.chdir('..')",
            "answer = int(open('data/n.txt').read())",
        ),
        1,
        2,
    ),
    "a pattern": Case(
        (
            "from glob import glob\nfiles = sorted(glob('../data/*.txt'))",
            "answer = sum(int(open(f).read()) for f in files)",
        ),
        6,
        7,
        {"data/n.txt": "1", "data/z.txt": "5"},
    ),
    "a folder that is listed": Case(
        ("import os\nnames = os.listdir('../data')", "answer = len(names)"),
        2,
        2,
        {"data/n.txt": "1", "data/z.txt": "5"},
    ),
    "a search for the project's top": Case(
        (
            "root = Path.cwd()\nwhile not (root / 'pyproject.toml').exists():\n    root = root.parent",
            "answer = int((root / 'data/n.txt').read_text())",
        ),
        1,
        2,
        {"pyproject.toml": "", "data/n.txt": "1"},
    ),
    "a name alone in the folder of newer data": Case(
        ("text = open('../data/n.txt').read()", "answer = int(text)"), 1, 2, newer={"n.txt": "2"}
    ),
    "two files of one name": Case(
        ("a = int(open('n.txt').read())", "answer = 10 * a + int(open('../data/n.txt').read())"),
        31,
        32,
        {"notebooks/n.txt": "3", "data/n.txt": "1"},
    ),
    "a module that looks beside itself": Case(
        ("import beside_me", "answer = int(beside_me.load())"),
        1,
        2,
        {"notebooks/beside_me.py": f"{LOADER}(HERE / 'n.txt').read_text()\n", "notebooks/n.txt": "1"},
        {"n.txt": "2"},
    ),
    "a package above that looks up": Case(
        ("import sys\nsys.path.append('..')\nfrom own_code.above import load", "answer = int(load())"),
        1,
        2,
        {
            "own_code/__init__.py": "",
            "own_code/above.py": f"{LOADER}(HERE.parent / 'data' / 'n.txt').read_text()\n",
            "data/n.txt": "1",
        },
    ),
    "resources of a package": Case(
        ("from own_parts import load", "answer = int(load())"),
        1,
        2,
        {
            "notebooks/own_parts/__init__.py": "import importlib.resources as r\n"
            "def load():\n    return r.files('own_parts').joinpath('n.txt').read_text()\n",
            "notebooks/own_parts/n.txt": "1",
        },
        {"own_parts/n.txt": "2"},
    ),
}


def lay(folder: Path, files: dict[str, str]) -> None:
    """Write files into a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def exported(folder: Path, cells: Sequence[str], files: dict[str, str]) -> dict[str, Any]:
    """Export a notebook of a project; the bundle stands in `folder / "bundle"`, and the project is gone then."""
    notebooks = folder / "project" / "notebooks"
    lay(folder / "project", files)
    notebooks.mkdir(parents=True, exist_ok=True)
    played = ["from pathlib import Path", *cells]
    before = f"import sys\nsys.path.insert(0, {str(notebooks)!r})"
    answer = export(notebooks, [(f"# Part {n}", cell) for n, cell in enumerate(played)], ["answer"], before=before)
    if "fault" not in answer:
        (notebooks / "out").rename(folder / "bundle")
        shutil.rmtree(folder / "project")
    return answer


def ran(folder: Path, *words: str, fails: bool = False) -> Any:
    """Run the bundle in a store of its own; return its answer, or what it says where it fails."""
    store = folder / f"store{len(words)}"
    command = [sys.executable, "-m", "play", "run", "--store", str(store), "--run", "other", *words]
    ended = subprocess.run(command, cwd=folder / "bundle" / "src", capture_output=True, text=True, timeout=120)
    assert (ended.returncode != 0) == fails, ended.stderr
    return ended.stderr if fails else json.loads((store / "other" / "outputs" / "answer.json").read_text())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_bundle_has_the_files_where_its_code_looks(case: Case, tmp_path: Path) -> None:
    answer = exported(tmp_path, case.cells, case.files)
    assert "fault" not in answer, answer
    assert ran(tmp_path) == case.today
    lay(tmp_path / "newer", case.newer)
    assert ran(tmp_path, "--data", str(tmp_path / "newer")) == case.other


@pytest.mark.parametrize("to", ["file", "folder"])
def test_symbolic_links_lead_to_files_that_travel(to: str, tmp_path: Path) -> None:
    lay(tmp_path / "elsewhere", {"n.txt": "1"})
    notebooks = tmp_path / "project" / "notebooks"
    notebooks.mkdir(parents=True)
    link, path = ("n.txt", "n.txt") if to == "file" else ("data", "data/n.txt")
    (notebooks / link).symlink_to(tmp_path / "elsewhere" / ("n.txt" if to == "file" else ""))
    exported(tmp_path, [f"text = open({path!r}).read()", "answer = int(text)"], {})
    shutil.rmtree(tmp_path / "elsewhere")
    assert ran(tmp_path) == 1


def test_a_file_that_is_written_and_read_by_two_names_is_refused(tmp_path: Path) -> None:
    notebooks = tmp_path / "project" / "notebooks"
    lay(notebooks, {"real.txt": "1"})
    (notebooks / "link.txt").symlink_to("real.txt")
    cells = ["with open('real.txt', 'w') as f:\n    f.write('2')", "answer = int(open('link.txt').read())"]
    assert "uses 'link.txt', a link to 'real.txt', which a cell wrote" in exported(tmp_path, cells, {})["fault"]


def test_a_whole_path_is_said_and_never_silently_the_old_file(tmp_path: Path) -> None:
    data = tmp_path / "elsewhere"
    lay(data, {"n.txt": "1"})
    answer = exported(tmp_path, [f"text = open({str(data / 'n.txt')!r}).read()", "answer = int(text)"], {})
    assert f"the data file {str(data / 'n.txt')!r} is read at this whole path" in " ".join(answer["notes"])
    lay(tmp_path / "newer", {"n.txt": "2"})
    assert "which the notebook names by its whole path" in ran(tmp_path, "--data", str(tmp_path / "newer"), fails=True)


def test_what_may_be_a_secret_is_refused(tmp_path: Path) -> None:
    answer = exported(tmp_path, ["text = open('../.env').read()", "answer = len(text)"], {".env": "KEY=1"})
    assert "reads '../.env', which may hold secrets and stays out of the bundle" in answer["fault"]
    assert not (tmp_path / "bundle").exists()
