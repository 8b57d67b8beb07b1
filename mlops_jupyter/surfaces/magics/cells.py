"""Our cell magics, `%%pipeline NAME`, `%%track` and `%%private`: their lines are removed before IPython runs the body.

So the body runs like any cell: its tracebacks, its last expression, its `await`, another cell magic below.
The recorder's handlers do what the lines say, before and after the cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from mlops_jupyter.analysis.cells import split_headers
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.surfaces.magics.pipeline.cell import StepCell
from mlops_jupyter.surfaces.magics.track.cell import TrackCell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlops_jupyter.core.executions import Execution
    from mlops_jupyter.surfaces.magics.session import NotebookSession


class PrivateCell:
    """A `%%private` cell: its text and its values are in no record and in no bundle. It runs like any other."""

    def check(self, line: str) -> None:
        """Raise `UserError` for a line with arguments: there are none."""
        if line:
            raise UserError(f"{line!r} means nothing here: %%private takes no arguments")

    def begin(self, line: str, body: str) -> None:
        """Do nothing before the cell."""

    def bound(self, state: object) -> Set[str]:
        """Return no names: nothing is bound."""
        return frozenset()

    def end(self, state: object, execution: Execution, namespace: Mapping[str, Any]) -> None:
        """Do nothing after the cell."""


class TakeHeaders:
    """An input transformer that removes our header lines and raises `UsageError` for bad ones."""

    has_side_effects = True
    """IPython skips such a transformer while a cell is typed: a terminal then reads `%%` cells to a blank line."""

    def __init__(self, handlers: Mapping[str, Any]) -> None:
        self._handlers = handlers

    def __call__(self, lines: list[str]) -> list[str]:
        """Return a cell's lines without our header lines."""
        if not any(line.startswith("%%") for line in lines[:4]):
            return lines
        headers, body = split_headers("".join(lines))
        for header in headers:
            try:
                self._handlers[header.name].check(header.line)
            except UserError as fault:
                raise UsageError(f"%%{header.name}: {fault}") from None
        return body.splitlines(keepends=True) if headers else lines


def install(shell: InteractiveShell, session: NotebookSession) -> None:
    """Register our cell magics with the shell and with the recorder of the session."""
    handlers: dict[str, Any] = {"pipeline": StepCell(session), "track": TrackCell(session), "private": PrivateCell()}
    session.recorder.handlers.update(handlers)
    shell.input_transformer_manager.cleanup_transforms.append(TakeHeaders(handlers))


def remove(shell: InteractiveShell) -> None:
    """Remove the transformer from the shell."""
    transforms = shell.input_transformer_manager.cleanup_transforms
    transforms[:] = [t for t in transforms if not isinstance(t, TakeHeaders)]
