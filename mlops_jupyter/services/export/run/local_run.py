"""Run a bundle on this machine, and give access to its results."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.runtime.codecs import read_open
from mlops_jupyter.runtime.storage.store import Store
from mlops_jupyter.services.export.bundle.read import read
from mlops_jupyter.services.export.run.bundle_process import fault_of, run_command


@dataclass(frozen=True, repr=False)
class LocalRun(Mapping[str, Any]):
    """One run of a bundle: a mapping from names to the values that it delivered, each loaded on access.

    Attributes
    ----------
    run : the run's id, a folder in the store.
    steps : step -> "done", "cached" or "failed".
    seconds : wall time.
    runs : with `--each`, a row for each of the runs: {"value", "run", "status", "outputs", "error"}.
    """

    run: str
    status: str
    store: str
    steps: Mapping[str, str]
    error: str = ""
    seconds: float = 0.0
    runs: Sequence[Mapping[str, Any]] = ()

    def __repr__(self) -> str:
        if self.runs:
            rows = (f"{row['value']}: {row['error'] or row['outputs']}" for row in self.runs)
            return "\n  ".join([f"run {self.run} {self.status} in {self.seconds:.1f} s:", *rows])
        steps = ", ".join(f"{step} {status}" for step, status in self.steps.items())
        head = f"run {self.run} {self.status} in {self.seconds:.1f} s: {steps}"
        return f"{head}\n  {self.error}" if self.error else f"{head}\n  gives {', '.join(self) or 'nothing'}"

    def __getitem__(self, name: str) -> Any:
        for row in self._index():
            if row["name"] == name:
                return read_open(Store(self.store).read(self.run, f"outputs/{row['file']}"), row["format"])
        raise NotFoundError(f"run {self.run} delivered no {name!r}: it has {', '.join(self)}")

    def __iter__(self) -> Iterator[str]:
        return (row["name"] for row in self._index())

    def __len__(self) -> int:
        return len(self._index())

    def _index(self) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = (Store(self.store).outputs(self.run) or {"outputs": []})["outputs"]
        return rows


def run(
    bundle: Path, store: Path | str, words: Sequence[str] = (), progress: Callable[[str], None] = lambda line: None
) -> LocalRun:
    """Run a bundle with this process's environment.

    Parameters
    ----------
    store : a folder, or an fsspec address.
    words : further arguments of `python -m <package> run`, as in ["-p", "n_estimators=300"].
    progress : called with each line of progress.

    Raises
    ------
    UserError
        The arguments do not fit the pipeline (an unknown parameter, say). A run that failed is a result.
    """
    stored = read(bundle)
    path = os.pathsep.join(filter(None, (str((bundle / "src").absolute()), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, **stored.variables}
    where = str(store if "://" in str(store) else Path(store).absolute())
    command = [sys.executable, "-m", stored.package, "run", "--store", where, "--json", *words]
    return _result(*run_command(command, environment, progress), where)


def _result(printed: str, said: Sequence[str], code: int, store: str) -> LocalRun:
    try:
        answer = json.loads(printed)
    except ValueError:
        raise UserError(said[-1] if said else f"the pipeline ended with exit code {code} and said nothing") from None
    if code == 2:
        raise UserError(str(answer.get("error") or (said[-1] if said else "the arguments do not fit the pipeline")))
    return LocalRun(
        run=str(answer["run"]),
        status=str(answer["status"]),
        store=store,
        steps={row["step"]: row["status"] for row in answer.get("steps") or ()},
        error="" if answer["status"] == "succeeded" or "runs" in answer else fault_of(answer),
        seconds=float(answer.get("seconds") or 0.0),
        runs=answer.get("runs") or (),
    )
