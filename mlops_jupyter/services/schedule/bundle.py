"""What a schedule needs to know of a bundle: that it is one, its package, the parameters it takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import NotFound, UserError
from mlops_jupyter.services.export import journal


@dataclass(frozen=True)
class Bundle:
    """An exported bundle on disk.

    Attributes
    ----------
    parameters : names that a run may override; None where `pipeline.yaml` does not list them.
    cron, timezone : the schedule that it was exported with, or None.
    """

    folder: Path
    package: str
    parameters: frozenset[str] | None
    cron: str | None = None
    timezone: str | None = None


def read(folder: Path) -> Bundle:
    """Read `pipeline.yaml`; raise `UserError` with one line if this is no bundle that can run."""
    journal.finish(folder)
    plan = folder / "pipeline.yaml"
    if not plan.is_file():
        raise NotFound(f"no bundle in {str(folder)!r}: there is no pipeline.yaml; make one with `mlops-jupyter export`")
    facts = _mapping(plan)
    package = facts.get("package")
    if not isinstance(package, str) or not package.isidentifier():
        raise UserError(f"{str(plan)!r} names no package (found {package!r}): export the notebook again")
    if not (folder / "src" / package / "__main__.py").is_file():
        raise UserError(f"the bundle {str(folder)!r} lacks 'src/{package}/__main__.py': export the notebook again")
    schedule = facts.get("schedule")
    when = schedule if isinstance(schedule, dict) else {}
    return Bundle(folder, package, _names(facts.get("parameters")), when.get("cron"), when.get("timezone"))


def _mapping(plan: Path) -> dict[str, Any]:
    import yaml

    try:
        facts = yaml.safe_load(plan.read_bytes())
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as fault:
        why = str(fault).splitlines()[0]
        raise UserError(f"cannot read {str(plan)!r}: {why}; export the notebook again") from fault
    if not isinstance(facts, dict):
        raise UserError(f"{str(plan)!r} holds no mapping: export the notebook again")
    return facts


def _names(parameters: object) -> frozenset[str] | None:
    """Names from `{name: default}` or `[{name, default}]`."""
    if isinstance(parameters, dict):
        return frozenset(map(str, parameters))
    if isinstance(parameters, list):
        return frozenset(str(entry["name"]) for entry in parameters if isinstance(entry, dict) and "name" in entry)
    return None
