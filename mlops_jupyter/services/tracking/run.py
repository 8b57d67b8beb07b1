"""The object that stands for a tracked run in the user's code."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING

from mlops_jupyter.core.ids import RunId
from mlops_jupyter.runtime.tables import html_facts

if TYPE_CHECKING:
    from mlops_jupyter.runtime.tracking.run_verbs import RunVerbs
    from mlops_jupyter.services.tracking.service import Tracking
    from mlops_jupyter.services.tracking.views import RunView


class RunStatus(Enum):
    """The status of a run."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"  # its process died; the next session closed the run


class Run:
    """One tracked run. Its id never changes; logging goes through the tracking service that opened it.

    As a context manager, the run ends with the block: finished, or failed if the block raised.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from mlops_jupyter.runtime.storage.objects import project_objects
    >>> from mlops_jupyter.services.tracking.service import Tracking
    >>> from mlops_jupyter.store.ledger import Ledger
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> tracking = Tracking(Ledger(folder / "ledger.db"), project_objects(folder), courier=lambda: None)
    >>> with tracking.start("baseline") as run:
    ...     run.log(auc=0.91)
    >>> run.view.metrics["auc"]
    0.91
    """

    __slots__ = ("_tracking", "experiment", "id", "name")

    def __init__(self, id: RunId, name: str, experiment: str, tracking: Tracking) -> None:
        for field, value in (("id", id), ("name", name), ("experiment", experiment), ("_tracking", tracking)):
            object.__setattr__(self, field, value)

    id: RunId
    name: str
    experiment: str
    _tracking: Tracking

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a run's {name!r} cannot be set: log a metric, a parameter or a tag")

    @property
    def view(self) -> RunView:
        """The run's present state: status, parameters, metrics, tags, artifacts."""
        return self._tracking.run(self.id)

    def log(self, metrics: Mapping[str, object] | None = None, /, step: int | None = None, **named: object) -> None:
        """Log metrics: `run.log(auc=0.91, step=3)` or `run.log({"val/auc": 0.91})`."""
        self._tracking.log(self.id, {**metrics, **named} if metrics else named, step)

    def params(self, params: Mapping[str, object] | None = None, /, **named: object) -> None:
        """Log parameters: `run.params(depth=3)`."""
        self._tracking.params(self.id, {**(params or {}), **named})

    def tag(self, tags: Mapping[str, object] | None = None, /, **named: object) -> None:
        """Set tags of the run."""
        self._tracking.tag(self.id, {**(tags or {}), **named})

    def artifact(self, path: str, data: bytes) -> None:
        """Log a file as an artifact, under a path of its own within the run."""
        self._tracking.artifact(self.id, path, data)

    def figure(self, name: str, figure: object) -> None:
        """Log a matplotlib or plotly figure as an artifact."""
        from mlops_jupyter.runtime.run_data.figures import only_files

        for path, data in only_files(name, figure).items():
            self._tracking.artifact(self.id, path, data)

    def end(self, failed: bool = False) -> None:
        """End the run, as finished or failed."""
        self._tracking.end(self.id, RunStatus.FAILED if failed else RunStatus.FINISHED)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(failed=kind is not None)

    def __repr__(self) -> str:
        view = self.view
        metrics = "".join(f", {key}={value:.6g}" for key, value in list(view.metrics.items())[:6])
        return f"<run {self.name!r} of {self.experiment!r}: {view.status}{metrics}>"

    def _repr_html_(self) -> str:
        view = self.view
        rows = [("run", view.name), ("experiment", view.experiment), ("status", view.status), ("id", view.id)]
        rows += [(f"metrics.{key}", f"{value:.6g}") for key, value in view.metrics.items()]
        rows += [(f"params.{key}", value) for key, value in view.params.items()]
        rows += [("artifact", path) for path in view.artifacts]
        return html_facts(rows)


if TYPE_CHECKING:

    def _verbs(run: Run) -> RunVerbs:
        return run
