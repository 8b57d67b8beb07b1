"""Parameters of a bundle: how they stand in a step, how its README spells them, what may be given in their place."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_jupyter.runtime.cli import parameters
from mlops_jupyter.services.export.run import local_run
from tests.services.export.recorded import export

CELL = 'cols = ["a b", "c"]\nflag = True\nn = 3\npair = (1, 2)\nnone = None'
SAID = "said = repr([cols, flag, n, pair, none])"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("parameters")
    answer = export(folder, [("# Say", CELL, "parameters"), ("", SAID)], ["said"])
    assert "fault" not in answer, answer
    yield folder / "out"


def test_a_step_has_no_default_that_its_calls_share(bundle: Path) -> None:
    text = (bundle / "src" / "play" / "steps" / "say.py").read_text()
    assert "def say(cols, flag=True, n=3, pair=(1, 2), none=None):\n" in text


def test_the_readme_spells_them_as_they_are_read(bundle: Path, tmp_path: Path) -> None:
    line = next(line for line in (bundle / "README.md").read_text().splitlines() if " run --store out" in line)
    words = shlex.split(line.partition("--store out")[2])
    assert words == ["-p", 'cols=["a b", "c"]', "-p", "flag=true"]
    assert local_run.run(bundle, tmp_path, words)["said"] == "[['a b', 'c'], True, 3, (1, 2), None]"


GIVEN = {
    "flag=False": "flag=False",
    "flag=false": "flag=False",
    "pair=[3, 4]": "pair=(3, 4)",
    "none=None": "none=None",
    "none=null": "none=None",
    "none=some text": "none='some text'",
    'cols=["x"]': "cols=['x']",
}


@pytest.mark.parametrize(("word", "expected"), GIVEN.items(), ids=GIVEN)
def test_what_may_be_given(word: str, expected: str) -> None:
    name, _, text = word.partition("=")
    default = {"flag": True, "pair": (1, 2), "none": None, "cols": ["a"]}[name]
    assert f"{name}={parameters.parse_value(name, text, default)!r}" == expected


REFUSED = {
    "flag=yes": "parameter 'flag' takes a bool (as in true), not 'yes'",
    "n=True": "parameter 'n' takes an int (as in 1), not 'True'",
    "pair=3": "parameter 'pair' takes a tuple (as in [1, 2]), not '3'",
}


@pytest.mark.parametrize(("word", "line"), REFUSED.items(), ids=REFUSED)
def test_what_may_not(word: str, line: str) -> None:
    name, _, text = word.partition("=")
    with pytest.raises(parameters.PipelineError, match=re.escape(line)):
        parameters.parse_value(name, text, {"flag": True, "n": 1, "pair": (1, 2)}[name])


def test_examples() -> None:
    assert doctest.testmod(parameters).failed == 0
