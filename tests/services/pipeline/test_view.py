"""Which steps would give something else if they ran again."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.graph import build
from mlops_jupyter.core.executions import Execution, Header, Mark
from mlops_jupyter.core.ids import ExecutionId
from mlops_jupyter.services.pipeline.query.step_states import Reruns


def ran(
    name: str = "", *, text: str = "", cell: str = "", step: str = "", mark: str = "", takes: str = ""
) -> Execution:
    """A running of a cell that makes one name, with a mark for its value."""
    return Execution(
        ExecutionId(1),
        text,
        text,
        headers=(Header("pipeline", step),) if step else (),
        cell=cell,
        writes={name: mark} if name else {},
        reads=frozenset({takes} if takes else ()),
    )


@dataclass(frozen=True)
class Case:
    """`maker` made x, then the step took it, then `later` ran."""

    name: str
    maker: Execution
    later: tuple[Execution, ...]
    stale: bool


CASES = (
    Case("nothing since", ran("x", cell="a", mark="1"), (), False),
    Case("the cell again, the same value", ran("x", cell="a", mark="1"), (ran("x", cell="a", mark="1"),), False),
    Case("the cell again, another value", ran("x", cell="a", mark="1"), (ran("x", cell="a", mark="2"),), True),
    Case(
        "another value, then the first one again: what was seen in between counts",
        ran("x", cell="a", mark="1"),
        (ran("x", cell="a", mark="2"), ran("x", cell="a", mark="1")),
        True,
    ),
    Case("another cell", ran("x", cell="a", mark="1"), (ran("x", cell="b", mark="2"),), False),
    Case("the cell again, another name", ran("x", cell="a", mark="1"), (ran("y", cell="a", mark="2"),), False),
    Case("edited", ran("x", text="x = 1", cell="a", mark="1"), (ran("x", text="x = 2", cell="a", mark="2"),), True),
    Case("no ids, one text", ran("x", text="x = f()", mark="1"), (ran("x", text="x = f()", mark="2"),), True),
    Case("no ids, two texts", ran("x", text="x = 1", mark="1"), (ran("x", text="x = 2", mark="2"),), False),
    Case("an id, then none", ran("x", text="f", cell="a", mark="1"), (ran("x", text="f", mark="2"),), True),
    Case("no id, then one", ran("x", text="f", mark="1"), (ran("x", text="f", cell="a", mark="2"),), True),
    Case("ids tell apart", ran("x", text="f", cell="a", mark="1"), (ran("x", text="f", cell="b", mark="2"),), False),
    Case("its step", ran("x", text="1", cell="a", step="s", mark="1"), (ran("x", cell="b", step="s", mark="2"),), True),
    Case("another step", ran("x", cell="a", step="s", mark="1"), (ran("x", cell="a", step="t", mark="2"),), False),
    Case("no step any more", ran("x", cell="a", step="s", mark="1"), (ran("x", cell="a", mark="2"),), False),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_step_is_stale_if_what_it_took_was_made_otherwise_since(case: Case) -> None:
    reruns = Reruns(build([case.maker, ran("z", cell="user", takes="x"), *case.later]))
    assert reruns.outdate([1]) is case.stale
    assert not reruns.outdate([0])


USES = "y = f(1)"

# the cell that defines, that cell run again later (None: it was not), that cell in the file now, whether `y` is stale
CODE = {
    "the same": ("def f(x):\n    return x", None, "def f(x):\n    return x", False),
    "run again": ("def f(x):\n    return x", "def f(x):\n    return x", "def f(x):\n    return x", False),
    "formatted": (
        "def f(x):\n    return x",
        "def f( x ):\n    return x  # so",
        "def f( x ):\n    return x  # so",
        False,
    ),
    "a function edited and run again": ("def f(x):\n    return x", *(["def f(x):\n    return -x"] * 2), True),
    "a function edited only": ("def f(x):\n    return x", None, "def f(x):\n    return -x", True),
    "a decorated one": ("@g\ndef f(x):\n    return x", None, "@h\ndef f(x):\n    return x", True),
    "a class": ("class f:\n    n = 1", None, "class f:\n    n = 2", True),
    "an import": ("from math import floor as f", *(["from math import ceil as f"] * 2), True),
    "an import edited only": ("from math import floor as f", None, "from math import ceil as f", True),
    "another import": ("import os\nfrom math import floor as f", None, "import re\nfrom math import floor as f", False),
    "another function": ("def f(x):\n    return x", None, "def f(x):\n    return x\ndef g():\n    return 2", False),
    "it is gone": ("def f(x):\n    return x", None, "a = 2", True),
    "no Python now": ("def f(x):\n    return x", None, "def f(x:", True),
    "a step's own": ("def f(x):\n    return x", None, "%%pipeline code\ndef f(x):\n    return x", False),
}


@pytest.mark.parametrize("name", CODE)
def test_a_step_is_stale_if_code_that_it_uses_was_edited(name: str) -> None:
    before, again, now, stale = CODE[name]
    history = [
        ran("f", text=before, cell="a", mark=Mark.CODE),
        ran("y", text=USES, cell="b", mark="0" * 32, takes="f"),
        *([ran("f", text=again, cell="a", mark=Mark.CODE)] if again else []),
    ]
    cells = [CodeCell(1, "a", now, (), 0, "", ""), CodeCell(2, "b", USES, (), 0, "", "")]
    in_file = [cells[0], cells[1], *([cells[0]] if again else [])]
    assert Reruns(build(history), in_file).outdate([1]) is stale
