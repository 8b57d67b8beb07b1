"""Proving a run: its delivered values against the notebook's own, kept in `tests/expected/`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from .faults import Fault
from .initial import package_folder
from .pipeline import HIDDEN, Pipeline, order
from .runs import Facts, Store, valid_run

VERDICTS = ("identical", "close", "differs", "failed")
"""From best to worst."""


@dataclass(frozen=True)
class Checked:
    """One output judged. `status` is one of `VERDICTS`; `expected` and `actual` are short texts."""

    name: str
    status: str
    reason: str
    expected: str
    actual: str


@dataclass(frozen=True)
class Verdict:
    """A run judged: as its worst output. `parted` is the first (step, variable) that is not as in the notebook."""

    run: str
    status: str
    outputs: tuple[Checked, ...]
    parted: tuple[str, str] | None = None

    def facts(self) -> Facts:
        """Its JSON."""
        parted = None if self.parted is None else {"step": self.parted[0], "variable": self.parted[1]}
        return {**asdict(self), "outputs": [asdict(one) for one in self.outputs], "parted": parted}


def check(pipeline: Pipeline, store: Store, run: str, expected: Path | None = None) -> Verdict:
    """Compare what a run delivered with what the notebook had.

    Parameters
    ----------
    expected : folder with `expected.json` (``[{"name", "fingerprint", "file", "format", "shown"}]``), the files that
        it names, and perhaps `steps.json` (``{step: {variable: fingerprint}}``); the bundle's own if not given.

    Raises
    ------
    Fault
        There is no such run, or nothing to compare with.
    """
    folder = expected or package_folder(pipeline).parent.parent / "tests" / "expected"
    wanted = _wanted(folder)
    if store.run(valid_run(run)) is None:
        raise Fault(f"no run {run!r} in {store.uri!r}: run the pipeline first")
    delivered = {entry["name"]: entry for entry in (store.outputs(run) or {"outputs": []})["outputs"]}
    with tempfile.TemporaryDirectory() as scratch:
        judge = _Judge(store, run, folder, Path(scratch))
        outputs = tuple(judge.judge(one, delivered.get(one["name"])) for one in wanted)
    status = max((one.status for one in outputs), key=VERDICTS.index, default="identical")
    parted = None if status in VERDICTS[:1] else _first_parted(pipeline, store, run, folder)
    return Verdict(run, status, outputs, parted)


def _wanted(folder: Path) -> list[Facts]:
    try:
        found: list[Facts] = json.loads((folder / "expected.json").read_bytes())
    except FileNotFoundError:
        raise Fault(f"no expected.json in {str(folder)!r}: give its folder with --expected DIR") from None
    return found


class _Judge:
    """Compares one output at a time. `scratch` is where outputs of a store elsewhere are put to be read."""

    def __init__(self, store: Store, run: str, folder: Path, scratch: Path) -> None:
        self._store = store
        self._run = run
        self._folder = folder
        self._scratch = scratch

    def judge(self, wanted: Facts, found: Facts | None) -> Checked:
        """Judge one output by its fingerprint, or where those differ or are not to be had, by its value."""
        name, shown = wanted["name"], wanted.get("shown", "")
        if found is None:
            return Checked(name, "failed", self._why_missing(), shown, "")
        if wanted["fingerprint"] and wanted["fingerprint"] == found["fingerprint"]:
            return Checked(name, "identical", "", shown, shown)
        try:
            return self._by_value(wanted, found)
        except Exception as fault:
            return Checked(name, "failed", f"it cannot be read: {type(fault).__name__}: {fault}", shown, "")

    def _by_value(self, wanted: Facts, found: Facts) -> Checked:
        from .codecs import load_open
        from .compare import compare, shown

        actual = load_open(self._fetched(found["file"]), found["format"])
        if not wanted.get("file"):
            reason = "its fingerprint differs, and the notebook's value was too large to travel"
            reason = reason if wanted["fingerprint"] else "the notebook's value could not be kept to compare with"
            return Checked(wanted["name"], "differs", reason, wanted.get("shown", ""), shown(actual))
        expected = load_open(self._folder / wanted["file"], wanted["format"])
        verdict = compare(expected, actual)
        return Checked(wanted["name"], verdict.status.value, verdict.reason, shown(expected), shown(actual))

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


def _first_parted(pipeline: Pipeline, store: Store, run: str, folder: Path) -> tuple[str, str] | None:
    """Return the first step, in order, that made another value than in the notebook, and the variable."""
    try:
        known: dict[str, dict[str, str]] = json.loads((folder / "steps.json").read_bytes())
    except FileNotFoundError:
        return None
    for step in order(pipeline):
        made = dict(_made(store, run, step.name, known.get(step.name, {})))
        for name, found in made.items():
            if found and found != known[step.name][name]:
                return step.name, name
    return None


def _made(store: Store, run: str, step: str, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (variable, fingerprint) of what a step made, among those known. Hidden ones are text or bytes."""
    from .codecs import load_exact
    from .fingerprint import fingerprint

    for artifact in store.artifacts(run, step):
        names = [name for name in artifact.names if known.get(name)]
        if not names:
            continue
        data = store.get(artifact.digest)
        hidden = artifact.names[0].startswith(HIDDEN)
        values = {names[0]: data if artifact.format != "json" else json.loads(data)} if hidden else load_exact(data)
        yield from ((name, _or_none(fingerprint(values[name]))) for name in names)
    for entry in (store.step(run, step) or {}).get("delivered", ()):
        if known.get(entry["name"]):
            yield entry["name"], entry["fingerprint"]


def _or_none(found: object) -> str:
    return found if isinstance(found, str) else ""
