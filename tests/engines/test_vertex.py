"""The Vertex AI target: its file parsed strictly by kfp, and run by kfp's local runner."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.export.targets import vertex
from tests.contracts.test_targets import CHURN
from tests.engines.demos import DEMOS, DIAMOND, ROOT, Demo, bundle, engine, proven

PROBE = ROOT / "tests" / "engines" / "kubeflow_probe.py"


@pytest.mark.validated("vertex")
def test_kfp_parses_it(tmp_path: Path) -> None:
    file = tmp_path / "churn.yaml"
    file.write_text(vertex.render(CHURN)["vertex/churn.yaml"])
    (spec,) = json.loads(engine("python", PROBE, "read", file, cwd=tmp_path).splitlines()[-1]).values()
    assert set(spec["root"]["dag"]["tasks"]) == {step.name for step in CHURN.steps}
    assert spec["root"]["inputDefinitions"]["parameters"]["store-uri"]["defaultValue"] == "/gcs/BUCKET/churn"
    wishes = spec["deploymentSpec"]["executors"]["exec-train"]["container"]["resources"]
    assert wishes["cpuLimit"] == 2.0
    assert "accelerator" not in wishes
    assert not any(secret in file.read_text() for secret in CHURN.secrets)


@pytest.mark.validated("vertex")
@pytest.mark.slow
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_a_run_gives_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "vertex")
    given = json.dumps({"store-uri": str(tmp_path / "store")})
    engine("python", PROBE, "run", f"vertex/{demo.name}.yaml", given, cwd=laid)
    proven(laid, tmp_path / "store", demo)


@pytest.mark.validated("vertex")
def test_with_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "vertex")
    given = {"store-uri": str(tmp_path / "store"), **DIAMOND.given}
    engine("python", PROBE, "run", "vertex/diamond.yaml", json.dumps(given), cwd=laid)
    proven(laid, tmp_path / "store", DIAMOND, then=True)


def test_the_schedule_has_its_time_zone() -> None:
    assert 'cron="TZ=Europe/Oslo 0 6 * * 1", display_name="churn", max_concurrent_run_count=1)' in vertex.deploy(CHURN)
    assert "job.submit()" in vertex.deploy(replace(CHURN, schedule=None))
    with pytest.raises(UserError, match="Vertex AI Pipelines would not do as crontab does"):
        vertex.render(replace(CHURN, schedule=ScheduleSpec("30 2 * * *", "Europe/Oslo")))
