"""The harness of the benchmarks; the figures themselves are no matter of the tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import sides
from benchmarks.sides import CannotMeasure, Side, high, in_turns, middle
from benchmarks.table import Row, shown, table
from tests.house.source import ROOT


def test_table() -> None:
    rows = [
        Row("a metric", 20e-6, "a peer", 0.004, budget=50e-6),
        Row("a start", 0.2, "another peer", 0.1, budget=0.15),
    ]
    assert table(rows).splitlines() == [
        "| figure   | ours   | peer         | theirs | ratio | budget      |",
        "|----------|--------|--------------|--------|-------|-------------|",
        "| a metric | 20 us  | a peer       | 4 ms   | 200   | <= 50 us    |",
        "| a start  | 200 ms | another peer | 100 ms | 0.5   | OVER 150 ms |",
    ]


def test_no_ratio_of_what_costs_nothing() -> None:
    assert Row("capture", -0.00001, "peer", 0.01).cells == ("capture", "-10 us", "peer", "10 ms", "-", "")
    assert shown(0.9996) == "1e+03 ms"


def test_middles() -> None:
    assert middle([[1, 9, 2], [5, 5, 5], [3, 3, 100]]) == 3
    assert high([[float(n) for n in range(200)]]) == 198


def test_sides_take_turns_and_the_first_round_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def measure(side: Side) -> list[float]:
        order.append(side.program)
        return [float(len(order))]

    monkeypatch.setattr(Side, "measure", measure)
    found = in_turns({"a": Side("a"), "b": Side("b")}, rounds=2)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert found == {"a": [[4.0], [5.0]], "b": [[3.0], [6.0]]}


def test_a_side_measures_itself_in_a_process_of_its_own() -> None:
    (seconds,) = Side("load", ("ipython",)).measure()
    assert 0 < seconds < 60


def test_what_cannot_be_measured_says_why(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasure, match="run `make peers` first"):
        Side("load", ("ipython",), tmp_path / "python").measure()
    with pytest.raises(CannotMeasure, match=r"(?s)^load nothing: .*KeyError: 'nothing'"):
        Side("load", ("nothing",)).measure()


def test_every_program_compiles_and_unknown_figures_are_named() -> None:
    for program in (sides.HERE / "programs").glob("*.py"):
        compile(program.read_text(), str(program), "exec")
    command = [sys.executable, "-m", "benchmarks", "speed"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert re.search(r"no figure speed: choose from load_ext, capture, metrics, export", done.stderr)
