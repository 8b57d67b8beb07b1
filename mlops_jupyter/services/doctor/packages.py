"""Check Python and the requirements of this package against the bounds that it declares."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from mlops_jupyter.services.doctor.check_result import CheckResult, CheckStatus

DISTRIBUTION = "mlops_jupyter"
OLDEST_PYTHON = (3, 11)


def look() -> Iterator[CheckResult]:
    """Yield a result for Python, for this distribution, and for each of its requirements."""
    state = CheckStatus.OK if sys.version_info >= OLDEST_PYTHON else CheckStatus.FAULT
    yield CheckResult(
        "python", state, platform.python_version(), "" if state is CheckStatus.OK else "use Python 3.11 or newer"
    )
    declaration = _declared()
    if declaration is None:
        yield CheckResult("package mlops_jupyter", CheckStatus.FAULT, "not installed", "pip install mlops_jupyter")
        return
    requirements, package = declaration
    yield package
    for requirement in requirements:
        if (finding := compare(requirement)) is not None:
            yield finding


def _declared() -> tuple[list[str], CheckResult] | None:
    """Return the requirements of the installed distribution, else of this source tree; None if there is neither."""
    from importlib import metadata

    name = f"package {DISTRIBUTION}"
    try:
        version, requirements = metadata.version(DISTRIBUTION), metadata.requires(DISTRIBUTION) or []
        return requirements, CheckResult(name, CheckStatus.OK, version)
    except metadata.PackageNotFoundError:
        project = Path(__file__).parents[3] / "pyproject.toml"
    if not project.is_file():
        return None
    import tomllib

    declared: list[str] = tomllib.loads(project.read_text())["project"]["dependencies"]
    what = "runs from its source tree, not installed: Jupyter does not see its extensions"
    return declared, CheckResult(name, CheckStatus.WARNING, what, "pip install .")


def compare(text: str) -> CheckResult | None:
    """Compare a requirement with the installed version; None if it is for another machine or for an extra only."""
    from importlib import metadata

    from packaging.requirements import Requirement

    requirement = Requirement(text)
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        return None
    name, bounds = f"package {requirement.name}", str(requirement.specifier)
    install = f"pip install '{requirement.name}{bounds}'"
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return CheckResult(name, CheckStatus.FAULT, f"not installed (needs {bounds or 'any version'})", install)
    if not requirement.specifier.contains(version, prereleases=True):
        return CheckResult(name, CheckStatus.FAULT, f"{version} is outside {bounds}", install)
    return CheckResult(name, CheckStatus.OK, version)
