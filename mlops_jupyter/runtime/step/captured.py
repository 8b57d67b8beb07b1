"""Keep what a block prints, as `%%capture` does in a notebook."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout


class Captured:
    """What a block printed: `stdout` and `stderr`, as texts."""

    def __init__(self) -> None:
        self.stdout = self.stderr = ""

    def __str__(self) -> str:
        return self.stdout

    def show(self) -> None:
        """Print it again, each text to its own stream."""
        sys.stdout.write(self.stdout)
        sys.stderr.write(self.stderr)

    __call__ = show


@contextmanager
def captured() -> Iterator[Captured]:
    """Keep what the block prints instead of printing it.

    Examples
    --------
    >>> with captured() as printed:
    ...     print("hi")
    >>> printed.stdout
    'hi\\n'
    """
    kept = Captured()
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            yield kept
        finally:
            kept.stdout, kept.stderr = out.getvalue(), err.getvalue()
