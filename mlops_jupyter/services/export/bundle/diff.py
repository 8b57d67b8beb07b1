"""The difference between the bundle on disk and the notebook as it is now, in steps, parameters and values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlops_jupyter.core.plan import Plan, ScheduleSpec
from mlops_jupyter.services.export.bundle import stable_values
from mlops_jupyter.services.export.bundle.create import MARK, BundleFiles
from mlops_jupyter.services.export.bundle.read import StoredBundle, parse, read
from mlops_jupyter.services.export.bundle.update import BundleChanges

TEXTS = ("name", "version", "source", "cells", "notes")
"""Fields of a step in `pipeline.yaml` that its module's text says too, or that say nothing of what it does."""


@dataclass(frozen=True, repr=False)
class Difference:
    """What an update would change. Pairs are (in the bundle, in the notebook); None stands for what one of them lacks.

    Attributes
    ----------
    added, removed : steps.
    renamed : old name -> new name of steps whose text is the same.
    changed : step -> unified diff of its module, "" where the text is the same.
    facts : step -> field of `pipeline.yaml` that differs (inputs, outputs, resources ...) -> pair.
    parameters, outputs, environment, values : name -> pair. Values are pairs of short texts; a value that differs only
        because its step is nondeterministic is left out.
    schedule : a pair, None if it is the same.
    requirements : (removed, added).
    files : path -> "added", "removed" or "changed"; without steps' modules, values, random states and the runtime.
    runtime : whether the bundle's runtime is that of another version.
    conflicts : path -> why an update would refuse.
    kept : files with a person's edits that an update would keep.
    same : whether an update would change nothing.
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
        """Return the fields as a mapping that `json` can write."""
        return asdict(self)

    def __repr__(self) -> str:
        return "\n".join(said(self.as_json()))


def between(folder: Path, new: BundleFiles, plan: Plan, changes: BundleChanges) -> Difference:
    """Return what an update's changes of files mean for the pipeline."""
    stored, rendered = read(folder), parse(new[MARK].decode(), folder)
    steps = _Steps(folder, new, plan, changes, stored)
    old_schedule, schedule = (_schedule(bundle.schedule) for bundle in (stored, rendered))
    return Difference(
        added=tuple(steps.added),
        removed=tuple(steps.removed),
        renamed=steps.renamed,
        changed=dict(steps.changed()),
        facts=dict(steps.facts(rendered)),
        parameters=_pairs(stored.parameters, rendered.parameters),
        outputs=_pairs(stored.outputs, rendered.outputs),
        environment=_pairs(stored.variables, rendered.variables),
        values=_values(folder, new, plan, changes),
        schedule=None if old_schedule == schedule else (old_schedule, schedule),
        requirements=(
            tuple(need for need in stored.requirements if need not in rendered.requirements),
            tuple(need for need in rendered.requirements if need not in stored.requirements),
        ),
        files=dict(_files(folder, plan, changes)),
        runtime=any("/runtime/" in path for path in (*changes.writes, *changes.deletes)),
        conflicts=changes.conflicts,
        kept=tuple(changes.kept),
        same=not changes,
    )


class _Steps:
    """The steps that an update would add, remove, rename or change. Reads both bundles; changes neither."""

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
        """Yield the name and the unified diff of each step whose module an update would write, or has a conflict in."""
        for name in self._before:
            path = self._path(name)
            if path in self._new and (path in self._changes.writes or path in self._changes.conflicts):
                text = _text(self._changes.writes.get(path, self._new[path]))
                lines = difflib.unified_diff(
                    self._old(name).splitlines(),
                    text.splitlines(),
                    f"{path} (bundle)",
                    f"{path} (notebook)",
                    lineterm="",
                )
                yield name, "\n".join(lines)

    def facts(self, now: StoredBundle) -> Iterator[tuple[str, dict[str, tuple[Any, Any]]]]:
        """Yield the name of each step whose fields differ, with field -> (before, now); its text does not count."""
        for step in now.steps:
            old = self._before.get(step["name"])
            pairs = {} if old is None else {n: p for n, p in _pairs(old, step).items() if n not in TEXTS}
            if pairs:
                yield step["name"], pairs


def _files(folder: Path, plan: Plan, changes: BundleChanges) -> Iterator[tuple[str, str]]:
    first = stable_values.first_states(plan.package)
    reported_elsewhere = (f"src/{plan.package}/steps/", f"src/{plan.package}/runtime/", stable_values.EXPECTED, *first)
    for path in (*changes.writes, *changes.deletes):
        if not path.startswith(reported_elsewhere):
            state = "removed" if path in changes.deletes else "changed" if (folder / path).exists() else "added"
            yield path, state


def _values(folder: Path, new: BundleFiles, plan: Plan, changes: BundleChanges) -> dict[str, tuple[Any, Any]]:
    """Return the short texts, before and now, of each value that both bundles deliver and that has changed."""
    if not any(path.startswith(stable_values.EXPECTED) for path in changes.writes):
        return {}
    paths = [
        *stable_values.first_states(plan.package),
        *(f"{stable_values.EXPECTED}{p.name}" for p in (folder / stable_values.EXPECTED).glob("*")),
    ]
    old = {path: _read(folder / path) for path in paths if (folder / path).is_file()}
    old_rows, new_rows = stable_values.rows(old), stable_values.rows(new)
    names = stable_values.changed(old, new, plan)
    return {name: (old_rows[name].get("shown"), new_rows[name].get("shown")) for name in names}


def _pairs(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> dict[str, tuple[Any, Any]]:
    """Return name -> (before, now) for what differs; True is not 1."""
    old, new = before or {}, now or {}
    names = [name for name in dict.fromkeys([*old, *new]) if repr(old.get(name)) != repr(new.get(name))]
    return {name: (old.get(name), new.get(name)) for name in names}


def _schedule(schedule: ScheduleSpec | None) -> dict[str, Any] | None:
    """Return the fields of a schedule that `pipeline.yaml` holds: those that are not empty."""
    return {name: value for name, value in vars(schedule).items() if value} if schedule else None


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _text(data: bytes) -> str:
    return data.decode(errors="replace").replace("\r\n", "\n")


def said(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that tell people of a difference, from its JSON."""
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
    yield from (f"requirement {requirement}: removed" for requirement in gone)
    yield from (f"requirement {requirement}: added" for requirement in new)
    yield from (f"file {path}: {state}" for path, state in facts["files"].items())
    if facts["runtime"]:
        yield "runtime: of another version of mlops_jupyter"
    yield from (f"conflict: {path} {why}" for path, why in facts["conflicts"].items())
    yield from (f"kept: {path} has edits of a person, which stay" for path in facts["kept"])


def _pair(pair: Any) -> str:
    before, now = ("none" if one is None else one for one in pair)
    return f"{before} -> {now}"
