"""A pipeline that asks for all that a plan can."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources
from mlops_jupyter.services.export.bundle.create import write
from mlops_jupyter.services.export.render import render

LOAD = """
import os


def load(mode):
    own = sorted(name for name in os.environ if name.startswith(("AIRFLOW", "DAGSTER", "PREFECT")))
    return {"token": os.environ["TOKEN"][::-1], "own": own, "mode": mode}
"""

FLAKY = """
import os
from pathlib import Path


def flaky(facts):
    mark = Path(os.environ["MARKS"], facts["mode"])
    if not mark.exists():
        mark.touch()
        raise ValueError("not yet")
    return "the second time"
"""

LAST = """
import time


def last(facts, tries):
    if facts["mode"] == "fail":
        raise ValueError("no such column")
    if facts["mode"] == "slow":
        time.sleep(120)
    return {**facts, "tries": tries}
"""

WISHED = Plan(
    name='Wished "{{ ds }}"',
    package="wished",
    steps=(
        PlanStep("load", "1", LOAD, outputs=(("facts",),), parameters=("mode",), resources=Resources(gpu=1)),
        PlanStep(
            "flaky",
            "2",
            FLAKY,
            inputs={"facts": "load"},
            outputs=(("tries",),),
            resources=Resources(retries=1, backoff_seconds=1, cpu=0.5, memory_bytes=1 << 28),
        ),
        PlanStep(
            "last",
            "3",
            LAST,
            inputs={"facts": "load", "tries": "flaky"},
            outputs=(("said",),),
            resources=Resources(timeout_seconds=8),
        ),
    ),
    parameters=(
        Parameter("mode", "good"),
        Parameter("count", 3),
        Parameter("rate", 0.5),
        Parameter("verbose", True),
        Parameter("columns", ["a", {"b": None}]),
        Parameter("limit", None),
        Parameter("options", {"depth": 2}),
        Parameter("config", "{{ ds }} no: 0123 'x' \"y\"\n$(exit 3) région"),
        Parameter("odd", {1: "a"}),
    ),
    outputs={"said": "last"},
    secrets=("TOKEN", "ALERT_URL"),
    alert="ALERT_URL",
)


DEFAULTS = {p.name: p.default for p in WISHED.parameters if p.name not in ("mode", "odd")}
"""Values of all kinds, which must arrive as they are."""


def lay(folder: Path, target: Any, **changes: Any) -> Path:
    """Lay the bundle, and beside it a folder for its `MARKS`; return its path."""
    (folder / "marks").mkdir(exist_ok=True)
    plan = replace(WISHED, **changes)
    write(render(plan, [target]), folder / plan.package)
    return folder / plan.package


def said(store: Path | str) -> list[Any]:
    """Return what the runs of a store delivered."""
    return [json.loads(path.read_text()) for path in sorted(Path(store).glob("*/outputs/said.json"))]


def given(store: Path | str) -> list[dict[str, Any]]:
    """Return the parameters that the runs of a store were given, without their mode and the odd one."""
    found = [json.loads(run.read_text())["parameters"] for run in sorted(Path(store).glob("*/run.json"))]
    return [{name: value for name, value in each.items() if name not in ("mode", "odd")} for each in found]
