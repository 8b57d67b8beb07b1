"""What IPython remembers from cell to cell is told only where the cells' texts tell it."""

from __future__ import annotations

import pytest

from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.ids import ExecutionId
from mlops_jupyter.services.pipeline.magics.session_memory import is_capture_read, previous_folder

FOLDERS = {
    "down and back": (["%cd raw", "%cd -"], ".."),
    "up and back": (["%cd ../data", "x = 1", "%cd -"], None),  # by a folder whose name no cell tells
    "quietly": (["%cd -q raw/new", "%cd -"], "../.."),
    "twice down": (["%cd raw", "%cd new", "%cd -"], ".."),
    "back and forth": (["%cd raw", "%cd -", "%cd -"], "raw"),
    "nothing before": (["%cd -"], None),
    "not back": (["%cd raw", "%cd new"], None),
    "a value": (["%cd {raw}", "%cd -"], None),
    "another value": (["%cd $raw", "%cd -"], None),
    "a whole path": (["%cd /raw", "%cd -"], None),
    "the home folder": (["%cd", "%cd -"], None),
    "two in one cell": (["%cd raw\n%cd new", "%cd -"], None),
    "code moves, too": (["import os\nos.chdir('raw')", "%cd new", "%cd -"], None),
    "a stack": (["%pushd raw", "%cd -"], ".."),
}


def played(bodies: list[str]) -> list[Execution]:
    moves = [{"~cwd": "?"} if "cd" in body or "chdir" in body or "pushd" in body else {} for body in bodies]
    return [Execution(ExecutionId(n), b, b, writes=w) for n, (b, w) in enumerate(zip(bodies, moves, strict=True))]


@pytest.mark.parametrize("name", FOLDERS)
def test_previous_folder(name: str) -> None:
    bodies, folder = FOLDERS[name]
    assert previous_folder(played(bodies), len(bodies) - 1) == folder


def test_a_folder_that_was_not_there_moves_nothing() -> None:
    history = [Execution(ExecutionId(0), "%cd nowhere", "%cd nowhere"), *played(["%cd -"])]
    assert previous_folder(history, 1) is None


CAPTURES = {
    "read later": ("%%capture printed\nprint(1)", "x = printed.stdout", True),
    "read by none": ("%%capture printed\nprint(1)", "x = 1", False),
    "without a name": ("%%capture\nprint(1)", "x = printed", False),
    "by another magic": ("%%time\nprint(1)", "x = printed", False),
}


@pytest.mark.parametrize("name", CAPTURES)
def test_is_capture_read(name: str) -> None:
    first, second, expected = CAPTURES[name]
    reads = frozenset({"printed"} if "printed" in second else ())
    history = [Execution(ExecutionId(0), first, first), Execution(ExecutionId(1), second, second, reads=reads)]
    assert is_capture_read(history, 0) is expected
