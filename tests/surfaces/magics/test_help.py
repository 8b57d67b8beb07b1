"""`-h` at the end of a magic's line says what its verb takes, and leaves no trace in a bundle."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.error import UsageError

from mlops_jupyter.surfaces.magics.meaning import Meaning
from mlops_jupyter.surfaces.magics.pipeline import VERBS
from mlops_jupyter.surfaces.magics.track import VERBS as TRACK
from mlops_jupyter.surfaces.magics.verbs import act

SESSION: Any = SimpleNamespace()


@pytest.mark.parametrize("asked", ["slice -h", "slice n --help"])
def test_a_verb_says_what_it_takes(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert act(SESSION, "pipeline", VERBS, asked) is None
    said = capsys.readouterr().out
    assert said.startswith("%pipeline slice name\n")
    assert "smallest program" in said
    assert "verbs:" not in said


def test_a_magic_names_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    act(SESSION, "pipeline", VERBS, "-h")
    assert capsys.readouterr().out.endswith("verbs: slice, history, run, export, verify, diff, targets\n")
    with pytest.raises(UsageError, match="%track takes one of start, log, params, end, runs, not '-h'"):
        act(SESSION, "track", TRACK, "-h")


def test_nothing_of_it_is_exported() -> None:
    assert Meaning().line("pipeline", "slice -h") is None
    assert Meaning().line("track", "log -h") is None
