"""The verbs of tracking over a ledger alone: what is kept, refused, found, sorted."""

from __future__ import annotations

import math
import multiprocessing
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.runtime.storage.objects import project_objects
from mlops_jupyter.services.tracking.run import RunStatus
from mlops_jupyter.services.tracking.service import Tracking
from mlops_jupyter.services.tracking.views import RunView, sort
from mlops_jupyter.store.ledger import Ledger


@pytest.fixture
def tracking(tmp_path: Path) -> Iterator[Tracking]:
    ledger = Ledger(tmp_path / "ledger.db")
    yield Tracking(ledger, project_objects(tmp_path), lambda: None)
    ledger.close()


def test_what_was_logged_is_seen(tracking: Tracking) -> None:
    run = tracking.start("baseline", "churn", notebook="a.ipynb")
    run.log(loss=0.5, step=1)
    run.log({"loss": 0.25, "val/auc": np.float32(0.5)}, step=2)
    run.log(loss=9, step=0)
    run.log(gone=math.nan, endless=-math.inf, yes=True)
    run.params(depth=3, rate=0.1)
    run.params(depth=3)
    run.tag(team="blue")
    run.tag(team="red")
    run.artifact("plots/a.txt", b"1")
    run.artifact("plots/a.txt", b"2")
    view = tracking.run("baseline")
    assert view == run.view
    assert (view.status, view.notebook, view.experiment) == ("running", "a.ipynb", "churn")
    assert {**view.metrics, "gone": None} == {
        **{"loss": 0.25, "val/auc": 0.5, "gone": None, "endless": -math.inf, "yes": 1.0}
    }, "the latest is that of the greatest step"
    assert math.isnan(view.metrics["gone"])
    assert view.params == {"depth": "3", "rate": "0.1"}
    assert view.tags == {"team": "red"}
    assert tracking._objects.get(view.artifacts["plots/a.txt"]) == b"2"
    run.end()
    run.end(failed=True)
    assert run.view.status == "finished", "closed is closed"
    assert tracking.active is None


def test_a_block_ends_its_run(tracking: Tracking) -> None:
    with tracking.start("fine"):
        pass
    with pytest.raises(ZeroDivisionError), tracking.start("broken"):
        1 / 0  # noqa: B018
    assert [(run.name, run.status) for run in tracking.runs()] == [("broken", "failed"), ("fine", "finished")]


REFUSED = [
    ("text", lambda run: run.log(auc="high"), "metric 'auc' takes one number, not str 'high'"),
    ("none", lambda run: run.log(auc=None), "metric 'auc' takes one number, not NoneType None"),
    ("several", lambda run: run.log(auc=[1, 2]), "metric 'auc' takes one number, not list"),
    ("newline", lambda run: run.log(auc="a\nb"), "metric 'auc'"),
    ("name", lambda run: run.log({"a\nb": 1}), r"'a\\nb' is no name to log under"),
    ("climbing", lambda run: run.log({"../a": 1}), "'../a' is no name to log under"),
    ("number", lambda run: run.log({3: 1}), "3 is no name to log under"),
    ("step", lambda run: run.log(a=1, step="x"), "a step is a whole number, not 'x'"),
    ("half step", lambda run: run.log(a=1, step=0.5), "a step is a whole number, not 0.5"),
    ("changed", lambda run: run.params(depth=4), "parameter 'depth' of this run is '3' already, not '4'"),
    ("long", lambda run: run.params(text="x" * 6001), "parameter 'text' has 6001 characters"),
    ("path", lambda run: run.artifact("../a", b""), "'../a' is no path for an artifact"),
    ("absolute", lambda run: run.artifact("/a", b""), "'/a' is no path for an artifact"),
    ("empty path", lambda run: run.artifact("", b""), "'' is no path for an artifact"),
    ("figure", lambda run: run.figure("a", 3), "'a' is a int, not a matplotlib or plotly figure"),
    ("set", lambda run: setattr(run, "id", "x"), "a run's 'id' cannot be set"),
]


@pytest.mark.parametrize(("act", "fault"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_refused_changes_nothing(tracking: Tracking, act, fault: str) -> None:
    run = tracking.start("a")
    run.params(depth=3)
    before = tracking.run("a")
    with pytest.raises((UserError, AttributeError), match=fault) as raised:
        act(run)
    assert "\n" not in str(raised.value)
    assert tracking.run("a") == before


def test_one_bad_value_keeps_the_others_of_its_call_out(tracking: Tracking) -> None:
    run = tracking.start("a")
    with pytest.raises(UserError):
        run.log(a=1, b="x")
    assert run.view.metrics == {}


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 251])
def test_names_of_runs(tracking: Tracking, name: str) -> None:
    with pytest.raises(UserError, match="is no name for a run"):
        tracking.start(name)
    with pytest.raises(UserError, match="is no name for a experiment"):
        tracking.start("a", name)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0, 1]), st.sampled_from([0.5, 1.0])), max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_two_values_look_the_same_to_mlflow(tracking: Tracking, logged: list) -> None:
    """MLflow drops a metric whose key, value, step and millisecond another one has."""
    run = tracking.start("a")
    for key, step, value in logged:
        run.log({key: value}, step=step)
    rows = tracking._ledger.query("SELECT * FROM metric WHERE run = ? ORDER BY id", (run.id,))
    assert [(r["key"], r["step"], r["value"]) for r in rows] == logged
    consecutive = {}
    for row in rows:
        place = round(row["time"] * 1000)
        before = consecutive.get(row["key"])
        assert before is None or before[0] != row["step"] or before[1] < place
        consecutive[row["key"]] = (row["step"], place)


def test_runs_are_found_by_what_they_are_called(tracking: Tracking) -> None:
    first, again, other = tracking.start("a"), tracking.start("a"), tracking.start("b")
    assert tracking.run("a").id == again.id
    assert tracking.run(first.id).id == first.id
    assert tracking.run(other.id[:20]).id == other.id
    with pytest.raises(NotFoundError, match="no run 'c': the last ones are b, a"):
        tracking.run("c")
    with pytest.raises(NotFoundError, match="3 runs have an id that begins with '0'"):
        tracking.run("0")


def view(name: str, started: float = 0.0, **metrics: float) -> RunView:
    return RunView(id=name, name=name, experiment="e", status="finished", started=started, metrics=metrics)


SORTS = [
    ("metrics.auc", "bcad"),
    ("-metrics.auc", "acbd"),
    ("started", "abcd"),
    ("-started", "dcba"),
    ("name", "abcd"),
]


@pytest.mark.parametrize(("key", "expected"), SORTS)
def test_sorting(key: str, expected: str) -> None:
    runs = [view("a", 1, auc=10), view("b", 2, auc=2), view("c", 3, auc=9), view("d", 4, auc=math.nan)]
    assert "".join(run.name for run in sort(runs, key)) == expected


def test_sorting_by_nothing_names_what_there_is(tracking: Tracking) -> None:
    tracking.start("a").log(auc=1)
    with pytest.raises(NotFoundError, match=r"no run has 'metrics.acu' to sort by: there are .*metrics\.auc"):
        tracking.runs(sort_by="metrics.acu")
    with pytest.raises(NotFoundError, match="no experiment 'x': there are default"):
        tracking.runs("x")


def test_a_run_shows_itself_escaped(tracking: Tracking) -> None:
    run = tracking.start("<b>", "<i>")
    run.params(text="<script>")
    assert "&lt;b&gt;" in run._repr_html_()
    assert "<script>" not in run._repr_html_()
    assert repr(run) == "<run '<b>' of '<i>': running>"


def test_threads_log_at_once(tracking: Tracking) -> None:
    run = tracking.start("a")

    def log(key: str) -> None:
        for step in range(200):
            run.log({key: 1, f"{key}2": 2}, step=step)
            run.params({f"{key}{step}": step})

    threads = [threading.Thread(target=log, args=(key,)) for key in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tracking._ledger.query("SELECT count(*) AS n FROM metric")[0]["n"] == 1600
    assert len(run.view.params) == 800


def test_a_forked_child_logs_through_its_own_ledger(tracking: Tracking) -> None:
    run = tracking.start("a")
    child = multiprocessing.get_context("fork").Process(target=lambda: run.log(child=1))
    child.start()
    run.log(parent=1)
    child.join(30)
    assert child.exitcode == 0
    assert sorted(run.view.metrics) == ["child", "parent"]


def test_runs_of_the_dead_are_closed(tmp_path: Path, tracking: Tracking) -> None:
    script = (
        "import sys, os; from pathlib import Path; from mlops_jupyter.store.ledger import Ledger;"
        "from mlops_jupyter.services.tracking.service import Tracking;"
        "t = Tracking(Ledger(Path(sys.argv[1])), None, lambda: None); t.start('dead').log(a=1); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "ledger.db")])
    mine = tracking.start("mine")  # starting one closes those
    dead = tracking.run("dead")
    assert (dead.status, mine.view.status) == ("killed", "running")
    assert dead.ended == tracking._ledger.query("SELECT time FROM metric")[0]["time"]
    assert tracking.recover() == []


def test_the_courier_is_called_for_long_logging(tracking: Tracking, monkeypatch) -> None:
    called: list[float] = []
    tracking._courier = lambda: called.append(1)
    run = tracking.start("a")
    run.log(a=1)
    assert len(called) == 1
    tracking._called -= 60
    run.log(a=2)
    assert len(called) == 2
    tracking.end(run.id, RunStatus.FAILED)
    assert len(called) == 3
