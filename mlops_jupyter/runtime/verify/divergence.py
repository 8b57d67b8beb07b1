"""Where the values of a run part from the notebook's, and why as far as can be known.

`tests/expected/steps.json` holds for each step what the notebook knew: ``{step: {"values": {variable: fingerprint},
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
from ..model.package_versions import versions
from ..model.pipeline import FILE, HIDDEN, INITIAL, Pipeline, Step, ancestors, order
from ..step.initial import Initial, package_folder
from ..step.workdir import GONE
from ..storage.store import Facts, Store

SHOWN = 3
"""So many causes are told of a step."""

NOTHING = "nothing that it does is known to differ from run to run"
LATER = "the notebook changed it in place after the cell that made it had ended: the pipeline gives what the cell made"


@dataclass(frozen=True)
class Divergence:
    """The first step, on the way to an output, that made another value than in the notebook; which; and the cause."""

    step: str
    variable: str
    cause: str


class Divergences:
    """Explains outputs of one run that are not the notebook's. Reads values of the run; changes nothing."""

    def __init__(self, pipeline: Pipeline, store: Store, run: str, folder: Path) -> None:
        self._pipeline = pipeline
        self._store = store
        self._run = run
        self._known = _read(folder / "steps.json")
        self._same: dict[tuple[str, str], bool | None] = {}

    def explain(self, output: str, value: Any) -> Divergence | None:
        """Say where an output parts, given its value in the run; None if the notebook left nothing to tell it by."""
        maker = self._pipeline.outputs.get(output)
        if not self._known or maker is None:
            return None
        above = ancestors(self._pipeline)[maker]
        blind: list[Step] = []
        for step in order(self._pipeline):
            if step.name in above:
                same = {name: self._is_same(step, name) for name in self._taken(step, above | {maker})}
                for name, verdict in same.items():
                    if verdict is False:
                        return Divergence(step.name, name, self._cause(step, blind))
                blind += [step] if None in same.values() else []
        step = self._pipeline.step(maker)
        if _mark(value) and _mark(value) == self._values(step).get(output):
            return Divergence(maker, output, LATER)
        return Divergence(maker, output, self._cause(step, blind))

    def _taken(self, step: Step, users: frozenset[str]) -> list[str]:
        """What some steps take of another, but for states that no fingerprint tells."""
        names = (n for s in self._pipeline.steps if s.name in users for n, m in s.inputs.items() if m == step.name)
        return [name for name in dict.fromkeys(names) if not name.startswith(HIDDEN) or name.startswith(FILE)]

    def _values(self, step: Step) -> dict[str, str]:
        return dict(self._known.get(step.name, {}).get("values", {}))

    def _is_same(self, step: Step, name: str) -> bool | None:
        """Return whether a step handed on the value that the notebook had; None if that cannot be told."""
        if (step.name, name) not in self._same:
            wanted = self._values(step).get(name)
            found = self._found(step, name) if wanted else ""
            self._same[step.name, name] = found == wanted if found else None
        return self._same[step.name, name]

    def _found(self, step: Step, name: str) -> str:
        from ..codecs import load_exact

        artifact = next((a for a in self._store.artifacts(self._run, step.name) if name in a.names), None)
        if artifact is None or artifact.format == GONE:
            return ""
        try:
            data = self._store.get(artifact.digest)
            return _mark_of_file(data) if name.startswith(FILE) else _mark(load_exact(data)[name])
        except Exception:  # damaged, or of a type that cannot be loaded here: then it cannot be told
            return ""

    def _cause(self, step: Step, blind: list[Step]) -> str:
        """Return what is known of a step, or else of one before it whose values could not be compared."""
        own = list(self._reasons(step))[:SHOWN]
        if own:
            return f"that step {', and '.join(own)}"
        before = ancestors(self._pipeline)[step.name]
        for other in reversed(blind):
            reasons = list(self._reasons(other))[:SHOWN] if other.name in before else []
            if reasons:
                return f"step {other.name!r} before it, whose values cannot be compared, {', and '.join(reasons)}"
        return NOTHING

    def _reasons(self, step: Step) -> Iterator[str]:
        """What is seen to have changed; where nothing is, what the text of the step may give anew each time."""
        facts = self._known.get(step.name, {})
        stale = facts.get("stale", ())
        seen = [*self._other_parameters(step), *self._other_files(step), *_other_packages(facts.get("packages", {}))]
        seen += [f"reads {path!r}, which was written again after the notebook read it" for path in stale]
        yield from seen or facts.get("causes", ())

    def _other_parameters(self, step: Step) -> Iterator[str]:
        given = (self._store.run(self._run) or {}).get("parameters", {})
        for name in step.parameters:
            had = self._pipeline.parameters[name]
            if given.get(name, had) != had:
                yield f"was given {name}={given[name]!r}, where the notebook had {had!r}"

    def _other_files(self, step: Step) -> Iterator[str]:
        """Name the data files that are not what lay there when the bundle was made; its own copies always are."""
        data = (self._store.run(self._run) or {}).get("data")
        package = package_folder(self._pipeline)
        first = Initial(package, None)
        for name in (n for n, maker in step.inputs.items() if maker == INITIAL and n.startswith(FILE)):
            path = name.removeprefix(FILE)
            try:
                wanted = first.recorded(path)
                used = Initial(package, Path(data) if data else None).digest(name)
            except PipelineError:  # it is gone since
                continue
            if wanted and used != wanted:
                yield f"reads {path!r}, which is not what it was when the notebook was exported"


def _other_packages(had: dict[str, str]) -> Iterator[str]:
    now = versions(tuple(had))
    for module, version in had.items():
        if now.get(module, version) != version:
            yield f"imports {module} {now[module]}, where the notebook had {version}"


def _read(path: Path) -> dict[str, Facts]:
    try:
        found: dict[str, Facts] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return found


def _mark(value: Any) -> str:
    """Return the kernel's fingerprint of a value, "" where there is none."""
    try:
        found = fingerprint(value, new=kernel_hasher())
    except ImportError:
        return ""
    return found if isinstance(found, str) else ""


def _mark_of_file(data: bytes) -> str:
    try:
        return watched_file_digest(data)
    except ImportError:
        return ""
