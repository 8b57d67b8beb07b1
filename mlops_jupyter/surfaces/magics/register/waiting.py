"""Shows the wait for MLflow's answer: one line in one place, removed when the answer is there."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

SILENT_SECONDS = 1.0
"""Seconds of waiting before anything is shown."""


class Waiting:
    """Shows how many seconds the wait for MLflow's answer has taken; in a terminal, only that there is a wait."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = 0

    def __enter__(self) -> Waiting:
        return self

    def __call__(self, seconds: float) -> None:
        """Show the seconds waited so far, at most once a second."""
        from mlops_jupyter.surfaces.widgets.runs import in_kernel

        if seconds < SILENT_SECONDS or int(seconds) == self._shown:
            return
        first, self._shown = not self._shown, int(seconds)
        if in_kernel():
            self._draw(f"waiting for MLflow: {self._shown} s")
        elif first:
            print("waiting for MLflow", file=sys.stderr)

    def _draw(self, text: str) -> None:
        from IPython.display import Pretty, display

        if self._handle is None:
            self._handle = display(Pretty(text), display_id=True)
        else:
            self._handle.update(Pretty(text))

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._draw("")
