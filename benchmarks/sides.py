"""Runs the sides of a comparison in turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS = ROOT / ".venvs" / "peers" / "bin" / "python"
ENGINES = ROOT / ".venvs" / "engines" / "bin" / "python"

IGNORED = {"PYTHONDONTWRITEBYTECODE", "MLFLOW_TRACKING_URI"}
"""Environment variables that would falsify a measurement: modules compiled anew at each start, runs sent elsewhere."""

Rounds = dict[str, list[list[float]]]
"""Label of a side -> for each round, the seconds that its program measured."""


class CannotMeasure(Exception):
    """A side is not installed, or its program failed."""


@dataclass(frozen=True)
class Side:
    """One program with its arguments, in one environment."""

    program: str
    arguments: tuple[str, ...] = ()
    python: Path = Path(sys.executable)

    def measure(self) -> list[float]:
        """Run the program once, in an empty folder that is also its home; return the seconds that it printed.

        Only uv's cache outlasts a run, as any user's does.
        """
        if not self.python.exists():
            raise CannotMeasure(f"run `make {'.venvs/engines/.locked' if self.python == ENGINES else 'peers'}` first")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            environment = {name: value for name, value in os.environ.items() if name not in IGNORED}
            home = {"HOME": folder, "IPYTHONDIR": f"{folder}/.ipython", "MPLBACKEND": "Agg", "PYTHONHASHSEED": "0"}
            home["UV_CACHE_DIR"] = os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
            command = [str(self.python), str(HERE / "programs" / f"{self.program}.py"), *self.arguments]
            result = subprocess.run(
                command, cwd=folder, env=environment | home, capture_output=True, text=True, timeout=900
            )
        if result.returncode:
            raise CannotMeasure(
                f"{self.program} {' '.join(self.arguments)}: {(result.stderr or result.stdout).strip()[-400:]}"
            )
        measured: list[float] = json.loads(result.stdout.splitlines()[-1])
        return measured


def in_turns(sides: Mapping[str, Side], rounds: int) -> Rounds:
    """Measure each side once per round, in another order each round; a first round warms caches and is dropped."""
    results: Rounds = {label: [] for label in sides}
    order = list(sides)
    for number in range(rounds + 1):
        for label in order[number % len(order) :] + order[: number % len(order)]:
            measured = sides[label].measure()
            if number:
                results[label].append(measured)
    return results


def middle(rounds: Sequence[Sequence[float]]) -> float:
    """Return the median over the rounds of each round's median, in seconds."""
    return statistics.median(statistics.median(measured) for measured in rounds)


def high(rounds: Sequence[Sequence[float]]) -> float:
    """Return the median over the rounds of each round's 99th percentile, in seconds."""
    return statistics.median(sorted(measured)[int(len(measured) * 0.99)] for measured in rounds)
