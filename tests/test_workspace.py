"""The record of a project is its owner's alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_jupyter.workspace import FOLDER, Workspace


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def permissions(folder: Path) -> dict[str, str]:
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}


@pytest.mark.usefixtures("open_umask")
def test_nobody_else_reads_the_record(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.ledger.execute("INSERT INTO outbox (kind, payload, created) VALUES ('k', '{}', 0)")
    assert oct((tmp_path / FOLDER).stat().st_mode & 0o777) == "0o700"
    assert permissions(tmp_path / FOLDER) == dict.fromkeys(
        (".gitignore", "ledger.db", "ledger.db-wal", "ledger.db-shm"), "0o600"
    )
    workspace.close()


@pytest.mark.usefixtures("open_umask")
def test_what_an_older_version_left_readable_is_closed(tmp_path: Path) -> None:
    Workspace(tmp_path).close()
    for path in (tmp_path / FOLDER, *(tmp_path / FOLDER).iterdir()):
        path.chmod(0o777 if path.is_dir() else 0o644)
    Workspace(tmp_path).close()
    assert oct((tmp_path / FOLDER).stat().st_mode & 0o777) == "0o700"
    assert set(permissions(tmp_path / FOLDER).values()) == {"0o600"}


@pytest.mark.usefixtures("open_umask")
def test_a_link_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shared.log").write_text("")
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "scheduler.log").symlink_to(tmp_path / "shared.log")
    Workspace(tmp_path).close()
    assert oct((tmp_path / "shared.log").stat().st_mode & 0o777) == "0o666"
