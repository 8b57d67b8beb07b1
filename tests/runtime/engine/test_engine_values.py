"""What crosses from step to step: values, shared objects, hidden state, files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_jupyter.runtime.codecs import load_open
from mlops_jupyter.runtime.step.workdir import COPIED_BYTES

LINEAR = """
Step("load", "demo.steps.load:load", "1", outputs=(("rows",),)),
Step("total", "demo.steps.total:total", "1", inputs={"rows": "load"}, outputs=(("sum",),), parameters=("factor",)),
"""


def linear(bundle):
    bundle.pipeline(LINEAR, "parameters={'factor': 2}, outputs={'sum': 'total'}")
    bundle.step("load", "def load():\n    print('loading')\n    return [1, 2, 3]\n")
    bundle.step("total", "def total(rows, factor):\n    return sum(rows) * factor\n")


def test_values_go_from_step_to_step(bundle):
    linear(bundle)
    done = bundle.run()
    assert done.code == 0, done.err
    run = done.answer["run"]
    assert bundle.value(run, "sum") == 12
    assert done.status() == {"load": "done", "total": "done"}
    entry = bundle.index(run)["outputs"][0]
    assert {"name", "file", "format", "fingerprint"} <= entry.keys()
    assert entry["fingerprint"]
    assert bundle.log(run, "load") == "loading\n"
    assert json.loads((bundle.store / run / "run.json").read_text())["status"] == "succeeded"
    record = bundle.record(run, "load")
    assert record["status"] == "done"
    assert record["outputs"][0]["names"] == ["rows"]
    assert record["error"] is None


def test_a_step_may_await(bundle):
    bundle.pipeline('Step("wait", "demo.steps.wait:wait", "1", outputs=(("x",),)),', "outputs={'x': 'wait'}")
    bundle.step("wait", "import asyncio\n\nasync def wait():\n    await asyncio.sleep(0)\n    return 3\n")
    assert bundle.value(bundle.run().answer["run"], "x") == 3


def test_each_task_alone_gives_the_same_index_as_a_run(bundle):
    linear(bundle)
    whole = bundle.run("--run", "whole", "-p", "factor=5")
    assert whole.code == 0
    other = bundle.store.with_name("other")
    early = bundle.call("step", "total", "--store", str(other), "--run", "whole")
    assert early.code == 2
    assert early.err == "error: step 'total' needs 'rows': run step 'load' in run 'whole' first\n"
    for words in (["load", "-p", "factor=5"], ["total"]):  # the second task takes the run's parameters
        assert bundle.call("step", *words, "--store", str(other), "--run", "whole").code == 0
    assert json.loads((other / "whole" / "outputs" / "outputs.json").read_text()) == bundle.index("whole")
    facts = json.loads((other / "whole" / "run.json").read_text())
    assert facts["status"] == "succeeded"
    assert facts["parameters"] == {"factor": 5}


def test_a_group_keeps_what_its_variables_share(bundle):
    bundle.pipeline(
        """
        Step("make", "demo.steps.make:make", "1", outputs=(("a", "b"), ("c",))),
        Step("use", "demo.steps.use:use", "1", inputs={"a": "make", "b": "make", "c": "make"}, outputs=(("seen",),)),
        """,
        "outputs={'seen': 'use'}",
    )
    bundle.step("make", "def make():\n    a = [1]\n    return a, {'inner': a}, [1]\n")
    bundle.step("use", "def use(a, b, c):\n    a.append(2)\n    return [a, b['inner'], b['inner'] is a, c]\n")
    done = bundle.run()
    assert bundle.value(done.answer["run"], "seen") == [[1, 2], [1, 2], True, [1]]


HIDDEN = {
    "numpy": (
        "~numpy.random",
        "import numpy as np\n\ndef first():\n    np.random.seed(7)\n    np.random.randn(3)\n",
        "import numpy as np\n\ndef second():\n    return np.random.randn(2).tolist()\n",
        "import numpy as np; np.random.seed(7); np.random.randn(3); r = np.random.randn(2).tolist()",
    ),
    "random": (
        "~random",
        "import random\n\ndef first():\n    random.seed(3)\n    random.gauss(0, 1)\n",
        "import random\n\ndef second():\n    return [random.gauss(0, 1), random.random()]\n",
        "import random; random.seed(3); random.gauss(0, 1); r = [random.gauss(0, 1), random.random()]",
    ),
    "environment": (
        "~environ:GREETING",
        "import os\n\ndef first():\n    os.environ['GREETING'] = 'grüezi'\n",
        "import os\n\ndef second():\n    return os.environ.get('GREETING')\n",
        "r = 'grüezi'",
    ),
    "pandas options": (
        "~pandas.options",
        "import pandas as pd\n\ndef first():\n    pd.options.display.float_format = '{:.1f}'.format\n",
        "import pandas as pd\n\ndef second():\n    return pd.Series([1.25, 2.0]).to_string()\n",
        "r = '0   1.2\\n1   2.0'",
    ),
    "warning filters": (
        "~warnings.filters",
        "import warnings\n\ndef first():\n    warnings.filterwarnings('error', '.*precious', UserWarning)\n",
        "import warnings\n\ndef second():\n    try:\n        warnings.warn('so precious')\n"
        "    except UserWarning as fault:\n        return str(fault)\n",
        "r = 'so precious'",
    ),
    "working directory": (
        "~cwd",
        "import os\n\ndef first():\n    os.makedirs('deep/er')\n    os.chdir('deep/er')\n",
        "import os\n\ndef second():\n    return os.getcwd().replace(os.sep, '/').endswith('work/deep/er')\n",
        "r = True",
    ),
}


@pytest.mark.parametrize("case", HIDDEN.values(), ids=HIDDEN)
def test_hidden_state_goes_from_step_to_step(bundle, case):
    name, first, second, expected = case
    bundle.pipeline(
        f"""
        Step("first", "demo.steps.first:first", "1", outputs=(({name!r},),)),
        Step("second", "demo.steps.second:second", "1", inputs={{{name!r}: "first"}}, outputs=(("seen",), ({name!r},))),
        """,
        "outputs={'seen': 'second'}",
    )
    bundle.step("first", first)
    bundle.step("second", second)
    done = bundle.run()
    assert done.code == 0, done.err
    found: dict[str, object] = {}
    exec(expected, found)
    assert bundle.value(done.answer["run"], "seen") == found["r"]


def test_the_first_state_comes_from_the_bundle_and_steps_do_not_see_each_others(bundle):
    import random

    random.seed(11)
    version, internal, gauss = random.getstate()
    bundle.initial("random.json", {"version": version, "internal": list(internal), "gauss_next": gauss})
    bundle.initial("environ.MODE.json", "night")
    bundle.pipeline(
        """
        Step("left", "demo.steps.left:left", "1", inputs={"~random": "", "~environ:MODE": ""},
             outputs=(("a",), ("~random",))),
        Step("right", "demo.steps.right:right", "1", inputs={"~random": ""}, outputs=(("b",),)),
        """,
        "outputs={'a': 'left', 'b': 'right'}",
    )
    source = "import os, random\n\ndef {0}():\n    os.environ['LEAK'] = os.environ.get('LEAK', '') + '{0}'\n"
    source += "    return [random.random(), os.environ.get('MODE'), os.environ['LEAK']]\n"
    bundle.step("left", source.format("left"))
    bundle.step("right", source.format("right"))
    run = bundle.run("--jobs", "1").answer["run"]
    expected = random.random()
    assert bundle.value(run, "a") == [expected, "night", "left"]
    assert bundle.value(run, "b") == [expected, None, "right"]


def test_unseeded_numpy_draws_differ_between_forked_steps(bundle):
    bundle.pipeline(
        """
        Step("left", "demo.steps.left:left", "1", outputs=(("a",),)),
        Step("right", "demo.steps.right:right", "1", outputs=(("b",),)),
        """,
        "outputs={'a': 'left', 'b': 'right'}",
    )
    for name in ("left", "right"):
        bundle.step(name, f"import numpy as np\n\ndef {name}():\n    return float(np.random.rand())\n")
    run = bundle.run("--jobs", "1").answer["run"]
    assert bundle.value(run, "a") != bundle.value(run, "b")


def test_outputs_are_in_formats_that_a_person_can_open(bundle):
    made = ("frame", "array", "model", "facts", "fitted")
    bundle.pipeline(
        """
        Step("make", "demo.steps.make:make", "1", outputs=(("frame", "array"), ("model",), ("facts",))),
        Step("fit", "demo.steps.fit:fit", "1", inputs={"frame": "make", "array": "make", "model": "make"},
             outputs=(("fitted",),), packages=("sklearn",)),
        """,
        f"outputs={ {name: 'make' if name != 'fitted' else 'fit' for name in made}!r}",
    )
    bundle.step(
        "make",
        """
        import numpy as np
        import pandas as pd
        from sklearn.linear_model import LinearRegression

        def make():
            array = np.arange(6.0).reshape(3, 2)
            return pd.DataFrame(array, columns=["a", "b"]), array, LinearRegression(), {"rows": 3}
        """,
    )
    bundle.step(
        "fit",
        "from sklearn.base import clone\n\n"
        "def fit(frame, array, model):\n    return clone(model).fit(frame[['a']], array[:, 1])\n",
    )
    done = bundle.run()
    assert done.code == 0, done.err
    run = done.answer["run"]
    entries = {entry["name"]: entry for entry in bundle.index(run)["outputs"]}
    formats = {name: entry["format"] for name, entry in entries.items()}
    assert formats == {"frame": "parquet", "array": "npy", "model": "skops", "facts": "json", "fitted": "skops"}
    assert all((bundle.store / run / "outputs" / entry["file"]).is_file() for entry in entries.values())
    fitted = load_open(bundle.store / run / "outputs" / entries["fitted"]["file"], "skops")
    assert fitted.coef_.tolist() == pytest.approx([1.0])
    assert all(entry["fingerprint"] for entry in entries.values())


FILES = """
Step("read", "demo.steps.read:read", "1", inputs={"~file:data/in.csv": ""}, outputs=(("text",),)),
Step("write", "demo.steps.write:write", "1", inputs={"text": "read"}, outputs=(("~file:made/out.txt",),)),
Step("extend", "demo.steps.extend:extend", "1", inputs={"~file:made/out.txt": "write"},
     outputs=(("~file:made/out.txt",), ("length",))),
Step("again", "demo.steps.again:again", "1", inputs={"~file:made/out.txt": "extend"}, outputs=(("final",),)),
"""


def files(bundle):
    bundle.pipeline(FILES, "outputs={'final': 'again', 'length': 'extend', '~file:made/out.txt': 'extend'}")
    bundle.step("read", "def read():\n    return open('data/in.csv').read()\n")
    bundle.step("write", "def write(text):\n    open('made/out.txt', 'a').write(text.upper())\n")
    bundle.step("extend", "def extend():\n    open('made/out.txt', 'a').write('!')\n    return 7\n")
    bundle.step("again", "def again():\n    return open('made/out.txt').read()\n")


def test_files_are_values_too(bundle):
    files(bundle)
    bundle.initial("files/data/in.csv", b"a,b")
    for forced in ([], ["--from", "extend"], ["--from", "write"]):  # what a step finds is its version, not the last
        done = bundle.run("--run", "same", *forced)
        assert done.code == 0, done.err
        assert bundle.value("same", "final") == "A,B!"
    assert (bundle.store / "same" / "outputs" / "out.txt").read_text() == "A,B!"
    assert bundle.run().status() == dict.fromkeys(("read", "write", "extend", "again"), "cached")


def test_data_of_another_folder_comes_first_and_is_part_of_the_key(bundle, tmp_path):
    files(bundle)
    bundle.initial("files/data/in.csv", b"a,b")
    bundle.run()
    (tmp_path / "march" / "data").mkdir(parents=True)
    (tmp_path / "march" / "data" / "in.csv").write_text("c,d")
    done = bundle.run("--data", str(tmp_path / "march"))
    assert bundle.value(done.answer["run"], "final") == "C,D!"
    assert "cached" not in done.status().values()


def test_a_large_data_file_is_linked_where_it_lies(bundle, tmp_path):
    files(bundle)
    (tmp_path / "far.csv").write_text("e" * (COPIED_BYTES + 1))
    bundle.initial("files.json", {"data/in.csv": {"bytes": 1, "digest": "", "at": str(tmp_path / "far.csv")}})
    done = bundle.run()
    run = done.answer["run"]
    assert bundle.value(run, "final").startswith("EEE")
    assert (bundle.store / run / "work" / "data" / "in.csv").is_symlink()


WRITES = {
    "added to": "open('data/in.csv', 'a').write('more')",
    "written anew": "open('data/in.csv', 'w').write('more')",
    "written through its path": "__import__('pathlib').Path('data/in.csv').write_text('more')",
    "opened by number": "import os; os.write(os.open('data/in.csv', os.O_WRONLY | os.O_APPEND), b'more')",
    "removed": "import os; os.remove('data/in.csv')",
}


@pytest.mark.parametrize("size", [3, COPIED_BYTES + 1], ids=["small", "large"])
@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES)
def test_a_data_file_is_never_changed_by_a_step(bundle, tmp_path, statement, size):
    """Also where the export saw nobody write it: the file is the bundle's own, or the user's in `--data`."""
    bundle.pipeline('Step("write", "demo.steps.write:write", "1", inputs={"~file:data/in.csv": ""}),', "outputs={}")
    bundle.step("write", f"def write():\n    {statement}\n")
    (tmp_path / "march" / "data").mkdir(parents=True)
    data = tmp_path / "march" / "data" / "in.csv"
    data.write_text("e" * size)
    done = bundle.run("--data", str(tmp_path / "march"))
    assert done.code == 0, done.err
    assert data.read_text() == "e" * size
    laid = bundle.store / done.answer["run"] / "work" / "data" / "in.csv"
    assert not laid.exists() or laid.read_text().endswith("more")


def test_a_missing_data_file_is_one_line_before_anything_runs(bundle):
    files(bundle)
    done = bundle.run()
    assert done.code == 2
    assert done.err == "error: no data file 'data/in.csv': give the folder that holds it with --data DIR\n"
    bundle.initial("files.json", {"data/in.csv": {"at": "/nowhere/in.csv"}})
    assert "(the notebook read it from '/nowhere/in.csv')" in bundle.run().err
    assert "no folder 'missing'" in bundle.run("--data", "missing").err
    assert not bundle.store.exists()


def test_paths_that_go_up_stay_in_the_run(bundle):
    bundle.pipeline(
        """
        Step("read", "demo.steps.read:read", "1", inputs={"~file:../../data/in.csv": ""}, outputs=(("text",),
             ("~file:../out.txt",))),
        """,
        "outputs={'text': 'read'}",
    )
    bundle.initial("files/../../data/in.csv", b"up")
    bundle.step(
        "read", "def read():\n    open('../out.txt', 'w').write('x')\n    return open('../../data/in.csv').read()\n"
    )
    run = bundle.run().answer["run"]
    assert bundle.value(run, "text") == "up"
    assert (bundle.store / run / "work" / "data" / "in.csv").exists()
    assert (bundle.store / run / "work" / "home" / "out.txt").exists()


def test_branches_that_hold_two_versions_of_a_file_do_not_meet(bundle):
    bundle.pipeline(
        """
        Step("make", "demo.steps.make:make", "1", outputs=(("~file:f.txt",),)),
        Step("change", "demo.steps.change:change", "1", inputs={"~file:f.txt": "make"}, outputs=(("~file:f.txt",),)),
        Step("look", "demo.steps.look:look", "1", inputs={"~file:f.txt": "make"}, outputs=(("seen",),)),
        """,
        "outputs={'seen': 'look'}",
    )
    bundle.step("make", "def make():\n    open('f.txt', 'w').write('old')\n")
    bundle.step("change", "import time\n\ndef change():\n    open('f.txt', 'w').write('new')\n    time.sleep(0.6)\n")
    bundle.step("look", "import time\n\ndef look():\n    time.sleep(0.3)\n    return open('f.txt').read()\n")
    assert bundle.value(bundle.run("--jobs", "2").answer["run"], "seen") == "old"


def test_a_file_that_a_step_took_away_is_gone_for_the_next(bundle):
    bundle.pipeline(
        """
        Step("make", "demo.steps.make:make", "1", outputs=(("~file:f.txt",),)),
        Step("drop", "demo.steps.drop:drop", "1", inputs={"~file:f.txt": "make"}, outputs=(("~file:f.txt",),)),
        Step("look", "demo.steps.look:look", "1", inputs={"~file:f.txt": "drop"}, outputs=(("seen",),)),
        """,
        "outputs={'seen': 'look'}",
    )
    bundle.step("make", "def make():\n    open('f.txt', 'w').write('old')\n")
    bundle.step("drop", "import os\n\ndef drop():\n    os.remove('f.txt')\n")
    bundle.step("look", "import os\n\ndef look():\n    return os.path.exists('f.txt')\n")
    bundle.run("--run", "one")
    done = bundle.run("--run", "one", "--from", "look")
    assert bundle.value("one", "seen") is False
    assert done.status() == {"make": "cached", "drop": "cached", "look": "done"}


def test_a_module_that_lies_in_the_working_directory_is_found(bundle):
    bundle.pipeline(
        """
        Step("path", "demo.steps.path:path", "1", outputs=(("~sys.path",),)),
        Step("use", "demo.steps.use:use", "1", inputs={"~sys.path": "path", "~file:lib/mine.py": ""},
             outputs=(("seen",),)),
        """,
        "outputs={'seen': 'use'}",
    )
    bundle.initial("files/lib/mine.py", b"answer = 42\n")
    bundle.step("path", "import sys\n\ndef path():\n    sys.path.insert(0, 'lib')\n")
    bundle.step("use", "import mine\n\ndef use():\n    return mine.answer\n")
    done = bundle.run()
    assert done.code == 0, done.err
    assert bundle.value(done.answer["run"], "seen") == 42


def test_hashing_and_environment_are_those_of_the_pipeline(bundle):
    bundle.pipeline(
        'Step("look", "demo.steps.look:look", "1", outputs=(("seen",),)),',
        "outputs={'seen': 'look'}, environment={'PYTHONHASHSEED': '5', 'MODE': 'batch'}",
    )
    bundle.step("look", "import os\n\ndef look():\n    return [hash('text'), os.environ['MODE']]\n")
    seen = [
        bundle.value(bundle.run("--from", "look", env={"PYTHONHASHSEED": seed}).answer["run"], "seen") for seed in "123"
    ]
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][1] == "batch"


def test_a_fresh_process_for_each_step_gives_the_same(bundle, monkeypatch):
    """The way of systems on which forking is not safe."""
    files(bundle)
    bundle.initial("files/data/in.csv", b"a,b")
    code = (
        "from demo.pipeline import PIPELINE; from demo.runtime.execution.run import run; import sys;"
        f"r = run(PIPELINE, {str(bundle.store)!r}, run_id='fresh', fork=False); print(r.status)"
    )
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", code], env=bundle.environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "succeeded\n"
    assert bundle.value("fresh", "final") == "A,B!"
    assert Path(bundle.store / "fresh" / "outputs" / "out.txt").read_text() == "A,B!"
