"""The Argo target: Argo's models take its files, its references hold, and its tasks, run in order, give the values.

Argo itself is a cluster's. What runs here is what it would run: the container of each task, its placeholders put in as
Argo and Kubernetes document it, in the order that the tasks ask for.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.services.cron.ticks import check
from mlops_jupyter.services.export.emit.parameters import text as json_text
from mlops_jupyter.services.export.targets import argo
from tests.contracts.test_targets import CHURN, HOSTILE
from tests.engines.demos import DEMOS, DIAMOND, Demo, bundle, engine, proven
from tests.engines.pods import Cluster
from tests.receiver import Receiver

PLACEHOLDER = re.compile(r"\{\{(.+?)\}\}")
SECRETS = {"API_KEY": "hush", "ALERT_URL": "http://127.0.0.1:9/"}

Objects = dict[str, dict[str, Any]]


def load(laid: Path) -> Objects:
    """The objects of the files, by kind and name."""
    found = (document for path in (laid / "argo").glob("*.yaml") for document in yaml.safe_load_all(path.read_text()))
    return {f"{one['kind']} {one['metadata'].get('name', '')}".strip(): one for one in found}


def lay(plan: Plan, folder: Path) -> Path:
    for path, text in argo.render(plan).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    return folder


def spec(objects: Objects) -> dict[str, Any]:
    return next(one["spec"] for name, one in objects.items() if name.startswith("WorkflowTemplate"))


def faults(objects: Objects) -> Iterator[str]:
    """What Argo would find at submission, and its models do not: references that lead nowhere, circles, crons."""
    template = spec(objects)
    names = [one["name"] for one in template["templates"]]
    yield from (f"two templates {name}" for name in set(names) if names.count(name) > 1)
    tasks = {task["name"]: task for one in template["templates"] for task in one.get("dag", {}).get("tasks", ())}
    steps = [step for one in template["templates"] for group in one.get("steps", ()) for step in group]
    used = [template["entrypoint"], *filter(None, [template.get("onExit")])]
    used += [one["template"] for one in [*tasks.values(), *steps]]
    yield from (f"no template {name}" for name in used if name not in names)
    yield from (f"template {name} is never used" for name in names if name not in used)
    for name, task in tasks.items():
        yield from (f"task {name} depends on {other}" for other in depends(task) if other not in tasks)
    done: set[str] = set()
    while free := {name for name, task in tasks.items() if set(depends(task)) <= done} - done:
        done |= free
    yield from (f"task {name} waits for ever" for name in tasks.keys() - done)
    given = {f"workflow.parameters.{one['name']}" for one in template["arguments"]["parameters"]}
    given |= {"workflow.name", "workflow.status"}
    for found in PLACEHOLDER.findall(json.dumps(template["templates"])):
        if found not in given:
            yield f"{found} is not given"
    claims = {one["persistentVolumeClaim"]["claimName"] for one in template["volumes"]}
    yield from (f"no claim {name}" for name in claims if f"PersistentVolumeClaim {name}" not in objects)
    mounts = {
        mount["name"] for one in template["templates"] for mount in one.get("container", {}).get("volumeMounts", ())
    }
    yield from (f"no volume {name}" for name in mounts - {one["name"] for one in template["volumes"]})
    for one in objects.values():
        inner = one["spec"].get("workflowSpec", one["spec"]) if "spec" in one else {}
        reference = inner.get("workflowTemplateRef", {}).get("name")
        if reference and f"WorkflowTemplate {reference}" not in objects:
            yield f"no workflow template {reference}"
        for cron in one.get("spec", {}).get("schedules", ()):
            check(cron)
    for semaphore in template.get("synchronization", {}).get("semaphores", ()):
        key = semaphore["configMapKeyRef"]
        if key["key"] not in objects.get(f"ConfigMap {key['name']}", {}).get("data", {}):
            yield f"no limit {key}"


def depends(task: Mapping[str, Any]) -> list[str]:
    return task["depends"].split(" && ") if "depends" in task else []


def execute(objects: Objects, cluster: Cluster, given: Mapping[str, str], tries: dict[str, int] | None = None) -> str:
    """Do what Argo does with a workflow of the template; return how it ended."""
    template = spec(objects)
    values = {f"workflow.parameters.{one['name']}": one["value"] for one in template["arguments"]["parameters"]}
    values |= {f"workflow.parameters.{name}": value for name, value in given.items()} | {"workflow.name": "demo-x7k2f"}
    templates = {one["name"]: one for one in template["templates"]}
    tasks = {task["name"]: task for task in templates[template["entrypoint"]]["dag"]["tasks"]}
    done: set[str] = set()
    status = "Succeeded"
    while status == "Succeeded" and len(done) < len(tasks):
        name = next(name for name, task in tasks.items() if name not in done and set(depends(task)) <= done)
        one = templates[tasks[name]["template"]]
        for _ in range(1 + int(one.get("retryStrategy", {}).get("limit", 0))):
            if tries is not None:
                tries[name] = tries.get(name, 0) + 1
            code = pod(one, cluster, values)
            if code == 0:
                break
        done.add(name)
        status = "Failed" if code else status
    values["workflow.status"] = status
    for group in templates[template["onExit"]]["steps"] if "onExit" in template else ():
        for step in group:
            left, right = resolve(step["when"], values).split(" != ")
            if left != right:
                assert pod(templates[step["template"]], cluster, values) == 0
    return status


def pod(template: Mapping[str, Any], cluster: Cluster, values: Mapping[str, str]) -> int:
    container = copy.deepcopy(template["container"])
    container["args"] = [resolve(word, values) for word in container["args"]]
    return cluster.run(container).returncode


def resolve(text: str, values: Mapping[str, str]) -> str:
    """Put placeholders in; Argo goes over a text more than once, so no value may bring in another."""
    found = PLACEHOLDER.sub(lambda mark: values[mark[1]], text)
    assert "{{" not in found
    return found


def cluster(laid: Path, folder: Path, **secrets: str) -> Cluster:
    (folder / "data").mkdir(exist_ok=True)
    return Cluster(laid, {"/store": folder / "store", "/data": folder / "data"}, {laid.name: {**SECRETS, **secrets}})


@pytest.mark.validated("argo")
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_tasks_give_the_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "argo", secret=["API_KEY"], schedule="0 6 * * mon", timezone="Europe/Oslo")
    objects = load(laid)
    assert list(faults(objects)) == []
    assert execute(objects, cluster(laid, tmp_path), {"store-uri": str(tmp_path / "store")}) == "Succeeded"
    assert proven(laid, tmp_path / "store", demo) == "demo-x7k2f"


@pytest.mark.validated("argo")
def test_the_tasks_take_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "argo")
    given = {"store-uri": str(tmp_path / "store"), **{name: json_text(value) for name, value in DIAMOND.given.items()}}
    assert execute(load(laid), cluster(laid, tmp_path), given) == "Succeeded"
    proven(laid, tmp_path / "store", DIAMOND, then=True)


@pytest.mark.validated("argo")
def test_a_failure_is_tried_again_and_told(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "argo", alert="ALERT_URL")
    objects = load(laid)
    for template in spec(objects)["templates"]:
        if template["name"] == "step-load":
            template["retryStrategy"] = {"limit": "2"}
    tries: dict[str, int] = {}
    with Receiver() as received:
        given = {"store-uri": str(tmp_path / "store"), "count": '"many"'}
        assert execute(objects, cluster(laid, tmp_path, ALERT_URL=received.url), given, tries) == "Failed"
    assert tries == {"load": 3}
    (body,) = received.bodies
    assert (body["pipeline"], body["run"], body["status"]) == ("diamond", "demo-x7k2f", "failed")


@pytest.mark.validated("argo")
def test_argos_models_know_every_key(tmp_path: Path) -> None:
    several = replace(CHURN, package="often", schedule=ScheduleSpec(every_seconds=900, concurrency=3))
    plain = Plan("p", "plain", steps=(PlanStep("only", "1", ""),))
    for plan in (CHURN, several, plain):
        (tmp_path / plan.package).mkdir()
        assert list(faults(load(lay(plan, tmp_path / plan.package)))) == []
    files = list(tmp_path.rglob("*workflow*.yaml"))
    assert len(files) == 3 + 3 + 2
    engine("python", Path(__file__).with_name("argo_probe.py"), *files, cwd=tmp_path)


def test_the_probe_finds_a_wrong_key(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        argo.render(CHURN)["argo/workflowtemplate.yaml"].replace("depends: load", "dependz: load")
    )
    said = engine("python", Path(__file__).with_name("argo_probe.py"), tmp_path / "a.yaml", cwd=tmp_path, code=1)
    assert "dependz: unknown key" in said


BREAKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no template other": lambda spec: spec.update(entrypoint="other"),
    "task clean depends on lod": lambda spec: spec["templates"][0]["dag"]["tasks"][1].update(depends="lod"),
    "task load waits for ever": lambda spec: spec["templates"][0]["dag"]["tasks"][0].update(depends="report"),
    "workflow.parameters.label is not given": lambda spec: spec["arguments"]["parameters"].pop(4),
    "no claim gone": lambda spec: spec["volumes"][0]["persistentVolumeClaim"].update(claimName="gone"),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_the_references_are_really_looked_at(fault: str, tmp_path: Path) -> None:
    objects = load(lay(CHURN, tmp_path))
    BREAKS[fault](spec(objects))
    assert fault in list(faults(objects))


def test_the_workflow_is_the_plan(tmp_path: Path) -> None:
    objects = load(lay(CHURN, tmp_path))
    tasks = {task["name"]: set(depends(task)) for task in spec(objects)["templates"][0]["dag"]["tasks"]}
    assert {(before, name) for name, found in tasks.items() for before in found} == set(CHURN.edges())
    train = next(one for one in spec(objects)["templates"] if one["name"] == "step-train")
    assert train["retryStrategy"] == {
        "limit": "2",
        "retryPolicy": "Always",
        "backoff": {"duration": "30000ms", "factor": "2"},
    }
    assert train["activeDeadlineSeconds"] == 1800
    assert train["container"]["resources"] == {
        "requests": {"cpu": "2", "memory": "1Gi"},
        "limits": {"memory": "1Gi", "nvidia.com/gpu": "1"},
    }
    assert {one["name"]: one["valueFrom"]["secretKeyRef"] for one in train["container"]["env"]} == {
        name: {"name": "churn", "key": name} for name in CHURN.secrets
    }
    cron = objects["CronWorkflow churn"]["spec"]
    assert (cron["schedules"], cron["timezone"], cron["concurrencyPolicy"]) == (["0 6 * * 1"], "Europe/Oslo", "Forbid")


def test_runs_side_by_side_are_counted(tmp_path: Path) -> None:
    objects = load(lay(replace(CHURN, schedule=ScheduleSpec("0 6 * * 1", concurrency=3)), tmp_path))
    assert objects["CronWorkflow churn"]["spec"]["concurrencyPolicy"] == "Allow"
    assert spec(objects)["synchronization"]["semaphores"] == [
        {"configMapKeyRef": {"name": "churn-argo", "key": "runs"}}
    ]
    assert objects["ConfigMap churn-argo"]["data"] == {"runs": "3"}


def test_names_that_argo_does_not_take_are_mapped(tmp_path: Path) -> None:
    steps = (
        PlanStep("Laden", "1", ""),
        PlanStep("laden", "1", "", after=("Laden",)),
        PlanStep("x" * 200, "1", ""),
        PlanStep("步", "1", ""),
    )
    plan = Plan("p", "Übung_2", steps=steps, parameters=(Parameter("größe", 1),))
    objects = load(lay(plan, tmp_path))
    assert list(faults(objects)) == []
    template = spec(objects)
    names = [one["name"] for one in template["templates"]] + [
        t["name"] for t in template["templates"][0]["dag"]["tasks"]
    ]
    names += [objects[name]["metadata"]["name"] for name in objects if name != "Workflow"]
    assert all(re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", name) and len(name) < 64 for name in names)
    assert len({one["name"] for one in template["templates"]}) == 5
    (ours,) = [one["name"] for one in template["arguments"]["parameters"]][2:]
    words = template["templates"][1]["container"]["args"]
    assert ours.isascii()
    assert f"größe={{{{workflow.parameters.{ours}}}}}" in words
    assert words[:2] == ["step", "Laden"]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_value_breaks_out(text: str, tmp_path: Path) -> None:
    """Through Argo's placeholders and those of Kubernetes, to the word that the step gets."""
    named = (Parameter("text", text), Parameter("listed", [text]), Parameter("mapped", {text: text}))
    objects = load(lay(replace(CHURN, name=text, parameters=named, notes=(text,)), tmp_path))
    arrive(objects, {p.name: p.default for p in named})


@pytest.mark.parametrize(
    "value", ["no", "1e3", "0123", "$$", "$(ALERT_URL)", "{{workflow.name}}", "{{=1+1}}", "${{ x }}", 1e22, -0.5, None]
)
def test_values_that_look_like_others(value: object, tmp_path: Path) -> None:
    objects = load(lay(replace(CHURN, parameters=(Parameter("text", value),)), tmp_path))
    arrive(objects, {"text": value})


def arrive(objects: Objects, values: Mapping[str, object]) -> None:
    from tests.engines.pods import expand

    template = spec(objects)
    given = {f"workflow.parameters.{one['name']}": one["value"] for one in template["arguments"]["parameters"]}
    assert all(isinstance(value, str) for value in given.values())
    words = template["templates"][1]["container"]["args"]
    found = [expand(resolve(word, {**given, "workflow.name": "x"}), {"ALERT_URL": "told"}) for word in words]
    pairs = (found[n + 1].partition("=") for n, word in enumerate(found) if word == "-p")
    assert {name: json.loads(text) for name, _, text in pairs} == values


def test_300_steps(tmp_path: Path) -> None:
    steps = tuple(
        PlanStep(f"s{n}", "1", "", after=(f"s{n - 1}",) if n else (), resources=Resources(cpu=0.25)) for n in range(300)
    )
    assert list(faults(load(lay(Plan("p", "many", steps=steps), tmp_path)))) == []
