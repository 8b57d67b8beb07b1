"""A user's mistake is one line wherever it shows, whether the runtime saw it or another room; our own fault is not."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic_arguments import magic_arguments

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.runtime import codecs, drift
from mlops_jupyter.runtime.errors import PipelineError
from mlops_jupyter.runtime.run_data import metric_values
from mlops_jupyter.runtime.step.outputs import StepOutputError
from mlops_jupyter.runtime.storage.objects import DamagedObjectError
from mlops_jupyter.runtime.tracking.gates import GateError
from mlops_jupyter.services.tracking.run import Run
from mlops_jupyter.surfaces import cli
from mlops_jupyter.surfaces.magics.verbs import Verb, act
from mlops_jupyter.surfaces.server.handlers import status_of
from mlops_jupyter.workspace import Workspace


@dataclass(frozen=True)
class Case:
    """What is raised, and whether it is the user's mistake."""

    name: str
    fault: Callable[[], Exception]
    users: bool


CASES = [
    Case("a room of ours", lambda: UserError("there is no such cell"), True),
    Case("absent", lambda: NotFoundError("no run 'b'"), True),
    Case("the runtime's: a pipeline", lambda: PipelineError("no step 'b'"), True),
    Case("the runtime's: a step's output", lambda: StepOutputError("step 'a' cannot hand on 'x'"), True),
    Case("the runtime's: a value", lambda: codecs.SerializationError("x", "it holds a lock"), True),
    Case("the runtime's: a format", lambda: codecs.UnknownFormatError("unknown format 'xls'"), True),
    Case("the runtime's: a store", lambda: DamagedObjectError("artifact 12ab was damaged: run again"), True),
    Case("the runtime's: a metric", lambda: metric_values.NotLoggableError("metric 'auc' takes one number"), True),
    Case("the runtime's: a gate", lambda: GateError("accuracy is 0, required >= 0.9"), True),
    Case("the runtime's: drift", lambda: drift.DriftFoundError("the data has drifted"), True),
    Case("the runtime's: data", lambda: drift.IncomparableDataError("no columns to compare"), True),
    Case("ours: a state that cannot be", lambda: RuntimeError("dictionary changed size"), False),
    Case("ours: a key", lambda: KeyError("lost"), False),
    Case("ours: a value", lambda: ValueError("not enough values to unpack"), False),
]
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


class Value:
    """What a magic returns: it raises later, when it is used."""

    def __init__(self, fault: Callable[[], Exception]) -> None:
        self._fault = fault

    def use(self) -> None:
        raise self._fault()

    @property
    def view(self) -> str:
        raise self._fault()


@pytest.fixture(scope="module")
def shell() -> InteractiveShell:
    made = InteractiveShell()
    made.colors = "nocolor"
    return made


def shown(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str) -> list[str]:
    """Run a cell that fails; return the lines that a person sees of it."""
    capsys.readouterr()
    assert not shell.run_cell(cell).success
    printed = capsys.readouterr()
    return [line for line in (printed.out + printed.err).splitlines() if line.strip()]


def told(case: Case, lines: list[str]) -> None:
    """Compare what is shown with what a case is due."""
    message = str(case.fault())
    if case.users:
        (line,) = lines
        assert message in line
    else:
        assert any("Traceback (most recent call last)" in line for line in lines)
        assert message in lines[-1]
        assert any("raise self._fault()" in line or "raise fault()" in line for line in lines), "where it came from"


@each
def test_in_a_magic(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], case: Case) -> None:
    fault = case.fault

    @magic_arguments("do")
    def do(session: Any, args: argparse.Namespace) -> None:
        """Do it."""
        raise fault()

    shell.register_magic_function(lambda line: act(Any, "do", {"": Verb(do)}, line), "line", "do")
    told(case, shown(shell, capsys, "%do"))


@each
@pytest.mark.parametrize("use", ["value.use()", "value.view", "def f():\n    return value.use()\nf()"])
def test_in_what_a_magics_value_does_later(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], case: Case, use: str
) -> None:
    @magic_arguments("make")
    def make(session: Any, args: argparse.Namespace) -> Value:
        """Make it."""
        return Value(case.fault)

    shell.register_magic_function(lambda line: act(Any, "make", {"": Verb(make)}, line), "line", "make")
    told(case, shown(shell, capsys, f"value = %make\n{use}"))


@pytest.fixture
def run(shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run in the notebook's namespace, as `run = %track start` leaves it."""
    monkeypatch.setattr(Workspace, "courier", lambda self: None)
    workspace = Workspace(tmp_path)
    shell.user_ns["run"] = workspace.tracking.start("baseline")
    yield shell.user_ns["run"]
    workspace.close()


MISTAKES = [
    ('run.log(auc="high")', "NotLoggableError: metric 'auc' takes one number, not str 'high'"),
    ("x = 1\nrun.log({'a\\nb': 1})", "NotLoggableError: 'a\\nb' is no name to log under"),
    ("run.log(auc=1, step=0.5)", "NotLoggableError: a step is a whole number, not 0.5"),
    ("run.figure('a', 3)", "NotLoggableError: 'a' is a int, not a matplotlib or plotly figure"),
]


@pytest.mark.parametrize(("cell", "line"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_run_used_wrongly_in_a_plain_cell(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], run: Run, cell: str, line: str
) -> None:
    (said,) = shown(shell, capsys, cell)
    assert said.startswith(line)
    last = cell.splitlines()
    assert said.endswith(f"(line {len(last)}: {last[-1]})"), "the cell's own line"


@each
def test_at_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: Case) -> None:
    def fails(args: argparse.Namespace) -> int:
        raise case.fault()

    monkeypatch.setattr(cli, "parser", lambda: SimpleNamespace(parse_args=lambda argv: SimpleNamespace(act=fails)))
    if case.users:
        assert cli.main([]) == 2
        assert capsys.readouterr().err == f"mlops-jupyter: {case.fault()}\n"
    else:
        with pytest.raises(type(case.fault())):
            cli.main([])


@pytest.mark.parametrize("case", [case for case in CASES if case.users], ids=lambda case: case.name)
def test_at_the_server(case: Case) -> None:
    assert status_of(case.fault()) == (404 if case.name == "absent" else 409)
