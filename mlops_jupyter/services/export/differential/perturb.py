"""Prove a bundle on days that nobody has seen: `verify --perturb N` makes them, and compares bundle and notebook."""

from __future__ import annotations

import shlex
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.units import count_of
from mlops_jupyter.services.export.bundle.read import read
from mlops_jupyter.services.export.differential.days import Day, Days
from mlops_jupyter.services.export.differential.delta_debugging import minimized
from mlops_jupyter.services.export.differential.edits import Edit
from mlops_jupyter.services.export.differential.other_day import DayResult, DayStatus, compare_day
from mlops_jupyter.services.export.run.bundle_process import BundleProcess, Progress, clean_process

TRIES = 24
"""Runs that the search for the smallest difference may take."""

PATIENCE = 10
"""A step may take as many times the seconds that both sides took on the day of export, and a minute more."""


@dataclass(frozen=True)
class DayReport:
    """What came of one day.

    Attributes
    ----------
    number : the day's number, from 0: the day of export, on which nothing is changed.
    edits : how the day differs from that of export, in one line; where the sides differ, as little as makes it so.
    again : the command that shows the difference again, "" where there is none.
    """

    number: int
    status: DayStatus
    edits: str
    reason: str = ""
    unstable: tuple[str, ...] = ()
    again: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both gave the same values, or both failed."""
        return self.status.agrees


@dataclass(frozen=True)
class PerturbationReport:
    """What came of all days.

    Attributes
    ----------
    left : data files that were not changed: no tables, too large, or with an absolute path.
    seconds : wall time.
    """

    bundle: str
    seed: int
    days: tuple[DayReport, ...]
    left: tuple[str, ...]
    seconds: float

    @property
    def proven(self) -> bool:
        """Whether bundle and notebook came to the same on every day, and to values on that of the export."""
        return all(day.agrees for day in self.days) and self.days[0].status is DayStatus.SAME

    def as_json(self) -> dict[str, Any]:
        """Return the report as a mapping that `json` can write."""
        days = [vars(day) for day in self.days]
        return {**vars(self), "days": days, "status": "the same" if self.proven else "differs"}

    def __str__(self) -> str:
        """Say in one line on how many days both came to what."""
        count = Counter(day.status for day in self.days if day.number)
        told = ", ".join(f"{count[status]} {status}" for status in DayStatus)
        return f"{count_of(sum(count.values()), 'other day')} (seed {self.seed}): {told}; {self.seconds:.0f} s"


def perturb(
    bundle: Path,
    days: int,
    seed: int = 0,
    fresh_env: bool = False,
    progress: Progress = lambda line: None,
    told: Progress = lambda line: None,
) -> PerturbationReport:
    """Run a bundle and its notebook's cells on other days; both must give the same values, or both must fail.

    Parameters
    ----------
    days : how many days are made, with other rows and cells in the data files and other values of parameters.
    seed : the same seed makes the same days.
    fresh_env : build an environment from requirements.lock first, and run in that.
    progress : called with each line that the preparation prints.
    told : called with a line for each day.

    Raises
    ------
    UserError
        The bundle cannot be read, it has neither tables nor parameters, or its environment cannot be built.
    """
    began = time.perf_counter()
    stored = read(bundle)
    source = Days(stored, seed)
    if not source.is_possible:
        raise UserError(
            f"the bundle {str(bundle)!r} has no parameters and reads no data files that are tables: "
            "there is nothing to perturb"
        )
    reports: list[DayReport] = []
    with clean_process(stored, fresh_env, progress) as process, tempfile.TemporaryDirectory(prefix="days-") as folder:
        trial = _Trial(source, process, Path(folder), bundle)
        for report in trial.reports(days):
            reports.append(report)
            told(line(report))
    seconds = round(time.perf_counter() - began, 3)
    return PerturbationReport(str(bundle), seed, tuple(reports), tuple(source.left), seconds)


def line(report: DayReport) -> str:
    """Return what came of a day as a line, with lines below it where the sides differ."""
    head = f"day {report.number}: {report.status}" if report.number else f"day of export: {report.status}"
    rows = [f"{head} ({report.edits})"]
    rows += [f"  {report.reason}"] if report.reason and report.status is not DayStatus.SAME else []
    if report.unstable:
        rows.append(f"  not the same in two runs of the notebook either: {', '.join(report.unstable)}")
    if report.again:
        rows.append(f"  again: {report.again}")
    return "\n".join(rows)


class _Trial:
    """Tries days in one store."""

    def __init__(self, source: Days, process: BundleProcess, folder: Path, bundle: Path) -> None:
        self._source = source
        self._process = process
        self._folder = folder
        self._bundle = bundle
        self._count = 0
        self._limit: list[str] = []

    def reports(self, days: int) -> Iterator[DayReport]:
        """Yield what came of the day of export, and then of the other days if both sides gave the same on that."""
        began = time.perf_counter()
        first = self._result(())
        yield DayReport(0, first.status, str(Day(())), first.reason, first.unstable)
        if first.status is not DayStatus.SAME:
            return
        self._limit = ["--timeout", f"{60 + PATIENCE * (time.perf_counter() - began):.0f}"]
        for number in range(1, days + 1):
            yield self._report(number, self._source.day(number))

    def _report(self, number: int, day: Day) -> DayReport:
        result, again = self._result(day.edits), ""
        if not result.status.agrees:
            day, result = self._smallest(day, result)
            data = self._source.write(day, Path(tempfile.mkdtemp(prefix="other-day-")))
            words = ["mlops-jupyter", "verify", str(self._bundle), *self._options(day, data)]
            again = shlex.join(words)
        return DayReport(number, result.status, str(day), result.reason, result.unstable, again)

    def _smallest(self, day: Day, result: DayResult) -> tuple[Day, DayResult]:
        """Return the least of a day's edits that makes the same kind of difference, and the result on that."""
        results = {day.edits: result}

        def differs(edits: Sequence[Edit]) -> bool:
            found = results[tuple(edits)] = self._result(tuple(edits))
            return found.status is result.status

        edits = minimized(day.edits, differs, TRIES)
        return Day(edits), results[edits]

    def _result(self, edits: tuple[Edit, ...]) -> DayResult:
        self._count += 1
        day = Day(edits)
        data = self._source.write(day, self._folder / f"{self._count}")
        words = [*self._options(day, data), *self._limit]
        return compare_day(self._process, str(self._folder / "store"), f"day-{self._count}", words)

    def _options(self, day: Day, data: Path) -> list[str]:
        return [*day.words, *(["--data", str(data)] if day.files else [])]
