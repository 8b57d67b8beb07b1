"""Files that a notebook changes after it has read them: a bundle begins with what they were before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.export.test_project_files import exported, ran

CHANGED = "open('n.txt', 'w').write('9')"

CASES = {
    "an input that is overwritten": (("n = int(open('n.txt').read())", CHANGED, "answer = n"), {"n.txt": "4"}, 4),
    "in the cell that reads it": ((f"n = int(open('n.txt').read())\n{CHANGED}", "answer = n"), {"n.txt": "4"}, 4),
    "a log that is there and grows": (
        ("with open('n.txt', 'a') as f:\n    f.write('1')",) * 2 + ("answer = int(open('n.txt').read())",),
        {"n.txt": "4"},
        411,
    ),
    "a log that is new and grows": (
        ("with open('n.txt', 'a') as f:\n    f.write('1')",) * 2 + ("answer = int(open('n.txt').read())",),
        {},
        11,
    ),
    "a file that another takes the place of": (
        (
            "import os\nn = int(open('n.txt').read())\nopen('m.txt', 'w').write('9')\nos.replace('m.txt', 'n.txt')",
            "answer = 10 * n + int(open('n.txt').read())",
        ),
        {"n.txt": "4"},
        49,
    ),
    "an input that is removed": (
        ("n = int(open('n.txt').read())", "import os\nos.remove('n.txt')", "answer = n"),
        {"n.txt": "4"},
        4,
    ),
    "an input that Arrow overwrites": (
        (
            "import pyarrow.csv as pc\ntable = pc.read_csv('n.csv')",
            "import pyarrow.parquet as pq\nimport pyarrow as pa\npc.write_csv(pa.table({'a': [9]}), 'n.csv')",
            "answer = table.column('a').to_pylist()[0]",
        ),
        {"n.csv": "a\n4\n"},
        4,
    ),
    "a temporary folder whose object goes with its step": (
        (
            "import tempfile\ntmp = tempfile.TemporaryDirectory()\nhome = Path(tmp.name)",
            "(home / 'n.txt').write_text('4')",
            "n = int((home / 'n.txt').read_text())",
            "answer = n",
        ),
        {},
        4,
    ),
}


@pytest.mark.parametrize(("cells", "files", "value"), CASES.values(), ids=CASES)
def test_each_run_begins_with_the_files_as_they_were(
    cells: tuple[str, ...], files: dict[str, str], value: int, tmp_path: Path
) -> None:
    answer = exported(tmp_path, cells, {f"notebooks/{path}": text for path, text in files.items()})
    assert "fault" not in answer, answer
    assert ran(tmp_path) == value
    assert ran(tmp_path, "--from", "part_1") == value
