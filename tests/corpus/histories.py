"""Histories made of a notebook's cells, and whether the slices of what they made give the live values.

A history is what people do: cells run out of order, again, edited, or no more. Everything of it follows from a seed.
Each runs in processes of its own: one records and slices, one runs the same again (a value that then differs is told
by no program), and each slice runs from the top in a clean one.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import random
import re
import shutil
import sys
import tempfile
import traceback
import types
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlops_jupyter.analysis.cells.outline import outline

HEAVY = (
    "numpy", "pandas", "scipy.stats", "sklearn.linear_model", "matplotlib.pyplot", "IPython.core.interactiveshell",
    "mlops_jupyter.surfaces.magics.session_start", "mlops_jupyter.surfaces.magics.bundle_code",
    "mlops_jupyter.runtime.hidden.registry", "mlops_jupyter.services.pipeline.query.slices",
    "mlops_jupyter.capture.recorder",
)  # fmt: skip
"""Imported once, before a process is forked for each part: they take longer than most cells."""

SECONDS = 120
"""A history, or one of its slices, that takes longer is given up."""

MOST = 4
"""Names of a history that are sliced."""


def history(cells: Sequence[str], seed: int) -> list[str]:
    """Return the cells as somebody ran them: in runs out of order, some again, some edited, some left out."""
    chance = random.Random(seed)
    ran = [cell for cell in cells if chance.random() > 0.08]
    for _ in range(max(1, len(ran) // 4)):
        place = chance.randrange(len(ran) + 1)
        what = chance.choice(("again", "edited", "moved", "back"))
        if what == "moved" and len(ran) > 1:
            ran.insert(min(place, len(ran) - 1), ran.pop(chance.randrange(len(ran))))
        elif what == "back":  # a stretch of the notebook is run again
            start = chance.randrange(len(ran))
            ran[place:place] = ran[start : start + chance.randint(1, 3)]
        else:
            cell = chance.choice(ran)
            ran.insert(place, edited(cell, chance) if what == "edited" else cell)
    return ran


def edited(cell: str, chance: random.Random) -> str:
    """Return a cell with one of its numbers changed, or without its last line."""
    numbers = list(re.finditer(r"(?<![\w.])\d+(?![\w.])", cell))
    if numbers and chance.random() < 0.8:
        found = chance.choice(numbers)
        return f"{cell[: found.start()]}{int(found[0]) + 1}{cell[found.end() :]}"
    return "\n".join(cell.rstrip("\n").split("\n")[:-1])


def judge(notebook: Path, seed: int, most: int = MOST) -> dict[str, Any]:
    """Play a history of a notebook and run its slices; return how many were right, refused and wrong, and why."""
    cells = [c.source for c in outline(json.loads(notebook.read_text(encoding="utf-8"))) if c.source.strip()]
    ran = history(cells, seed)
    with tempfile.TemporaryDirectory() as folder:
        recorded = _apart(_record, Path(folder, "first"), notebook, (ran, seed, most))
        again = _apart(_again, Path(folder, "again"), notebook, (ran,))
        right, refused, wrong = 0, [], []
        for name, made in sorted(recorded.get("names", {}).items()):
            if "refused" in made:
                refused.append(f"{name}: {made['refused']}")
            elif made["live"] is not None and again.get(name) == made["live"]:
                found = _apart(_replay, Path(folder, f"slice-{name}"), notebook, (made, name))
                right += found.get("value") == made["live"]
                if found.get("value") != made["live"] and made["causes"]:
                    refused.append(f"{name}: may come out otherwise: {made['causes'][0]}")
                elif found.get("value") != made["live"]:
                    wrong.append(f"{name}: {found.get('fault', 'another value')}")
    return {
        "notebook": notebook.stem, "seed": seed, "executions": len(ran), "right": right, "refused": refused,
        "wrong": wrong, "fault": recorded.get("fault", ""),
    }  # fmt: skip


def _apart(work: Callable[..., dict[str, Any]], folder: Path, notebook: Path, given: tuple[Any, ...]) -> dict[str, Any]:
    """Do some work in a process forked for it, in a copy of the notebook's folder; return its answer."""
    shutil.copytree(notebook.parent, folder, ignore=shutil.ignore_patterns(".mlops", ".ipynb_checkpoints"))
    answer = folder.with_suffix(".json")
    process = multiprocessing.get_context("fork").Process(target=_child, args=(work, folder, answer, given))
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        return {"fault": f"it took longer than {SECONDS} s"}
    found: dict[str, Any] = json.loads(answer.read_text()) if answer.exists() else {"fault": "the process died"}
    return found


def _child(work: Callable[..., dict[str, Any]], folder: Path, answer: Path, given: tuple[Any, ...]) -> None:
    os.chdir(folder)
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
        try:
            found = work(*given)
        except BaseException:
            found = {"fault": traceback.format_exc()[-600:]}
        answer.write_text(json.dumps(found))
        os._exit(0)


def _shell(ran: Sequence[str]) -> Any:
    """Run cells as a notebook does, from the same random states each time; return the shell and the session."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from mlops_jupyter.surfaces.magics import session_of

    random.seed(1)
    sys.modules["numpy"].random.seed(1)
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.enable_gui = lambda gui=None: None  # what a kernel's shell does for `%matplotlib inline`
    shell.run_line_magic("load_ext", "mlops_jupyter")
    for cell in ran:
        with suppress(BaseException):  # what failed is part of the history
            shell.run_cell(cell, store_history=True)
    return session_of(shell).notebook


def _record(ran: Sequence[str], seed: int, most: int) -> dict[str, Any]:
    from mlops_jupyter.core.errors import UserError
    from mlops_jupyter.services.pipeline.query.slices import slice_of
    from mlops_jupyter.surfaces.magics.bundle_code import BundleTranslator

    notebook = _shell(ran)
    names = sorted(n for n, v in notebook.namespace.items() if not n.startswith("_") and not isinstance(v, CODE))
    random.Random(seed).shuffle(names)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        live = _mark(notebook.namespace[name])
        if live is None or len(found) == most:
            continue
        try:
            made = slice_of(notebook, name, BundleTranslator())
            states = {n: notebook.initial(n) for n in made.starts if not n.startswith("~file:")}
            found[name] = {"live": live, "text": made.text, "states": states, "causes": made.causes}
        except UserError as fault:
            found[name] = {"refused": str(fault)}
    return {"names": found}


CODE = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)


def _again(ran: Sequence[str]) -> dict[str, Any]:
    return {name: _mark(value) for name, value in _shell(ran).namespace.items() if not isinstance(value, CODE)}


def _replay(made: dict[str, Any], name: str) -> dict[str, Any]:
    from mlops_jupyter.runtime.hidden.registry import write

    for state, value in made["states"].items():
        write(state, value)
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    try:
        exec(compile(made["text"], "<slice>", "exec", dont_inherit=True), vars(main))
    except BaseException as fault:
        return {"fault": f"{type(fault).__name__}: {fault}"[:300]}
    return {"value": _mark(vars(main).get(name))}


def _mark(value: object) -> str | None:
    """A value's fingerprint, None where it has none."""
    from mlops_jupyter.runtime.fingerprints.fingerprint import fingerprint

    found = fingerprint(value)
    return found if isinstance(found, str) else None


def prepare() -> None:
    """Import what is slow, so that each process need not."""
    os.environ["MPLBACKEND"] = "Agg"
    for module in HEAVY:
        with suppress(ImportError):
            importlib.import_module(module)


def line(result: dict[str, Any]) -> str:
    """One history in a line."""
    head = f"{result['notebook'][:40]:40} {result['seed']:>3} {result['executions']:>3} executions"
    counts = f"{result['right']} right, {len(result['refused'])} refused, {len(result['wrong'])} wrong"
    return f"{head}  {counts}  {'; '.join([result['fault'], *result['wrong'], *result['refused']])[:200]}".rstrip("; ")


def counts(result: dict[str, Any]) -> bool:
    """Whether a history says anything: one without a value that comes out the same when all is run again does not."""
    return bool(result["right"] or result["refused"] or result["wrong"] or result["fault"])


def summary(results: Sequence[dict[str, Any]]) -> str:
    """All in one line. A history is wrong if one of its slices is, else refused if one is."""
    silent = [r for r in results if not counts(r)]
    results = [r for r in results if counts(r)]
    wrong = sum(bool(r["wrong"] or r["fault"]) for r in results)
    refused = sum(bool(r["refused"]) and not r["wrong"] and not r["fault"] for r in results)
    right = len(results) - wrong - refused
    if silent:
        print(f"not counted, as no value can be compared: {', '.join(r['notebook'] for r in silent)}")
    return f"histories: {len(results)} made, {right} right, {refused} refused with a reason, {wrong} wrong"
