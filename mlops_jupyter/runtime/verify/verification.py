"""Verification of a run: its delivered values against the notebook's own, which `tests/expected/` holds."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import PipelineError
from ..hashing import content_digest
from ..model.pipeline import Pipeline
from ..step.initial import package_folder
from ..storage.store import Facts, Store, valid_run
from .divergence import Divergence, Divergences

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
        return {"run": self.run, "status": self.status, "outputs": outputs, **_parting_facts(self.parting)}


def _parting_facts(parting: Divergence | None) -> Facts:
    if parting is None:
        return {"parted": None, "cause": ""}
    return {"parted": {"step": parting.step, "variable": parting.variable}, "cause": parting.cause}


def check(pipeline: Pipeline, store: Store, run: str, expected: Path | None = None) -> RunCheck:
    """Compare the outputs that a run delivered with the notebook's values.

    Parameters
    ----------
    expected : folder with `expected.json` (``[{"name", "fingerprint", "file", "format", "shown"}]``, and "value" where
        that is short enough to need no file), the files that it names, and perhaps `steps.json` (see `divergence`);
        the bundle's own if not given.

    Raises
    ------
    PipelineError
        There is no such run, or nothing to compare with.
    """
    folder = expected or package_folder(pipeline).parent.parent / "tests" / "expected"
    entries = _wanted(folder)
    if store.run(valid_run(run)) is None:
        raise PipelineError(f"no run {run!r} in {store.uri!r}: run the pipeline first")
    delivered = {entry["name"]: entry for entry in (store.outputs(run) or {"outputs": []})["outputs"]}
    with tempfile.TemporaryDirectory() as scratch:
        judge = _Judge(store, run, folder, Path(scratch), Divergences(pipeline, store, run, folder))
        outputs = tuple(judge.judge(one, delivered.get(one["name"])) for one in entries)
    names = {one["name"] for one in entries}
    outputs += tuple(
        OutputCheck(name, "failed", "nothing is expected of it: its row in expected.json is missing", "", "")
        for name in pipeline.outputs
        if name not in names
    )
    status = max((one.status for one in outputs), key=VERDICTS.index, default="identical")
    return RunCheck(run, status, outputs)


def _wanted(folder: Path) -> list[Facts]:
    try:
        entries: list[Facts] = json.loads((folder / "expected.json").read_bytes())
    except FileNotFoundError:
        raise PipelineError(f"no expected.json in {str(folder)!r}: give its folder with --expected DIR") from None
    return entries


class _Judge:
    """Compares one output at a time. Outputs of a store that is no folder are copied into `scratch` to be read."""

    def __init__(self, store: Store, run: str, folder: Path, scratch: Path, partings: Divergences) -> None:
        self._partings = partings
        self._store = store
        self._run = run
        self._folder = folder
        self._scratch = scratch

    def judge(self, wanted: Facts, found: Facts | None) -> OutputCheck:
        """Return the verdict on one output: by fingerprint, or by value if fingerprints differ or are missing."""
        name, shown = wanted["name"], wanted.get("shown", "")
        if found is None:
            return OutputCheck(name, "failed", self._why_missing(), shown, "")
        if damage := self._damage(found):
            return OutputCheck(name, "failed", damage, shown, "")
        if wanted["fingerprint"] and wanted["fingerprint"] == found["fingerprint"]:
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

        actual = load_open(self._fetched(found["file"]), found["format"])
        verdict = self._compared(wanted, actual)
        divergence = None if verdict.status == "identical" else self._partings.explain(wanted["name"], actual)
        return replace(verdict, parting=divergence)

    def _compared(self, wanted: Facts, actual: Any) -> OutputCheck:
        from ..codecs import load_open
        from .compare import compare, shown

        if "value" not in wanted and not wanted.get("file"):
            reason = "its fingerprint differs, and the notebook's value was too large to travel"
            reason = reason if wanted["fingerprint"] else "the notebook's value could not be kept to compare with"
            return OutputCheck(wanted["name"], "differs", reason, wanted.get("shown", ""), shown(actual))
        expected = wanted["value"] if "value" in wanted else load_open(self._folder / wanted["file"], wanted["format"])
        verdict = compare(expected, actual)
        return OutputCheck(wanted["name"], verdict.status.value, verdict.reason, shown(expected), shown(actual))

    def _fetched(self, file: str) -> Path:
        if self._store.folder is not None:
            return self._store.folder / self._run / "outputs" / file
        target = self._scratch / file
        target.write_bytes(self._store.read(self._run, f"outputs/{file}"))
        return target

    def _why_missing(self) -> str:
        for name in self._store.names(self._run, "steps"):
            record = self._store.step(self._run, name.removesuffix(".json"))
            if record and record["status"] == "failed":
                return f"step {record['step']!r} failed: {record['error']['type']}: {record['error']['message']}"
        return "the run did not deliver it"
