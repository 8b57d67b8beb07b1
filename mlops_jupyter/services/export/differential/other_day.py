"""One other day: the bundle and the notebook's cells run with its data and parameters, and must come to the same."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mlops_jupyter.services.export.run.bundle_process import BundleProcess, fault_of

SAME = ("identical", "close")


class DayStatus(StrEnum):
    """How a bundle and its notebook compare on one day."""

    SAME = "the same"
    BOTH_FAIL = "both fail"
    DIFFERS = "differs"
    """A value differs, or only the notebook fails: the bundle gives what the notebook does not."""
    BUNDLE_FAILS = "only the bundle fails"
    """Loudly: no wrong value comes of it."""

    @property
    def agrees(self) -> bool:
        """Whether both gave the same values, or both failed."""
        return self in (DayStatus.SAME, DayStatus.BOTH_FAIL)


@dataclass(frozen=True)
class DayResult:
    """The comparison on one day.

    Attributes
    ----------
    outputs : the answer of `check`: a mapping for each output.
    reason : which values differ and how, or why which side failed.
    unstable : outputs that differ between two runs of the notebook itself, and so say nothing.
    """

    status: DayStatus
    outputs: tuple[dict[str, Any], ...] = ()
    reason: str = ""
    unstable: tuple[str, ...] = ()


def compare_day(process: BundleProcess, store: str, run: str, words: Sequence[str]) -> DayResult:
    """Run both sides and compare their outputs.

    Parameters
    ----------
    store : folder of the store. One for several days puts the cache to the test as well.
    run : name of the bundle's run, new in that store.
    words : the options that make the day: `-p NAME=VALUE`, `--data DIR`.
    """
    notebook = f"{run}-notebook"
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(process.call, ["run", "--store", store, "--run", run, *words])
        second = pool.submit(process.call, ["notebook", "--store", store, "--run", notebook, *words])
        faults = [_fault(side.result()) for side in (first, second)]
    if all(faults):
        both = f"the bundle: {faults[0]}; the notebook: {faults[1]}"
        return DayResult(DayStatus.BOTH_FAIL, reason=faults[0] if faults[0] == faults[1] else both)
    if faults[0]:
        return DayResult(DayStatus.BUNDLE_FAILS, reason=faults[0])
    if faults[1]:
        return DayResult(DayStatus.DIFFERS, reason=f"only the notebook fails: {faults[1]}")
    outputs = _compared(process, store, run, notebook)
    different = {row["name"]: row for row in outputs if row["status"] not in SAME}
    unstable: tuple[str, ...] = ()
    if different:
        again = f"{notebook}-again"
        process.call(["notebook", "--store", store, "--run", again, *words])
        unstable = tuple(row["name"] for row in _compared(process, store, again, notebook) if row["status"] not in SAME)
    reason = "; ".join(f"{name}: {row['reason']}" for name, row in different.items() if name not in unstable)
    return DayResult(DayStatus.DIFFERS if reason else DayStatus.SAME, tuple(outputs), reason, unstable)


def _fault(answer: dict[str, Any]) -> str:
    return "" if answer.get("status") == "succeeded" else fault_of(answer)


def _compared(process: BundleProcess, store: str, run: str, reference: str) -> list[dict[str, Any]]:
    answer = process.call(["check", "--store", store, "--run", run, "--reference", reference])
    if "outputs" not in answer:
        return [{"name": "check", "status": "failed", "reason": str(answer.get("error"))}]
    return list(answer["outputs"])
