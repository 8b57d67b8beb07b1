"""Tracking inside a bundle: what a step logs goes into `<run>/tracking/<step>.json`, and to MLflow where it is set.

A step's job calls `begin` before the step and `finish` after it; the step's own code calls the verbs. Without `begin`
(a step's function called by hand) everything is collected in memory and returned by `collected`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..run_data import estimators, figures
from ..run_data.metric_values import check_key
from .model_file import save
from .tracking_log import TrackedModel, TrackedRun, TrackingLog

_log = TrackingLog()
_shown = figures.Shown()


def begin(path: str | Path | None, pipeline: str, run: str, step: str) -> None:
    """Begin a step's tracking file. A tracked run that an earlier step left open continues.

    Parameters
    ----------
    path : `<run>/tracking/<step>.json`; None keeps everything in memory.
    """
    global _log
    _log = TrackingLog(Path(path) if path else None, pipeline, run, step)


def start_run(name: str | None = None, experiment: str | None = None, inside: bool = False) -> StepRun:
    """Start a tracked run. An open run is ended first or, with `inside`, continues after the new run."""
    run = _log.start(name, experiment, inside)
    if inside:
        _shown.begin(without=figures.numbers())
    return StepRun(run.id, run.name, run.experiment)


def log_metrics(metrics: Mapping[str, object] | None = None, /, step: int | None = None, **named: object) -> None:
    """Log metrics, by a mapping or by name; `step` is their place on the curve (0 if not given)."""
    _log.current().log_metrics({**(metrics or {}), **named}, step, _log.clock)


def log_params(params: Mapping[str, object] | None = None, /, **named: object) -> None:
    """Log parameters as text. A parameter keeps its first value; another one is ignored and does not fail the step."""
    _log.current().log_params({**(params or {}), **named}, keep_first=True)


def log_tags(tags: Mapping[str, object] | None = None, /, **named: object) -> None:
    """Set tags on the run; a later tag of the same name replaces the earlier."""
    _log.current().log_tags({**(tags or {}), **named})


def log_figures(named: Mapping[str, object] | None = None, /, **more: object) -> None:
    """Keep pyplot's open figures, those that the run's cell has shown, and those given by name, as files of the run.

    A given value that is no figure is left out: with other parameters a variable may hold something else.
    """
    given = {**(named or {}), **more}
    files = figures.with_named(_shown.end(given), {check_key(name): figure for name, figure in given.items()})
    _log.current().log_files(files)


def note_estimators(mapping: Mapping[str, object]) -> None:
    """Log the settings of estimators as parameters (`clf.n_estimators`) and their classes as tags."""
    params, tags = estimators.settings({k: v for k, v in mapping.items() if estimators.is_estimator(v)})
    log_params(params)
    log_tags(tags)


def end_run(failed: bool = False) -> None:
    """End the open run, if there is one."""
    _shown.forget()
    _log.end(failed)


def finish(failed: bool = False) -> None:
    """Write the step's file, and upload it to MLflow where `MLFLOW_TRACKING_URI` is set and mlflow is installed.

    An MLflow that is unavailable does not fail the step: the file holds everything, and the reason under "mlflow".
    """
    _log.close(failed)
    _log.write()
    if _log.runs and _mlflow_is_set():
        from .mlflow_upload import upload

        try:
            upload(_log)
        except Exception as fault:  # whatever MLflow raises: the step's values do not depend on it
            _log.fault = " ".join(f"{type(fault).__name__}: {fault}".split())[:500]
            print(f"tracking: not carried to MLflow, kept in {_log.path}: {_log.fault}", file=sys.stderr)
        _log.write()


def _mlflow_is_set() -> bool:
    """Return whether `MLFLOW_TRACKING_URI` is set and mlflow is installed; imports nothing."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) and importlib.util.find_spec("mlflow") is not None


def collected() -> dict[str, Any]:
    """Return all that was logged since `begin`, as the step's file will hold it."""
    return _log.content()


@dataclass(frozen=True)
class StepRun:
    """A tracked run for the code of a step, with the same verbs as in the notebook (`RunVerbs`)."""

    id: str
    name: str
    experiment: str

    def log(self, metrics: Mapping[str, object] | None = None, /, step: int | None = None, **named: object) -> None:
        """Log metrics."""
        self._tracked().log_metrics({**(metrics or {}), **named}, step, _log.clock)

    def params(self, params: Mapping[str, object] | None = None, /, **named: object) -> None:
        """Log parameters."""
        self._tracked().log_params({**(params or {}), **named})

    def tag(self, tags: Mapping[str, object] | None = None, /, **named: object) -> None:
        """Set tags on the run."""
        self._tracked().log_tags({**(tags or {}), **named})

    def figure(self, name: str, figure: object) -> None:
        """Save a figure with the run."""
        self._tracked().log_files(figures.only_files(name, figure))

    def artifact(self, path: str, data: bytes) -> None:
        """Save a file with the run."""
        self._tracked().log_files({path: data})

    def end(self, failed: bool = False) -> None:
        """End the run, unless it has ended."""
        if _log.end(failed, self.id):
            _shown.forget()

    def __enter__(self) -> StepRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(failed=kind is not None)

    def _tracked(self) -> TrackedRun:
        return _log.called(self.id, self.name, self.experiment)


if TYPE_CHECKING:
    from .run_verbs import RunVerbs

    def _verbs(run: StepRun) -> RunVerbs:
        return run


def note_model(
    model: Any,
    name: str,
    alias: str | None,
    data: tuple[Any, Any] | None,
    metrics: Mapping[str, float],
    require: Sequence[str],
) -> TrackedModel:
    """Note a model that met its requirements; called by `gates.register_model`.

    Where MLflow is set the model is registered there at once, since the step must fail if that fails.
    """
    file = save(model)
    noted = _log.next_model(name, alias, dict(metrics), list(require), file)
    if _mlflow_is_set():
        from .mlflow_upload import register

        noted.version = register(noted, _log.open_run, _log.pipeline, model, file, data)
    _log.models.append(noted)
    return noted
