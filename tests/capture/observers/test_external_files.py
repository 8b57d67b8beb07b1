"""Files that a shell command reads: no audit event tells of them, so they are told by what its line names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.observers.external_files import ExternalFiles
from mlops_jupyter.capture.observers.file_variables import FileVariables

ROWS = {
    "a file": ("!wc -l data/raw/a.csv", {"data/raw/a.csv"}),
    "a pattern": ("!cat data/raw/*.csv", {"data/raw/a.csv", "other/b.csv"}),
    "a folder": ("!ls data", {"data/raw/a.csv", "data/c.txt"}),
    "a folder in it": ("files = !ls './data/raw/'", {"data/raw/a.csv"}),
    "a folder as an option": ("!python train.py --data=data/raw", {"data/raw/a.csv"}),
    "a folder in a program": ("%%bash\nset -e\n(cd data && ls)", {"data/raw/a.csv", "data/c.txt"}),
    "this folder": ("!ls .", set()),
    "a folder that is not there": ("!mkdir -p dat", set()),
    "no shell line": ("data = 1", set()),
}


@pytest.mark.parametrize(("text", "expected"), ROWS.values(), ids=ROWS)
def test_what_a_shell_line_reads(
    text: str, expected: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data/raw/a.csv", "data/c.txt", "other/b.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    monkeypatch.chdir(tmp_path)
    observer, cell = ExternalFiles(FileVariables()), ActiveCell(None, text)
    observer.before(cell)
    seen = observer.after(cell)
    assert seen.reads == {f"~file:{path}" for path in expected}
    assert seen.writes == {}
