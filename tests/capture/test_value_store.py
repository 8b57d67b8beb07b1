"""What is remembered of values: what shares with a value is suspected only if the shared object may have changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.capture.value_store import ValueStore


class Thing:
    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


class Closed(Thing):
    """Its inside cannot be read, so that nothing is known of it."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError


@dataclass(frozen=True)
class Row:
    """Names made by `setup`; `cell` runs; `of` is looked at again. Which others may have changed with it."""

    name: str
    setup: str
    cell: str
    of: str
    moved: str = ""
    view: bool = False


ROWS = (
    Row("nothing happened", "x = [1]; a = [x]; b = [x]", "pass", "a"),
    Row("the shared object changed", "x = [1]; a = [x]; b = [x]", "x.append(2)", "a", "b x"),
    Row("something else of it changed", "x = Thing(); a = [x]; b = [x]", "a.append(2)", "a"),
    Row("something else of plain data", "x = [1]; a = [x]; b = [x]", "a.append(2)", "a", "b x"),
    Row("deep in what is shared", "x = {'k': [Thing(n=1)]}; a = [x]; b = [x]", "x['k'][0].n = 2", "a", "b x"),
    Row("one of two", "x, y = Thing(), Thing(); a = [x, y]; b = [x]; c = [y]", "y.n = 3", "a", "c y"),
    Row("let go after it was changed", "x = [1]; a = [x]; b = [x]", "a.pop().append(2)", "a", "b x"),
    Row("put in the place of another", "x = [1]; a = [x]; b = [x]", "a[0].append(2); a[0] = [1]", "a", "b x"),
    Row("bound anew", "x = [1]; a = [x]; b = [x]", "a = [a[0]]; a[0].append(2)", "a", "b x"),
    Row("bound anew, and gone", "x = [1]; a = [x]; b = [x]", "a[0].append(2); a = 1", "a", "b x"),
    Row("a cache beside an array", "x = np.arange(3.0); a = Thing(x=x); b = Thing(x=x)", "a.cached = 1", "a"),
    Row("an array in place", "x = np.arange(3.0); a = Thing(x=x); b = Thing(x=x)", "x[0] = 9", "a", "b x"),
    Row("outside of a view", "x = np.arange(9); a = x[3:]; b = x[:3]", "a.base[0] = 9", "a", "b x", view=True),
    Row("a view, and nothing happened", "x = np.arange(9); a = x[3:]; b = x[:3]", "pass", "a", view=True),
    Row("a cache beside a view", "x = np.arange(9); a = Thing(v=x[3:]); b = Thing(v=x[:3])", "a.cached = 1", "a"),
    Row("outside of a view that is held", "x = np.arange(9); a = Thing(v=x[3:]); b = Thing(v=x[:3])",
        "a.v.base[0] = 9; a.cached = 1", "a", "b x"),
    Row("a view of bytes", "x = bytearray(9); a = np.frombuffer(x, 'u1', 3); b = [x]", "pass", "a", "b x", view=True),
    Row("what cannot be read", "x = Closed(n=1); a = [x]; b = [x]", "x.n = 2", "a", "b x"),
    Row("beside what cannot be read", "x = [1]; a = [x, Closed()]; b = [x]", "pass", "a"),
    Row("a frame in place", "x = pd.DataFrame({'k': [1.0]}); a = [x]; b = [x]", "x.loc[0, 'k'] = 9.0", "a", "b x"),
    Row("a cycle", "a = Thing(); x = Thing(up=a); a.x = x; b = [x]", "x.n = 2", "a", "b x"),
    Row("the random state of all", "a = Thing(r=np.random.mtrand._rand); b = Thing(r=np.random.mtrand._rand)",
        "a.n = np.random.random()", "a"),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
def test_who_may_have_changed_too(row: Row) -> None:
    space: dict[str, Any] = {}
    given = {"np": np, "pd": pd, "Thing": Thing, "Closed": Closed}
    exec(row.setup, given, space)
    values = ValueStore(space)
    for _ in range(2):  # at the second look it is known who shares with whom
        values.refresh(sorted(space))
    before, was = values.snapshot(row.of), values.fingerprint(row.of)
    exec(row.cell, given, space)
    values.refresh([row.of])
    same = values.fingerprint(row.of) == was != "?"
    assert values.affected(row.of, before, sure=same and not row.view) == set(row.moved.split())


def test_nothing_is_taken_for_the_same_that_was_looked_at_once() -> None:
    base = np.arange(9)
    space: dict[str, Any] = {"a": base[3:], "b": base[:3]}
    values = ValueStore(space)
    values.refresh(["a"])
    values.refresh(["b"])  # only now it is known that the base matters
    before = values.snapshot("a")
    base[0] = 9
    values.refresh(["a"])
    assert values.affected("a", before, sure=False) == {"b"}
