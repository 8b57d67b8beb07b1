"""The image's recipe and the compose file, as their own tools read them; test_containers.py builds and runs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from mlops_jupyter.core.plan import Plan, PlanStep, Resources
from mlops_jupyter.services.export.render import render
from mlops_jupyter.services.export.targets import docker
from tests.contracts.test_targets import CHURN
from tests.engines.demos import DEMOS, FILED, Demo, bundle, engine


def compose(plan: Plan) -> dict[str, object]:
    """The one service of the compose file, with its name."""
    ((name, service),) = yaml.safe_load(docker.render(plan)["compose.yaml"])["services"].items()
    return {"name": name, **service}


@pytest.mark.validated("docker")
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_tools_take_the_files(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "docker", secret=["API_KEY"])
    engine("hadolint", laid / "Dockerfile", cwd=tmp_path)
    engine("check-jsonschema", "--builtin-schema", "vendor.compose-spec", laid / "compose.yaml", cwd=tmp_path)


def test_the_files_of_a_large_plan(tmp_path: Path) -> None:
    for path, text in {**docker.render(CHURN), "Dockerfile": render(CHURN)["Dockerfile"].decode()}.items():
        (tmp_path / path).write_text(text)
    engine("hadolint", "Dockerfile", cwd=tmp_path)
    engine("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml", cwd=tmp_path)


def test_secrets_are_references_and_the_gpu_is_asked_for() -> None:
    service = compose(CHURN)
    assert service["environment"] == {
        "DATABASE_URL": "${DATABASE_URL:?set it in the shell or in .env}",
        "ALERT_URL": "${ALERT_URL:?set it in the shell or in .env}",
    }
    assert service["deploy"]["resources"]["reservations"]["devices"][0]["count"] == 1  # type: ignore[index]
    assert service["command"] == ["run", "--store", "/store", "--jobs", "1", "--alert", "ALERT_URL"]
    assert service["restart"] == "no"


def test_a_step_that_asks_for_nothing_gets_nothing() -> None:
    service = compose(Plan("p", "My_Flow", steps=(PlanStep("only", "1", ""),)))
    assert service["name"] == service["image"] == "my-flow-2d970f"
    assert not {"environment", "deploy"} & set(service)
    assert service["command"] == ["run", "--store", "/store"]


def test_newer_data_are_mounted(tmp_path: Path) -> None:
    service = yaml.safe_load((bundle(FILED, tmp_path, "docker") / "compose.yaml").read_text())["services"]["filed"]
    assert service["command"] == ["run", "--store", "/store", "--data", "/data"]
    assert service["volumes"] == ["store:/store", "./data:/data:ro"]


def test_what_gets_near_the_image() -> None:
    """No secret of a folder can slip into a layer: the recipe sees what it copies and nothing else."""
    files = {path: data.decode() for path, data in render(replace(CHURN, files={})).items() if "runtime" not in path}
    assert files[".dockerignore"].splitlines() == [
        "*",
        "!requirements.lock",
        "!src",
        "!tests/expected",
        "**/__pycache__",
    ]
    assert ".env" in files[".gitignore"].splitlines()
    copied = [line.split()[1:-1] for line in files["Dockerfile"].splitlines() if line.startswith("COPY")]
    assert copied == [["requirements.lock"], ["--from=packages", "/venv"], ["tests/expected"], ["src"]]
    assert "DATABASE_URL" not in files["Dockerfile"]


@pytest.mark.parametrize("gpus", [(), (2, 1)])
def test_the_largest_step_counts(gpus: tuple[int, ...]) -> None:
    steps = tuple(PlanStep(f"s{n}", "1", "", resources=Resources(gpu=n)) for n in gpus)
    service = compose(Plan("p", "p", steps=(*steps, PlanStep("last", "1", ""))))
    assert ("deploy" in service) == bool(gpus)
    if gpus:
        assert service["deploy"]["resources"]["reservations"]["devices"][0]["count"] == 2  # type: ignore[index]
