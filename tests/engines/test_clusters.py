"""Every engine performs a pipeline as this machine does: one suite for the local one, Ray and Dask."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engines.demos import DIAMOND, EACH, ENGINES, Demo, bundle, engine, proven
from tests.runtime.engine.conftest import Bundle, Done


@dataclass(frozen=True)
class Cluster:
    """An engine and where it is."""

    engine: str
    process: subprocess.Popen[str] | None = None
    address: str = ""

    @property
    def words(self) -> list[str]:
        return ["--engine", self.engine, *(["--address", self.address] if self.address else [])]

    def lose(self, node: str) -> None:
        """End a node."""
        self.process.stdin.write(f"{node}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "gone\n"


@pytest.fixture(
    scope="module",
    params=[
        "local",
        pytest.param("ray", marks=pytest.mark.ran("ray")),
        pytest.param("dask", marks=pytest.mark.ran("dask")),
    ],
)
def cluster(request) -> Iterator[Cluster]:
    """An engine with three nodes."""
    if request.param == "local":
        yield Cluster("local")
        return
    command = [str(ENGINES / "python"), str(Path(__file__).with_name("cluster.py")), request.param, "3"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield Cluster(request.param, process, process.stdout.readline().strip())
    finally:
        process.stdin.close()
        process.wait(60)


def run(cluster: Cluster, demo: Demo, laid: Path, store: Path, *words: str) -> str:
    command = ["python", "-m", demo.name, "run", "--store", store, *cluster.words, *words]
    return engine(*command, cwd=laid, PYTHONPATH=str(laid / "src"))


@pytest.mark.parametrize("demo", EACH)
def test_the_notebooks_own_values(cluster, demo, tmp_path):
    laid = bundle(demo, tmp_path, "python")
    said = run(cluster, demo, laid, tmp_path / "out")
    assert said.count(": running") == said.count(": done") == len(demo.steps)
    proven(laid, tmp_path / "out", demo)
    again = run(Cluster("local"), demo, laid, tmp_path / "out")
    assert again.count(": cached") == len(demo.steps), "the cache is the one of all engines"


@pytest.mark.slow
def test_other_parameters(cluster, tmp_path):
    laid = bundle(DIAMOND, tmp_path, "python")
    given = [word for name, value in DIAMOND.given.items() for word in ("-p", f"{name}={json.dumps(value)}")]
    run(cluster, DIAMOND, laid, tmp_path / "out", *given)
    proven(laid, tmp_path / "out", DIAMOND, then=True)
    assert run(cluster, DIAMOND, laid, tmp_path / "out", "--from", "left", *given).count(": done") == 2


class There(Bundle):
    """A bundle that is run by the engines' interpreter."""

    def command(self, *words: str) -> list[str]:
        return [str(ENGINES / "python"), *super().command(*words)[1:]]


@pytest.fixture
def there(tmp_path) -> There:
    return There(tmp_path)


STEP = 'Step({0!r}, "demo.steps.{0}:{0}", "1", {1}),'


def steps(there: There, **sources: tuple[str, str]) -> None:
    """Write steps: name -> (further fields, body)."""
    there.pipeline("".join(STEP.format(name, fields) for name, (fields, _) in sources.items()))
    for name, (_, source) in sources.items():
        there.step(name, source)


def test_a_failure_costs_what_depends_on_it_and_is_tried_again(cluster, there, tmp_path):
    tries = tmp_path / "tries"
    steps(
        there,
        good=("outputs=(('g',),)", "def good():\n    return 1\n"),
        bad=("outputs=(('b',),)", "import os\n\ndef bad():\n    return {}['price']\n"),
        after=("inputs={'b': 'bad'}", "def after(b):\n    pass\n"),
        shaky=(
            "retries=2, backoff=0.1",
            f"""
            def shaky():
                open({str(tries)!r}, "a").write("x")
                assert len(open({str(tries)!r}).read()) == 3, "not yet"
            """,
        ),
        died=("", "import os\n\ndef died():\n    os.kill(os.getpid(), 9)\n"),
        slow=(
            "timeout=1.0",
            f"""
            import subprocess, time

            def slow():
                other = subprocess.Popen(["sleep", "60"])
                open({str(tmp_path / "pid")!r}, "w").write(str(other.pid))
                time.sleep(60)
            """,
        ),
    )
    done = there.run("--run", "one", *cluster.words)
    assert done.code == 1, done.err
    assert done.status() == {
        "good": "done", "bad": "failed", "after": "skipped", "shaky": "done", "died": "failed", "slow": "failed"
    }  # fmt: skip
    errors = {step["step"]: step["error"] for step in done.answer["steps"] if step["status"] == "failed"}
    assert errors["bad"]["type"] == "KeyError"
    assert 'demo/steps/bad.py", line 4' in errors["bad"]["traceback"]
    assert errors["died"]["message"] == "its process was killed by SIGKILL (out of memory?)"
    assert errors["slow"]["message"] == "it took longer than 1 seconds"
    assert done.err.count("shaky: retrying") == 2
    assert there.record("one", "shaky")["attempt"] == 3
    assert not alive(int((tmp_path / "pid").read_text())), "with all that it started"
    assert json.loads((there.store / "one" / "run.json").read_text())["status"] == "failed"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def begun(mark: Path) -> str:
    """Wait until a step has begun; return what it wrote."""
    until = time.monotonic() + 60
    while not (mark.exists() and mark.read_text().endswith("\n")):
        assert time.monotonic() < until
        time.sleep(0.02)
    return mark.read_text().splitlines()[-1]


SLOW = """
import os, subprocess, time

def slow(a):
    if not os.path.exists({mark!r}):
        other = subprocess.Popen(["sleep", "60"])
        open({mark!r}, "a").write(f"{{os.getpid()}} {{other.pid}} {{os.environ.get('WHERE')}}\\n")
        time.sleep(60)
    return a + 1
"""


def start(there: There, cluster: Cluster) -> subprocess.Popen[str]:
    return subprocess.Popen(
        there.command("run", "--store", str(there.store), "--json", "--run", "one", *cluster.words),
        env=there.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_stopped_run_leaves_no_process_and_the_next_run_goes_on(cluster, there, tmp_path, number):
    mark = tmp_path / "mark"
    steps(
        there,
        quick=("outputs=(('a',),)", "def quick():\n    return 1\n"),
        slow=("inputs={'a': 'quick'}, outputs=(('b',),)", SLOW.format(mark=str(mark))),
    )
    with start(there, cluster) as process:
        pids = [int(pid) for pid in begun(mark).split()[:2]]
        process.send_signal(number)
        said = process.communicate(timeout=60)
    assert process.returncode == 128 + number, said
    until = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(alive, pids))
    assert json.loads((there.store / "one" / "run.json").read_text())["status"] == "failed"
    assert there.record("one", "slow")["error"]["type"] == "Interrupted"
    assert there.run(*cluster.words).status() == {"quick": "cached", "slow": "done"}


WRONG = {
    "no cluster": (["--engine", "dask", "--address", "tcp://127.0.0.1:9"], "no Dask scheduler at 'tcp://127.0.0.1:9'"),
    "no engine": (["--address", "127.0.0.1:9"], "--address is that of a cluster: give --engine ray or --engine dask"),
    "own memory": (["--store", "memory://x"], "the store 'memory://x' is this process's own"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_one_line(there, case):
    words, told = case
    steps(there, one=("", "def one():\n    pass\n"))
    done: Done = there.run(*words)
    assert done.code == 2, done.err
    assert f"error: {told}" in done.err, done.err
    assert not there.store.exists(), done.err


def test_a_secret_stays_where_it_is(cluster, there):
    there.pipeline(STEP.format("one", "outputs=(('x',),)"), "outputs={'x': 'one'}, secrets=('DB_PASSWORD',)")
    there.step("one", "import os\n\ndef one():\n    return os.environ['DB_PASSWORD']\n")
    done = there.run(*cluster.words, env={"DB_PASSWORD": "x"})
    if cluster.engine == "local":
        assert done.code == 0
    else:  # its nodes were started without it
        error = done.answer["steps"][0]["error"]["message"]
        assert error == "the environment variable 'DB_PASSWORD' is not set: give the pipeline this secret"


def test_resources(cluster, there):
    steps(there, big=("gpu=64", "def big():\n    pass\n"))
    done = there.run(*cluster.words)
    if cluster.engine == "local":
        assert done.code == 0
    else:
        assert done.code == 2
        assert "step 'big' asks for GPU 64: no node of the cluster has that much" in done.err


def test_each_value_has_a_run_and_what_they_share_runs_once(cluster, there, tmp_path):
    there.pipeline(EACH, "parameters={'region': 'x'}, outputs={'said': 'use'}")
    ran = tmp_path / "ran"
    there.step("load", f"def load():\n    open({str(ran)!r}, 'a').write('x')\n    return [1, 2]\n")
    there.step("use", "def use(rows, region):\n    return {'a': 1, 'b': 2, 'no': 3}[region] + len(rows)\n")
    done = there.run("--run", "all", "--each", "region=a,c,no,b", *cluster.words)
    assert done.code == 1, done.err
    runs = done.answer["runs"]
    assert [(row["value"], row["status"], row["outputs"]) for row in runs] == [
        ("a", "succeeded", {"said": 3}), ("c", "failed", {}), ("no", "succeeded", {"said": 5}),
        ("b", "succeeded", {"said": 4}),
    ]  # fmt: skip
    assert runs[1]["error"] == "step 'use' failed: KeyError: 'c'"
    assert runs[1]["run"] == "all.2"
    assert ran.read_text() == "x", "once"
    assert json.loads((there.store / "all" / "each.json").read_text()) == {"each": "region", "runs": runs}
    assert json.loads((there.store / "all" / "run.json").read_text())["error"] == "1 of 4 runs failed"
    assert "region=c: failed" in done.err


EACH = """
Step("load", "demo.steps.load:load", "1", outputs=(("rows",),)),
Step("use", "demo.steps.use:use", "1", inputs={"rows": "load"}, parameters=("region",), outputs=(("said",),)),
"""


@pytest.mark.slow
def test_a_lost_node_costs_only_its_steps(cluster, there, tmp_path):
    if cluster.engine == "local":
        return  # then there is nobody to go on
    mark = tmp_path / "mark"
    source = SLOW.replace("os.environ.get('WHERE')", {"ray": "node()", "dask": "worker()"}[cluster.engine]) + FINDERS
    steps(
        there,
        quick=("outputs=(('a',),)", "def quick():\n    return 1\n"),
        slow=("inputs={'a': 'quick'}, outputs=(('b',),)", source.format(mark=str(mark))),
    )
    with start(there, cluster) as process:
        cluster.lose(begun(mark).split()[2])
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert re.findall(r"(\w+): running", err) == ["quick", "slow"], "nothing that was done is done again"
    assert {step["step"]: step["status"] for step in json.loads(out)["steps"]} == {"quick": "done", "slow": "done"}


FINDERS = """

def above():
    pid = os.getpid()
    while pid > 1:
        pid = int(open(f"/proc/{{pid}}/stat").read().rsplit(")", 1)[1].split()[1])
        yield pid, open(f"/proc/{{pid}}/cmdline").read().split(chr(0))


def node():
    return next(w.split("=")[1] for _, words in above() for w in words if w.startswith("--node_id="))


def worker():
    return [pid for pid, words in above()][1]  # above the command that this process serves
"""
