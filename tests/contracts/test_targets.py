"""What every export target must do. A folder in `services/export/targets/` is a row here."""

from __future__ import annotations

import ast
import os
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from pkgutil import iter_modules
from types import ModuleType

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.core.plan import Environment, Parameter, Plan, PlanStep, Resources, ScheduleSpec
from mlops_jupyter.services.export import targets
from mlops_jupyter.services.export.emit import python as python_text
from mlops_jupyter.services.export.targets import Feature, airflow, azureml, cron, flyte, python
from mlops_jupyter.surfaces import target_list

TARGETS = tuple(import_module(f"{targets.__name__}.{folder.name}") for folder in iter_modules(targets.__path__))
"""Each with its files under `tests/golden/targets`, what its README says, and what of CHURN it has no word for."""
GOLDEN = Path(__file__).parents[1] / "golden" / "targets"

CHURN = Plan(
    name="Churn, monthly",
    package="churn",
    steps=(
        PlanStep("load", "4f0c", "", outputs=(("customers",), ("~numpy.random",))),
        PlanStep("clean", "a001", "", inputs={"customers": "load"}, outputs=(("customers",),)),
        PlanStep(
            "train",
            "77b2",
            "",
            inputs={"customers": "clean", "~numpy.random": "load"},
            outputs=(("model",),),
            parameters=("n_estimators", "threshold"),
            resources=Resources(
                cpu=2, memory_bytes=1 << 30, gpu=1, retries=2, backoff_seconds=30, timeout_seconds=1800
            ),
        ),
        PlanStep("report", "01ff", "", inputs={"model": "train", "customers": "clean"}, resources=Resources(retries=1)),
    ),
    parameters=(
        Parameter("n_estimators", 200),
        Parameter("threshold", 0.5),
        Parameter("label", 'who\'s "leaving"?\n{{ ds }} $(rm -rf ~) `x` {% raw %} @@STEPS@@'),
        Parameter("verbose", False),
        Parameter("columns", ["age", "région"]),
        Parameter("grid", {"depth": [3, None]}),
        Parameter("limit", None),
    ),
    environment=Environment(python="3.11"),
    schedule=ScheduleSpec("0 6 * * 1", "Europe/Oslo"),
    secrets=("DATABASE_URL", "ALERT_URL"),
    alert="ALERT_URL",
)

UTC_ALONE = (cron, flyte, azureml)
"""Targets that know no time zones: they get CHURN in UTC, and refuse it as it is."""


def churn(target: ModuleType) -> Plan:
    """CHURN as the target can keep it."""
    return replace(CHURN, schedule=ScheduleSpec("0 6 * * 1")) if target in UTC_ALONE else CHURN


HOSTILE = (
    "'",
    '"',
    '"""',
    "'''",
    "\\",
    "\\'",
    '\\"""\nimport os\n',
    "{{ var.value.secret }}",
    "{% for x in y %}",
    "$(touch /tmp/x) `id` ; & | > <",
    "@@STEPS@@ @@PACKAGE@@",
    "@@{STEPS} @@{PACKAGE} @@@@ @@",
    "\n)\nimport os\n(",
    "\r\n\x00\x1b[31m",
    "\u202e\u2066 right to left \u2028\x85",
    "\ud800 lone surrogate",
    "x" * 5000,
    ".md",
)


def frame(text: str) -> str:
    """The syntax tree of a Python file, the contents of its texts left out."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = "text"
    return ast.dump(tree)


def masked(value: object) -> object:
    """What a YAML file holds, the contents of its texts left out."""
    if isinstance(value, dict):
        return {key: masked(part) for key, part in value.items()}
    if isinstance(value, list):
        return [masked(part) for part in value]
    return "text" if isinstance(value, str) else value


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
class TestEveryTarget:
    def test_is_a_target(self, target: ModuleType) -> None:
        assert isinstance(target, targets.Target)
        assert target.name.isidentifier()
        assert target.title
        assert all(isinstance(f, Feature) for f in target.expresses)

    def test_renders_the_same_twice(self, target: ModuleType) -> None:
        assert target.render(churn(target)) == target.render(replace(churn(target)))

    def test_writes_inside_the_bundle_whole_lines(self, target: ModuleType) -> None:
        for path, text in target.render(churn(target)).items():
            assert not PurePosixPath(path).is_absolute()
            assert ".." not in PurePosixPath(path).parts
            assert text.endswith("\n")
            assert not text.endswith("\n\n")
            assert text.encode()
            assert all(line == line.rstrip() for line in text.splitlines())

    def test_renders_as_the_golden_file(self, target: ModuleType) -> None:
        folder = GOLDEN / target.name
        rendered = dict(target.render(churn(target)))
        if page := target.deploy(churn(target)):
            rendered["DEPLOY.md"] = page
        rendered["LOST.txt"] = "".join(f"{line}\n" for line in targets.lost(churn(target), target))
        if os.environ.get("UPDATE_GOLDEN"):
            for path, text in rendered.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, encoding="utf-8")
        kept = {f.relative_to(folder).as_posix(): f.read_text("utf-8") for f in folder.rglob("*") if f.is_file()}
        assert rendered == kept, "meant? then run the tests once with UPDATE_GOLDEN=1"

    @pytest.mark.parametrize("text", HOSTILE, ids=ascii)
    def test_no_value_breaks_out(self, target: ModuleType, text: str) -> None:
        assert_stays_a_value(target, text)

    @given(text=st.text(st.characters()))
    @settings(deadline=None)
    def test_no_value_breaks_out_whatever_it_is(self, target: ModuleType, text: str) -> None:
        assert_stays_a_value(target, text)

    @pytest.mark.parametrize("name", ["", "a b", "1st", "a;b", "a-b", "class", "x\n", "../x", "a.b", "'"])
    def test_names_that_are_none_are_refused(self, target: ModuleType, name: str) -> None:
        for plan in (
            replace(churn(target), package=name),
            replace(churn(target), steps=(PlanStep(name, "1", ""),)),
            replace(churn(target), parameters=(Parameter(name, 1),)),
        ):
            if target.render(churn(target)):
                with pytest.raises(UserError, match="is no Python name") as fault:
                    target.render(plan)
                assert "\n" not in str(fault.value)

    def test_plain_plan(self, target: ModuleType) -> None:
        plan = Plan("p", "p", steps=(PlanStep("only", "1", ""),))
        for path, text in target.render(plan).items():
            if path.endswith(".py"):
                compile(text, path, "exec")

    def test_deploy_gives_commands(self, target: ModuleType) -> None:
        text = target.deploy(churn(target))
        assert not text.startswith("#"), "the title is the heading"
        assert not text or ("```sh\n" in text and "churn" in text and text.endswith("\n"))
        assert text or not target.render(churn(target)), "who adds files says what to do with them"

    def test_says_what_is_lost(self, target: ModuleType) -> None:
        kinds = (
            ScheduleSpec(every_seconds=60),
            ScheduleSpec(data="a/*"),
            ScheduleSpec(after="b"),
            ScheduleSpec(drift="c"),
        )
        wishes = [CHURN, *(replace(CHURN, schedule=kind) for kind in kinds)]
        wishes.append(replace(CHURN, schedule=ScheduleSpec("@daily", catchup=True, start="2026-01-01", concurrency=2)))
        assert {feature for plan in wishes for feature, _ in targets.asked(plan)} == set(Feature) - {Feature.STEPS}
        for plan in wishes:
            lost = targets.lost(plan, target)
            assert len(lost) == sum(feature not in target.expresses for feature, _ in targets.asked(plan))


def assert_stays_a_value(target: ModuleType, text: str) -> None:
    def plan(value: str) -> Plan:
        named = (Parameter("text", value), Parameter("listed", [value]), Parameter("mapped", {"key": value}))
        environment = Environment("3.11", (value,))
        return replace(churn(target), name=value, parameters=named, notes=(value,), environment=environment)

    plain, hostile = target.render(plan("plain")), target.render(plan(text))
    assert plain.keys() == hostile.keys()
    for path, rendered in hostile.items():
        if path.endswith(".py"):
            rendered.encode()  # a file can hold it
            assert frame(rendered) == frame(plain[path])
            assert "plain" not in constants(plain[path]) or text in constants(rendered)
        if path.endswith((".yml", ".yaml")) and holds(target, text):
            found, meant = (
                list(map(masked, yaml.load_all(each, yaml.CSafeLoader))) for each in (rendered, plain[path])
            )
            assert found == meant


def holds(target: ModuleType, text: str) -> bool:
    """Whether a target's YAML can hold a text: it leaves out a parameter whose default is none that it can."""
    filled_in = "{{$" in text and target.name in ("kubeflow", "vertex")
    return not filled_in and not any("\ud800" <= sign <= "\udfff" for sign in text)


def constants(text: str) -> set[object]:
    return {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}


class TestRegistry:
    def test_ours_are_found_by_name(self) -> None:
        assert targets.names() == sorted(target.name for target in TARGETS)
        assert targets.find("airflow") is airflow
        assert targets.find("python") is python

    def test_unknown(self) -> None:
        with pytest.raises(NotFoundError, match=r"^no target 'airflwo': choose from .*airflow.*python") as fault:
            targets.find("airflwo")
        assert "\n" not in str(fault.value)

    def test_they_are_listed_with_what_each_can_say(self, install: Installer) -> None:
        install("mine", "paper = some_target\nbroken = ill_target", some_target=MY_TARGET, ill_target="1/0")
        rows = {row["name"]: row for row in target_list.rows()}
        assert rows["paper"]["title"] == "Paper"
        assert rows["paper"]["expresses"] == ["schedule"]
        assert set(rows["paper"]["lacks"]) == {feature.value for feature in Feature} - {"schedule"}
        assert rows["broken"]["fault"].startswith("target 'broken' of 'mine' does not load")
        chosen = [rows[name] for name in ("paper", "broken")]
        text = target_list.text(chosen, 60).splitlines()
        assert text[0] == "paper   Paper  schedule"
        assert text[1].startswith("               not: parameters, steps")
        assert all(len(line) <= 60 for line in text)
        assert target_list.text(chosen, 0), "a narrow terminal is no fault"

    def test_a_package_adds_one(self, install: Installer) -> None:
        install("mine", "paper = my_target", my_target=MY_TARGET)
        assert "my_target" not in sys.modules
        assert "paper" in targets.names()
        assert "my_target" not in sys.modules, "listing must import nothing"
        target = targets.find("paper")
        assert target.title == "Paper"
        assert target.render(CHURN) == {"paper.txt": "churn\n"}
        assert targets.lost(CHURN, target)[0] == "parameters 'n_estimators'"

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("import nothing_of_that_name", "does not load (ModuleNotFoundError: No module named 'nothing_of"),
            ("1/0", "does not load (ZeroDivisionError: division by zero): reinstall it"),
            ("name = 'broken'", "is no target, it lacks title, expresses, render, deploy: upgrade it"),
        ],
    )
    def test_a_broken_one_is_one_line(self, install: Installer, source: str, said: str) -> None:
        install("breaker", "broken = broken_target", broken_target=source)
        with pytest.raises(UserError) as fault:
            targets.find("broken")
        assert str(fault.value).startswith("target 'broken' of 'breaker' ")
        assert said in str(fault.value)
        assert "\n" not in str(fault.value)

    def test_one_name_twice(self, install: Installer) -> None:
        install("first", "twice = first_target")
        install("second", "twice = second_target")
        with pytest.raises(UserError, match="target 'twice' is offered by 'first' and 'second': uninstall one of them"):
            targets.find("twice")


MY_TARGET = """
from mlops_jupyter.services.export.targets import Feature
name, title, expresses = "paper", "Paper", frozenset({Feature.SCHEDULE})
def render(plan): return {"paper.txt": plan.package + "\\n"}
def deploy(plan): return "Print it.\\n"
"""


class Installer:
    """Puts a distribution with one target on the path, as an installed package would lie there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, distribution: str, entry: str, **modules: str) -> None:
        info = self.folder / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{targets.GROUP}]\n{entry}\n")
        for name, source in modules.items():
            (self.folder / f"{name}.py").write_text(source)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installer:
    monkeypatch.syspath_prepend(str(tmp_path))
    return Installer(tmp_path)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (ScheduleSpec("0 6 * *"), "cron '0 6 * *'"),
        (ScheduleSpec("99 6 * * 1"), "cron '99 6 * * 1': minute '99'"),
        (ScheduleSpec("0 6 */2 * 1"), "a day must match both day-of-month and day-of-week in this cron, and Airflow 3"),
        (ScheduleSpec("0 6 30 2 *"), "cron '0 6 30 2 *' never fires"),
        (ScheduleSpec("0 6 * * 1", "Europe/Olso"), "time zone 'Europe/Olso'"),
        (ScheduleSpec("0 6 * * 1", "'); import os"), 'time zone "\'); import os"'),
        (ScheduleSpec("0 6 * * 1", catchup=True), "catchup with start ''"),
        (ScheduleSpec("0 6 * * 1", catchup=True, start="soon"), "catchup with start 'soon'"),
    ],
)
def test_airflow_refuses_a_schedule_that_it_cannot_keep(schedule: ScheduleSpec, said: str) -> None:
    with pytest.raises(UserError) as fault:
        airflow.render(replace(CHURN, schedule=schedule))
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("default", [float("nan"), float("inf"), [float("-inf")], {1: "a"}, (1, 2)])
def test_a_default_that_airflow_cannot_hold_is_left_to_the_pipeline(default: object) -> None:
    plan = replace(CHURN, parameters=(Parameter("odd", default), Parameter("even", 2)))
    assert '"odd"' not in airflow.render(plan)["dags/churn.py"]
    assert '"even": Param(2, type="integer")' in airflow.render(plan)["dags/churn.py"]
    assert "cannot hold them: `odd`." in airflow.deploy(plan)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    max_leaves=10,
)


@given(VALUES)
def test_a_literal_is_its_value(value: object) -> None:
    text = python_text.literal(value)
    assert repr(ast.literal_eval(text)) == repr(value)
    assert "\n" not in text
    assert text.isprintable()


OTHERS = (float("nan"), {1, 2}, (1,), b"x", object(), type("S", (str,), {})("x"))


@pytest.mark.parametrize("value", OTHERS, ids=lambda value: type(value).__name__)
def test_no_literal_for_other_things(value: object) -> None:
    with pytest.raises(TypeError, match="no literal for a"):
        python_text.literal(value)
