"""What goes wrong: failing steps, killed ones, wrong requests; and that the next run works."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from mlops_jupyter.runtime.storage.store import Store


def alive(pid: int) -> bool:
    """Whether a process runs (one that has ended and waits to be reaped does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(path: Path, seconds: float = 20.0) -> str:
    """Wait until a file has content; return it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.01)
    raise AssertionError(f"{path} did not come")


BRANCHES = """
Step("good", "demo.steps.good:good", "1", outputs=(("g",),)),
Step("bad", "demo.steps.bad:bad", "1", outputs=(("b",),)),
Step("after", "demo.steps.after:after", "1", inputs={"b": "bad"}, outputs=(("c",),)),
Step("other", "demo.steps.other:other", "1", inputs={"g": "good"}, outputs=(("d",),)),
"""


def branches(bundle):
    bundle.pipeline(BRANCHES, "outputs={'c': 'after', 'd': 'other'}")
    bundle.step("good", "import os\n\ndef good():\n    open('ran', 'a').write('x')\n    return 1\n")
    bundle.step("bad", "def bad():\n    return inner({})\n\ndef inner(d):\n    return d['price']\n")
    bundle.step("after", "def after(b):\n    return b\n")
    bundle.step("other", "def other(g):\n    return g + 1\n")


def test_a_failure_stops_what_depends_on_it_and_the_next_run_resumes(bundle):
    branches(bundle)
    done = bundle.run("--run", "one")
    assert done.code == 1
    assert done.status() == {"good": "done", "bad": "failed", "after": "skipped", "other": "done"}
    assert done.answer["status"] == "failed"
    error = bundle.record("one", "bad")["error"]
    assert error["type"] == "KeyError"
    assert error["message"] == "'price'"
    assert re.findall(r'File "(.*?)", line (\d+), in (\w+)', error["traceback"]) == [
        ("demo/steps/bad.py", "2", "bad"),
        ("demo/steps/bad.py", "5", "inner"),
    ]
    assert "bad: failed" in done.err
    assert "KeyError: 'price'" in done.err
    assert json.loads((bundle.store / "one" / "run.json").read_text())["status"] == "failed"
    assert [entry["name"] for entry in bundle.index("one")["outputs"]] == ["d"]
    bundle.step("bad", "def bad():\n    return 5\n")
    again = bundle.run("--run", "one")
    assert again.status() == {"good": "cached", "bad": "done", "after": "done", "other": "cached"}
    assert [entry["name"] for entry in bundle.index("one")["outputs"]] == ["c", "d"]


def test_a_step_is_tried_again(bundle, tmp_path):
    bundle.pipeline(
        'Step("shaky", "demo.steps.shaky:shaky", "1", outputs=(("x",), ("~file:log.txt",)), retries=2),',
        "outputs={'x': 'shaky'}",
    )
    bundle.step(
        "shaky",
        f"""
        from pathlib import Path

        def shaky():
            tries = Path({str(tmp_path / "tries")!r})
            tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
            open("log.txt", "a").write("line")
            if len(tries.read_text()) < 3:
                raise ConnectionError("no luck")
            return open("log.txt").read()
        """,
    )
    done = bundle.run()
    assert done.code == 0, done.err
    assert len(re.findall(r"shaky: retrying \(\d\.\d\d s\): ConnectionError: no luck", done.err)) == 2
    run = done.answer["run"]
    assert bundle.value(run, "x") == "line", "a try must not find what an earlier one wrote"
    assert bundle.record(run, "shaky")["attempt"] == 3
    (tmp_path / "tries").unlink()
    task = bundle.call("step", "shaky", "--store", str(tmp_path / "s"), "--run", "r")
    assert task.code == 1
    assert (tmp_path / "tries").read_text() == "x"
    assert "ConnectionError: no luck" in task.err


def test_a_step_that_takes_too_long_is_ended_with_all_that_it_started(bundle, tmp_path):
    bundle.pipeline('Step("slow", "demo.steps.slow:slow", "1", timeout=1.0),')
    bundle.step(
        "slow",
        f"""
        import subprocess, time

        def slow():
            other = subprocess.Popen(["sleep", "60"])
            open({str(tmp_path / "pid")!r}, "w").write(str(other.pid))
            time.sleep(60)
        """,
    )
    done = bundle.run()
    assert done.code == 1
    assert bundle.record(done.answer["run"], "slow")["error"]["message"] == "it took longer than 1 seconds"
    assert not alive(int((tmp_path / "pid").read_text()))


ENDS = {
    "killed": ("import os\n\ndef end():\n    os.kill(os.getpid(), 9)\n", "killed by SIGKILL (out of memory?)"),
    "crash": ("import ctypes\n\ndef end():\n    ctypes.string_at(0)\n", "killed by SIGSEGV"),
    "left": ("import os\n\ndef end():\n    os._exit(9)\n", "ended with exit code 9"),
    "exit": ("import sys\n\ndef end():\n    sys.exit('enough')\n", "SystemExit: enough"),
    "no package": ("import nothing_like_it\n\ndef end():\n    pass\n", "No module named 'nothing_like_it'"),
    "syntax": ("def end(:\n    pass\n", "SyntaxError"),
    "too few": ("def end():\n    return 1, 2\n", "returned 2 values where it says that it makes a, b, c"),
    "cannot cross": ("def end():\n    return 1, (i for i in 'ab'), 2\n", "'end' cannot hand on 'b': "),
}


@pytest.mark.parametrize("case", ENDS.values(), ids=ENDS)
def test_every_end_is_told(bundle, case):
    source, told = case
    bundle.pipeline('Step("end", "demo.steps.end:end", "1", outputs=(("a",), ("b",), ("c",))),')
    bundle.step("end", source)
    done = bundle.run()
    assert done.code == 1
    assert told in done.err
    error = bundle.record(done.answer["run"], "end")["error"]
    assert told.split(": ")[-1].strip("'") in f"{error['type']}: {error['message']}"


def slow_pipeline(bundle, mark: Path) -> None:
    """`quick`, then `slow`, which writes its process id to the mark and then waits unless that is there already."""
    bundle.pipeline(
        """
        Step("quick", "demo.steps.quick:quick", "1", outputs=(("a",),)),
        Step("slow", "demo.steps.slow:slow", "1", inputs={"a": "quick"}, outputs=(("b",),)),
        """,
        "outputs={'b': 'slow'}",
    )
    bundle.step("quick", "def quick():\n    return 1\n")
    bundle.step(
        "slow",
        f"""
        import os, time
        from pathlib import Path

        def slow(a):
            mark = Path({str(mark)!r})
            if not mark.exists():
                Path(str(mark) + ".new").write_text(str(os.getpid()))
                os.replace(str(mark) + ".new", mark)
                time.sleep(60)
            return a + 1
        """,
    )


def start(bundle, *words: str) -> subprocess.Popen[str]:
    command = bundle.command("run", "--store", str(bundle.store), "--json", "--run", "one", *words)
    return subprocess.Popen(
        command, env=bundle.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


STOPS = {"SIGINT": (signal.SIGINT, 130), "SIGTERM": (signal.SIGTERM, 143), "SIGKILL": (signal.SIGKILL, -9)}


@pytest.mark.parametrize("case", STOPS.values(), ids=STOPS)
def test_a_stopped_run_leaves_no_process_and_the_next_run_goes_on(bundle, tmp_path, case):
    number, code = case
    slow_pipeline(bundle, tmp_path / "mark")
    with start(bundle) as process:
        child = int(wait_for(tmp_path / "mark"))
        os.kill(process.pid, number)
        process.communicate(timeout=20)
    assert process.returncode == code
    until = time.monotonic() + 5
    while alive(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(child)
    status = json.loads((bundle.store / "one" / "run.json").read_text())["status"]
    if number == signal.SIGKILL:
        assert status == "running"  # nobody was left to say more
    else:
        assert status == "failed"
        assert bundle.record("one", "slow")["error"]["type"] == "Interrupted"
    done = bundle.run("--run", "one")
    assert done.status() == {"quick": "cached", "slow": "done"}
    assert bundle.value("one", "b") == 2


def test_two_runs_at_once_on_one_store(bundle):
    bundle.pipeline(
        """
        Step("a", "demo.steps.a:a", "1", outputs=(("x",),)),
        Step("b", "demo.steps.b:b", "1", inputs={"x": "a"}, outputs=(("y",),), parameters=("p",)),
        """,
        "parameters={'p': 0}, outputs={'y': 'b'}",
    )
    bundle.step("a", "def a():\n    return list(range(100000))\n")
    bundle.step("b", "def b(x, p):\n    return len(x) + p\n")
    words = ["run", "--store", str(bundle.store), "--json"]
    both = [
        subprocess.Popen(
            bundle.command(*words, "-p", f"p={p}"), env=bundle.environment(), stdout=subprocess.PIPE, text=True
        )
        for p in (1, 2)
    ]
    runs = [json.loads(process.communicate(timeout=60)[0])["run"] for process in both]
    assert [bundle.value(run, "y") for run in runs] == [100001, 100002]
    assert Store(bundle.store).runs() == sorted(runs)


REFUSED = {
    "unknown parameter": (["-p", "nope=1"], "no parameter 'nope': the pipeline has n, name"),
    "wrong type": (["-p", "n=many"], "parameter 'n' takes an int (as in 1), not 'many'"),
    "no value": (["-p", "n"], "'n' is no parameter: write -p NAME=VALUE"),
    "unknown step": (["--from", "nope"], "no step 'nope': the pipeline has one"),
    "unknown only": (["--only", "nope"], "no step 'nope': the pipeline has one"),
    "bad run id": (["--run", "../up"], "'../up' is no run id: use letters"),
    "reserved run id": (["--run", "cache"], "'cache' is no run id"),
    "unknown store": (["--store", "nope://x"], "cannot open the store 'nope://x': Protocol not known: nope"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_wrong_request_is_one_line_and_writes_nothing(bundle, case):
    words, told = case
    bundle.pipeline(
        'Step("one", "demo.steps.one:one", "1", parameters=("n", "name")),', "parameters={'n': 1, 'name': 'a'}"
    )
    bundle.step("one", "def one(n, name):\n    pass\n")
    done = bundle.run(*words)
    assert done.code == 2
    assert done.err.startswith(f"error: {told}")
    assert done.err.count("\n") == 1
    assert done.answer["status"] == "failed"
    assert not bundle.store.exists()


def test_the_answer_is_alone_on_the_standard_output(bundle):
    bundle.pipeline('Step("loud", "demo.steps.loud:loud", "1"),')
    bundle.step(
        "loud", "import os\nprint('at import')\nos.system('echo from a shell')\n\ndef loud():\n    print('x')\n"
    )
    done = bundle.run()
    assert done.answer["status"] == "succeeded"
    plain = bundle.call("run", "--store", str(bundle.store))
    assert re.fullmatch(r"run \S+ succeeded: \S+/outputs/outputs.json\n", plain.out)
    assert re.fullmatch(r"loud: cached \(0\.\d\d s\)\n", plain.err)


def test_a_store_that_cannot_be_written_is_one_line(bundle):
    bundle.pipeline('Step("one", "demo.steps.one:one", "1"),')
    bundle.step("one", "def one():\n    pass\n")
    bundle.store.write_text("not a folder")
    done = bundle.run()
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "Not a directory" in done.err
    assert f"is the store {str(bundle.store)!r} writable" in done.err
    assert done.answer["status"] == "failed"


def test_a_store_that_fills_up_in_the_middle(bundle):
    """No file may grow beyond 64 KB, as on a disk with no more room: what was kept before is whole and is used."""
    bundle.pipeline(
        'Step("small", "demo.steps.small:small", "1", outputs=(("x",),)),'
        'Step("big", "demo.steps.big:big", "1", inputs={"x": "small"}, outputs=(("y",),)),'
        'Step("size", "demo.steps.size:size", "1", inputs={"y": "big"}, outputs=(("z",),)),',
        "outputs={'z': 'size'}",
    )
    bundle.step("small", "def small():\n    return 200_000\n")
    bundle.step("big", "def big(x):\n    return b'y' * x\n")
    bundle.step("size", "def size(y):\n    return len(y)\n")
    words = bundle.command("run", "--store", str(bundle.store), "--json")
    full = ["bash", "-c", 'ulimit -f 64; exec "$@"', "_", *words]
    done = subprocess.run(full, env=bundle.environment(), capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert {step["step"]: step["status"] for step in told["steps"]} == {
        "small": "done", "big": "failed", "size": "skipped",
    }  # fmt: skip
    assert "File too large" in next(line for line in done.stderr.splitlines() if line.startswith("big: failed"))
    assert Store(bundle.store).run(told["run"])["status"] == "failed"
    again = bundle.run()
    assert again.status() == {"small": "cached", "big": "done", "size": "done"}
    assert bundle.value(again.answer["run"], "z") == 200_000
    assert not [path for path in bundle.store.rglob(".*") if path.is_file()], "nothing half-written is left"


def test_a_circle_made_by_hand_is_one_line(bundle):
    bundle.pipeline(
        'Step("a", "demo.steps.a:a", "1", inputs={"y": "b"}, outputs=(("x",),)),'
        'Step("b", "demo.steps.b:b", "1", inputs={"x": "a"}, outputs=(("y",),)),'
    )
    for words in (["run"], ["step", "a", "--run", "r"]):
        done = bundle.call(*words, "--store", str(bundle.store))
        assert (done.code, done.out) == (2, "")
        assert done.err == "error: pipeline 'demo': the steps 'a', 'b' wait for each other; export again\n"
    assert not bundle.store.exists()
