"""Three notebooks whose pipelines every target must run to the notebook's own values."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.services.export.recorded import Cell, export

ROOT = Path(__file__).parents[2]
ENGINES = ROOT / ".venvs" / "engines" / "bin"
CLOUDS = ROOT / ".venvs" / "clouds" / "bin"
"""Where the engines are installed (`make .venvs/engines/.locked`), with what the demos' steps import."""

TEXT = 'who\'s "leaving"? {{ ds }} {% raw %} ${{ x }} $(exit 3) `x` no: 0123 région #1'


@dataclass(frozen=True)
class Demo:
    """A notebook, and what its pipeline gives.

    Attributes
    ----------
    cells : as `recorded.export` takes them.
    files : data files beside the notebook.
    values : delivered name -> the notebook's own value.
    given : parameters of a second run -> what that gives.
    """

    name: str
    cells: tuple[Cell, ...]
    steps: tuple[str, ...]
    values: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    then: Mapping[str, Any] = field(default_factory=dict)


LINEAR = Demo(
    name="linear",
    cells=(
        ("# Load", "import random\n\nrandom.seed(7)\nrows = [random.randint(1, 99) for _ in range(20)]"),
        ("# Clean", "rows.sort()\nodd = [n for n in rows if n % 2]"),
        ("# Sum up", "total = sum(odd) + random.random()\nfew = odd[:3]"),
    ),
    steps=("load", "clean", "sum_up"),
    values={"total": 372.5510472537914, "few": [5, 7, 9]},
)

DIAMOND = Demo(
    name="diamond",
    cells=(
        ("", f"count = 4\nrate = 0.5\ntext = {TEXT!r}\nverbose = True\ncode = 'no'", "parameters"),
        ("# Load", "numbers = list(range(count))"),
        ("# Left", "left = [n * rate for n in numbers]"),
        ("# Right", "right = [-n for n in numbers] if verbose else []"),
        ("# Join", "total = sum(left) + sum(right)\nsaid = f'{text}|{code}'"),
    ),
    steps=("load", "left", "right", "join"),
    values={"total": -3.0, "said": f"{TEXT}|no"},
    given={"count": 6, "rate": 2.0, "verbose": False, "code": "1e3"},
    then={"total": 30.0, "said": f"{TEXT}|1e3"},
)

FILED = Demo(
    name="filed",
    cells=(
        ("# Count", "lines = open('words.txt').read().split()\nopen('counted.txt', 'w').write(str(len(lines)))"),
        ("# Draw", "letters = (word[0] for word in lines)"),
        ("# Take", "first = next(letters)\nrest = list(letters)"),
        ("# Report", "said = f\"{open('counted.txt').read()} words, {first}, {''.join(rest)}\""),
    ),
    steps=("count", "draw", "report"),
    values={"said": "4 words, a, bcd"},
    files={"words.txt": "ant bee cat dog\n"},
)

DEMOS = (LINEAR, DIAMOND, FILED)

EACH = [pytest.param(demo, id=demo.name, marks=() if demo is DIAMOND else pytest.mark.slow) for demo in DEMOS]
"""For engines that take seconds to start: `make test` runs one of them, `make engines` all."""


def bundle(demo: Demo, folder: Path, *targets: str, **wish: Any) -> Path:
    """Lay the bundle of a demo, rendered for targets, into a folder; return its path.

    Parameters
    ----------
    wish : further words of `services.export.wishes`.
    """
    made = _exported(demo.name, targets, json.dumps(wish, sort_keys=True))
    laid = folder / demo.name
    shutil.copytree(made, laid)
    return laid


@functools.cache
def _exported(name: str, targets: tuple[str, ...], wish: str) -> Path:
    demo = next(each for each in DEMOS if each.name == name)
    folder = Path(tempfile.mkdtemp(prefix=f"demo-{name}-"))
    for path, text in demo.files.items():
        (folder / path).write_text(text)
    asked = {"name": name, **json.loads(wish)}
    answer = export(folder, demo.cells, list(demo.values), targets=list(targets), **asked)
    assert tuple(answer.get("steps", ())) == demo.steps, answer
    return folder / "out"


def proven(laid: Path, store: Path | str, demo: Demo, then: bool = False) -> str:
    """See that the one run in a store gave a demo's values; return its name.

    Parameters
    ----------
    then : those of the second run, which `Demo.given` was given to.
    """
    runs = sorted(path.parents[1].name for path in Path(store).glob("*/outputs/outputs.json"))
    assert len(runs) == 1, f"{runs} in {store}"
    index = json.loads(Path(store, runs[0], "outputs", "outputs.json").read_text())
    values = {e["name"]: json.loads(Path(store, runs[0], "outputs", e["file"]).read_text()) for e in index["outputs"]}
    assert values == dict(demo.then if then else demo.values)
    if not then:
        command = [sys.executable, "-m", demo.name, "check", "--store", str(store), "--run", runs[0], "--json"]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(laid / "src")}, stdout=subprocess.PIPE)
        assert json.loads(done.stdout)["status"] == "identical", done.stdout.decode()
    return runs[0]


def engine(*command: str | Path, cwd: Path, timeout: float = 300, code: int = 0, **more: str) -> str:
    """Run a program of the engines' environment; return what it printed. It must end with `code`.

    Parameters
    ----------
    more : environment variables.
    """
    assert ENGINES.is_dir(), "the engines are not installed: run `make .venvs/engines/.locked`"
    program = ENGINES / command[0] if (ENGINES / command[0]).exists() else command[0]
    kept = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")}
    env = {**kept, "PATH": f"{ENGINES}{os.pathsep}{os.environ['PATH']}", **more}
    done = subprocess.run(
        [str(program), *map(str, command[1:])],
        cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
    )  # fmt: skip
    said = done.stdout.decode(errors="replace")
    assert done.returncode == code, f"{' '.join(map(str, command))} ended with {done.returncode}:\n{said[-6000:]}"
    return said
