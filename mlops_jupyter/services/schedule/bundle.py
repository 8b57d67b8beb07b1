"""What a schedule needs to know of a bundle: that it is one, its package, the parameters it takes, its own schedule."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.core.plan import Schedule
from mlops_jupyter.services.export import journal


@dataclass(frozen=True)
class Bundle:
    """An exported bundle on disk.

    Attributes
    ----------
    parameters : names that a run may override; None where `pipeline.yaml` does not list them.
    schedule : the one that it was exported with, or None. Its times are not checked yet.
    alert : the environment variable that holds the address of alerts, or "".
    """

    folder: Path
    package: str
    parameters: frozenset[str] | None
    schedule: Schedule | None = None
    alert: str = ""


def read(folder: Path) -> Bundle:
    """Read `pipeline.yaml`; raise `UserError` with one line if this is no bundle that can run."""
    journal.finish(folder)
    plan = folder / "pipeline.yaml"
    if not plan.is_file():
        raise NotFoundError(
            f"no bundle in {str(folder)!r}: there is no pipeline.yaml; make one with `mlops-jupyter export`"
        )
    facts = _mapping(plan)
    package = facts.get("package")
    if not isinstance(package, str) or not package.isidentifier():
        raise UserError(f"{str(plan)!r} names no package (found {package!r}): export the notebook again")
    if not (folder / "src" / package / "__main__.py").is_file():
        raise UserError(f"the bundle {str(folder)!r} lacks 'src/{package}/__main__.py': export the notebook again")
    schedule = _schedule(plan, facts["schedule"]) if facts.get("schedule") else None
    return Bundle(folder, package, _names(facts.get("parameters")), schedule, str(facts.get("alert") or ""))


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


def _schedule(plan: Path, found: object) -> Schedule:
    """A person may have edited it: each part must be known and of its type, and one kind must be given."""
    wrong = f"the schedule in {str(plan)!r} "
    if not isinstance(found, dict):
        raise UserError(f"{wrong}is no mapping: write it as 'schedule: {{cron: 0 6 * * 1}}', or export again")
    known = {one.name: type(one.default) for one in fields(Schedule)}
    for name, value in found.items():
        if name not in known:
            raise UserError(f"{wrong}has an unknown part {name!r}: it takes {', '.join(known)}")
        if type(value) is not known[name]:
            raise UserError(
                f"{wrong}has {name} {value!r}, which is no {known[name].__name__}: mend it, or export again"
            )
    made = Schedule(**found)
    kinds = [name for name in ("cron", "every_seconds", "data", "after", "drift") if getattr(made, name)]
    if len(kinds) != 1:
        raise UserError(
            f"{wrong}has {' and '.join(kinds) or 'no kind'}: give one of cron, every_seconds, data, after, drift"
        )
    return made


def _names(parameters: object) -> frozenset[str] | None:
    """Names from `{name: default}` or `[{name, default}]`."""
    if isinstance(parameters, dict):
        return frozenset(map(str, parameters))
    if isinstance(parameters, list):
        return frozenset(str(entry["name"]) for entry in parameters if isinstance(entry, dict) and "name" in entry)
    return None
