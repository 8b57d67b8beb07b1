"""The Kubernetes target: the schemas take its files, names lead somewhere, and its container gives the values.

There is no cluster here. What runs is the container of the job, with what a kubelet puts into its command.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.services.cron.ticks import check, zone
from mlops_jupyter.services.export.emit.parameters import text as json_text
from mlops_jupyter.services.export.targets import kubernetes
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines.demos import DEMOS, DIAMOND, Demo, bundle, engine, proven
from tests.engines.pods import Cluster, expand

NAMED = {"metadata.labels['batch.kubernetes.io/job-name']": "demo-29384920"}

Objects = dict[str, dict[str, Any]]


def load(laid: Path) -> Objects:
    """The objects of the files, by kind."""
    return {one["kind"]: one for path in (laid / "k8s").rglob("*.yaml") for one in yaml.safe_load_all(path.read_text())}


def lay(plan: Plan, folder: Path) -> Path:
    for path, text in kubernetes.render(plan).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def job(objects: Objects) -> dict[str, Any]:
    return objects["CronJob"]["spec"]["jobTemplate"]["spec"] if "CronJob" in objects else objects["Job"]["spec"]


def container(objects: Objects) -> dict[str, Any]:
    (found,) = job(objects)["template"]["spec"]["containers"]
    return found


def faults(folder: Path) -> Iterator[str]:
    """What the schemas do not look at."""
    objects = load(folder)
    pod = job(objects)["template"]["spec"]
    if pod["restartPolicy"] not in ("Never", "OnFailure"):
        yield "restartPolicy"
    if "podFailurePolicy" in job(objects) and pod["restartPolicy"] != "Never":
        yield "podFailurePolicy asks for Never"
    if "CronJob" in objects:
        spec = objects["CronJob"]["spec"]
        check(spec["schedule"])
        zone(spec["timeZone"])
        if spec["concurrencyPolicy"] not in ("Allow", "Forbid", "Replace"):
            yield "concurrencyPolicy"
    for volume in pod["volumes"]:
        if not any(f"name: {volume['persistentVolumeClaim']['claimName']}\n" in t for t in texts(folder, "volumes")):
            yield f"no claim {volume}"
    names = {volume["name"] for volume in pod["volumes"]}
    yield from (f"no volume {mount}" for mount in container(objects)["volumeMounts"] if mount["name"] not in names)
    variables = [one["name"] for one in container(objects).get("env", ())]
    yield from (f"two variables {name}" for name in variables if variables.count(name) > 1)
    yield from (f"variable {name}" for name in variables if not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", name))
    for one in container(objects).get("env", ()):
        reference = one["valueFrom"].get("configMapKeyRef")
        if reference and reference["key"] not in objects["ConfigMap"]["data"]:
            yield f"no key {reference}"
    for word in container(objects)["args"]:
        yield from (f"{word} is not set" for name in re.findall(r"\$\(([^)]*)\)", word) if name not in variables)
    listed = set(objects["Kustomization"]["resources"])
    if listed != {path.name for path in (folder / "k8s").glob("*.yaml")} - {"kustomization.yaml"}:
        yield f"kustomization lists {listed}"
    if {container(objects)["image"]} != {one["name"] for one in objects["Kustomization"]["images"]}:
        yield "the image is not the kustomization's"
    if "Secret" in objects:
        yield "a secret is written"


def texts(folder: Path, name: str) -> list[str]:
    return (folder / "k8s" / f"{name}.yaml").read_text().split("---\n")


def cluster(laid: Path, folder: Path) -> Cluster:
    (folder / "data").mkdir()
    places = {"/store": folder / "store", "/data": folder / "data"}
    configs = {laid.name: load(laid).get("ConfigMap", {}).get("data", {})}
    return Cluster(laid, places, {laid.name: {"API_KEY": "hush"}}, configs, NAMED)


@pytest.mark.validated("kubernetes")
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_container_gives_the_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "kubernetes", secret=["API_KEY"], schedule="0 6 * * mon", timezone="Europe/Oslo")
    assert list(faults(laid)) == []
    done = cluster(laid, tmp_path).run(container(load(laid)))
    assert done.returncode == 0, done.stdout.decode()
    assert proven(laid, tmp_path / "store", demo) == "demo-29384920"


@pytest.mark.validated("kubernetes")
def test_the_container_takes_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "kubernetes")
    path = laid / "k8s" / "parameters.yaml"
    config = yaml.safe_load(path.read_text())
    config["data"] |= {name: json_text(value) for name, value in DIAMOND.given.items()}
    path.write_text(yaml.safe_dump(config))
    done = cluster(laid, tmp_path).run(container(load(laid)))
    assert done.returncode == 0, done.stdout.decode()
    proven(laid, tmp_path / "store", DIAMOND, then=True)


@pytest.mark.validated("kubernetes")
def test_a_pod_that_was_lost_is_gone_on_with(tmp_path: Path) -> None:
    """The next pod of a job names the same run; what the first made is taken from the store."""
    laid = bundle(DIAMOND, tmp_path, "kubernetes")
    here = cluster(laid, tmp_path)
    assert here.run(container(load(laid))).returncode == 0
    (tmp_path / "store" / "demo-29384920" / "steps" / "join.json").unlink()
    said = here.run(container(load(laid)))
    assert said.returncode == 0, said.stdout.decode()
    assert said.stdout.decode().count("cached") >= 3, said.stdout.decode()
    proven(laid, tmp_path / "store", DIAMOND)


def test_the_pipelines_own_failure_is_told_by_its_exit_code(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "kubernetes")
    path = laid / "k8s" / "parameters.yaml"
    path.write_text(path.read_text().replace('count: "4"', 'count: "\\"many\\""'))
    (rule,) = job(load(laid))["podFailurePolicy"]["rules"]
    assert cluster(laid, tmp_path).run(container(load(laid))).returncode in rule["onExitCodes"]["values"]


@pytest.mark.validated("kubernetes")
def test_the_schemas_know_every_key(tmp_path: Path) -> None:
    plain = Plan("p", "plain", steps=(PlanStep("only", "1", ""),))
    often = replace(CHURN, package="often", schedule=ScheduleSpec(every_seconds=900))
    for plan in (CHURN, often, plain):
        (tmp_path / plan.package).mkdir()
        assert list(faults(lay(plan, tmp_path / plan.package))) == []
    files = [path for path in tmp_path.rglob("*.yaml") if path.name not in ("kustomization.yaml", "application.yaml")]
    assert len(files) == 3 + 3 + 2
    engine("kubernetes-validate", "--strict", *files, cwd=tmp_path)


def test_the_job_is_the_plan(tmp_path: Path) -> None:
    objects = load(lay(CHURN, tmp_path))
    spec = objects["CronJob"]["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 6 * * 1", "Europe/Oslo", "Forbid")
    assert container(objects)["resources"] == {
        "requests": {"cpu": "2", "memory": "1Gi"},
        "limits": {"memory": "1Gi", "nvidia.com/gpu": "1"},
    }
    assert container(objects)["args"][:5] == ["run", "--store", "/store", "--jobs", "1"]
    assert "activeDeadlineSeconds" not in job(objects)  # some of its steps may take as long as they like
    found = {one["name"]: one["valueFrom"].get("secretKeyRef") for one in container(objects)["env"]}
    assert {name: found[name] for name in CHURN.secrets} == {n: {"name": "churn", "key": n} for n in CHURN.secrets}
    pod = job(objects)["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]


def test_the_deadline_leaves_room_for_every_try(tmp_path: Path) -> None:
    steps = (
        PlanStep("a", "1", "", resources=Resources(timeout_seconds=90.5)),
        PlanStep("b", "1", "", resources=Resources(timeout_seconds=60, retries=2, backoff_seconds=5)),
    )
    found = job(load(lay(Plan("p", "p", steps=steps), tmp_path)))["activeDeadlineSeconds"]
    assert found == math.ceil(90.5 + 3 * 60 + 5 + 10 + 600)


def test_without_a_schedule_it_is_a_job(tmp_path: Path) -> None:
    for schedule in (None, ScheduleSpec(after="other")):
        objects = load(lay(replace(CHURN, schedule=schedule), tmp_path))
        assert "Job" in objects
        assert "CronJob" not in objects
        (tmp_path / "k8s" / "job.yaml").unlink()


def test_argo_cd_follows_the_folder(tmp_path: Path) -> None:
    found = load(lay(CHURN, tmp_path))["Application"]
    assert (tmp_path / found["spec"]["source"]["path"] / "kustomization.yaml").exists()
    assert set(found["spec"]) == {"project", "source", "destination", "syncPolicy"}
    assert found["spec"]["destination"] == {"server": "https://kubernetes.default.svc", "namespace": "churn"}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_value_breaks_out(text: str, tmp_path: Path) -> None:
    named = (Parameter("text", text), Parameter("listed", [text]), Parameter("mapped", {text: text}))
    arrive(replace(CHURN, name=text, parameters=named, notes=(text,)), tmp_path)


@pytest.mark.parametrize("value", ["no", "1e3", "0123", "$$", "$(ALERT_URL)", "${{ x }}", 1e22, -0.5, None, True])
def test_values_that_look_like_others(value: object, tmp_path: Path) -> None:
    arrive(replace(CHURN, parameters=(Parameter("text", value), Parameter("größe", value))), tmp_path)


def arrive(plan: Plan, folder: Path) -> None:
    objects = load(lay(plan, folder))
    data = objects["ConfigMap"]["data"]
    assert all(isinstance(value, str) for value in data.values())
    env = {
        one["name"]: data[one["valueFrom"]["configMapKeyRef"]["key"]]
        for one in container(objects)["env"]
        if "configMapKeyRef" in one["valueFrom"]
    }
    words = [expand(word, {**env, "ALERT_URL": "told", "job.name": "x"}) for word in container(objects)["args"]]
    pairs = (words[n + 1].partition("=") for n, word in enumerate(words) if word == "-p")
    assert {name: json.loads(text) for name, _, text in pairs} == {p.name: p.default for p in plan.parameters}


def test_a_default_that_json_cannot_hold_is_left_to_the_pipeline() -> None:
    plan = replace(CHURN, parameters=(Parameter("odd", {1: "a"}), Parameter("even", 2)))
    assert "odd" not in "".join(kubernetes.render(plan).values())
    assert "cannot hold them: `odd`." in kubernetes.deploy(plan)
