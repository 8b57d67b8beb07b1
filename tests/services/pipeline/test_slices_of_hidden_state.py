"""Slices keep what changed a value out of sight: closures that share a variable, and the state of a library."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

from tests.services.pipeline.played import play, session, sliced

COUNTER = """def counter():
    n = 0
    def get():
        return n
    def put(value):
        nonlocal n
        n = value
    return get, put"""

IN_A_DICT = COUNTER.replace("return get, put", "return {'get': get, 'put': put}")

ROWS: dict[str, tuple[str, ...]] = {
    "closures": (COUNTER, "get, put = counter()", "put(42)", "v = get()"),
    "closures in a dict": (IN_A_DICT, "ops = counter()", "ops['put'](42)", "v = ops['get']()"),
    "one taken out of a dict": (IN_A_DICT, "ops = counter()\nput = ops['put']", "put(42)", "v = ops['get']()"),
    "closures of two calls": (COUNTER, "get, put = counter()\ng2, p2 = counter()", "p2(1)", "put(42)", "v = get()"),
    "methods": (
        "class Box:\n    n = 0\n    def put(self, n):\n        self.n = n\n    def get(self):\n        return self.n",
        "box = Box()\nget, put = box.get, box.put",
        "put(42)",
        "v = get()",
    ),
    "a call that is assigned": ("import csv", "old = csv.field_size_limit(5)", "v = csv.field_size_limit()"),
    "a call in a block": ("import csv", "if True:\n    csv.field_size_limit(7)", "v = csv.field_size_limit()"),
    "a call in a function": (
        "import csv",
        "def small():\n    csv.field_size_limit(9)",
        "small()",
        "v = csv.field_size_limit()",
    ),
    "imported by name": (
        "from decimal import Decimal, getcontext",
        "ctx = getcontext()\nctx.prec = 4",
        "v = str(Decimal(1) / Decimal(3))",
    ),
    "a handle of a library": (
        "import decimal",
        "ctx = decimal.getcontext()",
        "ctx.prec = 4",
        "v = str(decimal.Decimal(1) / 3)",
    ),
    "a registered thing": (
        "import csv",
        "r = csv.register_dialect('semi', delimiter=';')",
        "v = next(csv.reader(['a;b'], 'semi'))",
    ),
    "a database of a library": (
        "import duckdb",
        "_ = duckdb.sql('create table t (a int)')",
        "_ = duckdb.sql('insert into t values (4)')",
        "v = duckdb.sql('select sum(a) from t').fetchall()[0][0]",
    ),
    "a frame named in a string": (
        "import duckdb\nimport pandas as pd",
        "df = pd.DataFrame({'a': [1, 2]})",
        "n = 1",
        "v = int(duckdb.sql(f'select sum(a) as s from df where a > {n}').df()['s'][0])",
    ),
    "a frame named by a variable": (
        "import duckdb\nimport pandas as pd",
        "df = pd.DataFrame({'a': [1, 2]})",
        "table = 'df'",
        "v = int(duckdb.sql(f'select sum(a) as s from {table}').df()['s'][0])",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_slice_gives_the_value(name: str) -> None:
    cells = ROWS[name]
    if "duckdb" in cells[0] and importlib.util.find_spec("duckdb") is None:
        pytest.skip("duckdb is not installed")
    with session() as (run, notebook):
        play(cells, None, run)
        program, wanted = sliced(notebook, "v").text, notebook.namespace["v"]
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport json\nprint(json.dumps(v))"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == wanted


SMALL: dict[str, tuple[tuple[str, ...], str]] = {
    "another library": (
        ("import calendar, gettext", "a = calendar.setfirstweekday(3)", "v = gettext.textdomain()"),
        "setfirstweekday",
    ),
    "a library without a state": (("import json", "a = json.dumps(1)", "v = json.loads('2')"), "dumps"),
    "closures of another call": ((COUNTER, "get, put = counter()\ng, p = counter()", "p(1)", "v = get()"), "p(1)"),
}


@pytest.mark.parametrize("name", SMALL)
def test_the_slice_stays_small(name: str) -> None:
    cells, left_out = SMALL[name]
    with session() as (run, notebook):
        play(cells, None, run)
        text = sliced(notebook, "v").text
    assert left_out not in text
