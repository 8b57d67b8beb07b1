"""`%drift`: what it takes, shows, and becomes in a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.drift import DriftReport, DriftVerdict, check_drift
from mlops_jupyter.surfaces.magics.drift import VERBS
from mlops_jupyter.surfaces.magics.drift.expressions import two
from mlops_jupyter.surfaces.magics.session import NotebookSession
from mlops_jupyter.surfaces.magics.verbs import act, choose
from mlops_jupyter.workspace import Workspace

FRAME = pd.DataFrame({"month": np.arange(400) % 12, "pay": np.arange(400.0), "plan": ["a", "b"] * 200})


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Any]:
    shell = InteractiveShell()
    shell.user_ns.update(ref=FRAME, cur=FRAME.assign(pay=FRAME.pay + 300, plan="b"), pd=pd)
    workspace = Workspace(tmp_path)
    made = SimpleNamespace(shell=shell, workspace=workspace)
    made.value = lambda text: NotebookSession.value(made, text)
    yield made
    workspace.close()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("a b", ("a", "b")),
        ("df[df.month < 6] df[df.month >= 6]", ("df[df.month < 6]", "df[df.month >= 6]")),
        ('load("a b.csv") late', ('load("a b.csv")', "late")),
        ("\"df[df.plan == 'x']\" june", ("df[df.plan == 'x']", "june")),
        ("a if x else b c", ("a if x else b", "c")),
    ],
)
def test_two_expressions_stand_on_a_line(words: str, expected: tuple[str, str]) -> None:
    assert two(words.split(" ")) == expected


@pytest.mark.parametrize("words", [["a"], ["a", "+"], ["a", "b", "c"], ["''", "b"]])
def test_other_lines_are_the_users_fault(words: list[str]) -> None:
    with pytest.raises(UserError, match=r"^%drift takes two expressions, not .*: write %drift REFERENCE CURRENT"):
        two(words)


def test_the_value_is_the_report_and_the_verdict_is_noted(session: Any) -> None:
    report = act(session, "drift", VERBS, "ref cur --columns pay,plan --alpha 0.01")
    assert isinstance(report, DriftReport)
    assert report.verdict is DriftVerdict.DRIFTED
    assert [c.name for c in report.columns] == ["pay", "plan"]
    assert report.alpha == 0.01
    (row,) = session.workspace.ledger.query("SELECT subject FROM audit WHERE verb = 'drift'")
    assert row["subject"] == "ref vs cur"


def test_it_is_shown_as_table_and_text(session: Any) -> None:
    report = act(session, "drift", VERBS, "ref[ref.month < 12] cur")
    data, _ = session.shell.display_formatter.format(report)
    assert data["text/html"].startswith('<div class="mlops-drift">')
    assert data["text/plain"] == str(report)
    assert list(data) == ["text/plain", "text/html"]  # no widget in a shell without a kernel


def test_no_plots_leaves_the_distributions_out(session: Any) -> None:
    report = act(session, "drift", VERBS, "ref cur --no-plots")
    assert report.drifted
    assert all(column.picture is None for column in report.columns)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ref gone", "cannot evaluate 'gone': NameError: name 'gone' is not defined"),
        ("ref ref", "reference and current are the same object: compare two samples"),
        ("ref cur.pay", "the current data is a Series, not a frame: use .to_frame()"),
        ("ref cur --columns x", "the reference data lacks the column 'x': it has 'month', 'pay', 'plan'"),
        ("ref cur --alpha 2", "alpha is 2.0: give a number between 0 and 1, such as 0.05"),
    ],
)
def test_faults_are_one_line(session: Any, line: str, said: str) -> None:
    with pytest.raises(UsageError) as fault:
        act(session, "drift", VERBS, line)
    assert str(fault.value) == said


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("ref cur", "check_drift(ref, cur)"),
        ("ref[ref.month < 99] cur --warn", "check_drift(ref[ref.month < 99], cur, warn=True)"),
        ("ref cur --columns pay,plan --no-plots", "check_drift(ref, cur, columns=['pay', 'plan'])"),
        ("ref cur --share 0 --alpha .01", "check_drift(ref, cur, alpha=0.01, share=0.0)"),
        ("ref cur --share 0.5 --threshold 0.2", "check_drift(ref, cur, threshold=0.2)"),
    ],
)
def test_in_a_bundle_it_is_a_gate(session: Any, line: str, text: str) -> None:
    verb, args = choose("drift", VERBS, line)
    code = verb.code(args)
    assert code is not None
    assert (code.text, code.imports) == (text, ("drift:check_drift",))
    names = {
        **session.shell.user_ns,
        "check_drift": lambda *data, **options: check_drift(*data, **options | {"warn": True}),
    }
    assert [c.name for c in eval(code.text, names).drifted] == ["pay", "plan"]
