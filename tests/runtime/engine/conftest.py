"""Small bundles, laid out as the exporter lays them out, and run as their users run them: in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mlops_jupyter.runtime

RUNTIME = Path(mlops_jupyter.runtime.__file__).parent

MAIN = """
import sys

from {package}.pipeline import PIPELINE
from {package}.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
"""


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """The one JSON object on its standard output."""
        return json.loads(self.out)

    def status(self) -> dict[str, str]:
        """Step -> what became of it."""
        return {step["step"]: step["status"] for step in self.answer["steps"]}


class Bundle:
    """A bundle in a folder of its own, and a store beside it."""

    def __init__(self, folder: Path, package: str = "demo") -> None:
        self.root = folder / "bundle"
        self.package = package
        self.home = self.root / "src" / package
        self.store = folder / "store"
        (self.home / "steps").mkdir(parents=True)
        shutil.copytree(RUNTIME, self.home / "runtime")  # with what is compiled of it
        (self.home / "__init__.py").write_text("")
        (self.home / "steps" / "__init__.py").write_text("")
        (self.home / "__main__.py").write_text(MAIN.format(package=package))

    def pipeline(self, steps: str, rest: str = "") -> None:
        """Write `pipeline.py` from the text of its steps and of its other fields."""
        self._write(
            self.home / "pipeline.py",
            f"from {self.package}.runtime.model.pipeline import Pipeline, Step\n"
            f"PIPELINE = Pipeline(name='demo', package={self.package!r}, steps=({steps}), {rest})\n",
        )

    def step(self, name: str, source: str) -> None:
        """Write the module of a step."""
        self._write(self.home / "steps" / f"{name}.py", textwrap.dedent(source))

    @staticmethod
    def _write(path: Path, text: str) -> None:
        """Write a module; a compiled one of the same second and length would be taken for it."""
        path.write_text(text)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()

    def initial(self, name: str, value: object) -> None:
        """Write a file under `initial/`: bytes as they are, else JSON."""
        path = self.home / "initial" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())

    def command(self, *words: str) -> list[str]:
        """The command line for some words."""
        return [sys.executable, "-m", self.package, *words]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment that the command needs."""
        return {**os.environ, "PYTHONPATH": str(self.root / "src"), **(more or {})}

    def call(self, *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Done:
        """Run `python -m <package> …` to its end."""
        done = subprocess.run(
            self.command(*words), env=self.environment(env), cwd=cwd or self.root, capture_output=True, text=True
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        """Run the pipeline with `--json`."""
        return self.call("run", "--store", str(self.store), "--json", *words, env=env)

    def value(self, run: str, name: str) -> Any:
        """The value of a delivered output that is kept as JSON."""
        entry = next(one for one in self.index(run)["outputs"] if one["name"] == name)
        assert entry["format"] == "json"
        return json.loads((self.store / run / "outputs" / entry["file"]).read_text())

    def index(self, run: str) -> dict[str, Any]:
        """`outputs.json` of a run."""
        return json.loads((self.store / run / "outputs" / "outputs.json").read_text())

    def record(self, run: str, step: str) -> dict[str, Any]:
        """The record of a step in a run."""
        return json.loads((self.store / run / "steps" / f"{step}.json").read_text())

    def log(self, run: str, step: str) -> str:
        """What a step printed in a run."""
        return (self.store / run / "logs" / f"{step}.txt").read_text()


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """An empty bundle called `demo`."""
    return Bundle(tmp_path)


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Bundle]:
    """Makes more bundles, each by its package's name."""
    return lambda package: Bundle(tmp_path / package, package)
