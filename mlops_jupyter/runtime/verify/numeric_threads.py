"""Threads and cores of numerical libraries: sums are taken in another order with others, and so rounded otherwise.

`tests/expected/threads.json` holds what the notebook had: ``{"cores": 8, "pools": [{"library", "architecture",
"threads"}]}``. The pools are known only where threadpoolctl is installed (it comes with scikit-learn).

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

FILE = "threads.json"

VARIABLES = (
    "BLIS_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "MKL_CBWR",
    "MKL_DYNAMIC",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_DYNAMIC",
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Environment variables from which numerical libraries take their threads, or their kernel, when they are loaded."""

Facts = Mapping[str, Any]


def numeric_threads() -> Facts:
    """Return the cores of this process and the thread pools of the numerical libraries that it has loaded."""
    available = getattr(os, "sched_getaffinity", None)
    cores = len(available(0)) if available else os.cpu_count()
    pools: list[dict[str, Any]] = []
    with suppress(Exception):  # it is not installed, or cannot read a library's insides
        for pool in importlib.import_module("threadpoolctl").threadpool_info():
            facts = {
                "library": pool["internal_api"],
                "architecture": pool.get("architecture", ""),
                "threads": pool["num_threads"],
            }
            pools += [facts] if facts not in pools else []
    return {"cores": cores, "pools": sorted(pools, key=str)}


def differing_threads(folder: Path) -> Iterator[str]:
    """Yield in words how this process computes otherwise than the notebook did; nothing if that was not recorded."""
    try:
        had: Facts = json.loads((folder / FILE).read_bytes())
    except FileNotFoundError:
        return
    for module in ("numpy", "scipy.linalg"):
        with suppress(Exception):  # loads its libraries, which are compared
            importlib.import_module(module)
    now = numeric_threads()
    for library in dict.fromkeys(pool["library"] for pool in had["pools"]):
        before, after = _told(had, library), _told(now, library)
        if after and before != after:
            yield f"computed by {library} {after}, where the notebook did so {before}"
    if had["cores"] != now["cores"]:
        yield f"had {now['cores']} cores, where the notebook had {had['cores']}"


def _told(facts: Facts, library: str) -> str:
    pools = (pool for pool in facts["pools"] if pool["library"] == library)
    said = (
        f"with {pool['threads']} thread{'s' * (pool['threads'] != 1)}"
        + (f" on {pool['architecture']}" if pool["architecture"] else "")
        for pool in pools
    )
    return " and ".join(dict.fromkeys(said))
