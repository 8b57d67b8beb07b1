"""The one kind of fault that is the user's to mend."""

from __future__ import annotations


class PipelineError(Exception):
    """What went wrong, which name, what to do: one line, shown without a traceback."""
