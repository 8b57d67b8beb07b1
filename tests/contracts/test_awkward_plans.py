"""What plans may hold that systems trip over, for every target: names, sizes, texts that YAML takes for others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import yaml

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, ScheduleSpec
from mlops_jupyter.services.export.render import render
from mlops_jupyter.services.export.targets import Feature
from tests.contracts.test_targets import CHURN, TARGETS

TIMELESS = replace(CHURN, schedule=None)


def chain(names: Sequence[str]) -> Plan:
    """A pipeline of steps one after another."""
    before = ["", *names]
    steps = (
        PlanStep(name, "1", "", inputs={"x": before[n]} if n else {}, outputs=(("x",),)) for n, name in enumerate(names)
    )
    return replace(TIMELESS, steps=tuple(steps))


NAMES: dict[str, list[str]] = {
    "one": ["only"],
    "300": [f"step_{number}" for number in range(300)],
    "long": ["x" * 200, "x" * 200 + "y", "x" * 199 + "z"],
    "of other case": ["load", "Load", "LOAD"],
    "unicode": ["données", "步骤", "Größe", "grosse"],
    "underscores": ["_", "__", "a_b", "a__b", "_a_b", "a_b_"],
    "words of systems": ["run", "all", "main", "start", "end", "dag", "default", "stages", "on", "no", "null", "y"],
    "words of Python files": ["self", "flow", "job", "task", "dsl", "os", "sys", "str", "print", "data", "run_id"],
}  # fmt: skip


class Unique(yaml.CSafeLoader):
    """Refuses a mapping that has a key twice: of two steps only one would be left."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping."""
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"twice: {keys}"
        return super().construct_mapping(node, deep)


def parsed(path: str, text: str) -> Any:
    """The data of a file that holds data, or None; a Python file must compile."""
    if path.endswith(".py"):
        compile(text, path, "exec")
    elif path.endswith((".yaml", ".yml")):
        return list(yaml.load_all(text, Unique))
    elif path.endswith(".json"):
        return json.loads(text)
    return None


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_step_is_there_whatever_its_name(target: ModuleType, names: list[str]) -> None:
    try:
        files = target.render(chain(names))
    except UserError as refused:
        assert "\n" not in str(refused)
        assert any(name in str(refused) for name in names)
        return
    said = "\n".join([*files.values(), *(str(parsed(path, text)) for path, text in files.items())])
    if Feature.STEPS in target.expresses and files:
        missing = [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said)]
        assert not missing


TRAPS = (
    "no",
    "on",
    "y",
    "null",
    "~",
    "1e3",
    "0123",
    "0o14",
    "0x1f",
    "1_000",
    ".5",
    "12:30:45",
    "2026-01-01",
    "=",
    "<<",
)


def leaves(tree: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value of data, and where it stands."""
    if isinstance(tree, dict | list):
        for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(part, (*place, key))
    else:
        yield place, tree


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_text_stays_a_text(target: ModuleType, trap: str) -> None:
    def rendered(value: str) -> dict[str, Any]:
        files = target.render(replace(TIMELESS, parameters=(Parameter("text", value), Parameter("other", [value]))))
        return {path: parsed(path, text) for path, text in files.items()}

    plain, trapped = rendered("plainword"), rendered(trap)
    assert plain.keys() == trapped.keys()
    for path in plain:
        found = dict(leaves(trapped[path]))
        for place, value in leaves(plain[path]):
            if isinstance(value, str) and "plainword" in value:
                assert isinstance(found.get(place), str), (path, place, found.get(place))
                assert trap in found[place], (path, place, found.get(place))


GUESSED = re.compile(r"(?i)y|n|on|off|yes|no|[-+]?[\d.]+e[-+]?\d+|0\d+|\d+(:\d+)+|\d+(_\d+)+|\d{4}-\d\d-\d\d")
"""Plain words that some reader of YAML takes for a truth value, a number, a time or a day, and another for a text."""


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_word_of_yaml_is_left_to_be_guessed(target: ModuleType) -> None:
    schedule = ScheduleSpec(every_seconds=600, concurrency=2) if Feature.INTERVAL in target.expresses else None
    parameters = (Parameter("size", "1e3"), Parameter("day", "2026-01-31"), Parameter("word", "y"))
    plan = replace(chain(["y", "n"]), package="y", parameters=parameters, schedule=schedule)
    try:
        files = render(plan, [target])
    except UserError:  # some systems take no such name at all
        plan = replace(plan, package="churn")
        files = render(plan, [target])
    texts = {path: data.decode() for path, data in files.items() if path.endswith((".yaml", ".yml"))}
    assert "pipeline.yaml" in texts
    for path, text in texts.items():
        words = [e.value for e in yaml.parse(text) if isinstance(e, yaml.ScalarEvent) and e.style is None]
        assert [word for word in words if GUESSED.fullmatch(word)] == [], path
