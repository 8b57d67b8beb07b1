"""Code that a notebook reads as data or runs by name: the bundle has it, and gives what the notebook gave."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.services.export.recorded import elsewhere

FACTOR = {"aux_mod.py": "F = 6\n"}
CALC = {"calc.py": "import sys\nfrom aux_mod import F\nprint(int(sys.argv[1]) * F)\n", **FACTOR}
PLUGINS = {"plug_a.py": "V = 12\n", "plug_b.py": "V = 13\n"}

NOTEBOOKS: dict[str, tuple[Mapping[str, str], tuple[str, ...], object]] = {
    "a file that is executed as text": (
        {"defs.py": "from aux_mod import F\ndef f(x):\n    return x * F\n", **FACTOR},
        ("src = open('defs.py').read()\nexec(src)", "answer = f(3)"),
        18,
    ),
    "a program that another process runs": (
        CALC,
        (
            "import subprocess, sys\nscript = 'calc' + '.py'\n"
            "out = subprocess.run([sys.executable, script, '4'], capture_output=True, text=True).stdout",
            "answer = int(out)",
        ),
        24,
    ),
    "a program that runs in this process": (
        {"prog.py": "import aux_mod\nout = n * aux_mod.F\n", **FACTOR},
        ("import runpy\nnames = runpy.run_path('prog.py', init_globals={'n': 4})\nv = names['out']", "answer = v"),
        24,
    ),
    "a module that is run by its name": (
        {"prog.py": "import aux_mod\nout = 2 * aux_mod.F\n", **FACTOR},
        ("import runpy\nv = runpy.run_module('prog')['out']", "answer = v"),
        12,
    ),
    "a module whose name is made up": (
        PLUGINS,
        ("import importlib\nname = 'plug_' + 'a'\nmodule = importlib.import_module(name)", "answer = module.V"),
        12,
    ),
    "a module that another one imports by name": (
        {"registry.py": "from importlib import import_module\ndef get(n):\n    return import_module('plug_' + n)\n"}
        | PLUGINS,
        ("import registry", "v = registry.get('b').V", "answer = v"),
        13,
    ),
    "a module that is loaded from its path": (
        {"tools/mm.py": "V = 5\n"},
        (
            "import importlib.util\nspec = importlib.util.spec_from_file_location('mm', 'tools/mm.py')\n"
            "mm = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(mm)\nv = mm.V",
            "answer = v",
        ),
        5,
    ),
    "a folder without __init__.py": (
        {"lib/core/__init__.py": "from ..consts import M\n", "lib/consts.py": "M = 11\n"},
        ("from lib.core import M\nv = M", "import lib.consts\nw = lib.consts.M", "answer = [v, w]"),
        [11, 11],
    ),
    "an expression that is evaluated": ({}, ("w = 3", "expr = 'w' + ' * 2'\nv = eval(expr)", "answer = v"), 6),
    "expressions in a comprehension": (
        {},
        ("w = 3\nu = 4", "exprs = ['w * 2', 'u + w']", "v = [eval(e) for e in exprs]", "answer = v"),
        [6, 7],
    ),
    "an expression in a function": (
        {},
        (
            "w = 3\ndef sq(x):\n    return x * x",
            "def calc(e):\n    return eval(e)",
            "v = calc('sq(w)' + '+ 1')",
            "answer = v",
        ),
        10,
    ),
}


@pytest.mark.parametrize(("files", "cells", "value"), NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_code_as_data(files: Mapping[str, str], cells: tuple[str, ...], value: object, tmp_path: Path) -> None:
    assert elsewhere(tmp_path, files, cells) == value
