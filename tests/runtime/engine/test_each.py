"""`--each`: one pipeline for several values of a parameter. That engines agree is shown in tests/engines."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from tests.runtime.engine.test_engine_faults import wait_for

STEP = 'Step("one", "demo.steps.one:one", "1", parameters=("n", "name"), outputs=(("x",),)),'

WRONG = {
    "no name": (["--each", "1,2"], "--each '1,2': write --each NAME=A,B,C, or NAME=[...] with a JSON list"),
    "no value": (["--each", "n="], "--each 'n=': write --each NAME=A,B,C"),
    "no parameter": (["--each", "nope=1,2"], "no parameter 'nope': the pipeline has n, name"),
    "wrong type": (["--each", "n=1,many"], "parameter 'n' takes an int (as in 1), not 'many'"),
    "twice": (["--each", "n=1,2,1"], "--each n: 1 stands there twice"),
    "empty list": (["--each", "n=[]"], "--each n: give at least one value"),
    "given too": (["--each", "n=1,2", "-p", "n=3"], "--each and -p both give 'n': give one of them"),
    "unknown step": (["--each", "n=1,2", "--from", "nope"], "no step 'nope': the pipeline has one"),
    "bad run id": (["--each", "n=1", "--run", "../up"], "'../up.1' is no run id"),
    "long run id": (["--each", "n=1", "--run", "a" * 200], f"'{'a' * 200}.1' is no run id"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_one_line_and_writes_nothing(bundle, case):
    words, told = case
    bundle.pipeline(STEP, "parameters={'n': 1, 'name': 'a'}")
    bundle.step("one", "def one(n, name):\n    return n\n")
    done = bundle.run(*words)
    assert done.code == 2, done.err
    assert done.err.startswith(f"error: {told}"), done.err
    assert done.err.count("\n") == 1, done.err
    assert not bundle.store.exists()


def test_values_are_what_they_look_like(bundle):
    bundle.pipeline(STEP, "parameters={'n': 1, 'name': 'a'}, outputs={'x': 'one'}")
    bundle.step("one", "def one(n, name):\n    return [name, 'x' * 2000 if name == 'long' else '']\n")
    listed = json.dumps(["a,b", "no", "1e3", '{{ "x" }} $(exit 3)'])
    done = bundle.run("--each", f"name={listed}")
    assert [row["outputs"]["x"][0] for row in done.answer["runs"]] == json.loads(listed)
    plain = bundle.call("run", "--store", str(bundle.store), "--each", "name=long,no", "--run", "two")
    assert [line.split() for line in plain.out.splitlines()[:3]] == [
        ["name", "status", "x"],
        ["long", "succeeded", '{"file":', '"two.1/outputs/x.json"}'],
        ["no", "succeeded", '["no",', '""]'],
    ]
    assert plain.out.endswith(f"run two succeeded: {bundle.store}/two/each.json\n")


def test_a_stopped_fan_keeps_what_is_done(bundle, tmp_path):
    mark = tmp_path / "mark"
    bundle.pipeline(STEP, "parameters={'n': 1, 'name': 'a'}, outputs={'x': 'one'}")
    bundle.step(
        "one",
        f"""
        import time

        def one(n, name):
            if n == 2:
                open({str(mark)!r}, "w").write("begun")
                time.sleep(60)
            return n
        """,
    )
    words = bundle.command("run", "--store", str(bundle.store), "--run", "all", "--each", "n=1,2", "--jobs", "1")
    with subprocess.Popen(words, env=bundle.environment(), stderr=subprocess.PIPE) as process:
        wait_for(mark)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 130
    kept = json.loads((bundle.store / "all" / "each.json").read_text())["runs"]
    assert [(row["value"], row["outputs"]) for row in kept] == [(1, {"x": 1})]
    status = {
        run: json.loads((bundle.store / run / "run.json").read_text())["status"] for run in ("all", "all.1", "all.2")
    }
    assert status == {"all": "failed", "all.1": "succeeded", "all.2": "failed"}
