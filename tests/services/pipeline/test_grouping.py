"""Executions become steps that can run apart and in an order."""

from __future__ import annotations

import pytest

from mlops_jupyter.analysis.graph import build
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.ids import ExecutionId
from mlops_jupyter.services.pipeline.steps.grouping import GroupLabel, group, identifier, merge, overwritten, stage


def history(*accesses: tuple[str, str]) -> list[Execution]:
    """Executions given as (reads, writes), one letter a name."""
    return [
        Execution(ExecutionId(i), "", "", reads=frozenset(r), writes=dict.fromkeys(w, str(i)))
        for i, (r, w) in enumerate(accesses)
    ]


GROUPS = [
    ("in order", [("", "a"), ("a", "b"), ("b", "c")], "xxy", [[0, 1], [2]]),
    ("back to an earlier section, independent", [("", "a"), ("", "b"), ("", "c")], "xyx", [[0, 2], [1]]),
    (
        "back to an earlier section, which now needs the other",
        [("", "a"), ("a", "b"), ("b", "c")],
        "xyx",
        [[0], [1], [2]],
    ),
    (
        "what it needs was made before the section began",
        [("", "a"), ("", "b"), ("", "c"), ("a", "d")],
        "wxyx",
        [[0], [1, 3], [2]],
    ),
    ("what another took is made anew", [("", "a"), ("a", "b"), ("", "a")], "xyx", [[0], [1], [2]]),
    ("what another took is changed", [("", "a"), ("a", "b"), ("a", "a")], "xyx", [[0], [1], [2]]),
]


@pytest.mark.parametrize(("name", "accesses", "labels", "expected"), GROUPS, ids=[g[0] for g in GROUPS])
def test_group(name: str, accesses: list[tuple[str, str]], labels: str, expected: list[list[int]]) -> None:
    graph = build(history(*accesses))
    found = group(graph, range(len(accesses)), {i: GroupLabel(c, c) for i, c in enumerate(labels)})
    assert [g.members for g in found] == expected
    assert len({g.name for g in found}) == len(found)


@pytest.mark.parametrize(("changed", "maker"), [("system", 0), ("system update", 2)], ids=["kept", "changed"])
def test_a_function_that_something_holds_stays_code_unless_it_changes(changed: str, maker: int) -> None:
    shared = (frozenset({"update", "system"}),)
    made = [
        Execution(ExecutionId(0), "", "", writes={"update": "code"}),
        Execution(ExecutionId(1), "", "", reads=frozenset({"update"}), writes={"system": "1"}, alias_groups=shared),
        Execution(ExecutionId(2), "", "", reads=frozenset({"system"}), mutated=frozenset(changed.split()),
                  writes={n: "code" if n == "update" else "2" for n in changed.split()}, alias_groups=shared),
    ]  # fmt: skip
    assert build(made).last["update"] == maker


def test_merge_takes_everything_between() -> None:
    graph = build(history(("", "g"), ("", "a"), ("g", "b"), ("b", "c")))
    groups = group(graph, range(4), {i: GroupLabel(str(i), f"s{i}") for i in range(4)})
    merged = merge(graph, groups, [(0, 2, "'g' holds a generator")])
    assert [(g.name, g.members) for g in merged] == [("s0", [0, 1, 2]), ("s3", [3])]
    assert merged[0].notes == ["holds what the notebook calls 's1', 's2' too: 'g' holds a generator"]


def test_merging_may_bring_together_what_must_stay_apart() -> None:
    graph = build(history(("", "g"), ("", "a"), ("a", "b"), ("g", "a"), ("b", "c")))
    groups = group(graph, range(5), {i: GroupLabel(str(i), f"s{i}") for i in range(5)})
    merged = merge(graph, groups, [(1, 1, "")])
    assert overwritten(graph, merged) == []
    merged[1].members.append(3)
    del merged[3]
    assert overwritten(graph, merged) == [(1, 2, "'a' is made anew after 's2' took it")]


NAMES = [
    ("Load the data", "load_the_data"),
    ("1. Load", "load"),
    ("2.1 Clean & prepare!", "clean_prepare"),
    ("Évaluation du modèle", "evaluation_du_modele"),
    ("class", "class_step"),
    ("数据", "otherwise"),
    ("", "otherwise"),
    ("A heading that goes on and on far beyond what anybody would read", "a_heading_that_goes_on_and_on_far"),
]


@pytest.mark.parametrize(("heading", "expected"), NAMES)
def test_identifier(heading: str, expected: str) -> None:
    assert identifier(heading, "otherwise") == expected
    assert expected.isidentifier()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("df = pd.read_csv('a.csv')", "load"),
        ("model.fit(X, y)", "train"),
        ("auc = roc_auc_score(y, p)", "evaluate"),
        ("plt.plot(x)", "plot"),
        ("df['a'] = df.b * 2", "prepare"),
    ],
)
def test_stage(source: str, expected: str) -> None:
    assert stage(source) == expected
