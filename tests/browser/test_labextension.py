"""The panel that is installed was made from these sources; the build hook."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pytest

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


class BuildHookInterface(Generic[T]):
    """Stands in for hatchling's, which only a build has."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)


@pytest.fixture
def hook(monkeypatch) -> types.ModuleType:
    """`hatch_build.py`, loaded without hatchling."""
    stand_in = types.ModuleType("interface")
    stand_in.BuildHookInterface = BuildHookInterface
    monkeypatch.setitem(sys.modules, "hatchling.builders.hooks.plugin.interface", stand_in)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_installed_panel_is_made_from_these_sources(hook):
    stamp = Path(sys.prefix, "share/jupyter/labextensions/mlops-jupyter", hook.STAMP)
    made = stamp.read_text().strip() if stamp.is_file() else None
    assert made == hook.source_hash(ROOT / "labextension"), "run: pip install -e ."


NPM = """#!/bin/sh
echo "$*" >> "$CALLS"
[ "$1" = run ] && mkdir -p ../mlops_jupyter/labextension && echo {} > ../mlops_jupyter/labextension/package.json
[ "$1" = ci ] && mkdir -p node_modules && touch node_modules/.package-lock.json
exit 0
"""


@dataclass
class Project:
    """A project whose npm notes how it was called."""

    root: Path
    calls: Path

    def called(self) -> list[str]:
        """How npm was called since the last look: its first word each."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return [line.split()[0] for line in lines]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    source = tmp_path / "labextension" / "src"
    source.mkdir(parents=True)
    (source / "index.ts").write_text("export default [];")
    for name in ("package.json", "package-lock.json"):
        (source.parent / name).write_text("{}")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"npm": NPM, "node": "#!/bin/sh\necho v22.12.0\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/bin{os.pathsep}/usr/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.delenv("SKIP_LABEXTENSION", raising=False)
    return Project(tmp_path, tmp_path / "calls")


def test_it_compiles_what_is_not_current_and_only_that(hook, project):
    build = hook.Hook(project.root)
    build.initialize("standard", {})
    assert project.called() == ["ci", "run"]
    build.initialize("standard", {})
    assert project.called() == []
    (project.root / "labextension/src/index.ts").write_text("export default [1];")
    build.initialize("standard", {})
    assert project.called() == ["run"]
    lock = project.root / "labextension/package-lock.json"
    lock.write_text('{"changed": true}')
    os.utime(lock, (lock.stat().st_mtime + 10,) * 2)
    build.initialize("standard", {})
    assert project.called() == ["ci", "run"]
    (project.root / "mlops_jupyter/labextension/package.json").unlink()
    build.initialize("standard", {})
    assert project.called()[-1] == "run"


def test_it_leaves_the_panel_out_where_that_is_wanted(hook, project, monkeypatch):
    monkeypatch.setenv("SKIP_LABEXTENSION", "1")
    build = hook.Hook(project.root)
    build.initialize("standard", {})
    assert (project.called(), build.dependencies()) == ([], [])
    assert list((project.root / "mlops_jupyter/labextension").iterdir()) == []


@pytest.mark.parametrize(
    ("version", "usable"),
    [
        ("v20.18.1", False),
        ("v20.19.0", True),
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("x", False),
    ],
)
def test_it_asks_for_node_where_the_machines_is_too_old(version, usable, hook, project):
    (project.root / "bin/node").write_text(f"#!/bin/sh\necho {version}\n")
    assert hook.Hook(project.root).dependencies() == ([] if usable else [hook.NODE])


def test_it_says_what_to_do_without_npm(hook, project, monkeypatch):
    monkeypatch.setenv("PATH", str(project.root / "nowhere"))
    assert hook.Hook(project.root).dependencies() == [hook.NODE]
    with pytest.raises(RuntimeError, match="install Node"):
        hook.Hook(project.root).initialize("standard", {})
