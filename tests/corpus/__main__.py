"""Export and prove each notebook of the corpus: `python -m tests.corpus [--again] [--histories | --perturb] [ID ...]`.

Results are kept, one file a notebook, so that a run that was stopped goes on where it stopped.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path
from typing import Any

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.cells.outline import outline
from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.analysis.facts.records import StatementKind
from tests.corpus import histories, perturbations
from tests.corpus.fetch import fetch

HERE = Path(__file__).parent
HOME = HERE.parents[1] / ".venvs" / "corpus"
RESULTS = HOME / "results"
SECONDS = 900
"""A notebook, or its proof, that takes longer has failed."""

MADE = 60
"""Histories that are made of notebooks which take no longer than a few seconds, and whose values can be compared."""

QUICK = 6.0

STEPS = 3
"""As many a notebook with as many sections is to become, or more."""

GOOD = ("identical", "close")
VERDICTS = (*GOOD, "differs", "failed")
SAME = ("=", "=t")
"""Marks of names whose value is the same in two plain runs of the notebook; `=t` once timings are set aside."""


def main() -> int:
    """Run what is asked for, print a line a notebook, and the sum of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("id", nargs="*", help="notebooks whose id begins so; all without one")
    parser.add_argument("--again", action="store_true", help="also those that have a result already")
    parser.add_argument("--histories", action="store_true", help="cells shuffled, repeated, edited: run their slices")
    parser.add_argument("--perturb", action="store_true", help="other days: notebook and bundle must come to the same")
    parser.add_argument("--days", type=int, default=perturbations.DAYS, help="other days for each (%(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results and bundles lie")
    args = parser.parse_args()
    with (HERE / "visible.tsv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file, delimiter="\t") if r["id"].startswith(tuple(args.id) or ("",))]
    wrong = fetch(rows, HOME / "notebooks")
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        return 1
    args.results.mkdir(parents=True, exist_ok=True)
    if args.histories:
        return play(rows, args.results, args.again)
    if args.perturb:
        return perturb(rows, args.results, args.again, args.days)
    found = []
    for row in rows:
        kept = args.results / f"{row['id']}.json"
        if args.again or not kept.exists():
            kept.write_text(json.dumps(judge(row, args.results), indent=1))
        found.append({**json.loads(kept.read_text()), "sections": sections(HOME / "notebooks" / row["path"])})
        print(line(found[-1]), flush=True)
    print(layout(found))
    print(summary(found))
    return 0


def play(rows: list[dict[str, str]], results: Path, again: bool) -> int:
    """Make histories of the quick notebooks, in turn, and run their slices; print a line each, and the sum."""
    quick = [row for row in rows if float(row["seconds"]) < QUICK]
    histories.prepare()
    found = []
    for seed, row in enumerate(cycle(quick)):
        kept = results / f"history-{seed}-{row['id']}.json"
        if again or not kept.exists():
            kept.write_text(json.dumps(histories.judge(HOME / "notebooks" / row["path"], seed), indent=1))
        found.append(json.loads(kept.read_text()))
        print(histories.line(found[-1]), flush=True)
        if sum(map(histories.counts, found)) == MADE:
            break
    print(histories.summary(found))
    return 0


def perturb(rows: list[dict[str, str]], results: Path, again: bool, days: int) -> int:
    """Compare each notebook with its bundle on other days; print a line each, and the sum."""
    found = []
    for row in rows:
        kept = results / f"perturbed-{row['id']}.json"
        if again or not kept.exists():
            notebook, bundle = HOME / "notebooks" / row["path"], results / f"perturbed-{row['id']}"
            result = perturbations.judge(notebook, row["id"], marks(row), bundle, days, _mlops)
            kept.write_text(json.dumps(result, indent=1))
        found.append(json.loads(kept.read_text()))
        print(perturbations.line(found[-1]), flush=True)
    print(perturbations.summary(found))
    return 0


def marks(row: dict[str, str]) -> dict[str, str]:
    """Return the names that count as a notebook's outputs, with their marks."""
    return {name: mark for name, _, mark in (entry.split(":") for entry in row["final_names"].split(";") if entry)}


def judge(row: dict[str, str], results: Path) -> dict[str, Any]:
    """Export one notebook with the names that count as its outputs, and prove the bundle."""
    notebook = HOME / "notebooks" / row["path"]
    bundle = results / row["id"]
    of_name = marks(row)
    result: dict[str, Any] = {"id": row["id"], "marks": of_name}
    result["deterministic"] = row["deterministic"] == "yes"
    chosen = ["--outputs", ",".join(of_name)] if of_name else []
    code, answer, said = _mlops(["export", str(notebook), "--output", str(bundle), *chosen, "--json"])
    if code:
        return {**result, "status": "refused", "reason": said.splitlines()[-1] if said else "it said nothing"}
    result |= {"steps": len(answer["steps"]), "notes": answer["notes"]}
    result |= {"overhead": answer["overhead_seconds"], "cells": answer["cell_seconds"]}
    began = time.perf_counter()
    code, proof, said = _mlops(["verify", str(bundle), "--json"])
    result["verified"] = time.perf_counter() - began
    if not proof:
        return {**result, "status": "failed", "reason": said[-400:]}
    counted = [o for o in proof["outputs"] if of_name.get(o["name"]) in SAME]
    worst = max(counted or proof["outputs"], key=lambda o: VERDICTS.index(o["status"]), default={"status": "identical"})
    others = [o["name"] for o in proof["outputs"] if o not in counted and o["status"] not in GOOD]
    reason = worst.get("reason") or (f"(not the same in plain runs either: {', '.join(others)})" if others else "")
    parted = [o for o in proof["outputs"] if o["status"] not in GOOD]
    return {**result, "status": worst["status"], "parted": parted, "reason": reason}


def _mlops(words: list[str]) -> tuple[int, dict[str, Any], str]:
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    command = [sys.executable, "-m", "mlops_jupyter", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=environment)
    except subprocess.TimeoutExpired:
        return 124, {}, f"it took longer than {SECONDS} s"
    try:
        return done.returncode, json.loads(done.stdout), done.stderr.strip()
    except ValueError:
        return done.returncode, {}, done.stderr.strip()


def sections(notebook: Path) -> int:
    """Return how many sections of a notebook compute something; functions, classes and imports travel as source."""
    cells = outline(json.loads(notebook.read_text(encoding="utf-8")))
    return len({cell.section for cell in cells if _computes(cell.source)})


def _computes(source: str) -> bool:
    kinds = {statement.kind for statement in extract_facts(to_python(_plain(source))).statements}
    return not kinds <= {StatementKind.IMPORT, StatementKind.DEFINITION}


def _plain(source: str) -> str:
    """Return a cell without its lines of magics."""
    return "\n".join(line for line in source.splitlines() if not line.startswith("%"))


def line(result: dict[str, Any]) -> str:
    """One notebook in a line."""
    head = f"{result['id']:13} {result['status']:12} {result.get('steps', ''):>2} steps"
    spent = result.get("overhead")
    cost = "" if spent is None else f"{spent:5.2f} s ({100 * spent / result['cells']:3.1f} %) overhead"
    return f"{head}  {cost}  {result.get('reason', '')[:160]}".rstrip()


def layout(results: list[dict[str, Any]]) -> str:
    """How many of the deterministic notebooks that have three sections or more are pipelines of three steps or more."""
    wanted = [r for r in results if r["deterministic"] and r["sections"] >= STEPS]
    made = sum(r["status"] in GOOD and r["steps"] >= STEPS for r in wanted)
    return (
        f"sections: {len(wanted)} deterministic notebooks compute in {STEPS} or more, "
        f"{made} of them came out the same in {STEPS} steps or more"
    )


def summary(results: list[dict[str, Any]]) -> str:
    """All in one line. Silently wrong: a value that is the same in plain runs differs, and verify has no reason.

    Overhead: the seconds that recording took, of those that the cells took in the same run.
    """
    count = Counter(result["status"] for result in results)
    exported = [r for r in results if r["status"] != "refused"]
    silent = sum(
        any(not o["reason"] and r["marks"].get(o["name"]) in SAME for o in r.get("parted", ())) for r in exported
    )
    cells = sum(r["cells"] for r in exported) or 1.0
    return (
        f"corpus: {len(results)} notebooks, {len(exported)} exported, {len(exported) - count['failed']} ran, "
        f"{count['identical']} identical, {count['close']} close, {count['differs']} differ, "
        f"{count['failed'] + count['refused']} failed, {silent} silently wrong, "
        f"{100 * sum(r['overhead'] for r in exported) / cells:.1f} % overhead"
    )


if __name__ == "__main__":
    sys.exit(main())
