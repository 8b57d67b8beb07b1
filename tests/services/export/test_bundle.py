"""A bundle appears whole or not at all, and never in the place of something else."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export.bundle import create
from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export

FILES = {"pipeline.yaml": b"name: one\n", "src/p/__init__.py": b"", "data/a.bin": bytes(range(256))}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_written_whole(tmp_path: Path) -> None:
    create.write(FILES, tmp_path / "deep" / "out")
    assert contents(tmp_path / "deep" / "out") == FILES
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    create.write(FILES, tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_there_is_left_alone(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
        (out / "thesis.tex").write_text("years of work")
    else:
        out.write_text("years of work")
    with pytest.raises(UserError, match=r"no bundle of ours.*--output"):
        create.write(FILES, out)
    assert (out / "thesis.tex" if kind == "folder" else out).read_text() == "years of work"


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    written = []

    def fills_up(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fills_up)
    with pytest.raises(UserError, match=r"cannot write the bundle.*No space left on device; nothing was changed"):
        create.write(FILES, out)
    assert not [*tmp_path.iterdir()]


VALUES = {
    "nothing": "None",
    "number": "0.1",
    "no_number": "float('nan')",
    "endless": "-float('inf')",
    "text": "'Grüße, 数'",
    "half": "'\\ud800'",
    "box": "{'a': [1, 2.5, None]}",
    "long": "list(range(100))",
    "array": "np.arange(3)",
}


def test_short_values_are_expected_in_one_file_and_the_others_in_files_of_their_own(tmp_path: Path) -> None:
    answer = export(tmp_path, ["import numpy as np", "\n".join(f"{n} = {v}" for n, v in VALUES.items())], [*VALUES])
    assert "fault" not in answer, answer
    folder = tmp_path / "out" / "tests" / "expected"
    assert {p.name for p in folder.iterdir()} == {
        "expected.json",
        "steps.json",
        "threads.json",
        "long.json",
        "array.npy",
    }
    rows = {row["name"]: row for row in json.loads((folder / "expected.json").read_text(encoding="utf-8"))}
    inline = {name: repr(row["value"]) for name, row in rows.items() if "value" in row}
    assert inline == {name: repr(eval(VALUES[name])) for name in VALUES if name not in ("long", "array")}
    for row in rows.values():
        row["fingerprint"] = ""  # so that they are compared by value
    (folder / "expected.json").write_text(json.dumps(list(rows.values())))
    assert {o.name: o.status for o in verify(tmp_path / "out").outputs} == dict.fromkeys(VALUES, "identical")
