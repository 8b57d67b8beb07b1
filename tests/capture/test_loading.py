"""The cell that loads the extension: what follows that line is recorded, and what stands above it was there before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_jupyter.capture import loading

PLAY = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
cells, asked = json.loads(sys.argv[1])
for cell in cells:
    shell.run_cell(cell, store_history=True).raise_error()
shell.run_cell(f"found = %pipeline slice {asked}").raise_error()
print("SLICE" + json.dumps(shell.user_ns["found"].text))
"""


def sliced(folder: Path, asked: str, *cells: str) -> str:
    """Run cells in a process of their own, of which one loads the extension; return a slice without its comments."""
    done = subprocess.run(
        [sys.executable, "-c", PLAY, json.dumps([cells, asked])], cwd=folder, capture_output=True, text=True
    )
    if "SLICE" not in done.stdout:
        return done.stderr.strip().splitlines()[-1]
    text = json.loads(done.stdout.partition("SLICE")[2])
    return "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))


def test_what_follows_the_line_is_recorded(tmp_path: Path) -> None:
    first = "%load_ext mlops_jupyter\nimport math\nk = 2\nrows = [1]"
    assert sliced(tmp_path, "y", first, "rows.append(k)", "y = math.floor(k + rows[1])") == (
        "import math\nk = 2\nrows = [1]\nrows.append(k)\ny = math.floor(k + rows[1])"
    )


def test_what_stands_above_it_was_made_before(tmp_path: Path) -> None:
    first = "above = 1\n%load_ext mlops_jupyter\nbelow = above + 1"
    assert sliced(tmp_path, "other", first, "other = 5") == "other = 5"
    said = sliced(tmp_path, "y", first, "y = below")
    assert "'above', which was made before `%load_ext mlops_jupyter`" in said


ROWS = {
    "alone": ("%load_ext mlops_jupyter", ""),
    "with nothing but a comment": ("%load_ext mlops_jupyter\n# now\n", ""),
    "with code": ("%load_ext mlops_jupyter\nx = 1", "%load_ext mlops_jupyter\nx = 1"),
    "below code": ("a = 1\n%load_ext mlops_jupyter\nx = 1", "\n%load_ext mlops_jupyter\nx = 1"),
    "in a block": ("try:\n    %load_ext mlops_jupyter\nexcept Exception:\n    pass", ""),
    "of another": ("%load_ext mlops_jupyter_not\nx = 1", ""),
    "by another way": ("get_ipython().extension_manager.load_extension('mlops_jupyter')\nx = 1", ""),
}


@pytest.mark.parametrize(("text", "expected"), ROWS.values(), ids=ROWS)
def test_where_recording_begins(text: str, expected: str) -> None:
    assert loading._from_there(text) == expected
