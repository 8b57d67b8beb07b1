"""Files that a library reads and writes by itself: they travel, and `--data` replaces them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.export.recorded import export
from tests.services.export.test_other_days import ran

FILES = {"d/one.csv": "a\n1\n", "d/two.csv": "a\n2\n"}
NEWER = {"d/one.csv": "a\n10\n"}
SUM = "answer = sum(table.column('a').to_pylist())"

CASES = {
    "a path": (("import pyarrow.csv as pc\ntable = pc.read_csv('d/one.csv')", SUM), 1, 10),
    "a path that is filled in, in a function": (
        (
            "import pyarrow.csv as pc\ndef load(name):\n    return pc.read_csv(f'd/{name}.csv')",
            "table = load('one')",
            SUM,
        ),
        1,
        10,
    ),
    "an attribute of an object": (
        (
            "import pyarrow.csv as pc\nclass Loader:\n    path = 'd/one.csv'\n"
            "    def load(self):\n        return pc.read_csv(self.path)\nloader = Loader()",
            "table = loader.load()",
            SUM,
        ),
        1,
        10,
    ),
    "parts of a path": (
        (
            "from pathlib import Path\nhome = Path('d')",
            "import pyarrow.csv as pc\ntable = pc.read_csv(home / 'one.csv')",
            SUM,
        ),
        1,
        10,
    ),
    "a folder": (
        ("import pyarrow.dataset as ds\ntable = ds.dataset('d', format='csv').to_table()", SUM),
        3,
        12,
    ),
    "a file that one step writes and another reads": (
        (
            "import pyarrow.csv as pc\nimport pyarrow.parquet as pq\npq.write_table(pc.read_csv('d/one.csv'), 'o.bin')",
            "table = pq.read_table('o.bin')",
            SUM,
        ),
        1,
        10,
    ),
}


@pytest.mark.parametrize(("cells", "today", "other"), CASES.values(), ids=CASES)
def test_it_travels(cells: tuple[str, ...], today: int, other: int, tmp_path: Path) -> None:
    for folder, files in ((tmp_path, FILES), (tmp_path / "newer", NEWER)):
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    answer = export(tmp_path, [(f"# Part {n}", cell) for n, cell in enumerate(cells)], ["answer"])
    assert "fault" not in answer, answer
    for path in FILES:
        (tmp_path / path).unlink()
    assert ran(tmp_path) == today
    assert ran(tmp_path, "--data", str(tmp_path / "newer")) == other
