"""Read what an export wrote: `pipeline.yaml` as one checked record, and the text of any of a bundle's own files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.export.bundle import transaction
from mlops_jupyter.services.export.bundle.create import MARK

LARGEST = 16 * 2**20
"""Bytes: 1,000 steps make 0.25 MB of `pipeline.yaml`, so what is larger is no file of an export."""


@dataclass(frozen=True)
class StoredBundle:
    """What the `pipeline.yaml` of an exported bundle says.

    Attributes
    ----------
    folder : where the bundle lies.
    steps : each step's facts, with its `name`.
    parameters : name -> default; None where the file does not list them.
    outputs : variable -> the step that delivers it.
    schedule : the schedule that the bundle was exported with, or None. Its times are not checked yet.
    alert : the environment variable that holds the address of alerts, or "".
    requirements : the packages that the steps need, as pip reads them.
    variables : environment variables that are set for every step; a bundle started with them need not restart.
    secrets : environment variables that the steps take from outside.
    place : where in the tree of its data files the steps run, as the notebook's folder in its project; "" at the top.
    """

    folder: Path
    package: str
    steps: tuple[Mapping[str, Any], ...] = ()
    parameters: Mapping[str, Any] | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    schedule: ScheduleSpec | None = None
    alert: str = ""
    requirements: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    place: str = ""


def read(folder: Path) -> StoredBundle:
    """Read the bundle in a folder; an update that was interrupted there is finished first.

    Raises
    ------
    NotFoundError
        There is no `pipeline.yaml`.
    UserError
        The file cannot be read, or says something that no export writes: one line with the file and what to do.
    """
    transaction.recover(folder)
    if not (folder / MARK).exists() and not (folder / MARK).is_symlink():
        raise NotFoundError(
            f"no bundle at {str(folder)!r}: there is no pipeline.yaml; make one with `mlops-jupyter export`"
        )
    try:
        text = contents(folder / MARK)
    except (OSError, ValueError) as fault:
        raise _malformed(folder, fault) from fault
    return parse(text, folder)


def parse(text: str, folder: Path) -> StoredBundle:
    """Parse a text that is, or is to be, the `pipeline.yaml` of a folder.

    Raises
    ------
    UserError
        The text says something that no export writes: one line with the file and what to do.
    """
    import yaml

    try:
        # Not libyaml's loader: lists 100,000 deep end the whole process there.
        facts = yaml.safe_load(text)
        if not isinstance(facts, dict):
            raise ValueError("it is empty" if facts is None else "it holds no mapping")
        return _bundle(folder, facts)
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        raise _malformed(folder, fault) from fault


def contents(path: Path) -> str:
    """Return the text of one of a bundle's own files.

    Raises
    ------
    OSError
        The file is not there, or may not be read.
    ValueError
        The path is a folder or a device, or the file is too large or not UTF-8.
    """
    if not path.is_file():
        path.stat()  # raises where nothing is, as at the end of a link that leads nowhere
        raise ValueError("it is no file")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it is larger than {LARGEST >> 20} MB, which no export writes")
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise ValueError("it is no UTF-8 text") from None


def texts(what: str, values: object) -> tuple[str, ...]:
    """Return a list of texts as a tuple; raise `ValueError`, naming `what`, if the value is no such list."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{what} is no list of texts")
    return tuple(values)


def mapping(what: str, values: object, kinds: type | tuple[type, ...] = object) -> dict[str, Any]:
    """Return a mapping from texts to values of `kinds`; raise `ValueError`, naming `what`, if it is no such mapping."""
    if not isinstance(values, dict):
        raise ValueError(f"{what} is no mapping")
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, kinds):
            raise ValueError(f"{what} has {name!r}: {value!r}, which no export writes")
    return values


def _malformed(folder: Path, fault: Exception) -> UserError:
    why = getattr(fault, "strerror", None) or " ".join(str(fault).split())
    return UserError(f"cannot read {str(folder / MARK)!r}: {why[:400]}; mend it, or export the notebook again")


def _bundle(folder: Path, facts: Mapping[str, Any]) -> StoredBundle:
    package = facts.get("package")
    if not isinstance(package, str) or not package.isidentifier():
        raise ValueError(f"it names no package (found {package!r})")
    alert = facts.get("alert") or ""
    if not isinstance(alert, str):
        raise ValueError(f"alert is no text: {alert!r}")
    environment = mapping("environment", facts.get("environment") or {})
    variables = mapping("environment: variables", environment.get("variables") or {}, (str, int, float))
    return StoredBundle(
        folder=folder,
        package=package,
        steps=_steps(facts.get("steps") or []),
        parameters=_parameters(facts.get("parameters")),
        outputs=mapping("outputs", facts.get("outputs") or {}, str),
        schedule=schedule(facts["schedule"]) if facts.get("schedule") else None,
        alert=alert,
        requirements=texts("environment: requirements", environment.get("requirements") or []),
        variables={name: str(value) for name, value in variables.items()},
        secrets=texts("environment: secrets", environment.get("secrets") or []),
        place=str(facts.get("folder") or ""),
    )


def _steps(rows: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(rows, list):
        raise ValueError("steps is no list")
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            raise ValueError(f"steps has {row!r}, which has no name")
    return tuple(rows)


def _parameters(values: object) -> Mapping[str, Any] | None:
    """Return defaults by name from `{name: default}` or `[{name, default}]`."""
    if isinstance(values, list):
        rows = [row if isinstance(row, dict) else {} for row in values]
        values = {name: row.get("default") for row in rows if isinstance(name := row.get("name"), str)}
    return None if values is None else mapping("parameters", values)


def schedule(parts: object) -> ScheduleSpec:
    """Return the schedule, which a person may have edited; raise `ValueError` for an unknown field or not one kind."""
    if not isinstance(parts, dict):
        raise ValueError("schedule is no mapping: write it as 'schedule: {cron: 0 6 * * 1}'")
    known = {part.name: type(part.default) for part in fields(ScheduleSpec)}
    for name, value in parts.items():
        if name not in known:
            raise ValueError(f"schedule has an unknown part {name!r}: it takes {', '.join(known)}")
        if type(value) is not known[name]:
            raise ValueError(f"schedule has {name} {value!r}, which is no {known[name].__name__}")
    parsed = ScheduleSpec(**parts)
    kinds = [name for name in ("cron", "every_seconds", "data", "after", "drift") if getattr(parsed, name)]
    if len(kinds) != 1:
        raise ValueError(
            f"schedule has {' and '.join(kinds) or 'no kind'}: give one of cron, every_seconds, data, after, drift"
        )
    return parsed
