"""`mlops-jupyter run` as a user runs it: branches at once, limits, parts of a pipeline, Ctrl-C. Real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.engine.conftest import Bundle

MEET = """
import os, time

def {name}(x, meet):
    open({folder!r} + "/{name}", "w").close()
    until = time.monotonic() + 60
    while meet and not os.path.exists({folder!r} + "/{other}"):
        assert time.monotonic() < until, "the other branch does not run"
        time.sleep(0.01)
    return x + 1
"""

DIAMOND = """
Step("top", "demo.steps.top:top", "1", outputs=(("x",),)),
Step("left", "demo.steps.left:left", "1", inputs={"x": "top"}, outputs=(("l",),), parameters=("meet",)),
Step("right", "demo.steps.right:right", "1", inputs={"x": "top"}, outputs=(("r",),), parameters=("meet",)),
Step("end", "demo.steps.end:end", "1", inputs={"l": "left", "r": "right"}, outputs=(("sum",),)),
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    made = Bundle(tmp_path)
    (made.root / "pipeline.yaml").write_text("name: demo\npackage: demo\nenvironment:\n  variables: {SEEN: 'yes'}\n")
    return made


def diamond(bundle: Bundle, folder: Path) -> None:
    bundle.pipeline(DIAMOND, "parameters={'meet': True}, outputs={'sum': 'end'}")
    bundle.step("top", "def top():\n    return 10\n")
    for name, other in (("left", "right"), ("right", "left")):
        bundle.step(name, MEET.format(name=name, other=other, folder=str(folder)))
    bundle.step("end", "def end(l, r):\n    return l + r\n")


def command(bundle: Bundle, *words: str) -> list[str]:
    return [sys.executable, "-m", "mlops_jupyter", "run", str(bundle.root), "--store", str(bundle.store), *words]


def run(bundle: Bundle, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(bundle, *words), cwd=bundle.root, capture_output=True, text=True, timeout=120)


def told(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of progress, without seconds."""
    return [re.sub(r" \(\d+\.\d\d s\)", "", line) for line in done.stderr.splitlines()]


def states(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    facts: dict[str, Any] = json.loads(done.stdout)
    return dict(facts["steps"])


def times(bundle: Bundle, name: str, step: str) -> tuple[float, float]:
    record = bundle.record(name, step)
    return record["started"], record["started"] + record["seconds"]


def gone(pid: int) -> bool:
    """Whether a process has ended, within some time."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def test_independent_branches_run_at_once_unless_told_not_to(bundle: Bundle, tmp_path: Path) -> None:
    diamond(bundle, tmp_path)
    done = run(bundle, "--run", "both")
    assert done.returncode == 0, done.stderr
    (left, left_end), (right, right_end) = times(bundle, "both", "left"), times(bundle, "both", "right")
    assert left < right_end
    assert right < left_end
    lines = told(done)
    assert lines[:2] == ["top: running", "top: done"]
    assert lines[-2:] == ["end: running", "end: done"]
    assert set(lines[2:4]) == {"left: running", "right: running"}
    assert set(lines[4:6]) == {"left: done", "right: done"}
    assert len(lines) == 8
    assert all(re.fullmatch(r"\w+: (running|done \(\d+\.\d\d s\))", line) for line in done.stderr.splitlines())
    alone = run(bundle, "--run", "one", "--jobs", "1", "--parameter", "meet=false")
    assert alone.returncode == 0, alone.stderr
    (_, left_end), (right, _) = times(bundle, "one", "left"), times(bundle, "one", "right")
    assert left_end <= right
    assert told(alone)[0] == "top: cached"
    assert "end: cached" in told(alone), "its inputs came out the same"


PARTS = {
    "all is known": ([], ["cached"] * 4),
    "from a step": (["--from", "left"], ["cached", "done", "cached", "done"]),
    "only a step": (["--only", "right"], ["cached", None, "done", None]),
}


@pytest.mark.parametrize("case", PARTS.values(), ids=PARTS)
def test_a_part_of_the_pipeline(bundle: Bundle, tmp_path: Path, case: tuple[list[str], list[str | None]]) -> None:
    words, expected = case
    diamond(bundle, tmp_path)
    assert run(bundle).returncode == 0
    done = run(bundle, "--json", *words)
    assert states(done) == {n: s for n, s in zip(("top", "left", "right", "end"), expected, strict=True) if s}


SHAKY = """
from pathlib import Path

def shaky():
    tries = Path({folder!r}, "tries")
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    if len(tries.read_text()) < 3:
        raise ConnectionError("no luck")
    return len(tries.read_text())
"""


def test_a_step_that_fails_twice_is_done_with_two_retries(bundle: Bundle, tmp_path: Path) -> None:
    bundle.pipeline(
        'Step("shaky", "demo.steps.shaky:shaky", "1", outputs=(("x",),), retries=1),', "outputs={'x': 'shaky'}"
    )
    bundle.step("shaky", SHAKY.format(folder=str(tmp_path)))
    done = run(bundle, "--retries", "2", "--run", "r")
    assert done.returncode == 0, done.stderr
    failed = "shaky: retrying: ConnectionError: no luck"
    assert [line for line in told(done) if not line.startswith(" ")] == [
        *["shaky: running", failed] * 2,
        "shaky: running",
        "shaky: done",
    ]
    assert bundle.value("r", "x") == 3
    assert bundle.record("r", "shaky")["attempt"] == 3
    (tmp_path / "tries").unlink()
    once = run(bundle, "--retries", "0", "--from", "shaky", "--json", "--run", "once")
    assert once.returncode == 1
    assert states(once) == {"shaky": "failed"}
    assert (tmp_path / "tries").read_text() == "x", "the step's own retries do not count then"
    facts = json.loads((bundle.store / "once" / "run.json").read_text())
    assert facts["status"] == "failed"
    assert facts["error"] == "step 'shaky' failed: ConnectionError: no luck"


FAMILY = """
import os, subprocess, sys, time
from pathlib import Path

def slow(x):
    folder = Path({folder!r})
    if (folder / "pids").exists():
        return x
    away = "import subprocess, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)"
    near = subprocess.Popen(["sleep", "600"])
    far = subprocess.Popen([sys.executable, "-c", away], start_new_session=True, stdout=subprocess.PIPE, text=True)
    (folder / "new").write_text(f"{{os.getpid()}} {{near.pid}} {{far.pid}} {{far.stdout.readline()}}")
    os.replace(folder / "new", folder / "pids")
    time.sleep(600)
"""


def family(bundle: Bundle, folder: Path) -> None:
    """`quick`, then `slow`, which starts processes, two of them in a session of their own, and waits the first time."""
    bundle.pipeline(
        """
        Step("quick", "demo.steps.quick:quick", "1", outputs=(("x",),)),
        Step("slow", "demo.steps.slow:slow", "1", inputs={"x": "quick"}, outputs=(("y",),)),
        Step("end", "demo.steps.end:end", "1", inputs={"y": "slow"}),
        """,
        "outputs={'y': 'slow'}",
    )
    bundle.step("quick", "def quick():\n    return 1\n")
    bundle.step("slow", FAMILY.format(folder=str(folder)))
    bundle.step("end", "def end(y):\n    pass\n")


def test_a_step_over_its_time_is_ended_with_its_whole_family(bundle: Bundle, tmp_path: Path) -> None:
    family(bundle, tmp_path)
    done = run(bundle, "--timeout", "3")
    assert done.returncode == 1, done.stderr
    assert told(done)[-2:] == ["slow: failed: TimedOut: it took longer than 3 seconds", "end: skipped"]
    pids = list(map(int, (tmp_path / "pids").read_text().split()))
    assert len(pids) == 4
    assert all(map(gone, pids))


STOPS = {
    "Ctrl-C at the terminal, which reaches all": (signal.SIGINT, True, 130),
    "SIGINT to the command alone": (signal.SIGINT, False, 130),
    "SIGTERM": (signal.SIGTERM, False, 143),
}


@pytest.mark.parametrize("case", STOPS.values(), ids=STOPS)
def test_a_stopped_run_leaves_nothing_behind_and_is_gone_on_with(
    bundle: Bundle, tmp_path: Path, case: tuple[signal.Signals, bool, int]
) -> None:
    number, to_all, code = case
    family(bundle, tmp_path)
    process = subprocess.Popen(
        command(bundle, "--run", "r"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until = time.monotonic() + 60
    while not (tmp_path / "pids").exists():
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.01)
    (os.killpg if to_all else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "the run was stopped; what its steps made is kept" in err
    assert "Traceback" not in err
    assert all(map(gone, map(int, (tmp_path / "pids").read_text().split())))
    facts = json.loads((bundle.store / "r" / "run.json").read_text())
    assert (facts["status"], facts["error"]) == ("failed", "the run was stopped")
    again = run(bundle, "--json", "--run", "r")
    assert states(again) == {"quick": "cached", "slow": "done", "end": "done"}
    facts = json.loads((bundle.store / "r" / "run.json").read_text())
    assert (facts["status"], facts["error"]) == ("succeeded", None)


REFUSED = {
    "no job at all": (["--jobs", "0"], "--jobs 0: give 1 or more"),
    "less than no retry": (["--retries", "-1"], "--retries -1: give 0 or more"),
    "no time": (["--timeout", "0"], "--timeout 0: give a number of seconds above 0"),
    "no number": (["--timeout", "nan"], "--timeout nan: give a number of seconds above 0"),
    "two parts": (["--from", "top", "--only", "top"], "--from and --only exclude each other: give one of them"),
    "no such step": (["--only", "nope"], "no step 'nope': the pipeline has top, left, right, end"),
    "nothing cached": (["--only", "end"], "'end' needs step 'top', which is not cached: run without --only"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_honoured_is_one_line(bundle: Bundle, tmp_path: Path, case: tuple[list[str], str]) -> None:
    words, said = case
    diamond(bundle, tmp_path)
    done = run(bundle, *words)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"mlops-jupyter: {said}"
    assert "Traceback" not in done.stderr
