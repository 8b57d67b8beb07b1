"""How the bundle on disk and the notebook as it is now differ, in the words of a pipeline."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlops_jupyter.core.plan import Plan, Schedule
from mlops_jupyter.services.export.bundle import stable_values
from mlops_jupyter.services.export.bundle.create import MARK, BundleFiles
from mlops_jupyter.services.export.bundle.read import StoredBundle, parse, read
from mlops_jupyter.services.export.bundle.update import BundleChanges

TEXTS = ("name", "version", "source", "cells", "notes")
"""What `pipeline.yaml` says of a step that its module's text says too, or that says nothing of what it does."""


@dataclass(frozen=True, repr=False)
class Difference:
    """What an update would change. Pairs are (in the bundle, in the notebook); None where it has none.

    Attributes
    ----------
    added, removed : steps.
    renamed : old name -> new name of steps whose text is the same.
    changed : step -> unified diff of its module, "" where the text is the same.
    facts : step -> what else differs (inputs, outputs, resources ...) -> pair.
    parameters, outputs, environment, values : name -> pair; of values what is shown of them,
        without those that are others each time.
    schedule : a pair, None if it is the same.
    requirements : (gone, new).
    files : path -> "added", "removed" or "changed"; without steps' modules, values, random states and the runtime.
    runtime : whether the bundle's runtime is that of another version.
    conflicts : path -> why an update would refuse.
    kept : files with a person's edits that an update would keep.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, tuple[Any, Any]]] = field(default_factory=dict)
    parameters: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    outputs: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    environment: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    schedule: tuple[Any, Any] | None = None
    requirements: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    files: Mapping[str, str] = field(default_factory=dict)
    runtime: bool = False
    conflicts: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    same: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the facts as JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        return "\n".join(said(self.as_json()))


def between(folder: Path, new: BundleFiles, plan: Plan, changes: BundleChanges) -> Difference:
    """Put what an update would change into the words of a pipeline."""
    before, now = read(folder), parse(new[MARK].decode(), folder)
    steps = _Steps(folder, new, plan, changes, before)
    old_schedule, schedule = (_schedule(bundle.schedule) for bundle in (before, now))
    return Difference(
        added=tuple(steps.added),
        removed=tuple(steps.removed),
        renamed=steps.renamed,
        changed=dict(steps.changed()),
        facts=dict(steps.facts(now)),
        parameters=_pairs(before.parameters, now.parameters),
        outputs=_pairs(before.outputs, now.outputs),
        environment=_pairs(before.variables, now.variables),
        values=_values(folder, new, plan, changes),
        schedule=None if old_schedule == schedule else (old_schedule, schedule),
        requirements=(
            tuple(need for need in before.requirements if need not in now.requirements),
            tuple(need for need in now.requirements if need not in before.requirements),
        ),
        files=dict(_files(folder, plan, changes)),
        runtime=any("/runtime/" in path for path in (*changes.writes, *changes.deletes)),
        conflicts=changes.conflicts,
        kept=tuple(changes.kept),
        same=not changes,
    )


class _Steps:
    """What becomes of the steps. Reads both bundles; keeps no more than names."""

    def __init__(
        self, folder: Path, new: BundleFiles, plan: Plan, changes: BundleChanges, before: StoredBundle
    ) -> None:
        self._folder = folder
        self._new = new
        self._changes = changes
        self._before = {step["name"]: step for step in before.steps}
        self._path = f"src/{plan.package}/steps/{{}}.py".format
        names = [step.name for step in plan.steps]
        self.renamed = dict(self._renamed(names))
        self.added = [n for n in names if n not in self._before and n not in self.renamed.values()]
        self.removed = [n for n in self._before if n not in names and n not in self.renamed]

    def _renamed(self, names: list[str]) -> Iterator[tuple[str, str]]:
        fresh = [name for name in names if name not in self._before]
        for old in (name for name in self._before if name not in names):
            text = self._old(old)
            for name in fresh:
                if text and re.sub(rf"\b{re.escape(old)}\b", name, text) == _text(self._new[self._path(name)]):
                    fresh.remove(name)
                    yield old, name
                    break

    def _old(self, name: str) -> str:
        return _text(_read(self._folder / self._path(name)))

    def changed(self) -> Iterator[tuple[str, str]]:
        """Yield each step that an update would write anew, or cannot, with the difference of its text."""
        for name in self._before:
            path = self._path(name)
            if path in self._new and (path in self._changes.writes or path in self._changes.conflicts):
                now = _text(self._changes.writes.get(path, self._new[path]))
                lines = difflib.unified_diff(
                    self._old(name).splitlines(),
                    now.splitlines(),
                    f"{path} (bundle)",
                    f"{path} (notebook)",
                    lineterm="",
                )
                yield name, "\n".join(lines)

    def facts(self, now: StoredBundle) -> Iterator[tuple[str, dict[str, tuple[Any, Any]]]]:
        """Yield what differs of a step beside its text."""
        for step in now.steps:
            old = self._before.get(step["name"])
            found = {} if old is None else {n: p for n, p in _pairs(old, step).items() if n not in TEXTS}
            if found:
                yield step["name"], found


def _files(folder: Path, plan: Plan, changes: BundleChanges) -> Iterator[tuple[str, str]]:
    first = stable_values.first_states(plan.package)
    told = (f"src/{plan.package}/steps/", f"src/{plan.package}/runtime/", stable_values.EXPECTED, *first)
    for path in (*changes.writes, *changes.deletes):
        if not path.startswith(told):
            state = "removed" if path in changes.deletes else "changed" if (folder / path).exists() else "added"
            yield path, state


def _values(folder: Path, new: BundleFiles, plan: Plan, changes: BundleChanges) -> dict[str, tuple[Any, Any]]:
    """Return what is shown of each delivered value that is another now; of both bundles' outputs."""
    if not any(path.startswith(stable_values.EXPECTED) for path in changes.writes):
        return {}
    paths = [
        *stable_values.first_states(plan.package),
        *(f"{stable_values.EXPECTED}{p.name}" for p in (folder / stable_values.EXPECTED).glob("*")),
    ]
    old = {path: _read(folder / path) for path in paths if (folder / path).is_file()}
    before, now = stable_values.rows(old), stable_values.rows(new)
    names = stable_values.changed(old, new, plan)
    return {name: (before[name].get("shown"), now[name].get("shown")) for name in names}


def _pairs(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> dict[str, tuple[Any, Any]]:
    """Return name -> (before, now) for what differs; True is not 1."""
    old, new = before or {}, now or {}
    names = [name for name in dict.fromkeys([*old, *new]) if repr(old.get(name)) != repr(new.get(name))]
    return {name: (old.get(name), new.get(name)) for name in names}


def _schedule(schedule: Schedule | None) -> dict[str, Any] | None:
    """Return what a schedule says, as `pipeline.yaml` has it."""
    return {name: value for name, value in vars(schedule).items() if value} if schedule else None


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _text(data: bytes) -> str:
    return data.decode(errors="replace").replace("\r\n", "\n")


def said(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a difference, from its JSON, for people."""
    if facts["same"]:
        yield "no difference"
    for kind in ("added", "removed"):
        yield from (f"step {name}: {kind}" for name in facts[kind])
    yield from (f"step {old}: renamed to {name}" for old, name in facts["renamed"].items())
    for name in dict.fromkeys([*facts["changed"], *facts["facts"]]):
        more = "; ".join(f"{what} {_pair(pair)}" for what, pair in facts["facts"].get(name, {}).items())
        yield f"step {name}: changed" + (f": {more}" if more else "")
        yield from (f"    {line}" for line in facts["changed"].get(name, "").splitlines())
    for kind in ("parameters", "outputs", "environment", "values"):
        yield from (f"{kind.rstrip('s')} {name}: {_pair(pair)}" for name, pair in facts[kind].items())
    if facts["schedule"]:
        yield f"schedule: {_pair(facts['schedule'])}"
    gone, new = facts["requirements"]
    yield from (f"requirement {one}: removed" for one in gone)
    yield from (f"requirement {one}: added" for one in new)
    yield from (f"file {path}: {state}" for path, state in facts["files"].items())
    if facts["runtime"]:
        yield "runtime: of another version of mlops_jupyter"
    yield from (f"conflict: {path} {why}" for path, why in facts["conflicts"].items())
    yield from (f"kept: {path} has edits of a person, which stay" for path in facts["kept"])


def _pair(pair: Any) -> str:
    before, now = ("none" if one is None else one for one in pair)
    return f"{before} -> {now}"
