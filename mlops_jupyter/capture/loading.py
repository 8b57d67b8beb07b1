"""The cell that loads the extension: what follows in it is recorded like any other cell."""

from __future__ import annotations

import re
import sys
from types import FrameType

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.facts.extract import ParseError, extract_facts

LOADS = re.compile(r"^\s*%?(?:re)?load_ext\s+mlops_jupyter\b.*$", re.MULTILINE)


def cell() -> tuple[object, str]:
    """Return IPython's facts of the cell that is running, with its text from the line that loads the extension.

    Returns
    -------
    (None, "") where no cell is running, where IPython tells nobody of it, and where no code follows that line: what
    stands above it was done before recording began.
    """
    frame = running("run_cell_async")
    found = frame.f_locals if frame is not None else {}
    text = "" if found.get("silent") else _from_there(str(found.get("raw_cell", "")))
    return (found.get("info"), text) if text else (None, "")


def running(function: str) -> FrameType | None:
    """Return the frame in which IPython's shell is running a function of its own now; None if it is not."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == function and frame.f_code.co_filename.endswith("interactiveshell.py"):
            return frame
        frame = frame.f_back
    return None


def _from_there(text: str) -> str:
    found = LOADS.search(text)
    if found is None:
        return ""
    rest = text[found.end() :]
    try:
        code = extract_facts(to_python(rest)).statements
    except ParseError:  # it stands in a block
        return ""
    return text[: found.start()].count("\n") * "\n" + found[0].strip() + rest if code else ""
