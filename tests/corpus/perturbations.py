"""Real notebooks on other days: `make corpus CORPUS=--perturb`. The literals of a notebook serve as its parameters."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.facts.extract import extract_facts

DAYS = 5

AGREE = ("the same", "both fail")

Command = Callable[[list[str]], tuple[int, dict[str, Any], str]]
"""Runs a command of `mlops-jupyter`; returns its exit code, its answer and what it said."""


def judge(
    notebook: Path, identity: str, marks: Mapping[str, str], bundle: Path, days: int, command: Command
) -> dict[str, Any]:
    """Export a notebook with its first literals as parameters, and compare it with its bundle on other days."""
    result: dict[str, Any] = {"id": identity, "days": []}
    with tempfile.NamedTemporaryFile("w", suffix=".ipynb", prefix="perturbed_", dir=notebook.parent) as copy:
        json.dump(with_parameters(json.loads(notebook.read_text(encoding="utf-8"))), copy)
        copy.flush()
        chosen = ["--outputs", ",".join(marks)] if marks else []
        code, _, said = command(["export", copy.name, "--output", str(bundle), *chosen, "--json"])
    if code:
        return {**result, "status": "refused", "reason": said.splitlines()[-1] if said else "it said nothing"}
    _, report, said = command(["verify", str(bundle), "--perturb", str(days), "--json"])
    if not report and "there is nothing to perturb" in said:
        return {**result, "status": "has none", "reason": "no parameters and no data files"}
    if not report:
        return {**result, "status": "failed", "reason": said[-400:]}
    return {**result, "status": report["status"], "days": report["days"]}


def with_parameters(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook whose first cell with a literal is tagged `parameters`, as papermill has it."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and _literals("".join(cell["source"])):
            cell["metadata"] = {**cell["metadata"], "tags": [*cell["metadata"].get("tags", ()), "parameters"]}
            break
    return notebook


def _literals(source: str) -> bool:
    try:
        return bool(extract_facts(to_python(source)).literals)
    except SyntaxError:
        return False


def line(result: Mapping[str, Any]) -> str:
    """One notebook in a line, and below it a line for each day on which the two part."""
    count = Counter(day["status"] for day in result["days"] if day["number"])
    told = ", ".join(f"{number} {status}" for status, number in count.items()) or result.get("reason", "")[:160]
    rows = [f"{result['id']:13} {result['status']:9} {told}"]
    parted = (day for day in result["days"] if day["status"] not in AGREE)
    return "\n".join([*rows, *(f"    {day['edits'][:120]}: {day['reason'][:160]}" for day in parted)])


def summary(results: Sequence[Mapping[str, Any]]) -> str:
    """All in one line. Silently wrong: the bundle gives a value that the notebook does not give on that day."""
    tried = [result for result in results if result["days"]]
    days = Counter(day["status"] for result in tried for day in result["days"] if day["number"])
    count = Counter(result["status"] for result in results)
    return (
        f"perturb: {len(results)} notebooks, {count['has none']} with nothing to change, {len(tried)} tried, "
        f"{sum(days.values())} days: {days['the same']} the same, {days['both fail']} both fail, "
        f"{days['only the bundle fails']} only the bundle fails, {days['differs']} silently wrong; "
        f"{count['refused'] + count['failed']} refused or failed"
    )
