"""What a cell may change in place on some path: a table of texts, each with the names that it may change."""

from __future__ import annotations

import ast

import pytest

from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.analysis.mutations.collect import collect
from mlops_jupyter.analysis.mutations.summaries import Module, MutationSummaries, PossibleChanges
from mlops_jupyter.core.hidden_names import SETTINGS


def possible(text: str, *earlier: str, local: str = "") -> PossibleChanges:
    """Return what the last cell may change, after others, with a local module."""
    texts = [*earlier, text]
    imports = {name: line for source in texts for name, line in extract_facts(source).imports.items()}
    notebook = Module(imports)
    cells = [collect(ast.parse(source)) for source in texts]
    own = [(collect(ast.parse(local)), Module(extract_facts(local).imports, SETTINGS))] if local else []
    return MutationSummaries([*((cell, notebook) for cell in cells), *own]).of_cell(cells[-1], notebook)


NAMES = {
    "df['z'] = 1": "df",
    "df.loc[df.a < 0, 'a'] = 0": "df",
    "df.columns = [c.lower() for c in df.columns]": "df",
    "del df['a']": "df",
    "stats['bad'] += 1": "stats",
    "df.dropna(inplace=True)": "df",
    "df.dropna(inplace=flag)": "df",
    "clean = df.dropna(inplace=False)": "",
    "clean = df.dropna()": "",
    "names.sort()": "names",
    "ordered = sorted(names)": "",
    "if flag:\n    rows.append(1)": "rows",
    "box['rows'].append(1)": "box",
    "for row in rows:\n    row['bad'] = True": "row rows",
    "for number, row in enumerate(rows):\n    row['bad'] = True": "row rows",
    "for name, frame in frames.items():\n    frame.drop(columns=gone, inplace=True)": "frame frames",
    "[bad.append(x) for x in rows]": "bad",
    "ids.add(1) if flag else None": "ids",
    "column = df['a']\ncolumn[0] = 1": "column df",
    "copy = df.copy()\ncopy['z'] = 1": "copy",
    "X[X > top] = top": "X",
    "np.clip(X, 0, 1, out=X)": "X",
    "rng.shuffle(names)": "names rng",
    "heapq.heappush(heap, 1)": "heap",
    "setattr(model, 'a', 1)": "model",
    "model.fit(X, y)": "model",
    "total = sum(rows)": "",
    "with open(path) as file:\n    lines = file.readlines()": "",
    "match kind:\n    case 'a':\n        found.append(1)": "found",
    "try:\n    f()\nexcept ValueError as fault:\n    faults.append(fault)": "faults",
    "while rows:\n    last = rows.pop()": "rows",
    "x = y = base\nx.append(1)": "base x",
}


@pytest.mark.parametrize(("text", "names"), NAMES.items(), ids=NAMES)
def test_what_a_cell_may_change_by_itself(text: str, names: str) -> None:
    assert possible(text).names == set(names.split())


FUNCTIONS = {
    "a parameter": ("def clean(df):\n    df.dropna(inplace=True)", "clean(data)", "data"),
    "by keyword": ("def clean(n, df):\n    df.dropna(inplace=True)", "clean(df=data, n=counts)", "data"),
    "the other parameter": ("def clean(df, names):\n    names.append(1)", "clean(data, found)", "found"),
    "a global variable": ("def note(x):\n    log.append(x)", "if verbose:\n    note(1)", "log"),
    "a flag": ("def alarm():\n    global is_bad\n    is_bad = True", "if bad:\n    alarm()", "is_bad"),
    "a function that calls one": ("def a(x):\n    x.clear()\ndef b(y):\n    a(y)", "b(rows)", "rows"),
    "recursion": ("def walk(x):\n    x.append(1)\n    walk(x)", "walk(rows)", "rows"),
    "a callback": ("def mark(row):\n    row['a'] = 1", "list(map(mark, rows))", "rows"),
    "a method's object": (
        "class R:\n    def check(self, x):\n        self.bad.append(x)",
        "report.check(rows)",
        "report",
    ),
    "a method's argument": ("class R:\n    def check(self, x):\n        x.append(1)", "report.check(rows)", "rows"),
    "a constructor": ("class R:\n    def __init__(self, x):\n        x.append(1)", "report = R(rows)", "rows"),
    "an attribute of a class": ("class R:\n    def f(self):\n        R.count += 1", "r.f()", "R"),
    "what a function gives back": ("def first(x):\n    return x[0]", "row = first(rows)\nrow['a'] = 1", "row rows"),
    "what a function makes anew": ("def copy(x):\n    return dict(a=1)", "row = copy(rows)\nrow['a'] = 1", "row"),
    "a local variable": ("def f(x):\n    rows = []\n    rows.append(x)\n    return len(rows)", "n = f(data)", ""),
    "a function inside": ("def f(x):\n    def g(y):\n        y.append(1)\n    g(x)", "f(rows)", "rows"),
    "an attribute of a function": ("def f():\n    f.calls += 1", "f()", "f"),
}


@pytest.mark.parametrize(("definition", "call", "names"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_functions_of_the_notebook_may_change(definition: str, call: str, names: str) -> None:
    assert possible(call, definition).names == set(names.split())


HIDDEN = {
    "if seed:\n    random.seed(seed)": "~random",
    "np.random.seed(0)": "~numpy.random",
    "x = np.random.normal(size=3)": "~numpy.random",
    "rng = np.random.default_rng(0)": "",
    "rng = np.random.default_rng(0).normal()": "",
    "warnings.simplefilter('ignore')": "~warnings.filters",
    "with warnings.catch_warnings():\n    warnings.simplefilter('ignore')": "",
    "if dark:\n    plt.rcParams['figure.dpi'] = 50": "~matplotlib.rc",
    "size = plt.rcParams['figure.dpi'] * 2": "",
    "if wide:\n    pd.options.display.width = 200": "~pandas.options",
    "pd.set_option('display.width', 200)": "~pandas.options",
    "sklearn.set_config(transform_output='pandas')": "~sklearn.config",
    "os.environ['A'] = '1'": "~environ:A",
    "os.environ.setdefault('A', '1')": "~environ:A",
    "a = os.environ['A'].lower()": "",
    "a = os.environ.get('A')": "",
    "for key in keys:\n    os.environ[key] = '1'": "~settings",
    "os.chdir('data')": "~cwd",
    "sys.path.insert(0, 'lib')": "~sys.path",
    "os.remove('a.txt')": "",
    "if patch:\n    math.tau = 6": "~settings",
    "if verbose:\n    logging.getLogger('a').setLevel(10)": "~settings",
    "if verbose:\n    log.setLevel(10)": "~settings",
    "if low:\n    decimal.getcontext().prec = 4": "~decimal.context",
    "decimal.getcontext().prec = 4": "~decimal.context",
}

IMPORTS = (
    "import random, warnings, os, sys, math, logging, sklearn, decimal\nimport numpy as np\nimport pandas as pd\n"
    "import matplotlib.pyplot as plt"
)


@pytest.mark.parametrize(("text", "hidden"), HIDDEN.items(), ids=HIDDEN)
def test_hidden_state(text: str, hidden: str) -> None:
    assert possible(text, IMPORTS).hidden == set(hidden.split())


def test_hidden_state_that_a_function_sets_with_imports_of_its_own() -> None:
    text = "def seed_all(seed):\n    import random\n    random.seed(seed)"
    assert possible("if seed:\n    seed_all(seed)", text).hidden == {"~random"}


LOCAL = "settings = {}\ndef set_rate(rate):\n    settings['rate'] = rate\ndef clean(df):\n    df.dropna(inplace=True)\n"


@pytest.mark.parametrize(
    ("text", "names", "hidden"),
    [
        ("import conf\nconf.set_rate(3)", "", "~settings"),
        ("from conf import set_rate\nset_rate(3)", "", "~settings"),
        ("import conf\nconf.settings['rate'] = 3", "conf", "~settings"),
        ("import conf\nconf.clean(data)", "data", ""),
        ("from conf import clean as tidy\ntidy(data)", "data", ""),
    ],
)
def test_local_modules(text: str, names: str, hidden: str) -> None:
    found = possible(text, local=LOCAL)
    assert found.names == set(names.split())
    assert found.hidden == set(hidden.split())


def test_a_method_that_is_called_for_an_effect_is_suspected() -> None:
    found = possible("tracker.observe(rows)\ntable.head()\ntotal = rows.total()\ntracker.report()")
    assert (found.names, found.suspected) == (set(), {"tracker"})
