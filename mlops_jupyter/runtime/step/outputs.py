"""Store the outputs of a step: exactly for downstream steps, in open formats for people.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import PipelineError
from ..hidden import registry
from ..hidden.names import FILE, HIDDEN
from ..model.pipeline import Pipeline, Step
from ..secret_values import KnownSecrets
from ..storage.store import Artifact, Facts, Store
from .output_names import file_name, kept_groups
from .workdir import GONE


class StepOutputError(PipelineError):
    """An output of a step cannot be serialized, or its file was not written."""


class StepOutputs:
    """Stores the outputs, tracking and displays of one step of one run.

    Parameters
    ----------
    secrets : what no output may hold, and what is masked in all else.
    """

    def __init__(self, store: Store, run: str, pipeline: Pipeline, step: Step, secrets: KnownSecrets) -> None:
        self._store = store
        self._run = run
        self._pipeline = pipeline
        self._step = step
        self._secrets = secrets
        self._wanted = kept_groups(pipeline, step)

    def keep(self, values: Mapping[str, Any]) -> Facts:
        """Store values and hidden variables; return {"outputs", "delivered"} for the step's record."""
        groups = [group for group in self._step.outputs if group in self._wanted]
        hidden = {group: self._hidden(group[0]) for group in groups if group[0].startswith(HIDDEN)}  # saving may draw
        outputs = [hidden.get(group) or self._exact(group, values) for group in groups]
        delivered = [self._deliver(name, values) for name in self._pipeline.delivered(self._step.name)]
        return {"outputs": [artifact.facts() for artifact in outputs], "delivered": delivered}

    def keep_tracking(self, path: Path) -> Facts | None:
        """Store what the step logged; return the object's digest and length in bytes, or None if it logged nothing."""
        if not path.is_file():
            return None
        data = self._secrets.masked_bytes(path.read_bytes())
        self._store.write(self._run, f"tracking/{self._step.name}.json", data)
        return {"digest": self._store.put(data), "bytes": len(data)}

    def keep_displays(self, shown: Sequence[tuple[str, bytes]]) -> list[Facts]:
        """Store the step's displays as `displays/<step>-<n>.<ending>`; return file name, digest and bytes of each."""
        files = []
        for number, (ending, data) in enumerate(shown, start=1):
            file = f"{self._step.name}-{number}.{ending}"
            data = self._secrets.masked_bytes(data)
            self._store.write(self._run, f"displays/{file}", data)
            files.append({"file": file, "digest": self._store.put(data), "bytes": len(data)})
        return files

    def _exact(self, group: tuple[str, ...], values: Mapping[str, Any]) -> Artifact:
        from ..codecs import SerializationError, save_exact

        try:
            saved = save_exact({name: values[name] for name in group})
        except SerializationError as fault:
            raise StepOutputError(
                f"step {self._step.name!r} cannot hand on {' and '.join(map(repr, group))}: {fault}"
            ) from fault
        self._refuse(" and ".join(map(repr, group)), self._secrets.held_by(saved.data))
        return Artifact(group, self._store.put(saved.data), saved.format, len(saved.data))

    def _refuse(self, what: str, secret: str) -> None:
        """Raise `StepOutputError` if an output holds a secret, whose name is given."""
        if secret:
            raise StepOutputError(
                f"step {self._step.name!r} hands on {what}, which holds the secret {secret!r}, and no store may: "
                "make it in the step that uses it, by one %%pipeline name over both"
            )

    def _hidden(self, name: str) -> Artifact:
        value = registry.read(name)
        if name.startswith(FILE):
            data, kind = (b"", GONE) if not isinstance(value, bytes) else (value, "file")
        else:
            data, kind = json.dumps(value, sort_keys=True).encode(), "json"
        self._refuse(repr(name.removeprefix(FILE)), self._secrets.held_by(data))
        return Artifact((name,), self._store.put(data), kind, len(data))

    def _deliver(self, name: str, values: Mapping[str, Any]) -> Facts:
        """Store a value under `outputs/`, in a format that a person can open."""
        from ..codecs import SerializationError, held_secret, save_open

        file = file_name(self._pipeline, name)
        if name.startswith(FILE):
            data, kind, note, print_ = _file(name, self._step)
        else:
            try:
                saved = save_open(values[name])
            except SerializationError as fault:
                raise StepOutputError(f"step {self._step.name!r} cannot deliver {name!r}: {fault}") from fault
            file += saved.suffix
            data, kind, note, print_ = saved.data, saved.format, saved.note, _fingerprint(values[name])
        secret = held_secret(self._secrets, values[name]) if name in values else ""  # its file may be compressed
        self._refuse(repr(name.removeprefix(FILE)), secret or self._secrets.held_by(data))
        self._store.write(self._run, f"outputs/{file}", data)
        facts = {"name": name, "file": file, "format": kind, "fingerprint": print_, "note": note or None}
        return {**facts, "digest": self._store.put(data), "bytes": len(data)}


def _file(name: str, step: Step) -> tuple[bytes, str, str, str]:
    from ..fingerprints.fingerprint import fingerprint

    data = registry.read(name)
    if not isinstance(data, bytes):
        raise StepOutputError(f"step {step.name!r} did not write the file {name.removeprefix(FILE)!r} that it delivers")
    return data, PurePosixPath(name).suffix.lstrip(".") or "file", "", str(fingerprint(data))


def _fingerprint(value: Any) -> str:
    """Return a value's fingerprint, or "" if the value cannot be fingerprinted."""
    from ..fingerprints.fingerprint import fingerprint

    digest = fingerprint(value)
    return digest if isinstance(digest, str) else ""
