"""Mistakes that are the user's to mend, in a notebook and in a bundle. Any other exception is a fault of our own."""

from __future__ import annotations

from linecache import getline
from traceback import walk_tb


class UserError(Exception):
    """What went wrong, which name, what to do: one line, shown without a traceback.

    Magics, the command lines and the server turn exactly this class into one line. Where it is raised in a cell of
    plain Python, as by `run.log(auc="high")`, IPython shows `_render_traceback_`. Faults of ours are any other
    exception and keep their traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython prints: one, which ends with the user's own line of code."""
        ours, place = __name__.partition(".")[0], ""
        for frame, number in walk_tb(self.__traceback__):
            code = getline(frame.f_code.co_filename, number).strip()
            if code and frame.f_globals.get("__name__", "").partition(".")[0] != ours:
                place = f" (line {number}: {code})"
        return [f"{type(self).__name__}: {self}{place}"]


class PipelineError(UserError):
    """A pipeline cannot run as it is asked to: a step, a store or a cluster is not as it says."""
