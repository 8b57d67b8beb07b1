"""What makes a step of an exported bundle run again, and what does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.services.export.recorded import export

CELLS = [
    "import sys\nsys.path.insert(0, '.')\nimport numpy as np\nimport helper",
    "%%pipeline load\ntext = open('in.txt').read()",
    "%%pipeline seed\nnp.random.seed(3)",
    "%%pipeline draw\nnoise = np.random.rand(3)",
    "%%pipeline work --params factor=2\nsize = helper.work(text, factor)",
    "%%pipeline count\ncount = len(text)",
]
HELPER = "import deeper\n\ndef work(text, factor):\n    return deeper.length(text) * factor\n"
DEEPER = "import yaml\n\ndef length(text):\n    return len(yaml.safe_dump(text))\n"

STEPS = ("prepare", "load", "seed", "draw", "work", "count")


def write(folder: Path, cells: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"in.txt": "some rows", "helper.py": HELPER, "deeper.py": DEEPER}.items():
        (folder / name).write_text(text)
    np.random.seed(7)  # what `seed` finds before it seeds counts as its input, and is another in each new kernel
    assert "fault" not in export(folder, cells, ["noise", "size", "count"])
    return folder


@dataclass
class Project:
    """A bundle that has run once, and what to run it with now."""

    folder: Path
    words: list[str] = field(default_factory=lambda: ["out"])
    environment: dict[str, str] = field(default_factory=dict)

    def run(self) -> set[str]:
        """Run it; return the steps that were not cached."""
        command = [sys.executable, "-m", "mlops_jupyter", "run", *self.words, "--store", "store", "--json"]
        environment = {**os.environ, **self.environment}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        steps: Mapping[str, str] = json.loads(done.stdout)["steps"]
        assert set(steps) == set(STEPS)
        return {step for step, status in steps.items() if status != "cached"}

    def again(self, number: int, old: str, new: str) -> None:
        """Export once more, with a cell changed."""
        write(self.folder, [c.replace(old, new) if i == number else c for i, c in enumerate(CELLS)])

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert old in text
        self.add(path, text.replace(old, new))

    def add(self, path: str, text: str) -> None:
        with (self.folder / path).open("w", newline="") as stream:
            stream.write(text)

    def installed(self, folder: str) -> None:
        """Let a distribution be found, before the one that is installed."""
        (self.folder / "site" / folder).mkdir(parents=True)
        self.environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(self.folder / "site"), os.environ.get("PYTHONPATH")])
        )

    def data(self, text: str) -> None:
        (self.folder / "data").mkdir()
        (self.folder / "data" / "in.txt").write_text(text)
        self.words += ["--data", "data"]

    def move(self) -> None:
        (self.folder / "out").rename(self.folder / "elsewhere")
        self.words = ["elsewhere"]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = Project(write(tmp_path_factory.mktemp("first"), CELLS))
    assert project.run() == set(STEPS)
    return project.folder


ROWS: dict[str, tuple[Callable[[Project], object], set[str]]] = {
    "nothing": (lambda p: None, set()),
    "the code of a step": (lambda p: p.again(5, "len(text)", "len(text) + 0"), {"count"}),
    "a comment and a heading": (lambda p: p.again(5, "count = len", "# how many\ncount = \\\n  len"), set()),
    "another seed": (lambda p: p.again(2, "3", "4"), {"seed", "draw"}),
    "data": (lambda p: p.data("other rows"), {"load", "work", "count"}),
    "the same data in another place": (lambda p: p.data("some rows"), set()),
    "a parameter": (lambda p: p.words.extend(["-p", "factor=3"]), {"work"}),
    "a parameter given as it is": (lambda p: p.words.extend(["-p", "factor=2"]), set()),
    "a module of the project": (lambda p: p.edit("out/src/helper.py", "* factor", "* factor + 1"), {"work"}),
    "a module that it imports": (lambda p: p.edit("out/src/deeper.py", "len(", "1 + len("), {"work"}),
    "a module of that name where it is started": (lambda p: p.edit("helper.py", "* factor", "* 0"), set()),
    "a package that steps import": (lambda p: p.installed("numpy-0.1.dist-info"), {"seed", "draw"}),
    "a package that a module imports": (lambda p: p.installed("PyYAML-0.1.dist-info"), {"work"}),
    "a package that no step imports": (lambda p: p.installed("pandas-0.1.dist-info"), set()),
    "an environment variable": (lambda p: p.environment.update({"SOMETHING": "else"}), set()),
    "limits": (lambda p: p.words.extend(["--jobs", "1", "--retries", "3", "--timeout", "60"]), set()),
    "the run's name": (lambda p: p.words.extend(["--run", "another"]), set()),
    "a step that a person edits": (
        lambda p: p.edit("out/src/play/steps/count.py", "len(text)", "len(text) + 0"),
        {"count"},
    ),
    "an edit taken back": (
        lambda p: (
            p.edit("out/src/play/steps/count.py", "len(", "1 + len("),
            p.edit("out/src/play/steps/count.py", "1 + len(", "len("),
        ),
        set(),
    ),
    "ends of lines, as git may change them": (lambda p: p.edit("out/src/play/steps/count.py", "\n", "\r\n"), set()),
    "a module that a person adds to the package": (lambda p: p.add("out/src/play/more.py", "more = 1\n"), set(STEPS)),
    "where the bundle lies": (lambda p: p.move(), set()),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_step_runs_again_when_what_it_depends_on_changed_and_only_then(
    first: Path, tmp_path: Path, row: tuple[Callable[[Project], object], set[str]]
) -> None:
    change, expected = row
    shutil.copytree(first, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    change(project)
    assert project.run() == expected
