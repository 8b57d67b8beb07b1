"""Hidden variables: what is read can be written back, and changes are seen."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
import warnings
from contextlib import closing
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.runtime.errors import PipelineError
from mlops_jupyter.runtime.hidden import registry
from mlops_jupyter.runtime.hidden.watcher import HiddenStateWatcher


@pytest.fixture(autouse=True)
def unharmed(tmp_path, monkeypatch):
    """Give each test a home of its own, and the process its hidden state back."""
    monkeypatch.chdir(tmp_path)
    names = sorted(registry.names_now() - {"~cwd", "~sys.path"})
    before, path = {name: registry.read(name) for name in names}, list(sys.path)
    registry.set_home(tmp_path)
    yield
    sys.path[:] = path
    for name, value in before.items():
        registry.write(name, value)
    registry.set_home(tmp_path)


def draw_normal_twice() -> None:
    np.random.normal()


CHANGES = {
    "~random": lambda: random.random(),
    "~numpy.random": draw_normal_twice,
    "~environ:NEW": lambda: os.environ.__setitem__("NEW", "1"),
    "~environ:PATH": lambda: os.environ.__setitem__("PATH", os.environ["PATH"] + os.pathsep),
    "~cwd": lambda: (Path("sub").mkdir(exist_ok=True), os.chdir("sub")),
    "~sys.path": lambda: sys.path.insert(0, "lib"),
    "~sys.argv": lambda: sys.argv.append("--quick"),
    "~pandas.options": lambda: pd.set_option("display.max_rows", 7),
    "~numpy.printoptions": lambda: np.set_printoptions(precision=3),
    "~numpy.errstate": lambda: np.seterr(divide="raise"),
    "~matplotlib.rc": lambda: mpl.rcParams.__setitem__("figure.dpi", 77),
    "~warnings.filters": lambda: warnings.filterwarnings("ignore", message="x", category=FutureWarning, module="y"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_seen_told_and_undone(name, monkeypatch):
    monkeypatch.setenv("NEW", "0")
    with closing(HiddenStateWatcher()) as watch:
        assert watch.changed() == set()
        before = registry.read(name)
        CHANGES[name]()
        assert watch.changed() == {name}
        after = registry.read(name)
        assert watch.take(name) == watch.initial(name) == before != after
        assert json.loads(json.dumps(after)) == after
        watch.mark()
        assert watch.changed() == set()
        assert watch.take(name) == after
        assert watch.initial(name) == before
        for value in (before, after, before):
            registry.write(name, json.loads(json.dumps(value)))
            assert registry.read(name) == value


def test_looking_and_reading_is_no_change():
    with closing(HiddenStateWatcher()) as watch:
        for name in registry.names_now():
            registry.read(name)
        np.random.default_rng(1).random()
        random.Random(1).random()
        with warnings.catch_warnings(), np.errstate(all="ignore"), pd.option_context("display.max_rows", 3):
            warnings.simplefilter("error")
        assert watch.changed() == set()


RANDOM = pytest.mark.parametrize(
    ("name", "seed", "normal"),
    [("~random", random.seed, lambda: random.gauss(0, 1)), ("~numpy.random", np.random.seed, np.random.normal)],
)


@RANDOM
def test_a_normal_value_that_waits_counts(name, seed, normal):
    """Two are drawn at once; taking the second moves nothing else."""
    seed(1)
    normal()
    with closing(HiddenStateWatcher()) as watch:
        assert watch.changed() == set()
        second = normal()
        assert watch.changed() == {name}
        registry.write(name, watch.take(name))
        assert normal() == second


@RANDOM
def test_reading_between_does_not_hide_a_change(name, seed, normal):
    seed(1)
    with closing(HiddenStateWatcher()) as watch:
        normal()
        registry.read(name)
        assert watch.changed() == {name}


@RANDOM
def test_seeding_anew_is_a_change_if_the_state_is_another(name, seed, normal):
    seed(1)
    with closing(HiddenStateWatcher()) as watch:
        normal()
        seed(1)
        assert watch.changed() == set()
        seed(2)
        assert watch.changed() == {name}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 700))
def test_random_states_go_through_json(seed, draws):
    random.seed(seed)
    np.random.seed(seed)
    for _ in range(draws):
        random.gauss(0, 1)
        np.random.normal()
    kept = json.loads(json.dumps([registry.read("~random"), registry.read("~numpy.random")]))
    expected = [random.gauss(0, 1), random.random(), np.random.normal(), np.random.normal(), np.random.bytes(4)]
    random.seed(0)
    np.random.seed(0)
    registry.write("~random", kept[0])
    registry.write("~numpy.random", kept[1])
    assert [random.gauss(0, 1), random.random(), np.random.normal(), np.random.normal(), np.random.bytes(4)] == expected


def test_another_bit_generator():
    before = np.random.get_bit_generator()
    try:
        np.random.set_bit_generator(np.random.PCG64(5))
        watch = HiddenStateWatcher()
        watch.close()
        value = json.loads(json.dumps(registry.read("~numpy.random")))
        expected = np.random.random()
        assert watch.changed() == {"~numpy.random"}
        np.random.set_bit_generator(np.random.MT19937(1))
        registry.write("~numpy.random", value)
        assert np.random.random() == expected
    finally:
        np.random.set_bit_generator(before)


@pytest.fixture
def options():
    yield
    pd.reset_option("display.float_format")
    mpl.rcdefaults()


def test_formats_cross_and_functions_stay(options):
    pd.options.display.float_format = "{:.1f}".format
    value = registry.read("~pandas.options")
    assert value == {"display.float_format": {"str.format": "{:.1f}"}}
    pd.reset_option("display.float_format")
    registry.write("~pandas.options", value)
    assert pd.Series([1.25]).to_string() == "0   1.2"
    pd.options.display.float_format = lambda number: "?"
    assert registry.read("~pandas.options") == {}
    mpl.rcParams["axes.prop_cycle"] = mpl.cycler(color=["red", "blue"])
    assert registry.read("~matplotlib.rc") == {"axes.prop_cycle": {"cycler": {"color": ["red", "blue"]}}}
    registry.write("~matplotlib.rc", json.loads(json.dumps(registry.read("~matplotlib.rc"))))
    assert mpl.rcParams["axes.prop_cycle"].by_key() == {"color": ["red", "blue"]}


def test_paths_inside_home_are_relative(tmp_path):
    (tmp_path / "deep").mkdir()
    os.chdir(tmp_path / "deep")
    sys.path.append(str(tmp_path / "lib"))
    sys.path.insert(0, "/elsewhere")
    assert registry.read("~cwd") == "deep"
    value = registry.read("~sys.path")
    assert value == {"front": ["/elsewhere"], "back": ["lib"]}
    registry.write("~sys.path", {"front": ["src"], "back": []})
    assert sys.path[0] == str(tmp_path / "src")
    assert "/elsewhere" not in sys.path


def test_files_and_unknown_names(tmp_path):
    assert registry.read("~file:data/a.bin") is None
    registry.write("~file:data/a.bin", b"\0x")
    assert registry.read("~file:data/a.bin") == b"\0x" == (tmp_path / "data" / "a.bin").read_bytes()
    registry.write("~file:data/a.bin", None)
    assert not (tmp_path / "data" / "a.bin").exists()
    with pytest.raises(PipelineError, match=r"'~moon' is no hidden variable: there are ~cwd"):
        registry.read("~moon")
    assert {"~random", "~numpy.random", "~cwd"} <= registry.names_now()
    assert "~torch.random" not in registry.names_now()


IMPORTS = {
    "numpy": ("import numpy", set()),
    "pandas, an option": ("import pandas as pd; pd.options.display.max_rows = 3", {"~pandas.options"}),
    "warnings before an import": (
        "import warnings; warnings.simplefilter('ignore'); import sklearn",
        {"~warnings.filters"},
    ),
    "scikit-learn, which draws random names": ("import sklearn.linear_model", set()),
    "matplotlib": ("import matplotlib", set()),
    "environment": ("import os; os.environ['OMP_NUM_THREADS'] = '1'; import numpy", {"~environ:OMP_NUM_THREADS"}),
}


def test_what_an_import_does_to_itself_is_no_change():
    """One process: each library comes while it is watched, and is there as a loaded one for the rows after it."""
    code = """
        import json, sys
        from mlops_jupyter.runtime.hidden.watcher import HiddenStateWatcher
        found = {}
        for name, source in json.loads(sys.argv[1]).items():
            watch = HiddenStateWatcher()
            exec(source)
            found[name] = sorted(watch.changed())
            watch.close()
        print(json.dumps(found))
    """
    expected = {name: sorted(changed) for name, (_, changed) in IMPORTS.items()}
    assert _changes(code, IMPORTS) == expected


def test_what_a_first_import_draws_is_its_own():
    """scipy.stats loads numpy.random, and then makes generators without a seed for its docstrings."""
    code = """
        import json, sys
        from mlops_jupyter.runtime.hidden.watcher import HiddenStateWatcher
        from mlops_jupyter.runtime.hidden import registry
        watch = HiddenStateWatcher()
        import scipy.stats
        first = registry.read("~numpy.entropy")
        assert first["drawn"] > 0
        assert watch.changed() == set() and watch.initial("~numpy.entropy") == first
        import numpy as np
        np.random.default_rng()
        assert watch.changed() == {"~numpy.entropy"} and watch.initial("~numpy.entropy") == first
        print(json.dumps("good"))
    """
    assert _changes(code, {}) == "good"


def test_a_library_that_comes_while_watched_is_compared_with_its_first_state():
    code = """
        import json, sys
        from mlops_jupyter.runtime.hidden.watcher import HiddenStateWatcher
        from mlops_jupyter.runtime.hidden import registry
        watch = HiddenStateWatcher()
        import numpy as np
        first = registry.read("~numpy.random")
        assert watch.changed() == set()
        np.random.seed(0)
        assert watch.changed() == {"~numpy.random"}, watch.changed()
        assert watch.initial("~numpy.random") == first
        watch.mark()
        assert watch.changed() == set()
        assert watch.initial("~numpy.random") == first
        print(json.dumps("good"))
    """
    assert _changes(code, {}) == "good"


def _changes(code: str, rows: dict[str, tuple[str, set[str]]]) -> object:
    words = json.dumps({name: source for name, (source, _) in rows.items()})
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(registry.__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
