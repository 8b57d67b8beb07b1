"""Mistakes that are the user's to mend, in a notebook and in a bundle. Any other exception is a fault of our own.

The decisions behind it: ARCHITECTURE.md, "Surfaces".
"""

from __future__ import annotations

from linecache import getline
from traceback import walk_tb


class UserError(Exception):
    """A mistake of the user: one line without a traceback that says what went wrong, with which name, and what to do.

    Magics, the command lines and the server show every error of this class as one line. If a cell of
    plain Python raises it, as `run.log(auc="high")` does, IPython shows the result of `_render_traceback_`. Any other
    exception is a fault of our own and keeps its traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """Return the single line that IPython prints; it ends with the user's own line of code."""
        ours, place = __name__.partition(".")[0], ""
        for frame, number in walk_tb(self.__traceback__):
            code = getline(frame.f_code.co_filename, number).strip()
            if code and frame.f_globals.get("__name__", "").partition(".")[0] != ours:
                place = f" (line {number}: {code})"
        return [f"{type(self).__name__}: {self}{place}"]


class PipelineError(UserError):
    """A pipeline cannot run as requested, because of its steps, its options, its store or its cluster."""
