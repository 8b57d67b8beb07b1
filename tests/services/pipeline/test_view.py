"""Which steps would give something else if they ran again."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mlops_jupyter.analysis.graph import build
from mlops_jupyter.core.executions import Execution, Header
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
