"""Keep the values that the last export recorded where those of now differ by nondeterminism alone.

A kernel begins with other random states each time, and the clock goes on. So two exports of one notebook differ in the
first random states and in the values that follow from them. Where nothing else differs, what the last export recorded
proves as much as what was recorded now.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_jupyter.core.hidden_names import RANDOM
from mlops_jupyter.core.plan import INITIAL, Plan
from mlops_jupyter.runtime.hashing import written_file_digest
from mlops_jupyter.runtime.hidden.registry import initial_file
from mlops_jupyter.services.export.bundle.create import BundleFiles
from mlops_jupyter.services.export.bundle.manifest import Manifest

EXPECTED = "tests/expected/"
INDEX = f"{EXPECTED}expected.json"
STEPS = f"{EXPECTED}steps.json"


def keep_recorded(new: BundleFiles, plan: Plan, known: Manifest, folder: Path) -> BundleFiles:
    """Return a rendered bundle, with the values of the last export if those of now differ by nondeterminism alone."""
    first = first_states(plan.package)
    recorded = {path for path in (*new, *known.files) if path in first or path.startswith(EXPECTED)}
    if any(_decides(path) and path not in recorded and _differs(path, new, known) for path in (*new, *known.files)):
        return new
    old = {path: (folder / path).read_bytes() for path in known.files if path in recorded and (folder / path).is_file()}
    if any(written_file_digest(old.get(path, b"")) != known.files[path] for path in recorded if path in known.files):
        return new  # a person changed them, or took them away
    if not {INDEX, STEPS} <= old.keys() or not _says_the_same(old, new, plan):
        return new
    return {**{path: data for path, data in new.items() if path not in recorded}, **old}


def first_states(package: str) -> dict[str, str]:
    """Return path in the bundle -> hidden variable, for the random states that a notebook may begin with."""
    return {f"src/{package}/initial/{initial_file(name)}": name for name in RANDOM}


def _decides(path: str) -> bool:
    """Return whether the values of a run depend on a file."""
    return path.startswith("src/") or path == "requirements.lock"


def _differs(path: str, new: BundleFiles, known: Manifest) -> bool:
    return path not in new or written_file_digest(new[path]) != known.files.get(path)


def _says_the_same(old: BundleFiles, new: BundleFiles, plan: Plan) -> bool:
    """Return whether each value is the same in both bundles, or differs by nondeterminism alone."""
    alike = rows(old).keys() == rows(new).keys() and _known(_facts(old)) == _known(_facts(new))
    return alike and not changed(old, new, plan)


def changed(old: BundleFiles, new: BundleFiles, plan: Plan) -> list[str]:
    """Return the outputs of both bundles whose values differ for another reason than nondeterminism.

    Parameters
    ----------
    old, new : files of the bundles, of which the expected values and the first random states are read.
    """
    old_rows, uncertain = rows(old), _uncertain(old, new, plan)
    both = {name: row for name, row in rows(new).items() if name in old_rows and plan.outputs[name] not in uncertain}
    return [name for name, row in both.items() if _content(old_rows[name], old) != _content(row, new)]


def _uncertain(old: BundleFiles, new: BundleFiles, plan: Plan) -> set[str]:
    """Return the names of the nondeterministic steps, and of all steps downstream of them."""
    drawn = {name for path, name in first_states(plan.package).items() if old.get(path) != new.get(path)}
    facts = _facts(new)
    uncertain: set[str] = set()
    for step in plan.steps:
        draws = any(name in drawn and maker == INITIAL for name, maker in step.inputs.items())
        if draws or facts.get(step.name, {}).get("causes") or uncertain.intersection(step.upstream):
            uncertain.add(step.name)
    return uncertain


def rows(bundle: BundleFiles) -> dict[str, Any]:
    """Return the rows of a bundle's expected values by name; an empty mapping if they cannot be read."""
    try:
        return {row["name"]: row for row in json.loads(bundle[INDEX])}
    except (KeyError, ValueError, TypeError):
        return {}


def _content(row: dict[str, Any], bundle: BundleFiles) -> object:
    """Return what an expected value is compared by: its fingerprint, or else its JSON and its file's bytes."""
    return row.get("fingerprint") or (json.dumps(row.get("value")), bundle.get(f"{EXPECTED}{row.get('file')}"))


def _facts(bundle: BundleFiles) -> dict[str, Any]:
    try:
        found = json.loads(bundle[STEPS])
    except (KeyError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recorded facts of the steps, without the values that they had."""
    return {step: {name: fact for name, fact in each.items() if name != "values"} for step, each in facts.items()}
