"""The DVC target by DVC itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources
from mlops_jupyter.services.export.bundle.create import write
from mlops_jupyter.services.export.render import render
from mlops_jupyter.services.export.targets import dvc
from tests.contracts.test_targets import HOSTILE
from tests.engines.demos import DEMOS, DIAMOND, Demo, bundle, engine, proven
from tests.receiver import Receiver
from tests.services.export.recorded import export

pytestmark = pytest.mark.ran("dvc")

QUIET = {
    "DVC_NO_ANALYTICS": "1",
    **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def begin(laid: Path) -> None:
    engine("git", "init", "--quiet", cwd=laid)
    engine("dvc", "init", "--quiet", cwd=laid, **QUIET)


def test_a_pipeline_that_is_not_whole_is_not_gathered(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "dvc")
    said = engine("python3", "dvc_stage.py", "diamond", "--gather", "out", cwd=laid, code=1)
    assert said == "nothing is there of step 'join': say `dvc repro`, or `dvc pull`\n"


def repro(laid: Path, *words: str, code: int = 0, **more: str) -> tuple[set[str], str]:
    """Run `dvc repro`; return the stages that it ran, and all it said."""
    said = engine("dvc", "repro", *words, cwd=laid, code=code, **QUIET, **more)
    return set(re.findall(r"^Running stage '(\w+)'", said, re.MULTILINE)), said


def gathered(laid: Path, demo: Demo, then: bool = False) -> None:
    engine("python3", "dvc_stage.py", demo.name, "--gather", "out", cwd=laid)
    proven(laid, laid / "out", demo, then)


def test_the_diamond_reruns_just_what_it_must(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "dvc")
    begin(laid)
    assert repro(laid)[0] == set(DIAMOND.steps)
    gathered(laid, DIAMOND)
    assert json.loads((laid / "metrics" / "join.json").read_text()) == {"total": -3.0}
    assert repro(laid)[0] == set()
    params = laid / "params.json"
    params.write_text(json.dumps({**json.loads(params.read_text()), "verbose": False}))
    assert repro(laid)[0] == {"right", "join"}
    params.write_text(json.dumps({**json.loads(params.read_text()), **DIAMOND.given}))
    repro(laid)
    gathered(laid, DIAMOND, then=True)


@pytest.mark.slow
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "dvc")
    begin(laid)
    assert repro(laid)[0] == set(demo.steps)
    gathered(laid, demo)


@pytest.mark.slow
def test_a_data_file_that_changed_reruns_what_reads_it(tmp_path: Path) -> None:
    laid = bundle(DEMOS[2], tmp_path, "dvc")
    begin(laid)
    repro(laid)
    (laid / "src/filed/initial/files/words.txt").write_text("ant bee cow dog\n")  # the same count, the same letters
    assert repro(laid)[0] == {"count", "draw", "report"}
    source = laid / "src/filed/steps/report.py"
    source.write_text(source.read_text().replace("words", "Wörter"))
    assert repro(laid)[0] == {"report"}
    assert "Wörter" in json.loads((laid / "artifacts/report/outputs/said.json").read_text())


@pytest.mark.slow
def test_another_clone_goes_on_from_what_was_pushed(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "dvc")
    begin(laid)
    repro(laid)
    engine("dvc", "remote", "add", "--default", "shelf", tmp_path / "shelf", cwd=laid, **QUIET)
    engine("dvc", "push", cwd=laid, **QUIET)
    engine("git", "add", ".", cwd=laid)
    engine("git", "commit", "--quiet", "--message", "all", cwd=laid, **QUIET)
    clone = tmp_path / "clone"
    engine("git", "clone", "--quiet", laid, clone, cwd=tmp_path)
    engine("dvc", "pull", cwd=clone, **QUIET)
    gathered(clone, DIAMOND)
    said = engine("dvc", "exp", "run", "--set-param", "params.json:rate=2.0", cwd=clone, **QUIET)
    assert set(re.findall(r"^Running stage '(\w+)'", said, re.MULTILINE)) == {"left", "join"}
    assert json.loads((clone / "metrics" / "join.json").read_text()) == {"total": 6.0}
    assert "6.0" in engine("dvc", "metrics", "diff", cwd=clone, **QUIET)


def test_a_failure_is_tried_again_then_told(tmp_path: Path) -> None:
    module = "def only():\n    print('tried')\n    raise ValueError('no numbers')\n"
    step = PlanStep("only", "1", module, outputs=(("x",),), resources=Resources(retries=2, backoff_seconds=0.001))
    laid = tmp_path / "bundle"
    write(render(Plan("mini", "mini", (step,), secrets=("HOOK",), alert="HOOK"), [dvc]), laid)
    begin(laid)
    with Receiver() as hook:
        _, said = repro(laid, code=255, HOOK=hook.url)
    assert len(re.findall(r"^tried$", said, re.MULTILINE)) == 3
    assert [told["error"] for told in hook.bodies] == ["step 'only' failed: ValueError: no numbers"]


def test_dvc_reads_what_the_plan_says(tmp_path: Path) -> None:
    """Edges, parameters, files and odd texts, as `dvc stage list`, `dvc dag` and `dvc params diff` have them."""
    odd = "data/${x} it's région #1.csv"
    values = tuple(Parameter(f"text{n}", text) for n, text in enumerate(HOSTILE) if "\ud800" not in text)
    values += (
        Parameter("mixed", {"a": [1e3, "0123", "no", None]}),
        Parameter("nan", float("nan")),
        Parameter("filled", "${count}"),
    )
    names = tuple(p.name for p in values)
    steps = (
        PlanStep("load", "1", "", inputs={f"~file:{odd}": "", "~random": ""}, outputs=(("x",),), parameters=names),
        PlanStep("stages", "2", "", inputs={"x": "load"}, outputs=(("y",),), always=True),
        PlanStep("do", "3", "", inputs={"x": "load", "y": "stages"}),
    )
    files = {f"src/mini/initial/files/{odd}": b"1", "src/mini/initial/random.json": b"1"}
    plan = Plan('Mini "${x}"', "mini", steps, parameters=values, files=files)
    laid = tmp_path / "bundle"
    write(render(plan, [dvc]), laid)
    begin(laid)
    probe = """
import json, sys
from dvc.repo import Repo
repo = Repo(".")
stages = {stage.name: stage for stage in repo.index.stages}
edges = sorted([after.name, before.name] for before, after in repo.index.graph.edges)
deps = {name: [str(dep.def_path) for dep in stage.deps] for name, stage in stages.items()}
params = dict(stages["load"].params[0].read_params())
print(json.dumps([edges, deps, params, {name: stage.always_changed for name, stage in stages.items()}]))
"""
    edges, deps, params, always = json.loads(engine("python", "-c", probe, cwd=laid).splitlines()[-1])
    assert edges == sorted(map(list, plan.edges()))
    assert f"src/mini/initial/files/{odd}" in deps["load"]
    assert "src/mini/initial/random.json" in deps["load"]
    assert params == {p.name: p.default for p in values if p.name not in ("nan", "filled")}
    assert always == {"load": False, "stages": True, "do": False}


def test_a_text_that_dvc_would_fill_in_is_refused(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "dvc")
    params = laid / "params.json"
    params.write_text(json.dumps({**json.loads(params.read_text()), "code": "${count}"}))
    said = engine("python3", "dvc_stage.py", "diamond", "join", "--parameter", "code", cwd=laid, code=1)
    assert said == "params.json: 'code=\"${count}\"' holds ${, which DVC fills in itself: write the text without it\n"


def test_what_no_file_tells_apart_is_another_command() -> None:
    step = PlanStep("only", "1", "", inputs={"x": ""}, parameters=("rate",))
    plan = Plan("mini", "mini", (step,), parameters=(Parameter("rate", float("nan")),))
    others = (
        replace(plan, steps=(replace(step, version="2"),)),
        replace(plan, steps=(replace(step, inputs={"y": ""}),)),
        replace(plan, parameters=(Parameter("rate", float("inf")),)),
        replace(plan, environment=replace(plan.environment, variables={"A": "1"})),
    )
    commands = {yaml.safe_load(dvc.render(p)["dvc.yaml"])["stages"]["only"]["cmd"] for p in (plan, *others)}
    assert len(commands) == 5


def test_pictures_are_plots(tmp_path: Path) -> None:
    cells = [("# Draw", "import matplotlib.pyplot as plt\nn = 2\nplt.plot([1, n])\nplt.show()")]
    export(tmp_path, cells, ["n"], targets=["dvc"], name="drawn")
    laid = shutil.move(tmp_path / "out", tmp_path / "drawn")
    stage = yaml.safe_load((laid / "dvc.yaml").read_text())["stages"]["draw"]
    assert stage["plots"] == ["plots/draw"]
    assert stage["metrics"] == [{"metrics/draw.json": {"cache": False}}]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, *stage["cmd"].split()[1:]], cwd=laid, env=env, check=True)
    assert [path.suffix for path in (laid / "plots" / "draw").iterdir()] == [".png"]
