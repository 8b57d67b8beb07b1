"""Shows the last lines of progress in one place of the output."""

from __future__ import annotations

from types import TracebackType

SHOWN = 12
"""Number of lines that stay in sight."""


class Progress:
    """Shows lines as they come: in one place of the front end's output, or one after another in a terminal."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._handle: object = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def line(self, text: str) -> None:
        """Show one more line."""
        from IPython.display import Pretty, display

        from mlops_jupyter.surfaces.widgets.runs import in_kernel

        if text.startswith("error: "):
            return  # the magic raises it as its own `UserError`
        if not in_kernel():
            print(text)
            return
        self._lines = [*self._lines, text][-SHOWN:]
        content = Pretty("\n".join(self._lines))
        if self._handle is None:
            self._handle = display(content, display_id=True)
        else:
            self._handle.update(content)  # type: ignore[attr-defined]
