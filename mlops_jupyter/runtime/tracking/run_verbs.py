"""The verbs of a tracked run, which are the same in a notebook and in a bundle.

The decisions behind it: ARCHITECTURE.md, "Surfaces".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self


class RunVerbs(Protocol):
    """What code may do with `run = %track start NAME`, in its notebook and in the step that the cell becomes.

    A call is refused, whole, with a `UserError` of one line, if it gives a bad name, path or value. As a context
    manager a run ends itself: finished, or failed if the block raised.

    `tests/runtime/test_run_verbs.py` calls each implementation alike and compares what lands in the ledger, in a
    step's file and in MLflow.
    """

    @property
    def id(self) -> str:
        """The run's id, which never changes."""

    @property
    def name(self) -> str:
        """The run's name."""

    @property
    def experiment(self) -> str:
        """The experiment that the run belongs to."""

    def log(self, metrics: Mapping[str, object] | None = None, /, step: int | None = None, **named: object) -> None:
        """Log metrics, all or none: `run.log(auc=0.91, step=3)` or `run.log({"val/auc": 0.91})`. No step is step 0."""

    def params(self, params: Mapping[str, object] | None = None, /, **named: object) -> None:
        """Log parameters as text: `run.params(depth=3)`. A parameter that is logged does not change, as in MLflow."""

    def tag(self, tags: Mapping[str, object] | None = None, /, **named: object) -> None:
        """Set tags on the run; a later tag of the same name replaces the earlier."""

    def artifact(self, path: str, data: bytes) -> None:
        """Save a file with the run, under a relative path (`plots/roc.png`)."""

    def figure(self, name: str, figure: object) -> None:
        """Save a matplotlib or plotly figure with the run."""

    def end(self, failed: bool = False) -> None:
        """End the run. Ending a run again changes nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...
