"""A bundle's own files, read back: what they say, and one clear line where one is not as an export writes it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.export.bundle import manifest
from mlops_jupyter.services.export.bundle import read as files
from mlops_jupyter.services.export.bundle.create import MARK
from mlops_jupyter.services.export.bundle.read import LARGEST, StoredBundle, read
from mlops_jupyter.services.export.run.verify import verify
from mlops_jupyter.services.schedule import bundle as scheduled

WHOLE = """\
name: Churn
package: churn
steps:
- {name: load, version: "4f", inputs: {}, outputs: [x]}
parameters: {n: 3, day: "2026-01-31"}
outputs: {x: load}
schedule: {cron: "0 6 * * 1", timezone: Asia/Tokyo}
environment:
  python: "3.11"
  requirements: ["pandas==3.1"]
  variables: {PYTHONHASHSEED: "0", THREADS: 4}
  secrets: [TOKEN]
alert: HOOK
notes: []
"""

PHYSICAL: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "{yaml: it is empty; json: Expecting value"),
    "binary": (lambda path: path.write_bytes(b"\x89PNG\xff\x00"), "it is no UTF-8 text"),
    "NULs": (lambda path: path.write_bytes(b"\x00" * 9), "{yaml: unacceptable character; json: Expecting value"),
    "huge": (lambda path: os.truncate(path, LARGEST + 1), "it is larger than 16 MB"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "it is no file"),
    "a pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "it is no file"),
    "a link to a device": (lambda path: (path.unlink(), path.symlink_to("/dev/zero")), "it is no file"),
    "a link to nothing": (lambda path: (path.unlink(), path.symlink_to("gone")), "No such file or directory"),
    "a link to itself": (lambda path: (path.unlink(), path.symlink_to(path)), "Too many levels of symbolic links"),
    "very deep": (lambda path: path.write_text("[" * 100_000), "{yaml: maximum recursion; json: maximum recursion"),
}

MALFORMED = {
    "not YAML": ("{", "while parsing a flow node"),
    "a list": ("- a", "it holds no mapping"),
    "a text": ("hello", "it holds no mapping"),
    "an object of Python": ("package: !!python/object:os.system x", "could not determine a constructor"),
    "no such day": ("package: churn\nparameters: {day: 2026-13-45}", "month must be in 1..12"),
    "no package": ("name: churn", "it names no package (found None)"),
    "a package that is none": ("package: a b", "it names no package (found 'a b')"),
    "a package that is a number": ("package: 3", "it names no package (found 3)"),
    "steps no list": ("package: churn\nsteps: {load: 1}", "steps is no list"),
    "a step that is a text": ("package: churn\nsteps: [load]", "steps has 'load', which has no name"),
    "a step without a name": ("package: churn\nsteps: [{version: a}]", "which has no name"),
    "parameters a text": ("package: churn\nparameters: n", "parameters is no mapping"),
    "a parameter with no name": ("package: churn\nparameters: {1: 2}", "parameters has 1: 2"),
    "outputs a list": ("package: churn\noutputs: [x]", "outputs is no mapping"),
    "an output of no step": ("package: churn\noutputs: {x: 3}", "outputs has 'x': 3, which no export writes"),
    "environment a list": ("package: churn\nenvironment: [x]", "environment is no mapping"),
    "requirements a text": ("package: churn\nenvironment: {requirements: a}", "requirements is no list of texts"),
    "variables a list": ("package: churn\nenvironment: {variables: [a]}", "variables is no mapping"),
    "a variable of many": ("package: churn\nenvironment: {variables: {A: [1]}}", "variables has 'A': [1]"),
    "secrets of numbers": ("package: churn\nenvironment: {secrets: [1]}", "secrets is no list of texts"),
    "an alert to many": ("package: churn\nalert: [a]", "alert is no text: ['a']"),
    "a schedule that is a text": ("package: churn\nschedule: daily", "schedule is no mapping"),
    "a schedule of no kind": ("package: churn\nschedule: {timezone: UTC}", "schedule has no kind"),
    "a schedule of two kinds": ("package: churn\nschedule: {data: a, after: b}", "schedule has data and after"),
    "a schedule of wrong types": ("package: churn\nschedule: {every_seconds: '9'}", "'9', which is no int"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle with what a schedule needs of it."""
    (tmp_path / MARK).write_text(WHOLE)
    main = tmp_path / "src" / "churn" / "__main__.py"
    main.parent.mkdir(parents=True)
    main.write_text("")
    note = {"format": 1, "request": {"name": "Churn"}, "targets": ["python"], "files": {MARK: "0f"}, "lines": {}}
    (tmp_path / manifest.NAME).write_text(json.dumps(note))
    return tmp_path


def refused(reading: Callable[[Path], object], folder: Path) -> str:
    """The line that is said; it is one."""
    with pytest.raises(UserError) as fault:
        reading(folder)
    assert "\n" not in str(fault.value)
    return str(fault.value)


def test_what_a_bundle_says(folder: Path) -> None:
    assert read(folder) == StoredBundle(
        folder=folder,
        package="churn",
        steps=({"name": "load", "version": "4f", "inputs": {}, "outputs": ["x"]},),
        parameters={"n": 3, "day": "2026-01-31"},
        outputs={"x": "load"},
        schedule=ScheduleSpec("0 6 * * 1", "Asia/Tokyo"),
        alert="HOOK",
        requirements=("pandas==3.1",),
        variables={"PYTHONHASHSEED": "0", "THREADS": "4"},
        secrets=("TOKEN",),
    )


def test_a_package_is_all_that_must_be_said(folder: Path) -> None:
    (folder / MARK).write_text("package: churn\n")
    assert read(folder) == StoredBundle(folder, "churn")


def test_a_link_to_a_file_is_that_file(folder: Path) -> None:
    (folder / MARK).rename(folder / "other.yaml")
    (folder / MARK).symlink_to("other.yaml")
    assert read(folder).package == "churn"


@pytest.mark.parametrize("reading", [read, scheduled.read, verify], ids=["read", "schedule", "verify"])
def test_no_bundle_at_all(tmp_path: Path, reading: Callable[[Path], object]) -> None:
    with pytest.raises(NotFoundError) as fault:
        reading(tmp_path)
    assert str(fault.value) == (
        f"no bundle at {str(tmp_path)!r}: there is no pipeline.yaml; make one with `mlops-jupyter export`"
    )


@pytest.mark.parametrize("reading", [read, scheduled.read, verify], ids=["read", "schedule", "verify"])
@pytest.mark.parametrize(("text", "why"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_pipeline_is_one_line(folder: Path, reading: Callable[[Path], object], text: str, why: str) -> None:
    (folder / MARK).write_text(text)
    said = refused(reading, folder)
    assert said.startswith(f"cannot read {str(folder / MARK)!r}: ")
    assert why in said
    assert said.endswith("; mend it, or export the notebook again")


def _of(kind: str, whys: str) -> str:
    parts = dict(part.split(": ", 1) for part in whys.removeprefix("{").split("; ")) if whys.startswith("{") else {}
    return parts.get(kind, whys)


@pytest.mark.parametrize(("spoil", "why"), PHYSICAL.values(), ids=PHYSICAL)
def test_a_pipeline_that_is_no_text_is_one_line(folder: Path, spoil: Callable[[Path], object], why: str) -> None:
    spoil(folder / MARK)
    said = refused(read, folder)
    assert said.startswith(f"cannot read {str(folder / MARK)!r}: ")
    assert _of("yaml", why) in said
    assert said.endswith("; mend it, or export the notebook again")


@pytest.mark.parametrize("case", sorted({*PHYSICAL} - {"a link to nothing"}))  # that is no manifest at all
def test_a_manifest_that_is_no_text_is_one_line(folder: Path, case: str) -> None:
    spoil, why = PHYSICAL[case]
    spoil(folder / manifest.NAME)
    said = refused(manifest.read, folder)
    assert said.startswith(f"{str(folder / manifest.NAME)!r} cannot be read (")
    assert _of("json", why) in said
    assert said.endswith("): move the bundle away, and export it anew")


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("request", [], "request is no mapping"),
        ("request", {"name": "p", "schedule": {"when": "now"}}, "schedule has an unknown part 'when'"),
        ("targets", "python", "targets is no list of texts"),
        ("targets", [1], "targets is no list of texts"),
        ("files", ["a"], "files is no mapping"),
        ("files", {"a": 1}, "files has 'a': 1, which no export writes"),
        ("lines", {"a": ["0f"]}, "lines has 'a': ['0f'], which no export writes"),
    ],
)
def test_a_malformed_manifest_is_one_line(folder: Path, key: str, value: object, why: str) -> None:
    facts = json.loads((folder / manifest.NAME).read_text())
    (folder / manifest.NAME).write_text(json.dumps({**facts, key: value}))
    said = refused(manifest.read, folder)
    assert said.startswith(f"{str(folder / manifest.NAME)!r} cannot be read (")
    assert why in said


def test_one_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files, "contents", closed)
    assert "pipeline.yaml': Permission denied; mend it" in refused(read, folder)
