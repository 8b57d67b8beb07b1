"""Prune the store of a bundle's runs: old runs, cache entries that no run names, objects that nothing names.

What names goes before what is named, so a process that is killed on the way leaves nothing that names what is gone. A
run that takes an entry from the cache at this very moment finds its objects gone, and makes them again.

The decisions behind it: ARCHITECTURE.md, "Run".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.storage.store import RESERVED
from mlops_jupyter.services.retention.policy import Deleted, Policy, is_young

RUN = "run.json"


def prune(folder: Path, policy: Policy, now: float, deleted: Deleted) -> None:
    """Delete from a store what a policy does not keep.

    Parameters
    ----------
    folder : the store's folder.
    now : seconds since the epoch.

    Raises
    ------
    UserError
        The folder is no store.
    """
    if not any((folder / name).is_dir() for name in RESERVED):
        raise UserError(f"{str(folder)!r} is no store of runs: give the folder that a run had as --store")
    kept = []
    for path, is_old in _runs(folder, policy, now):
        if is_old:
            deleted.folder(path, "run", first=RUN)
        else:
            kept.append(path)
    records = [record for path in kept for record in map(_json, sorted((path / "steps").glob("*.json")))]
    keys, digests = {str(record.get("key")) for record in records}, set().union(*map(_digests, records))
    for entry in sorted((folder / "cache").glob("*.json")):
        if entry.stem in keys or is_young(entry, now - policy.older_than):
            digests |= _digests(_json(entry))
        else:
            deleted.file(entry, "cache entry")
    deleted.objects(folder, digests, now)


def _runs(folder: Path, policy: Policy, now: float) -> Iterator[tuple[Path, bool]]:
    """Yield each run's folder, and whether it is to be deleted."""
    paths = [p for p in folder.iterdir() if p.is_dir() and p.name not in RESERVED and not p.name.startswith(".")]
    records = {path: _json(path / RUN) for path in paths}
    newest: dict[str, int] = {}
    for path in sorted(paths, key=lambda path: _started(records[path]), reverse=True):
        record = records[path]
        pipeline = str(record.get("pipeline"))
        newest[pipeline] = newest.get(pipeline, 0) + 1
        moment = _number(record.get("ended")) or _started(record) or path.stat().st_mtime
        is_young = moment >= now - policy.older_than
        yield path, not is_young and (not record or newest[pipeline] > policy.keep_runs)


def _started(record: Mapping[str, Any]) -> float:
    return _number(record.get("started"))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _digests(facts: Mapping[str, Any]) -> set[str]:
    """Return the digests of all objects that a step's record or a cache entry names.

    They are found wherever they stand, so that one stays though the rest of its record is damaged.
    """
    return set(re.findall(r"\b[0-9a-f]{64}\b", json.dumps(facts)))


def _json(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one if the file is gone, or was cut short by a loss of power."""
    try:
        facts = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
