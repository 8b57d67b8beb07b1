"""The pipeline as data: order, complaints, keys."""

from __future__ import annotations

import importlib.metadata
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_jupyter.runtime.errors import PipelineError
from mlops_jupyter.runtime.model.package_versions import versions
from mlops_jupyter.runtime.model.pipeline import Pipeline, Step, ancestors, cache_key, order
from mlops_jupyter.runtime.step.output_names import file_name, kept_groups


def step(name, inputs=None, outputs=(), **more):
    return Step(name, f"p.steps.{name}:{name}", "1", inputs or {}, outputs, **more)


X, Y = (("x",),), (("y",),)

COMPLAINTS = {
    "unknown step": ((step("a", {"x": "zzz"}),), "step 'a' takes 'x' from 'zzz', which is no step of it"),
    "unknown variable": ((step("a", {"x": "b"}), step("b", outputs=Y)), "takes 'x' from 'b', which does not make it"),
    "nobody's variable": ((step("a", {"x": ""}),), "step 'a' needs 'x', which no step makes"),
    "same name": ((step("a"), step("a")), "two steps are called 'a'"),
    "circle": (
        (step("a", {"y": "b"}, X), step("b", {"x": "a"}, Y), step("c")),
        "the steps 'a', 'b' wait for each other",
    ),
    "parameter": ((step("a", parameters=("n",)),), "takes the parameter 'n', which the pipeline does not have"),
}


@pytest.mark.parametrize("case", COMPLAINTS.values(), ids=COMPLAINTS)
def test_a_wrong_pipeline_is_one_line(case):
    steps, told = case
    with pytest.raises(PipelineError) as caught:
        order(Pipeline("demo", "p", steps))
    assert str(caught.value).startswith("pipeline 'demo': ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_output_that_no_step_makes():
    with pytest.raises(PipelineError, match="it delivers 'x' from 'a', which does not make it"):
        order(Pipeline("demo", "p", (step("a"),), outputs={"x": "a"}))


def test_order_is_as_written_where_it_may_be():
    steps = (step("d", {"y": "b"}), step("c"), step("b", {"x": "a"}, Y), step("a", outputs=X))
    pipeline = Pipeline("demo", "p", steps)
    assert [s.name for s in order(pipeline)] == ["c", "a", "b", "d"]
    assert pipeline.downstream("a") == {"a", "b", "d"}
    assert ancestors(pipeline) == {"a": set(), "c": set(), "b": {"a"}, "d": {"a", "b"}}


def first_that_may(steps):
    """The order's definition: again and again the first step as written that all its own come before."""
    placed, waiting = [], list(steps)
    while waiting:
        free = next(s for s in waiting if set(s.upstream) <= set(placed))
        placed.append(free.name)
        waiting.remove(free)
    return placed


@given(st.permutations(range(9)), st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8))))
def test_of_the_steps_that_may_come_next_the_first_as_written_does(written, edges):
    above = {n: tuple(f"s{m}" for m, k in sorted(edges) if k == n and m < n) for n in range(9)}
    steps = tuple(step(f"s{n}", after=above[n]) for n in written)
    assert [s.name for s in order(Pipeline("demo", "p", steps))] == first_that_may(steps)


def test_a_circle_is_told_without_those_that_only_wait_for_it():
    steps = (step("d", {"x": "a"}), step("b", {"x": "a"}, Y), step("c"), step("a", {"y": "b"}, X))
    with pytest.raises(PipelineError) as caught:
        order(Pipeline("demo", "p", steps))
    assert str(caught.value) == "pipeline 'demo': the steps 'b', 'a' wait for each other; export again"


def test_thousands_of_steps_are_put_in_order_at_once():
    count = 3000
    steps = tuple(step(f"s{n}", after=(f"s{n + 1}",) if n + 1 < count else ()) for n in range(count))
    began = time.process_time()
    assert [s.name for s in order(Pipeline("demo", "p", steps))] == [f"s{n}" for n in reversed(range(count))]
    assert time.process_time() - began < 2


BASE = {"inputs": {"x": "d1"}, "parameters": {"n": 1, "m": 2}, "packages": {"numpy": "2"}, "environment": {"A": "b"}}

DIFFERENT = {
    "input": {"inputs": {"x": "d2"}},
    "hidden input": {"inputs": {"x": "d1", "~random": "d"}},
    "parameter": {"parameters": {"n": 2, "m": 2}},
    "type of a parameter": {"parameters": {"n": 1.0, "m": 2}},
    "package": {"packages": {"numpy": "3"}},
    "environment": {"environment": {}},
}


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT)
def test_all_that_a_result_depends_on_is_in_the_key(change):
    one = step("a", parameters=("n",))
    assert cache_key(one, **{**BASE, **change}) != cache_key(one, **BASE)


def test_the_key_is_that_of_every_process():
    """A changed formula would silently forget every cache: this one is changed on purpose only."""
    one = step("a", parameters=("n",))
    assert cache_key(one, **BASE) == cache_key(one, **{**BASE, "parameters": {"m": 3, "n": 1}})
    assert len(cache_key(one, **BASE)) == 64
    assert cache_key(Step("a", "p:a", "2", parameters=("n",)), **BASE) != cache_key(one, **BASE)


@pytest.mark.parametrize("module", ["numpy", "sklearn", "yaml", "pandas", "IPython", "dateutil", "six"])
def test_versions_are_those_of_the_metadata(module):
    names = importlib.metadata.packages_distributions()[module]
    assert versions((module,))[module] in {importlib.metadata.version(name) for name in names}


def test_versions_of_other_modules(tmp_path, monkeypatch):
    (tmp_path / "beside_the_notebook.py").write_text("x = 1\n")
    (tmp_path / "folder_beside").mkdir()
    (tmp_path / "folder_beside" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    found = versions(("beside_the_notebook", "folder_beside", "nowhere_at_all", "json", "os"))
    assert found.keys() == {"beside_the_notebook", "folder_beside", "nowhere_at_all"}
    assert found["beside_the_notebook"].startswith("source:")
    assert found["nowhere_at_all"] == "missing"
    assert found["folder_beside"] != found["beside_the_notebook"]
    assert "beside_the_notebook" not in sys.modules


def test_which_groups_are_kept():
    maker = step("a", outputs=(("x",), ("y", "z"), ("~random",), ("w",)))
    user = step("b", {"z": "a"})
    pipeline = Pipeline("demo", "p", (maker, user), outputs={"x": "a"})
    assert kept_groups(pipeline, maker) == (("y", "z"), ("~random",), ("w",))


def test_file_names_are_safe_and_unique_whatever_the_case():
    outputs = {"model": "a", "Model": "a", "~file:plots/roc.png": "a", "naïve": "a"}
    pipeline = Pipeline("demo", "p", (step("a", outputs=tuple((name,) for name in outputs)),), outputs=outputs)
    assert [file_name(pipeline, name) for name in outputs] == ["model", "Model-2", "roc.png", "naïve"]
