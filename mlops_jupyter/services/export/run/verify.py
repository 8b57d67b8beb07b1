"""Verify a bundle: run it in a clean process, and compare its values with the notebook's."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export.bundle.read import read
from mlops_jupyter.services.export.differential.other_day import DayStatus, compare_day
from mlops_jupyter.services.export.run.bundle_process import Progress, clean_process, fault_of


@dataclass(frozen=True)
class OutputProof:
    """The comparison of one delivered value: `status` is identical, close, differs or failed; the rest is for people.

    Attributes
    ----------
    parted : {"step", "variable"} of the first divergence from the notebook's values, on the way to this one.
    cause : what is known of the divergence's cause.
    """

    name: str
    status: str
    reason: str
    expected: str
    actual: str
    parted: Mapping[str, str] | None = None
    cause: str = ""

    @property
    def why(self) -> str:
        """The reason of a difference, its first divergence and its cause, in one line."""
        if self.parted is None:
            return self.reason
        where = f"parts first in step {self.parted['step']!r} (variable {self.parted['variable']!r})"
        return "; ".join(filter(None, (self.reason, where, self.cause)))


@dataclass(frozen=True)
class Proof:
    """The result of verifying a bundle: the worst status of its outputs, and why.

    Attributes
    ----------
    steps : number of steps of the pipeline.
    seconds : wall time of the run and the comparison.
    parted, cause : as in the first output that has the worst status.
    """

    status: str
    steps: int
    seconds: float
    outputs: tuple[OutputProof, ...]
    reason: str = ""
    parted: Mapping[str, str] | None = None
    cause: str = ""

    @property
    def proven(self) -> bool:
        """Whether every value is the notebook's, up to rounding."""
        return self.status in ("identical", "close")

    def as_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that `json` can write."""
        return asdict(self)


def verify(bundle: Path, fresh_env: bool = False, progress: Progress = lambda line: None) -> Proof:
    """Run the bundle in a clean process and compare each value with the notebook's.

    Parameters
    ----------
    fresh_env : build an environment from requirements.lock first, and run in that.
    progress : called with each line of progress.

    Raises
    ------
    UserError
        The bundle cannot be read, or the environment cannot be built. A run that failed is a result.
    """
    began = time.perf_counter()
    stored = read(bundle)
    with clean_process(stored, fresh_env, progress) as process, tempfile.TemporaryDirectory(prefix="verify-") as store:
        run_answer = process.call(["run", "--store", store])
        check_answer: dict[str, Any] = {}
        if "run" in run_answer:
            check_answer = process.call(["check", "--store", store, "--run", str(run_answer["run"])])
    reason = "" if run_answer.get("status") == "succeeded" else fault_of(run_answer)
    outputs = tuple(map(_output, check_answer.get("outputs", ())))
    if "outputs" not in check_answer:
        outputs = tuple(OutputProof(name, "failed", reason, "", "") for name in stored.outputs)
    return Proof(
        status="failed" if reason else str(check_answer.get("status", "failed")),
        steps=len(stored.steps),
        seconds=round(time.perf_counter() - began, 3),
        outputs=outputs,
        reason=reason or str(check_answer.get("error") or ""),
        parted=check_answer.get("parted"),
        cause=str(check_answer.get("cause") or ""),
    )


def verify_day(
    bundle: Path,
    parameters: Sequence[str] = (),
    data: Path | None = None,
    fresh_env: bool = False,
    progress: Progress = lambda line: None,
) -> Proof:
    """Run the bundle and the notebook's cells with other data or parameters, and compare each value of the two runs.

    Parameters
    ----------
    parameters : as `-p` takes them: "name=value".
    data : folder of data files, as `--data` takes it.
    fresh_env, progress : as for `verify`.

    Raises
    ------
    UserError
        The bundle cannot be read, or the environment cannot be built. A side that fails is a result.
    """
    began = time.perf_counter()
    stored = read(bundle)
    words = [word for parameter in parameters for word in ("-p", parameter)]
    words += ["--data", str(data.absolute())] if data is not None else []
    with clean_process(stored, fresh_env, progress) as process, tempfile.TemporaryDirectory(prefix="verify-") as store:
        result = compare_day(process, store, "day", words)
    outputs = tuple(map(_output, result.outputs))
    if result.status in (DayStatus.BOTH_FAIL, DayStatus.BUNDLE_FAILS):
        status = "failed"
    elif result.status is DayStatus.DIFFERS:
        status = "differs"
    else:
        status = "close" if any(one.status != "identical" for one in outputs) else "identical"
    return Proof(
        status=status,
        steps=len(stored.steps),
        seconds=round(time.perf_counter() - began, 3),
        outputs=outputs or tuple(OutputProof(name, status, result.reason, "", "") for name in stored.outputs),
        reason=result.reason if not outputs else "",
    )


def check_options(parameters: Sequence[str], data: Path | None, days: int | None, seed: int | None) -> None:
    """Raise `UserError` for options of other days that exclude each other or that no day can meet.

    Parameters
    ----------
    parameters, data : as for `verify_day`.
    days, seed : as for `perturb`; None where the user gave none.
    """
    if days is not None and days < 1:
        raise UserError(f"--perturb {days}: give the number of days, 1 or more")
    if days is not None and (parameters or data):
        raise UserError("--perturb makes data and parameters itself: give either it, or -p and --data")
    if days is None and seed is not None:
        raise UserError("--seed is for the days that --perturb N makes: give that, too")


def _output(row: Mapping[str, Any]) -> OutputProof:
    texts = {key: str(row.get(key) or "") for key in ("name", "status", "reason", "expected", "actual", "cause")}
    return OutputProof(**texts, parted=row.get("parted"))
