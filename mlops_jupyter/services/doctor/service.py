"""The doctor: what is installed, reachable, misconfigured. It changes nothing, and needs nothing to be right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from mlops_jupyter.services.doctor import front, packages, project, tracking
from mlops_jupyter.services.doctor.check_result import CheckResult, CheckStatus

__all__ = ["CheckResult", "CheckStatus", "examine"]


def examine(folder: Path, tracking_uri: str) -> list[CheckResult]:
    """Check everything; never raises for what is wrong with what it looks at.

    Parameters
    ----------
    folder : the project's `.mlops`, which need not be there.
    tracking_uri : MLflow's address.
    """
    return [
        *_safely("packages", packages.look),
        *_safely("project", lambda: project.look(folder)),
        *_safely("mlflow", lambda: [tracking.look(tracking_uri, folder)]),
        *_safely("jupyter", front.look),
    ]


def _safely(name: str, look: Callable[[], Iterable[CheckResult]]) -> list[CheckResult]:
    """What a look found; a look that breaks is a finding too, and does not hide the others."""
    found: list[CheckResult] = []
    try:
        found.extend(look())  # keeps what came before a break
    except Exception as fault:
        found.append(
            CheckResult(name, CheckStatus.FAULT, f"cannot be checked: {type(fault).__name__}: {fault}", "report this")
        )
    return found
