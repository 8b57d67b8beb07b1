"""A bundle that a stranger made: looking at it, and bringing it up to date, touches nothing outside of its folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export.bundle import transaction
from mlops_jupyter.services.export.bundle.read import read
from mlops_jupyter.services.schedule import bundle as schedule_bundle
from tests.services.export.test_update import NEW, STEP, anew, bring, exported

PRECIOUS = b"mine"


def journal(out: Path, *, write: list[str] | None = None, delete: list[str] | None = None) -> None:
    (out / transaction.STAGE).mkdir(exist_ok=True)
    facts = {"write": write or [], "delete": delete or []}
    (out / transaction.STAGE / transaction.JOURNAL).write_text(json.dumps(facts))


def deletes_through_a_link(out: Path, outside: Path) -> None:
    (out / "way").symlink_to(outside)
    journal(out, delete=["way/precious"])


def writes_through_a_link(out: Path, outside: Path) -> None:
    (out / "way").symlink_to(outside)
    journal(out, write=["way/precious"])
    (out / transaction.STAGE / "files/way").mkdir(parents=True)
    (out / transaction.STAGE / "files/way/precious").write_bytes(b"theirs")


def takes_through_a_staged_link(out: Path, outside: Path) -> None:
    journal(out, write=["way/precious"])
    (out / transaction.STAGE / "files").mkdir()
    (out / transaction.STAGE / "files/way").symlink_to(outside)


def has_a_link_as_stage(out: Path, outside: Path) -> None:
    (outside / transaction.JOURNAL).write_text(json.dumps({"write": ["precious"], "delete": []}))
    (outside / "files").mkdir()
    (outside / "files/precious").write_bytes(PRECIOUS)
    (out / transaction.STAGE).symlink_to(outside)


def deletes_by_a_whole_path(out: Path, outside: Path) -> None:
    journal(out, delete=[str(outside / "precious")])


def deletes_above(out: Path, outside: Path) -> None:
    journal(out, delete=["../outside/precious"])


JOURNALS = (
    deletes_through_a_link,
    writes_through_a_link,
    takes_through_a_staged_link,
    has_a_link_as_stage,
    deletes_by_a_whole_path,
    deletes_above,
)
READERS = (read, schedule_bundle.read)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious").write_bytes(PRECIOUS)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("reader", READERS, ids=["read", "schedule"])
@pytest.mark.parametrize("hostile", JOURNALS, ids=lambda function: function.__name__)
def test_a_journal(
    hostile: Callable[[Path, Path], None], reader: Callable[[Path], object], tmp_path: Path, outside: Path
) -> None:
    out = exported(tmp_path)
    hostile(out, outside)
    before = contents(outside)
    with pytest.raises(UserError) as caught:
        reader(out)
    assert contents(outside) == before
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("write", [bring, anew], ids=["update", "anew"])
def test_a_folder_that_is_a_link_is_not_written_through(
    write: Callable[[Path, object], object], tmp_path: Path, outside: Path
) -> None:
    out = exported(tmp_path)
    shutil.move(out / "src", outside / "src")
    (out / "src").symlink_to(outside / "src")
    before = contents(outside)
    with pytest.raises(UserError, match="'src' in it is a link, which no export writes"):
        write(out, NEW)
    assert contents(outside) == before


@pytest.mark.parametrize("write", [bring, anew], ids=["update", "anew"])
def test_a_file_that_is_a_link_is_not_written_through(
    write: Callable[[Path, object], object], tmp_path: Path, outside: Path
) -> None:
    out = exported(tmp_path)
    (out / STEP).rename(outside / "load.py")
    (out / STEP).symlink_to(outside / "load.py")
    before = contents(outside)
    with pytest.raises(UserError, match="is a folder or a link"):
        write(out, NEW)
    assert contents(outside) == before


def test_a_stage_that_is_a_link_is_not_written_through(tmp_path: Path, outside: Path) -> None:
    out = exported(tmp_path)
    (out / transaction.STAGE).symlink_to(outside)
    with pytest.raises(UserError, match="is a link"):
        bring(out, NEW)
    assert contents(outside) == {"precious": PRECIOUS}


def test_the_bundle_itself_may_be_reached_by_a_link(tmp_path: Path) -> None:
    out = exported(tmp_path)
    (tmp_path / "way").symlink_to(out)
    assert bring(tmp_path / "way", NEW)
    assert (out / STEP).read_bytes() == NEW[STEP]
