"""The make target by GNU make itself."""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources
from mlops_jupyter.services.export.targets import make
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines.demos import DEMOS, DIAMOND, TEXT, Demo, bundle, engine, proven
from tests.receiver import Receiver

pytestmark = pytest.mark.ran("make")

MAKE = ("make", "--no-print-directory", "-f", "pipeline.mk")

ODD = ("define", "all", "export", "_", "PATH", "SHELL", "run", "include")
"""Names that mean something to make, or to a shell."""

NOTER = """
import json, os, sys
with open("calls.txt", "a") as file:
    file.write(json.dumps(sys.argv[1:]) + chr(10))
sys.exit(int(os.environ.get("CODE", 0)))
"""


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "make")
    engine(*MAKE, "-j2", cwd=laid)
    proven(laid, laid / "out", demo)


def test_the_diamond_with_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "make")
    given = [f"p.{name}={json.dumps(value)}" for name, value in DIAMOND.given.items()]
    engine(*MAKE, "-j2", "RUN=one", f"STORE={tmp_path}/it's $(here)", *given, cwd=laid)
    assert proven(laid, tmp_path / "it's $(here)", DIAMOND, then=True) == "one"


def test_a_text_given_as_it_is(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "make")
    given = f"{TEXT} $$ $(shell touch broken) \\ \\n"
    engine(*MAKE, f"p.text={given}", "p.code=0123", cwd=laid)
    assert not list(laid.glob("broken"))
    (said,) = laid.glob("out/*/outputs/said.json")
    assert json.loads(said.read_text()) == f"{given}|0123"


def lay(folder: Path, plan: Plan) -> Path:
    """Lay the makefile alone, beside a program that notes how it was called."""
    (folder / "src" / plan.package).mkdir(parents=True)
    (folder / "src" / plan.package / "pipeline.py").touch()
    (folder / "noter.py").write_text(NOTER)
    (folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} noter.py "$@"\n')
    (folder / "python").chmod(0o755)
    (folder / "sleep").write_text('#!/bin/sh\necho "$1" >> slept.txt\n')
    (folder / "sleep").chmod(0o755)
    (folder / "pipeline.mk").write_text(make.render(plan)["pipeline.mk"])
    return folder


def calls(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "calls.txt").read_text().splitlines()]


def passed(call: list[str]) -> dict[str, Any]:
    """The parameters of a call, read as the bundle reads them."""
    words = [after for before, after in pairwise(call) if before == "-p"]
    return {word.partition("=")[0]: json.loads(word.partition("=")[2]) for word in words}


def test_hostile_defaults_stay_what_they_are(tmp_path: Path) -> None:
    parameters = tuple(Parameter(f"text{n}", text) for n, text in enumerate(HOSTILE))
    parameters += (Parameter("mixed", {"#": [1e3, "0123", "no", None, True]}), Parameter("nan", float("nan")))
    names = tuple(Parameter(name, f"of {name}") for name in ODD)
    laid = lay(tmp_path, Plan("p", "p", steps=(PlanStep("only", "1", ""),), parameters=(*parameters, *names)))
    engine(*MAKE, "PYTHON=./python", cwd=laid)
    (call,) = calls(laid)
    assert passed(call) == {p.name: p.default for p in (*parameters, *names) if p.name != "nan"}


def test_edges_as_make_has_them(tmp_path: Path) -> None:
    laid = lay(tmp_path, CHURN)
    said = engine(*MAKE, "--print-data-base", "--dry-run", cwd=laid)
    rules = dict(re.findall(r"^step-(\w+):(.*)$", said, re.MULTILINE))
    found = {(before, step) for step, needs in rules.items() for before in re.findall(r"step-(\w+)", needs)}
    assert found == set(CHURN.edges())


def test_names_that_mean_something_to_make(tmp_path: Path) -> None:
    steps = tuple(PlanStep(name, "1", "", inputs={"x": ODD[n - 1]} if n else {}) for n, name in enumerate(ODD))
    laid = lay(tmp_path, Plan("p", "define", steps=steps))
    engine(*MAKE, "PYTHON=./python", "-j2", cwd=laid)
    assert [call[:4] for call in calls(laid)] == [["-m", "define", "step", name] for name in ODD]
    assert len({call[call.index("--run") + 1] for call in calls(laid)}) == 1


@pytest.mark.parametrize(
    ("code", "tries", "slept"),
    [(1, 4, ["20", "40", "60"]), (2, 1, []), (0, 1, [])],
    ids=["failed", "wrong request", "good"],
)
def test_retries(tmp_path: Path, code: int, tries: int, slept: list[str]) -> None:
    step = PlanStep("only", "1", "", resources=Resources(retries=3, backoff_seconds=20))
    laid = lay(tmp_path, Plan("p", "p", steps=(step,), secrets=("HOOK",), alert="HOOK"))
    path = f"{laid}:/usr/bin:/bin"
    engine(*MAKE, "PYTHON=./python", cwd=laid, PATH=path, CODE=str(code), code=2 if code else 0)
    done = calls(laid)
    assert [call[2] for call in done] == ["step"] * tries + ["alert"] * bool(code)
    kept = laid / "slept.txt"
    assert (kept.read_text().split() if kept.exists() else []) == slept


def test_a_failure_is_told(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "make", alert="HOOK")
    (laid / "src/diamond/steps/left.py").write_text("def left(numbers, rate):\n    raise ValueError('no numbers')\n")
    with Receiver() as hook:
        engine(*MAKE, "RUN=one", cwd=laid, code=2, HOOK=hook.url)
    (told,) = hook.bodies
    assert (told["run"], told["status"]) == ("one", "failed")
    assert told["error"] == "step 'left' failed: ValueError: no numbers"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("p.conut=6", "no parameter conut: the pipeline has count rate text verbose code."),
        ("p.text=a\nb", "p.text: write a line break as \\n inside of a JSON text."),
        ("p.count=many", "error: parameter 'count' takes an int (as in 4), not 'many'"),
    ],
)
def test_what_cannot_be_is_refused_before_a_step_runs(tmp_path: Path, word: str, said: str) -> None:
    laid = bundle(DIAMOND, tmp_path, "make")
    assert said in engine(*MAKE, word, cwd=laid, code=2)
    assert not (laid / "out").exists()


def test_elsewhere_it_says_where_to_go(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "make")
    said = engine("make", "-f", laid / "pipeline.mk", cwd=tmp_path, code=2)
    assert "the pipeline is not in this folder: say `make -C FOLDER -f pipeline.mk`" in said
