"""The verbs of a run: one table of calls, made to each implementation of `RunVerbs`, and what lands of them.

A notebook's run writes into the ledger; a step's run and the functions that a step calls write into the step's file.
A row says what must be known of the run afterwards, in either; where they differ by design, `functions` says how.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime import tracking as step
from mlops_jupyter.runtime.storage.objects import project_objects
from mlops_jupyter.runtime.tracking.run_verbs import RunVerbs
from mlops_jupyter.services.tracking.service import Tracking
from mlops_jupyter.store.ledger import Ledger


@dataclass(frozen=True)
class Landed:
    """What is known of a run: its metrics in the order in which they were logged, as (name, value, step)."""

    status: str = "running"
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: tuple[tuple[str, str, int], ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)


class Notebook:
    """A notebook's runs, read back from the ledger."""

    def __init__(self, folder: Path) -> None:
        self.ledger, self.objects = Ledger(folder / "ledger.db"), project_objects(folder)
        self.tracking = Tracking(self.ledger, self.objects, lambda: None)

    def start(self, name: str, experiment: str = "default") -> RunVerbs:
        return self.tracking.start(name, experiment)

    def landed(self, run: RunVerbs) -> Landed:
        view = self.tracking.run(run.id)
        rows = self.ledger.query("SELECT * FROM metric WHERE run = ? ORDER BY id", (run.id,))
        return Landed(
            view.status,
            dict(view.params),
            dict(view.tags),
            tuple((r["key"], repr(math.nan if r["value"] is None else r["value"]), r["step"]) for r in rows),
            {path: self.objects.get(digest) for path, digest in view.artifacts.items()},
        )

    def times(self, run: RunVerbs) -> list[float]:
        rows = self.ledger.query("SELECT time FROM metric WHERE run = ? ORDER BY id", (run.id,))
        return [row["time"] for row in rows]

    def close(self) -> None:
        self.ledger.close()


class Step:
    """A step's runs, read back from the file that the step leaves."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "tracking" / "train.json"
        step.begin(self.file, "churn", "r1", "train")

    def start(self, name: str, experiment: str = "default") -> RunVerbs:
        return step.start_run(name, experiment)

    def _facts(self, run: RunVerbs) -> dict[str, Any]:
        step._log.write()  # the open run stays open, as in the notebook
        (facts,) = [facts for facts in json.loads(self.file.read_text())["runs"] if facts["id"] == run.id]
        return facts

    def landed(self, run: RunVerbs) -> Landed:
        facts = self._facts(run)
        return Landed(
            facts["status"],
            facts["params"],
            facts["tags"],
            tuple((m["key"], repr(float(m["value"])), m["step"]) for m in facts["metrics"]),
            {path: base64.b64decode(data) for path, data in facts["files"].items()},
        )

    def times(self, run: RunVerbs) -> list[float]:
        return [metric["time"] for metric in self._facts(run)["metrics"]]

    def close(self) -> None:
        step.begin(None, "interactive", "", "")


class Functions(Step):
    """The functions that a step calls, which are about the open run."""

    def start(self, name: str, experiment: str = "default") -> RunVerbs:
        run = step.start_run(name, experiment)

        class Open:
            """The functions under the names of the verbs. There is none for an artifact."""

            id, name, experiment = run.id, run.name, run.experiment
            log, params, tag = map(staticmethod, (step.log_metrics, step.log_params, step.log_tags))
            end = staticmethod(step.end_run)
            artifact = staticmethod(run.artifact)

            def figure(self, name: str, figure: object) -> None:
                step.log_figures({name: figure})

            def __enter__(self) -> Open:
                return self

            __exit__ = staticmethod(run.__exit__)

        return Open()


IMPLEMENTATIONS = {"notebook": Notebook, "step": Step, "functions": Functions}


@pytest.fixture(params=IMPLEMENTATIONS)
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    made = IMPLEMENTATIONS[request.param](tmp_path)
    yield made
    made.close()


def png() -> Any:
    from matplotlib.figure import Figure

    return Figure()


def bars() -> Any:
    import plotly.graph_objects as go

    return go.Figure(go.Bar(y=[1, 2]))


@dataclass(frozen=True)
class Call:
    """Calls of a run's verbs, and what is known of the run then.

    Attributes
    ----------
    refused : the one line of the `UserError` that the last call raises; "" if it is taken.
    functions : what the functions of a step do otherwise, by design: what is known then, and nothing is refused.
    """

    name: str
    act: Callable[[Any], Any]
    landed: Landed = field(default_factory=Landed)
    refused: str = ""
    functions: Landed | None = None


def metrics(*rows: tuple[str, str, int]) -> Landed:
    return Landed(metrics=rows)


NO_NAME = "is no name to log under: use letters, digits and _ - . / : (1 to 250 of them)"
NO_PATH = "is no path for an artifact: give a relative one, as in 'plots/roc.png'"

CALLS = [
    Call("a metric", lambda run: run.log(auc=0.5), metrics(("auc", "0.5", 0))),
    Call("a metric by a mapping", lambda run: run.log({"val/auc": 0.5}), metrics(("val/auc", "0.5", 0))),
    Call("metrics called as the verb's own words", lambda run: run.log(metrics=1, self=2),
         metrics(("metrics", "1.0", 0), ("self", "2.0", 0))),
    Call("both, and a step", lambda run: run.log({"a": 1}, step=3, b=2), metrics(("a", "1.0", 3), ("b", "2.0", 3))),
    Call("a step by place", lambda run: run.log({"a": 1}, 2), metrics(("a", "1.0", 2))),
    Call("steps backwards", lambda run: [run.log(a=s, step=s) for s in (2, -1)],
         metrics(("a", "2.0", 2), ("a", "-1.0", -1))),
    Call("numpy's numbers", lambda run: run.log(a=np.float32(0.5), b=np.array(2), step=np.int64(4)),
         metrics(("a", "0.5", 4), ("b", "2.0", 4))),
    Call("a whole step that is a float", lambda run: run.log(a=1, step=3.0), metrics(("a", "1.0", 3))),
    Call("no number and no end", lambda run: run.log(a=math.nan, b=math.inf, c=-math.inf),
         metrics(("a", "nan", 0), ("b", "inf", 0), ("c", "-inf", 0))),
    Call("truth values", lambda run: run.log(a=True), metrics(("a", "1.0", 0))),
    Call("no metrics", lambda run: run.log()),
    Call("text as a metric", lambda run: run.log(ok=1, auc="high"),
         refused="metric 'auc' takes one number, not str 'high': log a parameter or an artifact instead"),
    Call("nothing as a metric", lambda run: run.log(auc=None), refused="metric 'auc' takes one number, not NoneType"),
    Call("several numbers", lambda run: run.log(auc=[1, 2]), refused="metric 'auc' takes one number, not list [1, 2]"),
    Call("a number beyond floats", lambda run: run.log(a=10**400), refused="metric 'a' takes one number, not int"),
    Call("a name of two lines", lambda run: run.log({"a\nb": 1}), refused=rf"'a\nb' {NO_NAME}"),
    Call("a name that climbs", lambda run: run.log({"../a": 1}), refused=f"'../a' {NO_NAME}"),
    Call("no name", lambda run: run.log({"": 1}), refused=f"'' {NO_NAME}"),
    Call("a number as a name", lambda run: run.log({3: 1}), refused=f"3 {NO_NAME}"),
    Call("text as a step", lambda run: run.log(a=1, step="x"), refused="a step is a whole number, not 'x'"),
    Call("half a step", lambda run: run.log(a=1, step=0.5), refused="a step is a whole number, not 0.5"),
    Call("an endless step", lambda run: run.log(a=1, step=math.inf), refused="a step is a whole number, not inf"),
    Call("a step beyond 64 bits", lambda run: run.log(a=1, step=2**63), refused="a step is a whole number, not 92233"),
    Call("parameters", lambda run: run.params({"a": [1]}, depth=3, none=None),
         Landed(params={"a": "[1]", "depth": "3", "none": "None"})),
    Call("a parameter again", lambda run: [run.params(depth=3) for _ in range(2)], Landed(params={"depth": "3"})),
    Call("a parameter changed", lambda run: [run.params(depth=n) for n in (3, 4)], Landed(params={"depth": "3"}),
         "parameter 'depth' of this run is '3' already, not '4': start a new run",
         functions=Landed(params={"depth": "3"})),
    Call("a long parameter", lambda run: run.params(ok=1, text="x" * 6001),
         refused="parameter 'text' has 6001 characters and MLflow keeps 6000: log it as an artifact"),
    Call("a bad name of a parameter", lambda run: run.params({"ok": 1, "a=b": 1}), refused=f"'a=b' {NO_NAME}"),
    Call("tags", lambda run: [run.tag(team="blue"), run.tag({"team": "red", "n": 3})],
         Landed(tags={"team": "red", "n": "3"})),
    Call("a long tag", lambda run: run.tag(text="x" * 6001), refused="'text' has 6001 characters and MLflow keeps"),
    Call("a bad name of a tag", lambda run: run.tag({"a b ": 1}), refused=f"'a b ' {NO_NAME}"),
    Call("artifacts", lambda run: [run.artifact("plots/a.txt", b"1"), run.artifact("plots/./a.txt", b"2")],
         Landed(files={"plots/a.txt": b"2"})),
    Call("an artifact that climbs", lambda run: run.artifact("../a", b""), refused=f"'../a' {NO_PATH}"),
    Call("an absolute artifact", lambda run: run.artifact("/a", b""), refused=f"'/a' {NO_PATH}"),
    Call("an artifact without a path", lambda run: run.artifact("", b""), refused=f"'' {NO_PATH}"),
    Call("what is no figure", lambda run: run.figure("a", 3), functions=Landed(),
         refused="'a' is a int, not a matplotlib or plotly figure: use artifact()"),
    Call("the end", lambda run: run.end(), Landed("finished")),
    Call("the end of what failed", lambda run: run.end(failed=True), Landed("failed")),
    Call("the end, twice", lambda run: [run.end(), run.end(failed=True)], Landed("finished")),
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_call_lands_alike(world: Any, call: Call) -> None:
    run: RunVerbs = world.start("baseline")
    expected, refused = call.landed, call.refused
    if isinstance(world, Functions) and call.functions is not None:
        expected, refused = call.functions, ""
    if refused:
        with pytest.raises(UserError) as raised:
            call.act(run)
        assert refused in str(raised.value)
        assert "\n" not in str(raised.value)
    else:
        call.act(run)
    assert world.landed(run) == expected


@pytest.mark.parametrize(("draw", "files"), [(png, ["a.png"]), (bars, ["a.html", "a.json"])])
@pytest.mark.parametrize("name", ["a", "a.png"])
def test_a_figure_lands_alike(world: Any, draw: Callable[[], Any], files: list[str], name: str) -> None:
    run = world.start("baseline")
    run.figure("a" if isinstance(world, Functions) else name, draw())  # they are given variables: no ending
    assert sorted(world.landed(run).files) == files


def test_values_at_one_step_have_milliseconds_of_their_own(world: Any) -> None:
    """MLflow takes the last of them for the latest by its time, and keeps one of those that are all alike."""
    run = world.start("baseline")
    for value in (0.5, 0.25, 0.25):
        run.log(loss=value)
    first, second, third = (int(time * 1000) for time in world.times(run))
    assert first < second < third


def test_a_block_ends_its_run(world: Any) -> None:
    with world.start("fine") as fine:
        fine.log(a=1)
    broken = world.start("broken")
    with pytest.raises(ZeroDivisionError), broken:
        1 / 0  # noqa: B018
    assert world.landed(fine) == replace(metrics(("a", "1.0", 0)), status="finished")
    assert world.landed(broken) == Landed("failed")


def test_starting_again_ends_the_open_run(world: Any) -> None:
    first = world.start("one")
    second = world.start("two")
    assert [world.landed(run).status for run in (first, second)] == ["finished", "running"]
    assert (second.name, second.experiment) == ("two", "default")


@pytest.mark.parametrize("word", ["", " ", "a\nb", "x" * 251], ids=["empty", "blank", "two lines", "long"])
def test_bad_names_of_runs(world: Any, word: str) -> None:
    with pytest.raises(UserError, match="is no name for a run: give 1 to 250 printable characters"):
        world.start(word)
    with pytest.raises(UserError, match="is no name for a experiment: give 1 to 250 printable characters"):
        world.start("a", word)


HANDLES = {"notebook": Notebook, "step": Step}


@pytest.mark.parametrize("kind", HANDLES)
def test_a_handle_is_of_its_own_run(kind: str, tmp_path: Path) -> None:
    """The functions are about the open run; a run in the user's hand stays the one that it is."""
    world = HANDLES[kind](tmp_path)
    first = world.start("one")
    second = world.start("two")
    first.log(late=1)
    first.params(depth=3)
    first.end(failed=True)
    second.log(own=2)
    assert world.landed(first) == Landed("finished", {"depth": "3"}, metrics=(("late", "1.0", 0),))
    assert world.landed(second) == Landed("running", metrics=(("own", "2.0", 0),))
    world.close()


def test_a_handle_adds_to_a_run_that_an_earlier_step_ended(tmp_path: Path) -> None:
    load = Step(tmp_path)
    run = load.start("baseline")
    run.end(failed=True)
    step.finish()
    step.begin(tmp_path / "tracking" / "report.json", "churn", "r1", "report")
    run.log(late=1)
    step.log_metrics(own=2)
    step.finish()
    late, own = json.loads((tmp_path / "tracking" / "report.json").read_text())["runs"]
    earlier = json.loads(load.file.read_text())["runs"][0]
    assert [late[key] for key in ("id", "status", "started", "ended")] == [
        earlier[key] for key in ("id", "status", "started", "ended")
    ]
    assert [metric["key"] for metric in late["metrics"]] == ["late"]
    assert own["implied"]
    load.close()
