"""The divergence of a run from the notebook: the first step whose values differ, and the cause as far as it is known.

`tests/expected/steps.json` holds for each step what the notebook recorded: ``{step: {"values": {variable: fingerprint},
"packages": {module: version}, "stale": [file], "causes": [text]}}``. These fingerprints are the kernel's (xxh3-128), so
without the package xxhash no value before the delivered ones can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import PipelineError
from ..fingerprints.fingerprint import fingerprint
from ..hashing import kernel_hasher, watched_file_digest
from ..hidden.names import FILE, HIDDEN
from ..model.package_versions import versions
from ..model.pipeline import Pipeline, Step, ancestors, data_files, order
from ..step.initial import Initial
from ..step.workdir import GONE
from ..storage.store import Facts, Store
from .numeric_threads import differing_threads

SHOWN = 3
"""The most causes that are given for one step."""

NOTHING = "nothing that it does is known to differ from run to run"
LATER = "the notebook changed it in place after the cell that made it had ended: the pipeline gives what the cell made"


@dataclass(frozen=True)
class Divergence:
    """The first step upstream of an output that made another value than the notebook's, the variable, and the cause."""

    step: str
    variable: str
    cause: str


class Divergences:
    """Explains outputs of one run that are not the notebook's. Reads values of the run; changes nothing."""

    def __init__(self, pipeline: Pipeline, store: Store, run: str, folder: Path) -> None:
        self._pipeline = pipeline
        self._store = store
        self._run = run
        self._folder = folder
        self._known = _read(folder / "steps.json")
        self._same: dict[tuple[str, str], bool | None] = {}

    def explain(self, output: str, value: Any) -> Divergence | None:
        """Return the divergence of an output with this value in the run; None without `steps.json` or a step for it."""
        maker = self._pipeline.outputs.get(output)
        if not self._known or maker is None:
            return None
        upstream = ancestors(self._pipeline)[maker]
        uncompared: list[Step] = []
        for step in order(self._pipeline):
            if step.name in upstream:
                verdicts = {name: self._is_same(step, name) for name in self._taken(step, upstream | {maker})}
                for name, verdict in verdicts.items():
                    if verdict is False:
                        return Divergence(step.name, name, self._cause(step, uncompared))
                uncompared += [step] if None in verdicts.values() else []
        step = self._pipeline.step(maker)
        if _mark(value) and _mark(value) == self._values(step).get(output):
            return Divergence(maker, output, LATER)
        return Divergence(maker, output, self._cause(step, uncompared))

    def _taken(self, step: Step, users: frozenset[str]) -> list[str]:
        """Return the names that some steps take from a step, without hidden variables other than files."""
        names = (n for s in self._pipeline.steps if s.name in users for n, m in s.inputs.items() if m == step.name)
        return [name for name in dict.fromkeys(names) if not name.startswith(HIDDEN) or name.startswith(FILE)]

    def _values(self, step: Step) -> dict[str, str]:
        return dict(self._known.get(step.name, {}).get("values", {}))

    def _is_same(self, step: Step, name: str) -> bool | None:
        """Return whether a step made the same value of a variable as the notebook; None if that is not known."""
        if (step.name, name) not in self._same:
            expected = self._values(step).get(name)
            actual = self._found(step, name) if expected else ""
            self._same[step.name, name] = actual == expected if actual else None
        return self._same[step.name, name]

    def _found(self, step: Step, name: str) -> str:
        """Return the fingerprint of a variable that a step of the run made, "" if it cannot be computed."""
        from ..codecs import load_exact

        artifact = next((a for a in self._store.artifacts(self._run, step.name) if name in a.names), None)
        if artifact is None or artifact.format == GONE:
            return ""
        try:
            data = self._store.get(artifact.digest)
            return _mark_of_file(data) if name.startswith(FILE) else _mark(load_exact(data)[name])
        except Exception:  # damaged, or of a type that cannot be loaded here: then nothing is known
            return ""

    def _cause(self, step: Step, blind: list[Step]) -> str:
        """Return the cause known of a step, or else of an upstream step whose values could not be compared."""
        own = list(self._reasons(step))[:SHOWN]
        if own:
            return f"that step {', and '.join(own)}"
        upstream = ancestors(self._pipeline)[step.name]
        for suspect in reversed(blind):
            reasons = list(self._reasons(suspect))[:SHOWN] if suspect.name in upstream else []
            if reasons:
                return f"step {suspect.name!r} before it, whose values cannot be compared, {', and '.join(reasons)}"
        return NOTHING

    def _reasons(self, step: Step) -> Iterator[str]:
        """Yield what is known to differ from the notebook; if nothing is, the step's causes of nondeterminism."""
        facts = self._known.get(step.name, {})
        stale = facts.get("stale", ())
        seen = [*self._other_parameters(step), *self._other_files(step), *_other_packages(facts.get("packages", {}))]
        seen += [f"reads {path!r}, which was written again after the notebook read it" for path in stale]
        computes = facts.get("packages") and not seen
        yield from seen or [*(differing_threads(self._folder) if computes else ()), *facts.get("causes", ())]

    def _other_parameters(self, step: Step) -> Iterator[str]:
        given = (self._store.run(self._run) or {}).get("parameters", {})
        for name in step.parameters:
            had = self._pipeline.parameters[name]
            if given.get(name, had) != had:
                yield f"was given {name}={given[name]!r}, where the notebook had {had!r}"

    def _other_files(self, step: Step) -> Iterator[str]:
        """Yield the data files that changed since the bundle was made; the bundle's own copies never do."""
        data = (self._store.run(self._run) or {}).get("data")
        bundled = Initial(self._pipeline, None)
        for path in data_files(step.inputs):
            try:
                recorded = bundled.recorded(path)
                used = Initial(self._pipeline, Path(data) if data else None).digest(FILE + path)
            except PipelineError:  # it is gone since
                continue
            if recorded and used != recorded:
                yield f"reads {path!r}, which is not what it was when the notebook was exported"


def _other_packages(had: dict[str, str]) -> Iterator[str]:
    installed = versions(tuple(had))
    for module, version in had.items():
        if installed.get(module, version) != version:
            yield f"imports {module} {installed[module]}, where the notebook had {version}"


def _read(path: Path) -> dict[str, Facts]:
    try:
        steps: dict[str, Facts] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return steps


def _mark(value: Any) -> str:
    """Return the kernel's fingerprint of a value, "" where there is none."""
    try:
        digest = fingerprint(value, new=kernel_hasher())
    except ImportError:
        return ""
    return digest if isinstance(digest, str) else ""


def _mark_of_file(data: bytes) -> str:
    try:
        return watched_file_digest(data)
    except ImportError:
        return ""
