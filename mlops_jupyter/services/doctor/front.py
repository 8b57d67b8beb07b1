"""Check how Jupyter sees this package: the labextension, the server extension, and the kernels' environments."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops_jupyter.services.doctor.check_result import CheckResult, CheckStatus

LABEXTENSION = "mlops-jupyter"
MODULE = "mlops_jupyter"
ASK_SECONDS = 20.0
"""Seconds that a kernel's Python may take to say whether it has this package."""

_ASK = f"import importlib.util as u; raise SystemExit(0 if u.find_spec({MODULE!r}) else 3)"


def look() -> Iterator[CheckResult]:
    """Yield results for the front end and for the kernels that this environment's Jupyter offers."""
    try:
        import jupyter_core.paths as paths
    except ImportError:
        yield CheckResult("jupyter", CheckStatus.FAULT, "not installed", "pip install jupyterlab")
        return
    yield labextension([Path(p) for p in paths.jupyter_path("labextensions")], _config(paths, "labconfig"))
    yield server(_config(paths, "."))
    yield from kernels([Path(p) for p in paths.jupyter_path("kernels")])


def _config(paths: Any, section: str) -> list[Path]:
    """Return the folders of a section of Jupyter's configuration, the least important first."""
    return [Path(p) / section for p in reversed(paths.jupyter_config_path())]


def labextension(places: list[Path], config: list[Path]) -> CheckResult:
    """Check that the labextension is installed in one of the folders, and not disabled."""
    installed = next(
        (place / LABEXTENSION for place in places if (place / LABEXTENSION / "package.json").is_file()), None
    )
    if installed is None:
        advice = f"install the built package (`pip install {MODULE}`) into the environment that runs Jupyter"
        return CheckResult("labextension", CheckStatus.WARNING, "not installed: JupyterLab shows no panel", advice)
    disabled: dict[str, Any] = {}
    for folder in config:
        disabled |= dict(_read(folder, "page_config").get("disabledExtensions") or {})
    if any(value is True and name.split(":")[0] == LABEXTENSION for name, value in disabled.items()):
        return CheckResult(
            "labextension", CheckStatus.WARNING, "disabled", f"jupyter labextension enable {LABEXTENSION}"
        )
    return CheckResult("labextension", CheckStatus.OK, f"installed in {str(installed)!r}, enabled")


def server(config: list[Path]) -> CheckResult:
    """Check that the server extension is enabled."""
    enabled: dict[str, Any] = {}
    for folder in config:
        enabled |= _read(folder, "jupyter_server_config").get("ServerApp", {}).get("jpserver_extensions") or {}
    if enabled.get(MODULE) is True:
        return CheckResult("server extension", CheckStatus.OK, "enabled")
    what = "disabled" if MODULE in enabled else "not enabled: the panel gets no data"
    return CheckResult("server extension", CheckStatus.WARNING, what, f"jupyter server extension enable {MODULE}")


def _read(folder: Path, name: str) -> dict[str, Any]:
    """Read a configuration as Jupyter does: the files in `NAME.d` in order, then `NAME.json` over them."""
    facts: dict[str, Any] = {}
    for file in (*sorted((folder / f"{name}.d").glob("*.json")), folder / f"{name}.json"):
        try:
            _merge(facts, json.loads(file.read_text()))
        except (OSError, ValueError):  # absent, or not ours to judge
            continue
    return facts


def _merge(facts: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(facts.get(key), dict):
            _merge(facts[key], value)
        else:
            facts[key] = value


def kernels(places: list[Path]) -> Iterator[CheckResult]:
    """Yield a result for each Python kernel: one of another environment needs this package there."""
    specs: dict[str, Path] = {}
    for place in places:
        for file in sorted(place.glob("*/kernel.json")):
            specs.setdefault(file.parent.name, file)
    for name, file in specs.items():
        try:
            spec = json.loads(file.read_text())
            python, language = str(spec["argv"][0]), str(spec.get("language", "")).lower()
        except (OSError, ValueError, LookupError, TypeError):
            yield CheckResult(
                f"kernel {name}", CheckStatus.WARNING, f"cannot read {str(file)!r}", f"jupyter kernelspec remove {name}"
            )
            continue
        if language == "python":
            yield _kernel(name, python)


def _kernel(name: str, python: str) -> CheckResult:
    same = python == sys.executable or python in ("python", "python3", f"python3.{sys.version_info.minor}")
    if same:  # Jupyter puts its own Python in the place of these names
        return CheckResult(f"kernel {name}", CheckStatus.OK, "runs in this environment")
    try:
        code = subprocess.run([python, "-c", _ASK], capture_output=True, timeout=ASK_SECONDS).returncode
    except (OSError, subprocess.TimeoutExpired) as fault:
        return CheckResult(
            f"kernel {name}",
            CheckStatus.WARNING,
            f"{python!r} does not run: {fault}",
            f"jupyter kernelspec remove {name}",
        )
    if code == 0:
        return CheckResult(
            f"kernel {name}", CheckStatus.OK, f"runs in another environment ({python}), which has {MODULE}"
        )
    advice = f"{python} -m pip install {MODULE}"
    return CheckResult(
        f"kernel {name}", CheckStatus.WARNING, f"runs in another environment ({python}) without {MODULE}", advice
    )
