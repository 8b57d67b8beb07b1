"""`%track` and `%%track` on a real IPython shell."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from mlops_jupyter.core.executions import Execution, ExecutionStatus, Header
from mlops_jupyter.core.ids import ExecutionId, new_id
from mlops_jupyter.surfaces.magics import register, track
from mlops_jupyter.surfaces.magics.track.cell import Seen, TrackCell, around, tracked_names
from mlops_jupyter.surfaces.magics.verbs import act, choose
from mlops_jupyter.workspace import Workspace


@pytest.fixture(scope="module")
def shell() -> InteractiveShell:
    return InteractiveShell()


@pytest.fixture
def session(shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A session on a fresh project, its magics in a real shell; nothing is carried."""
    monkeypatch.setattr(Workspace, "courier", lambda self: None)
    workspace = Workspace(tmp_path)
    shell.reset(new_session=False)
    key = new_id()
    workspace.ledger.execute("INSERT INTO session (id, pid, started) VALUES (?, ?, ?)", (key, os.getpid(), time.time()))
    made = SimpleNamespace(
        shell=shell,
        workspace=workspace,
        recorder=SimpleNamespace(session=key),
        notebook=SimpleNamespace(name="nb", path=None),
        value=lambda text: eval(text, shell.user_ns),
    )
    for name, verbs in (("track", track.VERBS), ("register", register.VERBS)):
        magic = lambda line, name=name, verbs=verbs: act(made, name, verbs, line)  # noqa: E731
        shell.register_magic_function(magic, "line", name)
    yield made
    workspace.close()


def test_a_run_by_magics(session) -> None:
    shell, tracking = session.shell, session.workspace.tracking
    assert shell.run_cell("y = [1, 2]; auc = 0.5\nrun = %track start baseline -e churn").success
    assert shell.user_ns["run"].name == "baseline"
    assert shell.run_cell('%track log auc=auc+0.4 n=len("a b") total=sum(y, 3) --step len(y)').success
    assert shell.run_cell("%track params depth=3 names=['a', 'b']").success
    assert shell.run_cell("run.log(direct=1)\n%track end").success
    view = tracking.run("baseline")
    assert (view.experiment, view.status, view.session) == ("churn", "finished", session.recorder.session)
    assert view.metrics == {"auc": 0.9, "n": 3.0, "total": 6.0, "direct": 1.0}
    assert view.params == {"depth": "3", "names": "['a', 'b']"}
    assert session.workspace.ledger.query("SELECT step FROM metric WHERE key = 'auc'")[0]["step"] == 2


def test_starting_again_ends_the_open_run(session) -> None:
    session.shell.run_line_magic("track", "start one")
    session.shell.run_line_magic("track", "start")
    assert [(run.name, run.status) for run in session.workspace.tracking.runs()] == [
        ("nb", "running"),
        ("one", "finished"),
    ]
    session.shell.run_line_magic("track", "end --failed")
    assert session.workspace.tracking.run("nb").status == "failed"


def test_the_table_is_a_frame(session) -> None:
    for name, auc in (("low", 0.1), ("high", 0.9)):
        session.shell.run_line_magic("track", f"start {name}")
        session.shell.run_line_magic("track", f"log auc={auc}")
    table = session.shell.run_cell("table = %track runs --sort -metrics.auc\ntable").result
    import pandas as pd

    assert isinstance(table, pd.DataFrame)
    assert list(table.name) == ["high", "low"]
    assert list(table["metrics.auc"]) == [0.9, 0.1]
    assert list(session.shell.run_line_magic("track", "runs --sort metrics.auc --limit 1").name) == ["low"]


FAULTS = [
    ("log auc=1", "no run is open: start one with `%track start NAME`"),
    ("end", "no run is open"),
    ("runs --sort metrics.nothing", None),
    ("runs -e nowhere", "no experiment 'nowhere': there are none yet"),
    ("stat x", "not 'stat'"),
    ("start ''", "'' is no name for a run"),
]


@pytest.mark.parametrize(("line", "fault"), FAULTS, ids=[row[0] for row in FAULTS])
def test_faults_are_one_line(session, line: str, fault: str | None) -> None:
    if fault is None:
        assert session.shell.run_line_magic("track", line).empty
        return
    with pytest.raises(UsageError) as raised:
        session.shell.run_line_magic("track", line)
    assert fault in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_value_that_is_none_logs_nothing_of_its_line(session) -> None:
    session.shell.run_line_magic("track", "start a")
    with pytest.raises(UsageError, match="metric 'b' takes one number, not str 'text'"):
        session.shell.run_line_magic("track", "log a=1 b='text'")
    assert session.workspace.tracking.run("a").metrics == {}


CODES = [
    (track, "track", "start baseline -e churn", "start_run('baseline', experiment='churn')", "tracking:start_run"),
    (track, "track", 'start "first try"', "start_run('first try')", "tracking:start_run"),
    (track, "track", "start", "start_run()", "tracking:start_run"),
    (track, "track", "log auc=auc --step 3", 'log_metrics({"auc": auc}, step=3)', "tracking:log_metrics"),
    (track, "track", "log a=f(x, 'b c')", "log_metrics({\"a\": f(x, 'b c')})", "tracking:log_metrics"),
    (track, "track", "params depth=3", 'log_params({"depth": 3})', "tracking:log_params"),
    (track, "track", "end", "end_run()", "tracking:end_run"),
    (track, "track", "end --failed", "end_run(failed=True)", "tracking:end_run"),
    (track, "track", "runs --sort metrics.auc", None, None),
    (
        register,
        "register",
        'model --name churn --alias challenger --data X_test,y_test --require "accuracy >= 0.9"',
        'register_model(model, name="churn", alias="challenger", data=(X_test, y_test), require=["accuracy >= 0.9"])',
        "tracking.gates:register_model",
    ),
    (
        register,
        "register",
        "make(3, 'x') --name churn --data X[mask, 0], y[mask] --require f1>.5 --require recall > 0.1",
        "register_model(make(3, 'x'), name=\"churn\", data=(X[mask, 0], y[mask]),"
        ' require=["f1 > 0.5", "recall > 0.1"])',
        "tracking.gates:register_model",
    ),
    (
        register,
        "register",
        "model --name churn",
        'register_model(model, name="churn")',
        "tracking.gates:register_model",
    ),
    (register, "register", "list", None, None),
    (register, "register", "show churn", None, None),
    (register, "register", "promote churn@champion --version 3", None, None),
    (register, "register", "rollback churn@champion", None, None),
]


@pytest.mark.parametrize(("room", "magic", "line", "text", "imported"), CODES, ids=[row[2] for row in CODES])
def test_what_a_line_becomes_in_a_bundle(room, magic: str, line: str, text: str | None, imported: str | None) -> None:
    verb, args = choose(magic, room.VERBS, line)
    code = verb.code(args)
    if text is None:
        assert code is None
    else:
        assert (code.text, code.imports) == (text, (imported,))


REGISTER_FAULTS = [
    ("--name churn", "no model is given"),
    ("model", "no name is given"),
    ("model --name churn --data X", "--data 'X' is no pair"),
    ("model --name churn --require accuracy", "cannot read the requirement 'accuracy'"),
    ("model --name a/b", "'a/b' is no name for a model"),
    ("model --name churn --alias latest", "'latest' is no alias"),
    ("model --name churn --alias v3", "'v3' is no alias"),
    ("promote churn --version 3", "'churn' names no alias"),
    ("rollback churn@", "'' is no alias"),
    ("3 --name churn", "model 'churn': int is no model"),
]


@pytest.mark.parametrize(("line", "fault"), REGISTER_FAULTS, ids=[row[0] for row in REGISTER_FAULTS])
def test_faults_of_registering_are_one_line(session, line: str, fault: str) -> None:
    session.shell.user_ns["model"] = 3
    with pytest.raises(UsageError) as raised:
        session.shell.run_line_magic("register", line)
    assert fault in str(raised.value)
    assert "\n" not in str(raised.value)


BODY = """
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.linear_model import LogisticRegression
C = 0.5
names = ["a", "b"]
best = 0.0
for i in range(3):
    best = max(best, i / 3)
clf = LogisticRegression(C=C).fit([[0.0], [1.0]], [0, 1])
accuracy = clf.score([[0.0], [1.0]], [0, 1])
done = accuracy > 0.5
_hidden = 3.5
plt.plot([1, 2])
"""


def run_tracked(session, line: str, body: str) -> Execution:
    """Run a cell between the borders as the recorder does."""
    handler, namespace = TrackCell(session), session.shell.user_ns
    handler.check(line)
    before = dict(namespace)
    state = handler.begin(line, body)
    result = session.shell.run_cell(body)
    wrote = {n: "?" for n, v in namespace.items() if n not in before or before[n] is not v}
    execution = Execution(
        id=ExecutionId(0),
        raw=f"%%track {line}\n{body}",
        body=body,
        headers=(Header("track", line),),
        started=float(id(state)),
        status=ExecutionStatus.OK if result.success else ExecutionStatus.ERROR,
        writes=wrote,
    )
    handler.end(state, execution, namespace)
    return execution


DRAWS = """
fig = plt.figure()
fig.gca().plot([7, 2])
plt.show()
for n in range(2):
    plt.plot([n])
    plt.show()
plt.plot([3])
"""


def test_what_a_cell_shows_is_kept_though_showing_closes_it(session, monkeypatch) -> None:
    import matplotlib.pyplot as plt

    def shows() -> None:  # as Jupyter's backend does
        plt.close("all")

    plt.close("all")
    monkeypatch.setattr(plt, "show", shows)
    session.shell.user_ns["plt"] = plt
    run_tracked(session, "drawn", DRAWS)
    plt.close("all")
    kept = session.workspace.tracking.run("drawn").artifacts
    assert sorted(kept) == ["fig.png", "figure_1.png", "figure_1_2.png", "figure_1_3.png"]
    assert len(set(kept.values())) == 4
    assert plt.show is shows


def test_a_cell_is_a_run(session) -> None:
    execution = run_tracked(session, "grid -e cells", BODY)
    view = session.workspace.tracking.run("grid")
    assert (view.experiment, view.status) == ("cells", "finished")
    assert view.params["C"] == "0.5"
    assert view.params["names"] == "['a', 'b']"
    assert view.params["clf.C"] == "0.5"
    assert "clf.max_iter" in view.params
    assert view.metrics == {"accuracy": 1.0, "best": pytest.approx(2 / 3)}
    assert view.tags == {"estimator.clf": "sklearn.linear_model._logistic.LogisticRegression"}
    assert list(view.artifacts) == ["figure_1.png"]
    assert session.workspace.objects.get(view.artifacts["figure_1.png"]).startswith(b"\x89PNG")
    before, after = around(execution)
    assert before.text == "start_run('grid', experiment='cells', inside=True)"
    assert after.text.splitlines() == [
        'log_params({"C": C, "names": names})',
        'log_metrics({"best": best, "accuracy": accuracy})',
        'note_estimators({"clf": clf})',
        "log_figures()",
        "end_run()",
    ]
    assert after.imports == tuple(
        f"tracking:{name}" for name in ("log_params", "log_metrics", "note_estimators", "log_figures", "end_run")
    )
    left = session.shell.events.callbacks["post_execute"]
    assert not [callback for callback in left if isinstance(getattr(callback, "__self__", None), TrackCell)]


def test_a_cell_that_raises_is_a_failed_run(session) -> None:
    run_tracked(session, "breaks", "score = 0.5 * 0.5\n1 / 0")
    view = session.workspace.tracking.run("breaks")
    assert (view.status, dict(view.metrics)) == ("failed", {"score": 0.25})


def test_a_cell_inside_an_open_run_leaves_it_open(session) -> None:
    tracking = session.workspace.tracking
    session.shell.run_line_magic("track", "start outer")
    run_tracked(session, "inner", "%track log inside=1")
    assert tracking.active.name == "outer"
    assert tracking.run("inner").metrics == {"inside": 1.0}
    assert tracking.run("outer").metrics == {}


def test_one_value_that_cannot_be_kept_costs_no_other(session, capsys) -> None:
    run_tracked(session, "long", f"text = {'x' * 7000!r}\nscore = 0.5 * 1")
    assert session.workspace.tracking.run("long").metrics == {"score": 0.5}
    assert "parameter 'text' has 7000 characters" in capsys.readouterr().out


def test_names_are_sorted_by_what_they_are() -> None:
    execution = Execution(
        id=ExecutionId(1), raw="", body="n = 3\nx = n * 0.5", writes={"n": "1", "x": "2", "~cwd": "3"}
    )
    assert tracked_names(execution, {"n": 3, "x": 1.5}) == Seen(params=("n",), metrics=("x",))
