"""The audit hook for files never reaches the user's code; what it could not tell, the execution says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PLAY = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
from mlops_jupyter.surfaces.magics import load, session_of

shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
load(shell)
results = [shell.run_cell(cell, store_history=True) for cell in json.loads(sys.argv[1])]
faults = [repr(result.error_in_exec) for result in results if not result.success]
history = [[sorted(e.reads), sorted(e.writes), e.unobserved] for e in session_of(shell).recorder.history]
print("PLAYED" + json.dumps({"faults": faults, "history": history}))
"""

NO_PROC = """
import os
readlink = os.readlink
def without_proc(path, *args, **options):
    if str(path).startswith("/proc/"):
        raise FileNotFoundError(2, "No such file or directory", path)
    return readlink(path, *args, **options)
os.readlink = without_proc
"""


def played(folder: Path, *cells: str) -> Any:
    """Run cells in a process of its own, with the extension on; return what they raised, and the history."""
    command = [sys.executable, "-c", PLAY, json.dumps(cells)]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert "PLAYED" in ended.stdout, ended.stderr
    return json.loads(ended.stdout.partition("PLAYED")[2].splitlines()[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data.txt").write_text("5")
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    (tmp_path / "tree" / "inner" / "part.txt").write_text("1")
    return tmp_path


GO = "import os\nhome = os.getcwd()\nos.mkdir('gone')\nos.chdir('gone')\nos.rmdir(home + '/gone')"


def test_an_absolute_path_is_seen_where_the_working_directory_is_gone(folder: Path) -> None:
    answer = played(folder, f"{GO}\ntext = open(home + '/data.txt').read()", "again = open(home + '/data.txt').read()")
    assert answer["faults"] == []
    for reads, _, unobserved in answer["history"]:
        assert unobserved == ""
        assert "~file:data.txt" in reads


def test_no_file_can_be_in_a_folder_that_is_gone(folder: Path) -> None:
    answer = played(folder, f"{GO}\ntry:\n    open('x')\nexcept FileNotFoundError:\n    missing = True")
    assert answer["faults"] == []
    ((_, writes, unobserved),) = answer["history"]
    assert unobserved == ""
    assert "missing" in writes


def test_what_leads_out_of_a_folder_that_is_gone_is_not_known(folder: Path) -> None:
    answer = played(folder, f"{GO}\ntry:\n    open('../data.txt')\nexcept FileNotFoundError:\n    pass")
    assert answer["faults"] == []
    assert answer["history"] == [[[], [], "it used a file that could not be told (FileNotFoundError)"]]


TREE = "import shutil\nshutil.rmtree('tree')"


@pytest.mark.parametrize("before", ["", NO_PROC], ids=["as on Linux", "where there is no proc"])
def test_a_tree_is_removed_and_its_files_are_seen(before: str, folder: Path) -> None:
    answer = played(folder, f"{before}\n{TREE}")
    assert answer["faults"] == []
    assert not (folder / "tree").exists()
    ((reads, writes, unobserved),) = answer["history"]
    assert unobserved == ""
    assert "~file:tree/inner/part.txt" in reads
    assert "~file:tree/inner/part.txt" in writes


def test_a_tree_that_the_cell_made_itself_leaves_no_trace(folder: Path) -> None:
    made = "import os, shutil\nos.mkdir('own')\nfor n in 'ab':\n    open(f'own/{n}.txt', 'w').close()\n"
    answer = played(folder, f"{made}shutil.rmtree('own')")
    assert answer["faults"] == []
    ((reads, writes, _),) = answer["history"]
    assert not [name for name in (*reads, *writes) if name.startswith("~file:")]


REMOVE = (
    "import os\nhandle = os.open('tree/inner', os.O_RDONLY)\nos.remove('part.txt', dir_fd=handle)\nos.close(handle)"
)


def test_a_file_of_an_open_folder(folder: Path) -> None:
    answer = played(folder, REMOVE)
    assert answer["faults"] == []
    ((_, writes, unobserved),) = answer["history"]
    assert unobserved == ""
    assert "~file:tree/inner/part.txt" in writes


def test_a_file_of_an_open_folder_is_not_known_where_there_is_no_proc(folder: Path) -> None:
    answer = played(folder, f"{NO_PROC}\n{REMOVE}", "after = 1")
    assert answer["faults"] == []
    assert not (folder / "tree" / "inner" / "part.txt").exists()
    (reads, writes, unobserved), (_, _, later) = answer["history"]
    assert (reads, writes) == ([], [])
    assert unobserved == "it used a file that could not be told (FileNotFoundError)"
    assert later == ""
