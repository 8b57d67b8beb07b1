"""State that no variable holds: of modules, functions with caches, identity, the environment before an import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.services.export.recorded import elsewhere, export

ENVIRONMENT = {"fmod.py": "import os\nF = int(os.environ.get('Q_FACTOR', '1'))\ndef calc(x):\n    return x * F\n"}
COUNTER = {"counter.py": "N = [0]\ndef bump():\n    N[0] += 1\n    return N[0]\n"}
CONFIG = {
    "conf.py": "class Config:\n    rate = 1\nconfig = Config()\n",
    "calc.py": "from conf import config\ndef run(x):\n    return x * config.rate\n",
}

NOTEBOOKS: dict[str, tuple[Mapping[str, str], tuple[str, ...], object]] = {
    "an environment variable before an import": (
        ENVIRONMENT,
        ("import os\nos.environ['Q_FACTOR'] = '4'", "import fmod\nv = fmod.calc(2)", "answer = v"),
        8,
    ),
    "an environment variable and an import in one cell": (
        ENVIRONMENT,
        ("import os\nos.environ['Q_FACTOR'] = '4'\nimport fmod\nv = fmod.calc(2)", "answer = v"),
        8,
    ),
    "a limit of sockets": (
        {},
        ("import socket\nsocket.setdefaulttimeout(3)", "t = socket.getdefaulttimeout()", "answer = t"),
        3.0,
    ),
    "a type of files, added in a function": (
        {},
        (
            "import mimetypes\ndef add(*kind):\n    return mimetypes.add_type(*kind)\n_ = add('a/q', '.qq')",
            "t = [mimetypes.guess_type(name)[0] for name in ('a.qq', 'a.html')]",
            "answer = t",
        ),
        ["a/q", "text/html"],
    ),
    "a dialect and a limit of csv": (
        {},
        (
            "import csv\n_ = csv.register_dialect('pipe', delimiter='|')\nold = csv.field_size_limit(5000)",
            "rows = list(csv.reader(['a|b'], 'pipe'))",
            "answer = [rows, csv.field_size_limit()]",
        ),
        [[["a", "b"]], 5000],
    ),
    "a context of decimal numbers that has a name": (
        {},
        (
            "import decimal\nctx = decimal.getcontext()\nctx.prec = 4",
            "a = str(decimal.Decimal(1) / 3)",
            "ctx.prec = 6",
            "answer = [a, str(decimal.Decimal(1) / 3)]",
        ),
        ["0.3333", "0.333333"],
    ),
    "how a class is pickled": (
        {},
        (
            "import copyreg, pickle\nclass P:\n    def __init__(self, a):\n        self.a = a\ndef reduced(p):\n"
            "    return P, (p.a + 1,)\ncopyreg.pickle(P, reduced)",
            "q = pickle.loads(pickle.dumps(P(3))).a",
            "answer = q",
        ),
        4,
    ),
    "a counter of a local module": (
        COUNTER,
        ("from counter import bump", "x = bump()", "answer = [x, bump()]"),
        [1, 2],
    ),
    "an object of a local module": (
        CONFIG,
        ("from conf import config", "config.rate = 7", "import calc\nv = calc.run(2)", "answer = v"),
        14,
    ),
    "the cache of a local module's function": (
        {"heavy.py": "from functools import lru_cache\n@lru_cache\ndef f(x):\n    return x * 2\n"},
        ("import heavy", "a = heavy.f(2)", "b = heavy.f(2)", "answer = [a, b, heavy.f.cache_info().hits]"),
        [4, 4, 1],
    ),
    "the cache of a function": (
        {},
        (
            "import functools\n@functools.lru_cache\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)",
            "v = fib(20)",
            "answer = [v, fib.cache_info().misses]",
        ),
        [6765, 21],
    ),
    "a cached draw": (
        {},
        (
            "from functools import cache\nimport random\n@cache\ndef token():\n    return random.random()",
            "a = token()",
            "b = token()",
            "answer = a == b",
        ),
        True,
    ),
    "two names for one list": ({}, ("x = y = []\nx.append(1)", "y.append(2)", "answer = [x, y is x]"), [[1, 2], True]),
    "an object of a local module, by a name of the notebook": (
        {
            "conf.py": "settings = {'rate': 1}\n",
            "calc.py": "import conf\ndef run(x):\n    return x * conf.settings['rate']\n",
        },
        ("import conf\ns = conf.settings", "s['rate'] = 4", "import calc\nv = calc.run(2)", "answer = v"),
        8,
    ),
    "an environment variable after an import": (
        ENVIRONMENT,
        ("import fmod", "import os\nos.environ['Q_FACTOR'] = '4'", "v = fmod.calc(2)", "answer = v"),
        2,
    ),
    "the level of a logger": (
        {},
        ("import logging\nlog = logging.getLogger('q')\nlog.setLevel(40)", "v = log.isEnabledFor(20)", "answer = v"),
        False,
    ),
    "the result of a function with a cache": (
        {},
        ("import functools\n@functools.cache\ndef c():\n    return {'n': 0}", "c()['n'] += 5", "answer = c()['n']"),
        5,
    ),
    "a NaN as a key": ({}, ("nan = float('nan')\nd = {nan: 1}", "answer = nan in d"), True),
}


@pytest.mark.parametrize(("files", "cells", "value"), NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_process_state(files: Mapping[str, str], cells: tuple[str, ...], value: object, tmp_path: Path) -> None:
    assert elsewhere(tmp_path, files, cells) == value


def test_a_parameter_is_delivered(tmp_path: Path) -> None:
    cells = ("%%pipeline first --params threshold=3\nassert True", "double = threshold * 2")
    assert elsewhere(tmp_path, {}, cells, name="threshold") == 3


REFUSED = {
    "a file of secrets": (
        (
            "import os\nname, _, value = open('.env').read().strip().partition('=')\nos.environ[name] = value",
            "answer = os.getenv('BASE_URL_Q')",
        ),
        "reads '.env', which may hold secrets and stays out of the bundle: export with --secret BASE_URL_Q",
    ),
    "a module that is written anew": (
        (
            "import mod\na = mod.K",
            "%%writefile mod.py\nK = 7",
            "import importlib\nanswer = [a, importlib.reload(mod).K]",
        ),
        "writes 'mod.py' anew after cell 1",
    ),
}


@pytest.mark.parametrize(("cells", "said"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(cells: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BASE_URL_Q=abc\n")
    (tmp_path / "mod.py").write_text("K = 3\n")
    answer = export(tmp_path, cells, ["answer"], before="import sys; sys.path.insert(0, '')")
    assert said in str(answer)


NOTEBOOK_KINDS: dict[str, tuple[tuple[str, ...], object]] = {
    "the source of a function, as written": (
        ("import inspect\ndef f(x):\n    # add\n    return x+1", "src = inspect.getsource(f)", "answer = src"),
        "def f(x):\n    # add\n    return x+1\n",
    ),
    "tests of the notebook": (
        (
            "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(1, 1)",
            "res = unittest.main(argv=[''], exit=False, verbosity=0).result\nn = res.testsRun",
            "answer = n",
        ),
        1,
    ),
    "a command line that is parsed": (
        (
            "import argparse\np = argparse.ArgumentParser()\n_ = p.add_argument('--store')",
            "args, _ = p.parse_known_args()\ngiven = args.store",
            "answer = given",
        ),
        None,
    ),
}


@pytest.mark.parametrize(("cells", "value"), NOTEBOOK_KINDS.values(), ids=NOTEBOOK_KINDS)
def test_as_in_a_notebook(cells: tuple[str, ...], value: object, tmp_path: Path) -> None:
    assert elsewhere(tmp_path, {}, cells) == value


NOTES = {
    "try:\n    get_ipython\n    x = 1\nexcept NameError:\n    x = 2": "asks whether it runs in IPython",
    "import sys\nfast = 'numpy' in sys.modules": "asks which modules are loaded",
    "class P:\n    pass\nlabel = str(P)": "uses the name of a class's module",
}


@pytest.mark.parametrize(("cell", "said"), NOTES.items(), ids=NOTES.values())
def test_noted_by_name(cell: str, said: str, tmp_path: Path) -> None:
    assert said in str(export(tmp_path, [cell, "answer = 1"], None)["notes"])
