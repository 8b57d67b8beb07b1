"""Magics that only IPython knows, kept with `--allow-ipython`: the step runs them in a shell of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export

EXTENSION = """
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class


@magics_class
class Shout(Magics):
    @line_magic
    def shout(self, line):
        self.shell.user_ns["loud"] = line.upper()
        return len(line)

    @line_magic
    def extend(self, line):
        self.shell.user_ns[line.strip()].append(0)

    @line_cell_magic
    def both(self, line, cell=None):
        self.shell.user_ns[line.strip() or "word"] = (cell or "").split()


def load_ipython_extension(shell):
    shell.register_magics(Shout)
"""

CASES = {
    "binds a name": (["%shout hello", "y = loud + '!'"], "y loud"),
    "gives a value": (["n = %shout hello", "m = n + len(loud)"], "n m loud"),
    "reads a value": (["who = 'you'", "%shout hello {who}", "y = loud"], "y"),
    "changes a value in place": (["rows = [1]", "%extend rows", "n = len(rows)"], "rows n"),
    "over a cell": (["%%both found\na b\nc", "n = len(found)"], "found n"),
}


@pytest.mark.parametrize(("cells", "names"), CASES.values(), ids=CASES)
def test_same_values(cells: list[str], names: str, tmp_path: Path) -> None:
    (tmp_path / "shout_of_this_test.py").write_text(EXTENSION)
    cells = ["import sys\nsys.path.insert(0, '.')", "%load_ext shout_of_this_test", *cells]
    marked = [(f"# Part {chr(97 + number)}", source) for number, source in enumerate(cells)]
    answer = export(tmp_path, marked, names.split(), allow_ipython=True)
    assert "fault" not in answer, answer
    (tmp_path / "shout_of_this_test.py").unlink()
    proof = verify(tmp_path / "out")
    assert proof.status == "identical", proof
    assert "ipython==" in (tmp_path / "out" / "pipeline.yaml").read_text()


def test_refused_unless_allowed(tmp_path: Path) -> None:
    (tmp_path / "shout_of_this_test.py").write_text(EXTENSION)
    cells = ["import sys\nsys.path.insert(0, '.')", "%load_ext shout_of_this_test\n%shout a"]
    assert "cell 2, line 2: %shout has no meaning outside IPython" in export(tmp_path, cells, ["loud"])["fault"]
