"""Verification of a run: its delivered values against the notebook's own, or against those of another run.

The notebook's values of the day of export lie in `tests/expected/`. On other days a run of its cells has them
(`notebook`).
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ..errors import PipelineError
from ..hashing import content_digest
from ..model.pipeline import Pipeline
from ..step.initial import package_folder
from ..storage.record_shapes import is_file_name
from ..storage.store import Facts, Store, valid_run
from .divergence import Divergence, Divergences

NOTHING_EXPECTED = "the pipeline delivers nothing, so nothing is proven: export with --outputs NAME"

VERDICTS = ("identical", "close", "differs", "failed")
"""Statuses of an output, and of a run, from best to worst."""


@dataclass(frozen=True)
class OutputCheck:
    """The verdict on one output. `status` is one of `VERDICTS`; `expected` and `actual` are short texts."""

    name: str
    status: str
    reason: str
    expected: str
    actual: str
    parting: Divergence | None = None

    def facts(self) -> Facts:
        """Return the verdict as JSON data."""
        plain = {key: value for key, value in asdict(self).items() if key != "parting"}
        return {**plain, **_parting_facts(self.parting)}


@dataclass(frozen=True)
class RunCheck:
    """The verdict on a run: the status of its worst output, and its divergence from the notebook."""

    run: str
    status: str
    outputs: tuple[OutputCheck, ...]

    @property
    def parting(self) -> Divergence | None:
        """The divergence of the first output that has the run's status and a known divergence."""
        return next((one.parting for one in self.outputs if one.status == self.status and one.parting), None)

    def facts(self) -> Facts:
        """Return the verdict as JSON data."""
        outputs = [one.facts() for one in self.outputs]
        facts = {"run": self.run, "status": self.status, "outputs": outputs, **_parting_facts(self.parting)}
        return facts if outputs else {**facts, "error": NOTHING_EXPECTED}


def _parting_facts(parting: Divergence | None) -> Facts:
    if parting is None:
        return {"parted": None, "cause": ""}
    return {"parted": {"step": parting.step, "variable": parting.variable}, "cause": parting.cause}


def check(
    pipeline: Pipeline, store: Store, run: str, expected: Path | None = None, reference: str | None = None
) -> RunCheck:
    """Compare the outputs that a run delivered with the notebook's values.

    Parameters
    ----------
    reference : another run of the same store, whose outputs are expected instead of those that `expected` holds.
    expected : folder with `expected.json` (``[{"name", "fingerprint", "file", "format", "shown"}]``, and "value" where
        that is short enough to need no file), the files that it names, and perhaps `steps.json` (see `divergence`);
        the bundle's own if not given.

    Raises
    ------
    PipelineError
        There is no such run, or nothing to compare with.
    """
    for each in filter(None, [run, reference]):
        if store.run(valid_run(each)) is None:
            raise PipelineError(f"no run {each!r} in {store.uri!r}: run the pipeline first")
    delivered = {row["name"]: row for row in _delivered(store, run)}
    with tempfile.TemporaryDirectory() as scratch:
        wanted: _Expected
        if reference:
            wanted = _ReferenceRun(store, reference, Path(scratch))
        else:
            folder = expected or package_folder(pipeline).parent.parent / "tests" / "expected"
            wanted = _ExpectedFolder(folder, Divergences(pipeline, store, run, folder))
        judge = _Judge(store, run, wanted, Path(scratch))
        outputs = tuple(judge.judge(one, delivered.get(one["name"])) for one in wanted.rows)
    names = {one["name"] for one in wanted.rows}
    outputs += tuple(
        OutputCheck(name, "failed", f"nothing is expected of it: {wanted.missing}", "", "")
        for name in pipeline.outputs
        if name not in names
    )
    status = max((one.status for one in outputs), key=VERDICTS.index, default="failed")
    return RunCheck(run, status, outputs)


def _delivered(store: Store, run: str) -> list[Facts]:
    return list((store.outputs(run) or {"outputs": []})["outputs"])


def _fetched(store: Store, run: str, file: str, scratch: Path) -> Path:
    """Return the path of an output's file, copied into `scratch` if the store is no folder."""
    if store.folder is not None:
        return store.folder / run / "outputs" / file
    target = scratch / f"{run}-{file}"
    target.write_bytes(store.read(run, f"outputs/{file}"))
    return target


class _Expected(Protocol):
    """The expected values: a row for each output, and its value."""

    rows: list[Facts]
    missing: str
    """Why an output has no row."""

    def value(self, row: Facts) -> Any:
        """Return an expected value; raise `_ValueGoneError` if only its fingerprint is known."""

    def explain(self, name: str, actual: object) -> Divergence | None:
        """Return where a value of another content parts from the expected one, as far as that is known."""


class _ValueGoneError(Exception):
    """An expected value is not known, only its fingerprint. The message says why."""


class _ExpectedFolder:
    """The notebook's values on the day of export, in a folder with `expected.json`."""

    missing = "its row in expected.json is missing"

    def __init__(self, folder: Path, divergences: Divergences) -> None:
        self._folder = folder
        self.explain = divergences.explain
        try:
            rows = json.loads((folder / "expected.json").read_bytes())
        except FileNotFoundError:
            raise PipelineError(f"no expected.json in {str(folder)!r}: give its folder with --expected DIR") from None
        except (ValueError, RecursionError):
            rows = None
        if not isinstance(rows, list) or not all(map(_is_expected, rows)):
            raise PipelineError(f"{str(folder / 'expected.json')!r} is damaged: export the bundle again")
        self.rows: list[Facts] = rows

    def value(self, row: Facts) -> Any:
        from ..codecs import load_open

        if "value" in row:
            return row["value"]
        if row.get("file"):
            return load_open(self._folder / row["file"], row["format"])
        reason = "its fingerprint differs, and the notebook's value was too large to travel"
        raise _ValueGoneError(
            reason if row.get("fingerprint") else "the notebook's value could not be kept to compare with"
        )


def _is_expected(row: object) -> bool:
    """Say whether a row of `expected.json` is one; its file lies beside it."""
    texts = ("name", "fingerprint", "file", "format", "shown")
    if not isinstance(row, dict) or not all(isinstance(row.get(key, ""), str) for key in texts) or "name" not in row:
        return False
    file = str(row.get("file", ""))
    return "fingerprint" in row and (not file or (is_file_name(file) and "format" in row))


class _ReferenceRun:
    """The outputs of another run."""

    missing = "the run to compare with did not deliver it"

    def __init__(self, store: Store, run: str, scratch: Path) -> None:
        self._store = store
        self._run = run
        self._scratch = scratch
        self.rows = _delivered(store, run)

    def value(self, row: Facts) -> Any:
        from ..codecs import load_open

        try:
            return load_open(_fetched(self._store, self._run, row["file"], self._scratch), row["format"])
        except AttributeError as fault:  # a class of the cells, which only their own process has
            raise _ValueGoneError(f"its fingerprint differs, and the other value cannot be read: {fault}") from fault

    def explain(self, name: str, actual: object) -> Divergence | None:
        return None


class _Judge:
    """Compares one output at a time. Outputs of a store that is no folder are copied into `scratch` to be read."""

    def __init__(self, store: Store, run: str, expected: _Expected, scratch: Path) -> None:
        self._store = store
        self._run = run
        self._expected = expected
        self._scratch = scratch

    def judge(self, wanted: Facts, found: Facts | None) -> OutputCheck:
        """Return the verdict on one output: by fingerprint, or by value if fingerprints differ or are missing."""
        name, shown = wanted["name"], wanted.get("shown", "")
        if found is None:
            return OutputCheck(name, "failed", self._why_missing(), shown, "")
        if damage := self._damage(found):
            return OutputCheck(name, "failed", damage, shown, "")
        if wanted.get("fingerprint") and wanted["fingerprint"] == found.get("fingerprint"):
            return OutputCheck(name, "identical", "", shown, shown)
        try:
            return self._by_value(wanted, found)
        except Exception as fault:
            return OutputCheck(name, "failed", f"it cannot be read: {type(fault).__name__}: {fault}", shown, "")

    def _damage(self, found: Facts) -> str:
        """Return what became of an output's file since the run; "" if its bytes are those that the run wrote."""
        try:
            data = self._store.read(self._run, f"outputs/{found['file']}")
        except FileNotFoundError:
            return f"its file {found['file']!r} is gone"
        as_written = found.get("digest") in (None, content_digest(data))  # older runs have no digest
        return "" if as_written else f"its file {found['file']!r} was changed after the run"

    def _by_value(self, wanted: Facts, found: Facts) -> OutputCheck:
        from ..codecs import load_open
        from .compare import compare, shown

        name = wanted["name"]
        actual = load_open(_fetched(self._store, self._run, found["file"], self._scratch), found["format"])
        try:
            expected = self._expected.value(wanted)
        except _ValueGoneError as gone:
            verdict = OutputCheck(name, "differs", str(gone), wanted.get("shown", ""), shown(actual))
        else:
            result = compare(expected, actual)
            verdict = OutputCheck(name, result.status.value, result.reason, shown(expected), shown(actual))
        divergence = None if verdict.status == "identical" else self._expected.explain(name, actual)
        return replace(verdict, parting=divergence)

    def _why_missing(self) -> str:
        for name in self._store.names(self._run, "steps"):
            record = self._store.step(self._run, name.removesuffix(".json"))
            if record and record["status"] == "failed":
                return f"step {record['step']!r} failed: {record['error']['type']}: {record['error']['message']}"
        return "the run did not deliver it"
