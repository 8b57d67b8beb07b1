"""Every example in a docstring runs, and gives what it says."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.house.source import ROOT, modules

EXAMPLES = sorted(path.relative_to(ROOT) for path in modules() if ">>>" in path.read_text("utf-8"))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 60


@pytest.mark.parametrize("path", EXAMPLES, ids=str)
def test_examples_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
    attempted = doctest.testmod(module, optionflags=doctest.REPORT_ONLY_FIRST_FAILURE)
    assert attempted.attempted > 0
    assert attempted.failed == 0, "see what the doctest printed"
