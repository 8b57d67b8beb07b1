"""`check`: a run's outputs against the notebook's values."""

from __future__ import annotations

import json
import re

import pytest
import xxhash

from mlops_jupyter.runtime.fingerprints.fingerprint import fingerprint
from mlops_jupyter.runtime.verify.compare import shown

STEPS = """
Step("load", "demo.steps.load:load", "1", outputs=(("rows",),)),
Step("sum", "demo.steps.sum:sum_", "1", inputs={"rows": "load"}, outputs=(("total",), ("name",))),
"""


def mark(value):
    """The kernel's fingerprint."""
    return str(fingerprint(value, new=xxhash.xxh3_128))


def expect(bundle, rows, total, name, where="file"):
    """Write what the notebook had."""
    folder = bundle.root / "tests" / "expected"
    folder.mkdir(parents=True)
    expected = []
    for key, value in (("total", total), ("name", name)):
        (folder / f"{key}.json").write_text(json.dumps(value))
        file = {"file": {"file": f"{key}.json"}, "row": {"file": "", "value": value}, "nowhere": {"file": ""}}[where]
        expected.append(
            {"name": key, "fingerprint": str(fingerprint(value)), "shown": repr(value), "format": "json", **file}
        )
    (folder / "expected.json").write_text(json.dumps(expected))
    causes = ["reads the clock: `time.time()` (cell 1)"]
    steps = {
        "load": {"values": {"rows": mark(rows)}, "causes": causes},
        "sum": {"values": {"total": mark(total)}, "packages": {"numpy": "0.1"}},
    }
    (folder / "steps.json").write_text(json.dumps(steps))


@pytest.fixture
def proven(bundle):
    """A run whose notebook is not yet known."""
    bundle.pipeline(STEPS, "outputs={'total': 'sum', 'name': 'sum'}")
    bundle.step("load", "def load():\n    return [1, 2, 3]\n")
    bundle.step("sum", "def sum_(rows):\n    return float(sum(rows)), 'six'\n")
    assert bundle.run("--run", "r").code == 0
    return bundle


def check(bundle, *words, run="r"):
    return bundle.call("check", "--store", str(bundle.store), "--run", run, "--json", *words)


CASES = {
    "identical": (([1, 2, 3], 6.0, "six"), {"total": "identical", "name": "identical"}, None, 0),
    "close": (([1, 2, 3], 6.000000000000001, "six"), {"total": "close", "name": "identical"}, ("sum", "total"), 0),
    "another sum": (([1, 2, 3], 7.0, "six"), {"total": "differs", "name": "identical"}, ("sum", "total"), 1),
    "other data": (([1, 2, 4], 7.0, "six"), {"total": "differs", "name": "identical"}, ("load", "rows"), 1),
}


@pytest.mark.parametrize("where", ["file", "row"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_output_is_judged_and_the_worst_decides(proven, case, where):
    known, verdicts, parted, code = case
    expect(proven, *known, where=where)
    done = check(proven)
    assert done.code == code, done.err
    answer = done.answer
    assert {one["name"]: one["status"] for one in answer["outputs"]} == verdicts
    assert answer["status"] == max(verdicts.values(), key=("identical", "close", "differs").index)
    assert answer["parted"] == (parted and dict(zip(("step", "variable"), parted, strict=True)))
    total = next(one for one in answer["outputs"] if one["name"] == "total")
    assert total.keys() == {"name", "status", "reason", "expected", "actual", "parted", "cause"}
    if verdicts["total"] != "identical":
        assert total["reason"]
        assert (total["expected"], total["actual"]) == (shown(known[1]), shown(6.0))


CAUSES = {
    "the step's own, seen": ([1, 2, 3], lambda facts: None, "that step imports numpy "),
    "the step's own, from its text": (
        [1, 2, 4],
        lambda facts: None,
        "that step reads the clock: `time.time()` (cell 1)",
    ),
    "none": ([1, 2, 3], lambda facts: facts["sum"].pop("packages"), "nothing that it does is known to differ"),
    "of a step before it that cannot be compared": (
        [1, 2, 3],
        lambda facts: facts["sum"].pop("packages") and facts["load"].pop("values"),
        "step 'load' before it, whose values cannot be compared, reads the clock: ",
    ),
    "the notebook's own value": (
        [1, 2, 3],
        lambda facts: facts["sum"]["values"].update(total=mark(6.0)),
        "the notebook changed it in place after the cell that made it had ended",
    ),
}


@pytest.mark.parametrize("case", CAUSES.values(), ids=CAUSES)
def test_the_cause_is_told(proven, case):
    rows, change, told = case
    expect(proven, rows, 7.0, "six")
    path = proven.root / "tests" / "expected" / "steps.json"
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))
    total = check(proven).answer["outputs"][0]
    assert total["cause"].startswith(told)


def test_a_run_with_other_parameters_differs_by_them(bundle):
    bundle.pipeline(
        'Step("sum", "demo.steps.sum:sum_", "1", outputs=(("total",), ("name",)), parameters=("n",)),',
        "outputs={'total': 'sum', 'name': 'sum'}, parameters={'n': 6}",
    )
    bundle.step("sum", "def sum_(n):\n    return float(n), 'six'\n")
    assert bundle.run("--run", "r", "-p", "n=7").code == 0
    expect(bundle, [], 6.0, "six")
    assert check(bundle).answer["cause"].startswith("that step was given n=7, where the notebook had 6, and imports ")


def test_a_value_too_large_to_travel_is_told_by_its_fingerprint(proven):
    expect(proven, [1, 2, 3], 7.0, "six", where="nowhere")
    done = check(proven)
    total = done.answer["outputs"][0]
    assert done.code == 1
    assert total["status"] == "differs"
    assert "too large to travel" in total["reason"]
    assert (total["expected"], total["actual"]) == (repr(7.0), shown(6.0))


def test_what_was_not_delivered_is_failed_with_the_cause(proven):
    expect(proven, [1, 2, 3], 6.0, "six")
    proven.step("load", "def load():\n    raise ValueError('no rows today')\n")
    assert proven.run("--run", "bad", "--from", "load").code == 1
    done = check(proven, run="bad")
    assert done.code == 1
    assert {one["status"] for one in done.answer["outputs"]} == {"failed"}
    assert done.answer["outputs"][0]["reason"] == "step 'load' failed: ValueError: no rows today"


DAMAGES = {
    "garbled": (lambda file: file.write_text("{"), "its file 'total.json' was changed after the run"),
    "changed": (lambda file: file.write_text("7.0"), "its file 'total.json' was changed after the run"),
    "deleted": (lambda file: file.unlink(), "its file 'total.json' is gone"),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_output_is_failed_though_its_value_was_right(proven, damage, reason):
    expect(proven, [1, 2, 3], 6.0, "six")
    assert check(proven).code == 0
    damage(proven.store / "r" / "outputs" / "total.json")
    done = check(proven)
    total = next(one for one in done.answer["outputs"] if one["name"] == "total")
    assert done.code == 1
    assert (total["status"], total["reason"]) == ("failed", reason)


def test_an_output_of_which_nothing_is_expected_is_failed(proven):
    expect(proven, [1, 2, 3], 6.0, "six")
    path = proven.root / "tests" / "expected" / "expected.json"
    path.write_text(json.dumps([one for one in json.loads(path.read_text()) if one["name"] != "total"]))
    done = check(proven)
    assert done.code == 1
    assert done.answer["status"] == "failed"
    assert done.answer["outputs"][-1]["reason"] == "nothing is expected of it: its row in expected.json is missing"


def test_words_for_people(proven, tmp_path):
    expect(proven, [1, 2, 3], 7.0, "six")
    done = proven.call("check", "--store", str(proven.store), "--run", "r")
    lines = done.out.splitlines()
    assert lines[0].startswith("total: differs: ")
    assert lines[2] == "name: identical"
    assert re.fullmatch(
        r"  parts first in step 'sum' \(variable 'total'\); that step imports numpy [\d.]+, where the notebook had 0.1",
        lines[1],
    )
    assert lines[3] == "differs"
    assert len(lines) == 4
    assert "no run 'nope'" in check(proven, run="nope").err
    elsewhere = check(proven, "--expected", str(tmp_path))
    assert elsewhere.code == 2
    assert "no expected.json in" in elsewhere.err


def test_the_steps_are_listed(proven):
    plain = proven.call("steps")
    assert plain.out == "load: nothing -> rows\nsum: rows from load -> total, name\n"
    listed = proven.call("steps", "--json").answer
    assert [step["name"] for step in listed["steps"]] == ["load", "sum"]
    assert listed["steps"][1]["upstream"] == ["load"]


def test_a_pipeline_that_delivers_nothing_is_not_proven(bundle):
    bundle.pipeline('Step("load", "demo.steps.load:load", "1"),', "outputs={}")
    bundle.step("load", "def load():\n    pass\n")
    assert bundle.run("--run", "r").code == 0
    expect(bundle, [], 0, "", where="nowhere")
    (bundle.root / "tests" / "expected" / "expected.json").write_text("[]")
    done = check(bundle)
    assert done.code == 1
    assert done.answer["error"].startswith("the pipeline delivers nothing, so nothing is proven")


def test_a_run_is_compared_with_another_run(bundle):
    bundle.pipeline(
        'Step("sum", "demo.steps.sum:sum_", "1", outputs=(("total",),), parameters=("n",)),',
        "outputs={'total': 'sum'}, parameters={'n': 6}",
    )
    bundle.step("sum", "def sum_(n):\n    return float(n)\n")
    for run, n in (("six", 6), ("again", 6), ("seven", 7)):
        assert bundle.run("--run", run, "-p", f"n={n}").code == 0
    assert check(bundle, "--reference", "six", run="again").answer["status"] == "identical"
    other = check(bundle, "--reference", "six", run="seven")
    assert other.code == 1
    assert other.answer["outputs"][0]["reason"] == "6 became 7"
    assert "no run 'none'" in check(bundle, "--reference", "none", run="six").err
