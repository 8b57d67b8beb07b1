"""What a change of a notebook does to its pipeline, as Markdown for those who review it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops_jupyter.core.units import count_of
from mlops_jupyter.services.export.bundle.read import read
from mlops_jupyter.services.export.run.verify import Proof

MARK = "<!-- mlops-jupyter review -->"
"""First line of a review, by which the comment that holds it is found again."""

LONGEST = 60_000
"""Characters; what is longer is cut, since platforms refuse such comments."""

Texts = Mapping[str, str]


def page(sections: list[str]) -> str:
    """Return the whole review; one that is too long for a comment is cut."""
    text = "\n\n".join([f"{MARK}\n## Notebooks", *(sections or ["No notebook is tracked here."])]) + "\n"
    if len(text) <= LONGEST:
        return text
    begin = quoted(text[: LONGEST - 1000])
    return f"{MARK}\n## Notebooks\n\nThe review is too long for a comment. It begins with:\n\n{begin}\n"


def section(name: str, proof: Proof, before: Path | None, after: Path) -> str:
    """Return the review's section on one notebook.

    Parameters
    ----------
    name : the notebook's path.
    proof : the result of `verify` for the new bundle.
    before, after : bundles of the notebook as it was (None if there was none) and as it is.
    """
    verdict = f"**{proof.status}**, {count_of(proof.steps, 'step')} in {proof.seconds:.1f} s"
    if proof.reason:
        verdict += f": {code(proof.reason)}"
    lines = [f"### {code(name)}", f"verify: {verdict}"]
    lines += [f"* {code(row.name)}: {row.status}, {code(row.why)}" for row in proof.outputs if row.why]
    return "\n\n".join([*lines, *differences(before, after)])


def refused(name: str, reason: str) -> str:
    """Return the review's section on a notebook whose export failed."""
    return f"### {code(name)}\n\n**not exported**: {code(reason)}"


def differences(before: Path | None, after: Path) -> Iterator[str]:
    """Yield paragraphs on what differs between two bundles, values first; a single one if nothing differs."""
    if before is None:
        yield "There was no pipeline of it before."
        return
    kinds = (
        ("value", _values(before), _values(after)),
        ("parameter", _parameters(before), _parameters(after)),
        ("step", _versions(before), _versions(after)),
        ("requirement", _requirements(before), _requirements(after)),
    )
    tables = [table for kind, old, new in kinds if (table := _table(kind, old, new))]
    change = "\n".join(_diff(_code(before), _code(after)))
    yield from tables or ([] if change else ["Values, parameters, steps and requirements are as they were."])
    if change:
        yield f"<details><summary>Code of the steps</summary>\n\n{quoted(change, 'diff')}\n\n</details>"


def _table(kind: str, old: Texts, new: Texts) -> str:
    names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    rows = "".join(f"\n| {code(n)} | {_cell(old.get(n))} | {_cell(new.get(n))} |" for n in names)
    return f"| {kind} | before | now |\n|---|---|---|{rows}" if names else ""


def _cell(text: str | None) -> str:
    return "–" if text is None else code(text)


def _values(bundle: Path) -> Texts:
    rows: list[dict[str, Any]] = json.loads((bundle / "tests" / "expected" / "expected.json").read_text("utf-8"))
    return {row["name"]: f"{row['shown']} ({row['fingerprint'][:8]})" for row in rows}


def _parameters(bundle: Path) -> Texts:
    return {name: repr(value) for name, value in (read(bundle).parameters or {}).items()}


def _versions(bundle: Path) -> Texts:
    return {step["name"]: str(step.get("version", ""))[:8] for step in read(bundle).steps}


def _requirements(bundle: Path) -> Texts:
    needs = read(bundle).requirements
    return {name: version or "any" for name, _, version in (each.partition("==") for each in needs)}


def _code(bundle: Path) -> Texts:
    return {path.name: path.read_text("utf-8") for path in sorted(bundle.glob("src/*/steps/*.py"))}


def _diff(old: Texts, new: Texts) -> Iterator[str]:
    for name in dict.fromkeys([*old, *new]):
        sides = (old.get(name, "").splitlines(), new.get(name, "").splitlines())
        yield from difflib.unified_diff(*sides, f"before/{name}", f"now/{name}", lineterm="")


def code(text: str) -> str:
    """Return a text as code in one line, from which neither Markdown nor HTML breaks out."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    safe = re.sub(r"[^ \w.,:;/()+=%-]|_", lambda sign: f"&#{ord(sign[0])};", line)
    return f"<code>{safe}</code>"


def quoted(text: str, language: str = "") -> str:
    """Return a text as a block of code, fenced by more backticks than it holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
