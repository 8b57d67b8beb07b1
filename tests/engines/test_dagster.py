"""The Dagster target against Dagster itself, in its own environment."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.core.plan import PlanStep, ScheduleSpec
from mlops_jupyter.services.cron.portable import in_zone
from mlops_jupyter.services.export.targets import dagster
from tests.engines import ticks, wished
from tests.engines.demos import DEMOS, DIAMOND, LINEAR, Demo, bundle, engine, proven
from tests.engines.fired import delivered, running, until
from tests.receiver import Receiver

QUIET = {"DAGSTER_DISABLE_TELEMETRY": "1"}
CASES = ticks.cases(lambda schedule: in_zone(schedule, "Dagster"))


def asks(case: ticks.Case) -> list[object]:
    cron, place = in_zone(ScheduleSpec(case[0], case[1]), "Dagster")
    return [cron, place, ticks.start(case).isoformat(), ticks.COUNT]


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Dagster made of several bundles, in one process of it."""
    folder = tmp_path_factory.mktemp("dagster")
    laid = {demo.name: bundle(demo, folder, "dagster") for demo in DEMOS}
    again = bundle(DIAMOND, folder / "again", "dagster")
    plan = wished.lay(folder, dagster, schedule=ScheduleSpec("30 5 * * mon-fri", "America/New_York", concurrency=2))
    for kind in (ScheduleSpec(every_seconds=600), ScheduleSpec(data="in/*.csv"), ScheduleSpec(after="linear")):
        texts = dagster.render(replace(wished.WISHED, schedule=kind))
        (plan / "dagster" / f"{kind.shown.split()[0]}.py").write_text(texts["dagster/wished.py"])
    odd = replace(
        wished.WISHED, package="übung", name="Ünïcode.md", steps=tuple(PlanStep(n, n, "") for n in ("région", "config"))
    )
    (plan / "dagster" / "odd.py").write_text(dagster.render(odd)["dagster/übung.py"])
    (plan / "in").mkdir()
    (plan / "in" / "a.csv").touch()
    files = [str(path) for path in (plan / "dagster").glob("*.py")]
    with Receiver() as hook:
        common = {"TOKEN": "s3cret", "ALERT_URL": hook.url, "MARKS": str(folder / "marks")}
        runs: list[tuple[str, dict[str, Any], dict[str, str]]] = [
            *((str(laid[demo.name] / "dagster" / f"{demo.name}.py"), {}, {}) for demo in DEMOS),
            (str(again / "dagster" / "diamond.py"), dict(DIAMOND.given), {"DIAMOND_STORE": str(folder / "elsewhere")}),
            (str(plan / "dagster" / "wished.py"), {}, {"WISHED_STORE": str(folder / "good"), **common}),
            (str(plan / "dagster" / "wished.py"), {"mode": "fail"}, {"WISHED_STORE": str(folder / "fail")}),
            (str(plan / "dagster" / "wished.py"), {"mode": "slow"}, {"WISHED_STORE": str(folder / "slow")}),
        ]
        sensors = [str(plan / "dagster" / f"{kind}.py") for kind in ("every", "new")]
        asked = {
            "files": files,
            "runs": runs,
            "ticks": [asks(case) for case in CASES],
            "sensors": sensors,
            "after": sensors[0].replace("every", "after"),
        }
        (folder / "asked.json").write_text(json.dumps(asked))
        probe = Path(__file__).with_name("dagster_probe.py")
        engine("python", probe, folder / "asked.json", folder / "answer.json", cwd=folder, **QUIET)
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    described = {Path(path).stem: facts for path, facts in answer.pop("described").items()}
    return {**answer, **described, "folder": folder, "laid": laid, "again": again, "posted": hook.bodies}


@pytest.mark.ran("dagster")
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_a_demo_gives_its_values(probed: dict[str, Any], demo: Demo) -> None:
    run = probed["runs"][DEMOS.index(demo)]
    assert run["success"], run
    laid = probed["laid"][demo.name]
    assert proven(laid, laid / "out", demo) == run["run"]
    assert sorted(run["made"]) == sorted([f"{demo.name}/{step}", run["run"]] for step in demo.steps)


@pytest.mark.ran("dagster")
def test_with_other_parameters(probed: dict[str, Any]) -> None:
    assert probed["runs"][3]["success"], probed["runs"][3]
    proven(probed["again"], probed["folder"] / "elsewhere", DIAMOND, then=True)


@pytest.mark.ran("dagster")
def test_retries_secrets_and_the_environment(probed: dict[str, Any]) -> None:
    assert probed["runs"][4]["retried"] == ["flaky"], probed["runs"][4]
    facts = {"token": "terc3s", "own": [], "mode": "good", "tries": "the second time"}
    assert wished.said(probed["folder"] / "good") == [facts]
    assert wished.given(probed["folder"] / "good") == [wished.DEFAULTS]


@pytest.mark.ran("dagster")
def test_a_failure_is_told(probed: dict[str, Any]) -> None:
    run = probed["runs"][5]
    assert not run["success"]
    assert list(run["failures"]) == ["last"]
    assert "step last: ended with exit code 1" in run["failures"]["last"]
    told, _ = probed["posted"]
    assert (told["pipeline"], told["run"], told["status"]) == (wished.WISHED.name, run["run"], "failed")
    assert "no such column" in told["text"]


@pytest.mark.ran("dagster")
def test_a_step_out_of_time_is_stopped(probed: dict[str, Any]) -> None:
    run = probed["runs"][6]
    assert list(run["failures"]) == ["last"]
    assert "step last: stopped after 8 seconds" in run["failures"]["last"]
    assert probed["posted"][1]["run"] == run["run"]


@pytest.mark.validated("dagster")
def test_the_job_is_the_plan(probed: dict[str, Any]) -> None:
    found = probed["wished"]
    assert (found["job"], found["title"]) == ("wished", wished.WISHED.name)
    assert {name: op["after"] for name, op in found["ops"].items()} == {
        "load": [],
        "flaky": ["load"],
        "last": ["flaky", "load"],
    }
    assert found["assets"] == {
        f"wished/{name}": [f"wished/{before}" for before in op["after"]] for name, op in found["ops"].items()
    }
    assert {name: op["retries"] for name, op in found["ops"].items()} == {"load": None, "flaky": 1, "last": None}
    assert found["ops"]["flaky"]["delays"] == [1, 3, 7]
    asked = {"requests": {"cpu": "0.5", "memory": "268435456"}, "limits": {}}
    tags = {name: op["tags"] for name, op in found["ops"].items()}
    assert json.loads(tags["flaky"]["dagster-k8s/config"]) == {"container_config": {"resources": asked}}
    assert '"nvidia.com/gpu": "1"' in tags["load"]["dagster-k8s/config"]
    assert not tags["last"]


@pytest.mark.validated("dagster")
def test_parameters_keep_value_and_type(probed: dict[str, Any]) -> None:
    found = probed["wished"]["parameters"]
    assert {name: value for name, (_, value) in found.items()} == {"mode": "good", **wished.DEFAULTS}
    kinds = {
        name: kind.split(".")[0] for name, (kind, _) in found.items() if name in ("mode", "count", "rate", "verbose")
    }
    assert kinds == {"mode": "String", "count": "Int", "rate": "Float", "verbose": "Bool"}


@pytest.mark.validated("dagster")
def test_what_starts_it(probed: dict[str, Any]) -> None:
    assert probed["wished"]["schedules"] == [["30 5 * * 1,2,3,4,5", "America/New_York", "RUNNING"]]
    assert [probed[kind]["sensors"] for kind in ("every", "new", "after")] == [
        [[30, "RUNNING"]],
        [[30, "RUNNING"]],
        [[30, "RUNNING"]],
    ]
    (every, _), (first, second) = probed["sensors every"], probed["sensors new"]
    assert int(every) % 600 == 0
    assert first == second
    assert len(first) == 32
    assert probed["odd"]["job"] == "ubung"
    assert set(probed["odd"]["ops"]) == {"region", "config_2"}
    assert set(probed["odd"]["assets"]) == {"ubung/region", "ubung/config_2"}


@pytest.mark.ran("dagster")
def test_runs_that_come_of_others(probed: dict[str, Any]) -> None:
    """After one of the other pipeline, once; and one that goes on where another failed uses what that had made."""
    assert probed["asked after"] == ["the same", None]
    assert probed["origin"] == "the first"


@pytest.mark.validated("dagster")
def test_fires_when_the_clock_says(probed: dict[str, Any]) -> None:
    for case, found in zip(CASES, probed["ticks"], strict=True):
        assert found == ticks.ours(case), case


@pytest.mark.slow
@pytest.mark.ran("dagster")
def test_a_daemon_fires_the_schedule(tmp_path: Path) -> None:
    laid = bundle(LINEAR, tmp_path, "dagster", schedule="* * * * *")
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text((laid / "dagster" / "dagster.yaml").read_text())
    engine("dagster", "definitions", "validate", "-f", "dagster/linear.py", cwd=laid, DAGSTER_HOME=str(home), **QUIET)
    with running("dagster-daemon", "run", "-f", "dagster/linear.py", cwd=laid, DAGSTER_HOME=str(home), **QUIET) as log:
        until(lambda: delivered(laid / "out", LINEAR), log)
