"""A notebook played in a process of its own, with the extension on, and exported from there."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import traceback
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

Cell = str | tuple[str, ...]


def notebook(cells: Sequence[Cell]) -> dict[str, Any]:
    """Return a notebook of format 4; a cell is its source, (markdown above it, source), or that with its tags."""
    made = []
    for number, cell in enumerate(cells):
        above, source, *tags = cell if isinstance(cell, tuple) else ("", cell)
        if above:
            made.append({"cell_type": "markdown", "id": f"m{number}", "metadata": {}, "source": above})
        made.append(
            {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {"tags": tags} if tags else {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
        )
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def export(
    folder: Path,
    cells: Sequence[Cell],
    names: Sequence[str] | None,
    order: Sequence[int] | None = None,
    fails: Collection[int] = (),
    ask: str = "answer",
    before: str = "",
    **wish: Any,
) -> dict[str, Any]:
    """Run the cells in `folder`, in `order` if given, and export to `folder / "out"`; return its answer.

    Parameters
    ----------
    fails : positions of the cells that must fail; no other may.
    ask : what is asked at the end, of those that `surfaces.magics.headless` answers.
    before : a cell that runs before the extension is loaded.
    """
    path = folder / "play.ipynb"
    path.write_text(json.dumps(notebook(cells)))
    asked = {
        "output": str(folder / "out"),
        "targets": ["python"],
        "outputs": ",".join(names) if names else None,
        "name": "play",
    }
    played = (path, order, fails, ask, before, {**asked, **wish})
    process = multiprocessing.get_context("fork").Process(target=_play, args=played)
    process.start()
    process.join(120)
    assert process.exitcode == 0, (folder / "trace.txt").read_text() if (folder / "trace.txt").exists() else "killed"
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    return answer


def elsewhere(folder: Path, files: Mapping[str, str], cells: Sequence[str], name: str = "answer", **wish: Any) -> Any:
    """Export cells, each in a section of its own, from a project with these files; return what the bundle delivers.

    The project is gone when the bundle runs.
    """
    project = folder / "project"
    project.mkdir()
    for path, text in files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    played = [(f"# Part {number}", cell) for number, cell in enumerate(cells)]
    answer = export(project, played, [name], before="import sys; sys.path.insert(0, '')", **wish)
    assert "fault" not in answer, answer
    (project / "out").rename(folder / "out")
    project.rename(folder / "gone")
    command = [sys.executable, "-m", "play", "run", "--store", str(folder / "store"), "--run", "other"]
    ended = subprocess.run(command, cwd=folder / "out" / "src", capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return json.loads((folder / "store/other/outputs" / f"{name}.json").read_text())


def _play(
    path: Path, order: Sequence[int] | None, fails: Collection[int], ask: str, before: str, wish: dict[str, Any]
) -> None:
    folder = path.parent
    try:
        os.chdir(folder)
        sys.path_importer_cache.clear()  # a finder for `.` would look in the folder of the process that was forked
        os.environ["JPY_SESSION_NAME"] = str(path)
        from IPython.core.interactiveshell import InteractiveShell

        from mlops_jupyter.surfaces.magics import headless, load

        shell = InteractiveShell.instance()
        shell.run_cell(before).raise_error()
        load(shell)
        cells = [c["source"] for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
        for number in range(len(cells)) if order is None else order:
            result = shell.run_cell(cells[number], store_history=True)
            if number not in fails:
                result.raise_error()
            assert result.success == (number not in fails), f"cell {number} was to fail"
        getattr(headless, ask)(shell, json.dumps({"outputs": None, **wish}), str(folder / "answer.json"))
    except BaseException:
        (folder / "trace.txt").write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)
