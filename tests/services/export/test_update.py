"""An update changes what differs and no more, keeps what a person marked, and is done whole or not at all."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.core.plan import Plan, ScheduleSpec
from mlops_jupyter.services.export.bundle import create, manifest, transaction, update
from mlops_jupyter.services.export.bundle.read import read
from mlops_jupyter.services.pipeline.planner import PlanRequest

STEP = "src/p/steps/load.py"
PLAN = Plan("p", "p", steps=())
REQUEST = PlanRequest("p", ("x",), ScheduleSpec("0 6 * * 1", "Europe/Oslo"), secrets=("KEY",), data_bytes=5)
OLD = {
    "pipeline.yaml": b"package: p\n",
    "README.md": b"# P\n\nOne step.\n",
    STEP: b"def load(n=5):\n    rows = read(n)\n    rows = clean(rows)\n    return rows\n",
    "dags/p.py": b"one = 1\n",
    "data.bin": bytes(range(256)),
}
EDITED = b"one = 2\n"
NEW = {**OLD, STEP: OLD[STEP].replace(b"n=5", b"n=6"), "README.md": OLD["README.md"] + b"More.\n"}
KEEP = b"    # keep: begin mine\n    rows = mine(rows)\n    # keep: end\n"
MARKED = OLD[STEP].replace(b"    return", KEEP + b"    return")


def exported(folder: Path, files: Mapping[str, bytes] = OLD) -> Path:
    out = folder / "out"
    create.write({**files, manifest.NAME: manifest.written(manifest.of(files, REQUEST, ["airflow"]))}, out)
    return out


def bring(out: Path, files: Mapping[str, bytes]) -> update.BundleChanges:
    return update.write(files, PLAN, REQUEST, ["airflow"], out)


def contents(folder: Path) -> dict[str, bytes]:
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {path: data for path, data in found.items() if path != manifest.NAME}


def times(folder: Path) -> dict[str, int]:
    return {p.relative_to(folder).as_posix(): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def test_the_manifest_comes_back(tmp_path: Path) -> None:
    assert manifest.read(exported(tmp_path)) == manifest.of(OLD, REQUEST, ["airflow"])


def test_nothing_new_touches_no_file(tmp_path: Path) -> None:
    out = exported(tmp_path)
    before = times(out)
    assert not bring(out, OLD)
    assert times(out) == before


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    out = exported(tmp_path)
    before = times(out)
    done = bring(out, NEW)
    assert (set(done.writes), done.deletes, done.kept) == ({STEP, "README.md"}, [], [])
    assert contents(out) == NEW
    assert {path for path, time in times(out).items() if before[path] != time} == {STEP, "README.md", manifest.NAME}
    assert not bring(out, NEW)


def anew(out: Path, files: Mapping[str, bytes]) -> None:
    update.anew(files, REQUEST, ["airflow"], out)


@pytest.mark.parametrize("write", [bring, anew])
def test_what_the_export_did_not_write_stays(tmp_path: Path, write: Callable[..., object]) -> None:
    out = exported(tmp_path)
    own = {"notes.txt": b"mine", "src/p/steps/own.py": b"mine = 1\n", "dags/other.py": b"mine = 2\n"}
    for path, data in own.items():
        (out / path).write_bytes(data)
    write(out, WITHOUT)
    assert contents(out) == {**WITHOUT, **own}
    assert manifest.read(out).files.keys() == WITHOUT.keys()


def test_folders_that_become_empty_go(tmp_path: Path) -> None:
    out = exported(tmp_path)
    bring(out, {path: data for path, data in OLD.items() if path != "dags/p.py"})
    assert not (out / "dags").exists()


EDITS: dict[str, tuple[dict[str, bytes], Mapping[str, bytes], dict[str, bytes], list[str]]] = {
    "a region, the file made anew": ({STEP: MARKED}, NEW, {**NEW, STEP: MARKED.replace(b"n=5", b"n=6")}, [STEP]),
    "any edit, the file as before": ({"dags/p.py": EDITED}, NEW, {**NEW, "dags/p.py": EDITED}, ["dags/p.py"]),
    "a file that is gone": ({"dags/p.py": b""}, NEW, NEW, []),
    "ends of lines, as git may change them": ({STEP: OLD[STEP].replace(b"\n", b"\r\n")}, NEW, NEW, []),
    "by hand what the notebook has now": ({STEP: NEW[STEP]}, NEW, NEW, []),
}


@pytest.mark.parametrize("case", EDITS.values(), ids=EDITS)
def test_edits_are_kept(tmp_path: Path, case: tuple) -> None:
    edits, new, expected, kept = case
    out = exported(tmp_path)
    for path, data in edits.items():
        (out / path).write_bytes(data) if data else (out / path).unlink()
    assert bring(out, new).kept == kept
    assert contents(out) == expected
    assert not bring(out, new), "a second time there is nothing to do"
    assert contents(out) == expected


UNINDENTED = OLD[STEP].replace(b"    return", KEEP.replace(b"    rows", b"rows") + b"    return")
SCRUBBED = {**OLD, STEP: OLD[STEP].replace(b"clean", b"scrub")}
WITHOUT = {path: data for path, data in NEW.items() if path != "dags/p.py"}

CONFLICTS: dict[str, tuple[str, bytes, Mapping[str, bytes], str]] = {
    "an edit that is not marked": (STEP, OLD[STEP].replace(b"read", b"load"), NEW, "was edited outside of marked"),
    "lines around a region": (STEP, MARKED, SCRUBBED, "has the region 'mine', and the notebook changes"),
    "an edit of a file that goes": ("dags/p.py", EDITED, WITHOUT, "was edited, and the notebook no longer makes it"),
    "a file in the way": ("dags/q.py", b"mine\n", {**NEW, "dags/q.py": b"two = 2\n"}, "is no file of the export"),
    "bytes": ("data.bin", b"\xff\xfe", {**OLD, "data.bin": b"\xff"}, "was edited, and no regions can be marked"),
    "regions that break the syntax": (STEP, UNINDENTED, NEW, "would be no Python with its regions in it"),
}


@pytest.mark.parametrize("case", CONFLICTS.values(), ids=CONFLICTS)
def test_a_conflict_changes_nothing(tmp_path: Path, case: tuple) -> None:
    path, data, new, said = case
    out = exported(tmp_path)
    (out / path).write_bytes(data)
    before, at = contents(out), times(out)
    with pytest.raises(UserError) as fault:
        bring(out, new)
    assert f"is left as it is: {path!r} {said}" in str(fault.value)
    assert "\n" not in str(fault.value)
    assert (contents(out), times(out)) == (before, at)


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        (STEP, MARKED, "was edited: --update keeps what is marked in it; or take the file away"),
        ("dags/p.py", EDITED, "was edited"),
        ("dags/q.py", b"mine\n", "is no file of the export"),
    ],
    ids=["edited", "a file that goes", "a file in the way"],
)
def test_nothing_of_a_person_is_written_over(tmp_path: Path, path: str, data: bytes, said: str) -> None:
    out = exported(tmp_path)
    (out / path).write_bytes(data)
    before, at = contents(out), times(out)
    with pytest.raises(UserError, match=f"is left as it is: '{path}' {said}"):
        anew(out, {**WITHOUT, "dags/q.py": b"two = 2\n"})
    assert (contents(out), times(out)) == (before, at)
    (out / path).unlink()
    anew(out, NEW)
    assert contents(out) == NEW


@pytest.mark.parametrize("write", [bring, anew])
def test_a_folder_in_the_way(tmp_path: Path, write: Callable[..., object]) -> None:
    out = exported(tmp_path)
    (out / "new").mkdir()
    with pytest.raises(UserError, match="'new' is a folder or a link"):
        write(out, {**OLD, "new": b"x"})


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (
        lambda out: (out / manifest.NAME).unlink(),
        "does not say what was written .*: move it away",
    ),
    "no json": (lambda out: (out / manifest.NAME).write_text("{"), "cannot be read .JSONDecodeError"),
    "a list": (lambda out: (out / manifest.NAME).write_text("[]"), "cannot be read .TypeError"),
    "newer": (lambda out: (out / manifest.NAME).write_text('{"format": 99}'), "by a newer version of mlops_jupyter"),
    "outside": (
        lambda out: (out / manifest.NAME).write_text(
            '{"format": 1, "request": {"name": "p"}, "targets": [], "lines": {}, "files": {"../../x": ""}}'
        ),
        "it names '../../x', which is not in the bundle",
    ),
}


@pytest.mark.parametrize("write", [bring, anew])
@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_compared_is_one_line(tmp_path: Path, case: tuple, write: Callable[..., object]) -> None:
    spoil, said = case
    out = exported(tmp_path)
    spoil(out)
    with pytest.raises(UserError, match=said) as fault:
        write(out, NEW)
    assert "\n" not in str(fault.value)
    assert contents(out) == OLD


def test_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no bundle at .*: make one with export, without --update"):
        manifest.read(tmp_path)


def test_what_is_not_asked_for_stays_as_it_was() -> None:
    known = manifest.of(OLD, REQUEST, ["airflow"])
    assert known.over(PlanRequest(""), ["python"]) == (REQUEST, ("airflow",))
    asked = PlanRequest("", schedule=ScheduleSpec(every_seconds=60), secrets=("OTHER",))
    made, targets = known.over(asked, ["argo", "python"])
    assert (made.name, made.outputs, made.schedule, made.secrets) == ("p", ("x",), asked.schedule, ("OTHER",))
    assert targets == ("argo", "python")
    with pytest.raises(UserError, match="--update keeps the bundle's name 'p': leave --name 'q' out"):
        known.over(PlanRequest("q"), ["python"])


def _killed_at(out: Path, count: int) -> None:
    """Bring a bundle up to date, and be killed before the system is asked for the nth time to move or delete."""
    left = [count]

    def dies(original: Callable) -> Callable:
        def call(*args, **more):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **more)

        return call

    for name in ("replace", "unlink"):
        setattr(Path, name, dies(getattr(Path, name)))
    bring(out, WITHOUT)
    os._exit(0)


def test_killed_at_any_moment_it_is_the_old_bundle_or_the_new_one(tmp_path: Path) -> None:
    new, seen = WITHOUT, []
    for count in range(30):
        (tmp_path / str(count)).mkdir()
        out = exported(tmp_path / str(count))
        process = multiprocessing.get_context("fork").Process(target=_killed_at, args=(out, count))
        process.start()
        process.join(60)
        read(out)  # as whoever runs it next reads it
        found = {path: data for path, data in contents(out).items() if not path.startswith(transaction.STAGE)}
        assert found in (OLD, new), count
        seen.append(found == new)
        assert not bring(out, new) or not seen[-1]
        assert contents(out) == new
        assert not (out / transaction.STAGE).exists()
        if process.exitcode == 0:
            break
    assert process.exitcode == 0
    assert seen == sorted(seen)
    assert {True, False} == set(seen)


@pytest.mark.parametrize("written", range(3))
def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    out = exported(tmp_path)
    before, count = times(out), []

    def fills_up(descriptor: int) -> None:
        count.append(descriptor)
        if len(count) > written:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fills_up)
        with pytest.raises(UserError, match=r"cannot write the bundle .*No space left on device; nothing was changed"):
            bring(out, NEW)
    assert times(out) == before
    assert bring(out, NEW)
    assert contents(out) == NEW


def test_what_cannot_be_finished_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = exported(tmp_path)
    move = Path.replace

    def stuck(self: Path, target: Path) -> Path:
        if target == out / STEP:
            raise OSError(errno.EROFS, "Read-only file system")
        return move(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stuck)
        with pytest.raises(UserError, match="is changed in part: Read-only file system; mend that"):
            bring(out, NEW)
    read(out)
    assert contents(out) == NEW


def test_a_journal_moves_nothing_outside_of_the_bundle(tmp_path: Path) -> None:
    out = exported(tmp_path)
    (tmp_path / "precious").write_text("mine")
    (out / transaction.STAGE).mkdir()
    (out / transaction.STAGE / transaction.JOURNAL).write_text('{"write": [], "delete": ["../precious"]}')
    with pytest.raises(UserError, match=r"it names '\.\./precious', which is not in the bundle"):
        read(out)
    assert (tmp_path / "precious").is_file()


def test_two_writers(tmp_path: Path) -> None:
    out = exported(tmp_path)
    with transaction.locked(out), pytest.raises(UserError, match="is being written by another process: try again"):
        bring(out, NEW)
    assert contents(out) == OLD
    assert bring(out, NEW)


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_others_may_read_what_they_could_read(tmp_path: Path, mask: int) -> None:
    """An update gives its files the permissions that an export gives, by the process's own umask."""
    before = os.umask(mask)
    try:
        out = exported(tmp_path)
        bring(out, NEW)
    finally:
        os.umask(before)
    assert {oct(path.stat().st_mode & 0o777) for path in out.rglob("*") if path.is_file()} == {oct(0o666 & ~mask)}
