"""What is run again and what is not."""

from __future__ import annotations

import pytest

DIAMOND = """
Step("top", "demo.steps.top:top", "{top}", outputs=(("x",),)),
Step("left", "demo.steps.left:left", "1", inputs={{"x": "top"}}, outputs=(("l",),), parameters=("a",)),
Step("right", "demo.steps.right:right", "1", inputs={{"x": "top"}}, outputs=(("r",),), parameters=("b",)),
Step("end", "demo.steps.end:end", "1", inputs={{"l": "left", "r": "right"}}, outputs=(("sum",),), packages={packages}),
"""


def diamond(bundle, top="1", packages=(), rest="", outputs="{'sum': 'end'}"):
    bundle.pipeline(
        DIAMOND.format(top=top, packages=tuple(packages)), f"parameters={{'a': 1, 'b': 2}}, outputs={outputs}, {rest}"
    )
    bundle.step("top", "def top():\n    return 10\n")
    bundle.step("left", "def left(x, a):\n    return x * a\n")
    bundle.step("right", "def right(x, b):\n    return x + b\n")
    bundle.step("end", "def end(l, r):\n    return l + r\n")


NAMES = ("top", "left", "right", "end")


def states(*those):
    return dict(zip(NAMES, those, strict=True))


def test_an_unchanged_pipeline_runs_nothing(bundle):
    diamond(bundle)
    assert bundle.run().status() == states("done", "done", "done", "done")
    again = bundle.run("--run", "second")
    assert again.status() == states("cached", "cached", "cached", "cached")
    assert bundle.value("second", "sum") == 22
    record = bundle.record("second", "end")
    assert record["status"] == "cached"
    assert "delivered" in record


CHANGES = {
    "a parameter of one branch": ({}, ["-p", "b=5"], states("cached", "cached", "done", "done")),
    "a parameter whose effect is lost": ({}, ["-p", "a=1"], states(*["cached"] * 4)),
    "code upstream that gives the same value": ({"top": "2"}, [], states("done", "cached", "cached", "cached")),
    "a package of one step": ({"packages": ("hypothesis",)}, [], states("cached", "cached", "cached", "done")),
    "the environment": ({"rest": "environment={'A': 'b'}"}, [], states("done", "done", "done", "done")),
    "one more delivered value": ({"outputs": "{'sum': 'end', 'x': 'top'}"}, [], states("done", *["cached"] * 3)),
    "forced from a step": ({}, ["--from", "right"], states("cached", "cached", "done", "done")),
}


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES)
def test_a_change_reruns_only_what_it_must(bundle, case):
    change, words, expected = case
    diamond(bundle)
    assert bundle.run().code == 0
    diamond(bundle, **change)
    done = bundle.run(*words)
    assert done.code == 0, done.err
    assert done.status() == expected


def test_what_is_cached_is_told_once_though_the_run_begins_again_with_another_hash_seed(bundle):
    diamond(bundle, rest="environment={'PYTHONHASHSEED': '7'}")
    assert bundle.run(env={"PYTHONHASHSEED": "1"}).code == 0
    done = bundle.run("-p", "b=5", env={"PYTHONHASHSEED": "1"})
    told = [line.partition(" (")[0] for line in done.err.splitlines()]
    assert told == ["top: cached", "left: cached", "right: running", "right: done", "end: running", "end: done"]


def test_one_step_alone(bundle):
    diamond(bundle)
    refused = bundle.run("--only", "end")
    assert refused.code == 2
    assert "'end' needs step 'top', which is not cached: run without --only" in refused.err
    bundle.run()
    alone = bundle.run("--only", "end")
    assert alone.status() == states("cached", "cached", "cached", "done")
    assert bundle.value(alone.answer["run"], "sum") == 22
    assert bundle.run("--only", "left").status() == {"top": "cached", "left": "done"}


def test_a_step_that_is_always_run(bundle):
    bundle.pipeline('Step("judge", "demo.steps.judge:judge", "1", always=True),')
    bundle.step("judge", "def judge():\n    print('judged')\n")
    for _ in range(2):
        done = bundle.run()
        assert done.status() == {"judge": "done"}
        assert bundle.log(done.answer["run"], "judge") == "judged\n"


def test_a_damaged_artifact_is_never_read(bundle):
    diamond(bundle)
    run = bundle.run().answer["run"]
    top = bundle.record(run, "top")["outputs"][0]["digest"]
    path = bundle.store / "objects" / top[:2] / top[2:]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])  # cut short: seen before it is used
    assert bundle.run("-p", "a=3").status() == states("done", "done", "cached", "done")
    assert path.read_bytes() == whole
    path.write_bytes(whole[:-1] + b"#")  # other content: seen when it is read
    done = bundle.run("-p", "a=4", "--json")
    assert "was damaged and is removed: run again" in done.err
    assert done.status() == states("done", "done", "cached", "done")  # made again in the same run
    assert path.read_bytes() == whole


def test_cache_files_that_are_no_json_count_as_absent(bundle):
    diamond(bundle)
    bundle.run()
    for file in (bundle.store / "cache").iterdir():
        file.write_text("{")
    assert bundle.run().status() == states("done", "done", "done", "done")


def twenty(bundle):
    steps = ['Step("s0", "demo.steps.s:s0", "1", outputs=(("v0",),)),']
    source = ["import pandas\n", "def s0():\n    return 0\n"]
    for i in range(1, 20):
        steps.append(
            f'Step("s{i}", "demo.steps.s:s{i}", "1", inputs={{"v{i - 1}": "s{i - 1}"}}, outputs=(("v{i}",),), '
            f'packages=("pandas", "sklearn", "numpy")),'
        )
        source.append(f"def s{i}(v{i - 1}):\n    return v{i - 1} + 1\n")
    bundle.pipeline("\n".join(steps), "outputs={'v19': 's19'}, environment={'PYTHONHASHSEED': '0'}")
    bundle.step("s", "\n".join(source))


def test_twenty_unchanged_steps_are_all_taken_from_the_cache(bundle):
    twenty(bundle)
    first = bundle.run()
    assert first.code == 0, first.err
    assert bundle.value(first.answer["run"], "v19") == 19
    done = bundle.run()
    assert set(done.status().values()) == {"cached"}


def test_an_edited_step_is_not_taken_for_what_it_was(bundle):
    diamond(bundle)
    assert bundle.value(bundle.run().answer["run"], "sum") == 22
    bundle.step("left", "def left(x, a):\n    return x * a + 100\n")
    edited = bundle.run()
    assert edited.status() == states("cached", "done", "cached", "done")
    assert bundle.value(edited.answer["run"], "sum") == 122
    run = ["--store", str(bundle.store), "--run", "tasks", "--json"]
    assert [bundle.call("step", name, *run).status()[name] for name in NAMES] == ["cached"] * 4
    assert bundle.value("tasks", "sum") == 122
    bundle.step("left", "def left(x, a):\n    return x * a\n")
    assert bundle.run().status() == states("cached", "cached", "cached", "cached")
