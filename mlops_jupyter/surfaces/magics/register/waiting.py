"""Progress while MLflow's answer is waited for: one line, in one place, gone when the answer is there."""

from __future__ import annotations

from types import TracebackType
from typing import Any

SILENT_SECONDS = 1.0
"""A wait that is shorter shows nothing."""


class Waiting:
    """Shows for how many seconds MLflow's answer has been waited for."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = 0

    def __enter__(self) -> Waiting:
        return self

    def __call__(self, seconds: float) -> None:
        """Show the wait so far; once a second."""
        from IPython.display import Pretty, display

        if seconds < SILENT_SECONDS or int(seconds) == self._shown:
            return
        self._shown = int(seconds)
        text = Pretty(f"waiting for MLflow: {self._shown} s")
        if self._handle is None:
            self._handle = display(text, display_id=True)
        else:
            self._handle.update(text)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        from IPython.display import Pretty

        if self._handle is not None:
            self._handle.update(Pretty(""))
