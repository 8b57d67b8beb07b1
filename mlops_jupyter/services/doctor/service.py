"""The doctor: check what is installed, reachable and misconfigured, without changing or presupposing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from mlops_jupyter.services.doctor import front, packages, project, tracking
from mlops_jupyter.services.doctor.check_result import CheckResult, CheckStatus

__all__ = ["CheckResult", "CheckStatus", "examine"]


def examine(folder: Path, tracking_uri: str) -> list[CheckResult]:
    """Check everything. A broken installation or project never makes it raise.

    Parameters
    ----------
    folder : the project's `.mlops`, which need not exist.
    tracking_uri : MLflow's address.
    """
    return [
        *_safely("packages", packages.look),
        *_safely("project", lambda: project.look(folder)),
        *_safely("mlflow", lambda: [tracking.look(tracking_uri, folder)]),
        *_safely("jupyter", front.look),
    ]


def _safely(name: str, look: Callable[[], Iterable[CheckResult]]) -> list[CheckResult]:
    """Return the results of a check. If the check itself raises, that is one more result."""
    results: list[CheckResult] = []
    try:
        results.extend(look())  # keeps the results before a fault
    except Exception as fault:
        results.append(
            CheckResult(name, CheckStatus.FAULT, f"cannot be checked: {type(fault).__name__}: {fault}", "report this")
        )
    return results
