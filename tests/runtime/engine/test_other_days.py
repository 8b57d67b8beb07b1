"""What another day does to a step: it changes what it did not change before, and the world outside goes on."""

from __future__ import annotations

import pytest

PIPELINE = """
Step("load", "demo.steps.load:load", "1", outputs=(("rows", "first"), ("other",))),
Step("look", "demo.steps.look:look", "1", inputs={"rows": "load"}, outputs=(("count",),), parameters=("wild",)),
Step("sum_up", "demo.steps.sum_up:sum_up", "1", inputs={"rows": "load", "count": "look"}, outputs=(("total",),)),
"""

LOOK = "def look(rows, wild):\n    if wild:\n        rows.append(9)\n    return len(rows)\n"


@pytest.fixture
def chain(bundle):
    bundle.pipeline(PIPELINE, "outputs={'total': 'sum_up'}, parameters={'wild': False}")
    bundle.step("load", "def load():\n    rows = [1, 2]\n    return rows, rows, 3\n")
    bundle.step("look", LOOK)
    bundle.step("sum_up", "def sum_up(rows, count):\n    return sum(rows) + count\n")
    return bundle


def test_a_step_that_changes_what_a_later_one_takes_from_elsewhere_fails(chain):
    assert chain.run().code == 0
    done = chain.run("-p", "wild=true")
    assert done.code == 1
    line = (
        "step 'look' changed 'rows', which step 'sum_up' takes from step 'load' as it was before: put both into one "
        "step (%%pipeline look), or let the cell bind what it changes anew"
    )
    assert line in done.err


def test_so_does_one_that_changes_what_is_delivered(chain):
    chain.pipeline(
        PIPELINE.replace('"rows": "load", "count"', '"count"'),
        "outputs={'first': 'load', 'rows': 'load', 'total': 'sum_up'}, parameters={'wild': False}",
    )
    chain.step("sum_up", "def sum_up(count):\n    return count\n")
    assert chain.run().code == 0
    done = chain.run("-p", "wild=true")
    assert done.code == 1
    assert "which the pipeline delivers from step 'load' as it was before" in done.err


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("~random", "import random\n    random.random()"),
        ("~warnings.filters", "import warnings\n    warnings.simplefilter('error')"),
        ("~environ:MODE", "import os\n    os.environ['MODE'] = 'b'"),
    ],
)
def test_hidden_state_that_a_later_step_takes_from_elsewhere(bundle, name, change):
    bundle.pipeline(
        f"""
        Step("first", "demo.steps.first:first", "1", outputs=(("a",), ({name!r},))),
        Step("second", "demo.steps.second:second", "1", {{"a": "first"}}, (("b",),), ("wild",)),
        Step("third", "demo.steps.third:third", "1", inputs={{"b": "second", {name!r}: "first"}}, outputs=(("c",),)),
        """,
        "outputs={'c': 'third'}, parameters={'wild': False}",
    )
    bundle.step(
        "first", f"def first():\n    {change.replace('b', 'a') if 'MODE' in change else change}\n    return 1\n"
    )
    bundle.step(
        "second", f"def second(a, wild):\n    if wild:\n        {change.replace('    ', '        ')}\n    return a\n"
    )
    bundle.step("third", "def third(b):\n    return b\n")
    assert bundle.run().code == 0
    done = bundle.run("-p", "wild=true")
    shown = repr(name.removeprefix("~file:")) if name.startswith("~file:") else name
    assert done.code == 1
    assert f"step 'second' changed {shown}, which step 'third' takes from step 'first'" in done.err


VOLATILE = """
Step("fetch", "demo.steps.fetch:fetch", "1", outputs=(("a",),), volatile=("reads the clock: `time.time_ns()`",)),
Step("use", "demo.steps.use:use", "1", inputs={"a": "fetch"}, outputs=(("b",),)),
"""


def test_a_volatile_step_runs_again_and_what_follows_it_if_its_value_is_another(bundle):
    bundle.pipeline(VOLATILE, "outputs={'b': 'use'}, parameters={}")
    bundle.step("fetch", "import time\n\ndef fetch():\n    return time.time_ns() // 10**12\n")
    bundle.step("use", "def use(a):\n    return a\n")
    assert bundle.run().status() == {"fetch": "done", "use": "done"}
    assert bundle.run().status() == {"fetch": "done", "use": "cached"}
    assert bundle.run("--cache-volatile").status() == {"fetch": "cached", "use": "cached"}
    bundle.step("fetch", "import time\n\ndef fetch():\n    return time.time_ns()\n")
    assert bundle.run().status() == {"fetch": "done", "use": "done"}
    assert bundle.run().status() == {"fetch": "done", "use": "done"}


def test_an_author_may_have_it_cached(bundle):
    bundle.pipeline(VOLATILE.replace('outputs=(("a",),)', 'cache=True, outputs=(("a",),)'), "outputs={'b': 'use'}")
    bundle.step("fetch", "import time\n\ndef fetch():\n    return time.time_ns()\n")
    bundle.step("use", "def use(a):\n    return a\n")
    bundle.run()
    assert bundle.run().status() == {"fetch": "cached", "use": "cached"}


ONE = """Step("only", "demo.steps.only:only", "1", outputs=(("a",),)),"""


def test_a_file_outside_that_only_the_run_saw(bundle, tmp_path):
    outside = tmp_path / "elsewhere" / "rates.txt"
    outside.parent.mkdir()
    outside.write_text("1")
    bundle.pipeline(ONE, "outputs={'a': 'only'}")
    bundle.step("only", f"def only():\n    return open({str(outside)!r}).read()\n")
    assert bundle.run().status() == {"only": "done"}
    assert bundle.run().status() == {"only": "cached"}
    outside.write_text("2")
    done = bundle.run()
    assert done.status() == {"only": "done"}
    assert bundle.value(done.answer["run"], "a") == "2"


@pytest.mark.parametrize(
    ("body", "second"),
    [
        (
            "import subprocess\n    return subprocess.run(['date', '+%N'], capture_output=True, text=True).stdout",
            "done",
        ),
        ("import os\n    return os.system('true')", "done"),
        ("import subprocess\n    return subprocess.run(['uname'], capture_output=True, text=True).stdout", "cached"),
        ("import socket\n    socket.create_server(('127.0.0.1', 0)).close()\n    return 1", "cached"),
    ],
    ids=["another program", "a shell", "a question about the machine", "a port of this machine"],
)
def test_what_only_the_run_saw(bundle, body, second):
    bundle.pipeline(ONE, "outputs={'a': 'only'}")
    bundle.step("only", f"def only():\n    {body}\n")
    bundle.run()
    assert bundle.run().status() == {"only": second}
    assert bundle.run("--cache-volatile").status() == {"only": "cached"}


def test_the_steps_say_which_always_run(bundle):
    bundle.pipeline(VOLATILE, "outputs={'b': 'use'}")
    assert "fetch: nothing -> a\n  always runs: it reads the clock: `time.time_ns()`\n" in bundle.call("steps").out
