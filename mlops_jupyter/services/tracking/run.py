"""A run in the user's hand."""

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
    """How a run stands."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"  # its process died; closed when the next one came


class Run:
    """One run. Its id never changes; logging goes through the tracking service that opened it.

    Used as a context manager it ends itself: finished, or failed if the block raised.

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
        """Everything that is known of the run now."""
        return self._tracking.run(self.id)

    def log(self, metrics: Mapping[str, object] | None = None, /, step: int | None = None, **named: object) -> None:
        """Log numbers: `run.log(auc=0.91, step=3)` or `run.log({"val/auc": 0.91})`."""
        self._tracking.log(self.id, {**metrics, **named} if metrics else named, step)

    def params(self, params: Mapping[str, object] | None = None, /, **named: object) -> None:
        """Keep settings: `run.params(depth=3)`."""
        self._tracking.params(self.id, {**(params or {}), **named})

    def tag(self, tags: Mapping[str, object] | None = None, /, **named: object) -> None:
        """Put words on the run."""
        self._tracking.tag(self.id, {**(tags or {}), **named})

    def artifact(self, path: str, data: bytes) -> None:
        """Keep a file with the run."""
        self._tracking.artifact(self.id, path, data)

    def figure(self, name: str, figure: object) -> None:
        """Keep a matplotlib or plotly figure with the run."""
        from mlops_jupyter.runtime.tracking.figures import only_files

        for path, data in only_files(name, figure).items():
            self._tracking.artifact(self.id, path, data)

    def end(self, failed: bool = False) -> None:
        """Close the run."""
        self._tracking.end(self.id, RunStatus.FAILED if failed else RunStatus.FINISHED)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(failed=kind is not None)

    def __repr__(self) -> str:
        seen = self.view
        said = "".join(f", {key}={value:.6g}" for key, value in list(seen.metrics.items())[:6])
        return f"<run {self.name!r} of {self.experiment!r}: {seen.status}{said}>"

    def _repr_html_(self) -> str:
        seen = self.view
        rows = [("run", seen.name), ("experiment", seen.experiment), ("status", seen.status), ("id", seen.id)]
        rows += [(f"metrics.{key}", f"{value:.6g}") for key, value in seen.metrics.items()]
        rows += [(f"params.{key}", value) for key, value in seen.params.items()]
        rows += [("artifact", path) for path in seen.artifacts]
        return html_facts(rows)


if TYPE_CHECKING:

    def _verbs(run: Run) -> RunVerbs:
        return run
