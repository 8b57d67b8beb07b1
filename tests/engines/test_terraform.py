"""The Terraform target: every expression parses and names what is declared, and the job's command gives the values.

`terraform` itself is not to be had here, nor is Google: what a provider would say to a value is not proven.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.services.cron.ticks import check, zone
from mlops_jupyter.services.export.targets import terraform
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines.demos import DEMOS, DIAMOND, Demo, bundle, engine, proven

PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
ATTRIBUTES = {"id", "name", "email", "member", "url"}

PARSE = """
import json, sys, hcl2
for expression in json.load(open(sys.argv[1])):
    print(json.dumps(hcl2.loads("x = " + expression + "\\n")))
"""

Files = dict[str, dict[str, Any]]


def read(folder: Path) -> Files:
    return {path.name.split(".")[0]: json.loads(path.read_text()) for path in (folder / "terraform").glob("*.tf.json")}


def lay(plan: Plan, folder: Path) -> Path:
    (folder / "terraform").mkdir(parents=True)
    for path, text in terraform.render(plan).items():
        (folder / path).write_text(text)
    return folder


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield key
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, str):
        yield value


def faults(files: Files) -> Iterator[str]:
    """References that lead nowhere, and texts that Terraform would read as more than text."""
    main, variables = files["main"], files["variables"]["variable"]
    resources = {f"{kind}.{name}" for kind, found in main["resource"].items() for name in found}
    for text in strings(main):
        for expression in PLACEHOLDER.findall(text):
            parts = expression.split(".")
            if parts[0] == "var":
                if len(parts) != 2 or parts[1] not in variables:
                    yield f"no variable {expression}"
            elif ".".join(parts[:2]) not in resources or parts[2:] not in [[one] for one in ATTRIBUTES]:
                yield f"no resource {expression}"
        if "${" in PLACEHOLDER.sub("", text) or "%{" in text:
            yield f"not a text: {text}"
    for found in main["resource"].values():
        for one in found.values():
            yield from (f"no resource {other}" for other in one.get("depends_on", ()) if other not in resources)
    for name, variable in variables.items():
        if not re.fullmatch("[a-z][a-zA-Z0-9_]*", name) or name in ("count", "version", "source", "providers"):
            yield f"no name of a variable: {name}"
        if "${" in variable.get("default", "") or "%{" in variable.get("default", ""):
            yield f"not a text: {variable}"
    for clock in main["resource"].get("google_cloud_scheduler_job", {}).values():
        check(clock["schedule"])
        zone(clock["time_zone"])


def task(files: Files) -> dict[str, Any]:
    found: dict[str, Any] = files["main"]["resource"]["google_cloud_run_v2_job"]["pipeline"]["template"]["template"]
    return found


def words(files: Files, given: Mapping[str, str]) -> list[str]:
    """The command's words after the image's entry point, variables put in."""
    variables = {f"var.{name}": one.get("default") for name, one in files["variables"]["variable"].items()}
    variables |= {f"var.parameter_{name}": value for name, value in given.items()}
    return [PLACEHOLDER.sub(lambda mark: variables[mark[1]], word) for word in task(files)["containers"][0]["args"]]


def execute(laid: Path, folder: Path, given: Mapping[str, str]) -> None:
    (folder / "data").mkdir()
    places = {
        mount["mount_path"]: str(folder / mount["name"]) for mount in task(read(laid))["containers"][0]["volume_mounts"]
    }
    command = [places.get(word, word) for word in words(read(laid), given)]
    engine("python", "-m", laid.name, *command, cwd=folder, PYTHONPATH=str(laid / "src"))


@pytest.mark.validated("terraform")
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_jobs_command_gives_the_values(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "s3cr3t")  # as the job has it from the cloud's store of secrets
    laid = bundle(demo, tmp_path, "terraform", secret=["API_KEY"], schedule="0 6 * * mon", timezone="Europe/Oslo")
    assert list(faults(read(laid))) == []
    execute(laid, tmp_path, {})
    proven(laid, tmp_path / "store", demo)


@pytest.mark.validated("terraform")
def test_the_jobs_command_takes_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "terraform")
    execute(laid, tmp_path, {name: json.dumps(value) for name, value in DIAMOND.given.items()})
    proven(laid, tmp_path / "store", DIAMOND, then=True)


@pytest.mark.validated("terraform")
def test_every_expression_parses_and_leads_somewhere(tmp_path: Path) -> None:
    plain = Plan("p", "plain", steps=(PlanStep("only", "1", ""),))
    expressions = []
    for plan in (CHURN, replace(CHURN, package="often", schedule=ScheduleSpec(every_seconds=900)), plain):
        files = read(lay(plan, tmp_path / plan.package))
        assert list(faults(files)) == []
        expressions += [expression for text in strings(files["main"]) for expression in PLACEHOLDER.findall(text)]
    (tmp_path / "expressions.json").write_text(json.dumps(expressions))
    (tmp_path / "parse.py").write_text(PARSE)
    said = engine("python", "parse.py", "expressions.json", cwd=tmp_path)
    assert len(said.splitlines()) == len(expressions) > 30


def test_the_references_are_really_looked_at(tmp_path: Path) -> None:
    files = read(lay(CHURN, tmp_path / "churn"))
    del files["variables"]["variable"]["parameter_label"]
    files["main"]["resource"]["google_storage_bucket"]["kept"] = files["main"]["resource"]["google_storage_bucket"].pop(
        "store"
    )
    task(files)["containers"][0]["args"].append("%{ if x }")
    found = set(faults(files))
    assert {"no variable var.parameter_label", "no resource google_storage_bucket.store.name"} <= found
    assert "not a text: %{ if x }" in found


def test_the_job_is_the_plan(tmp_path: Path) -> None:
    files = read(lay(CHURN, tmp_path / "churn"))
    container = task(files)["containers"][0]
    assert container["resources"] == {"limits": {"cpu": "2", "memory": "1Gi"}}
    assert [one["name"] for one in container["env"]] == ["DATABASE_URL", "ALERT_URL"]
    assert all(set(one["value_source"]) == {"secret_key_ref"} for one in container["env"])
    assert task(files)["timeout"] == "86400s"
    clock = files["main"]["resource"]["google_cloud_scheduler_job"]["clock"]
    assert (clock["schedule"], clock["time_zone"]) == ("0 6 * * 1", "Europe/Oslo")


def test_no_schedule_no_clock(tmp_path: Path) -> None:
    files = read(lay(replace(CHURN, schedule=ScheduleSpec(data="a/*")), tmp_path / "churn"))
    assert "google_cloud_scheduler_job" not in files["main"]["resource"]


@pytest.mark.parametrize(
    ("wishes", "limits"),
    [
        (Resources(), None),
        (Resources(cpu=0.5), {"cpu": "1", "memory": "512Mi"}),
        (Resources(cpu=3), {"cpu": "4", "memory": "2Gi"}),
        (Resources(memory_bytes=10 << 30), {"cpu": "4", "memory": "10Gi"}),
        (Resources(cpu=8, memory_bytes=1 << 20), {"cpu": "8", "memory": "4Gi"}),
        (Resources(cpu=1, memory_bytes=32 << 30), {"cpu": "8", "memory": "32Gi"}),
    ],
)
def test_sizes_that_cloud_run_has(wishes: Resources, limits: object, tmp_path: Path) -> None:
    plan = Plan("p", "p", steps=(PlanStep("only", "1", "", resources=wishes),))
    container = task(read(lay(plan, tmp_path / "p")))["containers"][0]
    assert container.get("resources", {}).get("limits") == limits


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"steps": (PlanStep("a", "1", "", resources=Resources(cpu=16)),)},
            "a step asks for 16 cpu and 0 GiB, and Cloud Run",
        ),
        ({"schedule": ScheduleSpec("30 2 * * *", "Europe/Oslo")}, "cron '30 2 * * *' fires at 02:30 on 2026-03-29"),
        ({"schedule": ScheduleSpec("0 6 1 * 5")}, "cron '0 6 1 * 5' restricts day-of-month and day-of-week"),
        ({"schedule": ScheduleSpec(every_seconds=100)}, "Cloud Scheduler has no interval of 100 s"),
        ({"schedule": ScheduleSpec("0 6 * * 1", "Europe/Olso")}, "time zone 'Europe/Olso'"),
    ],
)
def test_refused_in_one_line(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as fault:
        terraform.render(replace(CHURN, **change))
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    "text", [*HOSTILE, "${var.project}", "%{ if true }x%{ endif }", "$${x}", "no", "1e3"], ids=ascii
)
def test_no_value_breaks_out(text: str, tmp_path: Path) -> None:
    named = (Parameter("text", text), Parameter("count", [text]), Parameter("größe", {text: text}))
    files = read(lay(replace(CHURN, name=text, parameters=named, notes=(text,)), tmp_path / "churn"))
    assert list(faults(files)) == []
    found = words(files, {})
    pairs = (found[n + 1].partition("=") for n, word in enumerate(found) if word == "-p")
    assert {name: json.loads(value) for name, _, value in pairs} == {p.name: p.default for p in named}


def test_long_names_fit() -> None:
    plan = replace(CHURN, package="p" * 200)
    main = json.loads(terraform.render(plan)["terraform/main.tf.json"])["resource"]
    assert len(main["google_cloud_run_v2_job"]["pipeline"]["name"]) < 50
    assert 6 <= len(main["google_service_account"]["runner"]["account_id"]) <= 30
    name = main["google_storage_bucket"]["store"]["name"]
    assert len(name.replace("${var.project}", "p" * 30)) <= 63
