"""The TypeScript's own tests, and that the panel that is installed was made from these sources."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import types
from pathlib import Path
from typing import Generic, TypeVar

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


def build_hook(monkeypatch) -> types.ModuleType:
    """Load `hatch_build.py` without hatchling, which only a build has."""

    class BuildHookInterface(Generic[T]):
        pass

    stand_in = types.ModuleType("interface")
    stand_in.BuildHookInterface = BuildHookInterface
    monkeypatch.setitem(sys.modules, "hatchling.builders.hooks.plugin.interface", stand_in)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_installed_panel_is_made_from_these_sources(monkeypatch):
    hook = build_hook(monkeypatch)
    stamp = Path(sys.prefix, "share/jupyter/labextensions/mlops-jupyter", hook.STAMP)
    assert stamp.is_file() and stamp.read_text().strip() == hook.source_hash(ROOT / "labextension"), (
        "run: pip install -e ."
    )


def test_vitest():
    done = subprocess.run(["npm", "test"], cwd=ROOT / "labextension", capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
