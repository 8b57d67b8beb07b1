"""A bundle appears whole or not at all, and never in the place of something else."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export import bundle

FILES = {"pipeline.yaml": b"name: one\n", "src/p/__init__.py": b"", "data/a.bin": bytes(range(256))}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_written_whole(tmp_path: Path) -> None:
    bundle.write(FILES, tmp_path / "deep" / "out")
    assert contents(tmp_path / "deep" / "out") == FILES
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_older_bundle_is_replaced_with_nothing_left_of_it(tmp_path: Path) -> None:
    bundle.write(FILES | {"old.txt": b"old"}, tmp_path / "out")
    bundle.write(FILES, tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    bundle.write(FILES, tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_bundle_is_left_alone(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
        (out / "thesis.tex").write_text("years of work")
    else:
        out.write_text("years of work")
    with pytest.raises(UserError, match=r"no bundle of ours.*--output"):
        bundle.write(FILES, out)
    assert (out / "thesis.tex" if kind == "folder" else out).read_text() == "years of work"


@pytest.mark.parametrize("before", [None, {"pipeline.yaml": b"name: old\n"}], ids=["nothing there", "a bundle there"])
def test_a_full_disk_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: dict[str, bytes] | None
) -> None:
    out = tmp_path / "out"
    if before:
        bundle.write(before, out)
    written = []

    def fills_up(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bundle.os, "fsync", fills_up)
    with pytest.raises(UserError, match=r"cannot write the bundle.*No space left on device; nothing was changed"):
        bundle.write(FILES, out)
    assert (contents(out) if out.exists() else None) == before
    assert [p.name for p in tmp_path.iterdir()] == (["out"] if before else [])
