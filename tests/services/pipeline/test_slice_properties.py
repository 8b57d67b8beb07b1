"""For small programs of all sorts, run in any order: running the slice gives the value that running all gave."""

from __future__ import annotations

from hypothesis import HealthCheck, note, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from mlops_jupyter.core.errors import UserError
from tests.services.pipeline.played import play, replay, same, session, sliced

NAMES = ("a", "b", "c", "len")
"""One of them hides a builtin."""

TEMPLATES = (
    "{x} = {n}",
    "{x} = [{n}]",
    "{x} = '{n}'",
    "{x} = {{'k': {y}}}",
    "{x} = {y}",
    "{x} = {y} = [{n}]",
    "{x} = [{y}, {z}]",
    "{x} = {y}[0]",
    "{x}[0] = {y}",
    "{x} = {y} + {z}",
    "{x} = {n} + 2 * {n}",
    "{x}.append({n})",
    "{x}.append({y})",
    "{x} += {y}",
    "{x} += [{n}]",
    "{x} *= 2",
    "{x}, {y} = {y}, {x}",
    "del {x}",
    "for i in range({n}):\n    {x}.append(i)",
    "for {x} in [1, {y}]:\n    pass",
    "if {x}:\n    {y} = [{n}]",
    "while {x}:\n    {x} = {x}[1:]",
    "with open('f', 'w') as file:\n    file.write(str({x}))",
    "try:\n    {x} = {y}\nexcept NameError:\n    {x} = 'gone'",
    "try:\n    {x} = len({y})\nexcept TypeError:\n    {x} = 'no length'",
    "def f():\n    return {x}",
    "def f(v={x}):\n    return v",
    "def f():\n    global {x}\n    {x} = [{y}]",
    "def f():\n    {x}.append({n})\n    return {x}",
    "def f():\n    return g()",
    "def g():\n    return {x}",
    "def g(seen=[]):\n    seen.append({n})\n    return seen",
    "{x} = f()",
    "f()",
    "{x} = g()",
    "{x} = lambda: {y}",
    "{x} = {y}()",
    "{x} = [f, {y}]",
    "{x} = {y}[0]()",
    "class C:\n    n = [{n}]\n    def m(self):\n        return {x}",
    "{x} = C()",
    "{x} = C().m()",
    "{x}.v = {y}",
    "{x} = {y}.v",
    "C.n = {x}",
    "C.n.append({n})",
    "{x} = C.n",
    "{x} = {y}.n",
    "import random\nrandom.seed({n})",
    "import random",
    "{x} = random.random()",
    "random.seed({n})",
    "{x} = iter({y})",
    "{x} = next({y})",
    "{x} = (i for i in {y})",
    "{x} = (i for i in [1, 2] if {y})",
    "{x} = list({y})",
    "{x} = [i for i in {y}]",
    "{x} = [lambda: {y} for i in range(2)]",
    "{x} = len({y})",
    "print({x})",
    "{x}",
    "{x} = sorted({y}, key=lambda k: {z})",
    "{x} = open('f').read()",
    "import functools\n{x} = functools.partial(f)",
    "{x} = map(lambda k: [k, {y}], {z})",
    "{x} = {n} if {y} else {z}",
    "({x} := {y})",
    "match {x}:\n    case [{y}, *_]:\n        pass\n    case _:\n        {y} = {n}",
    "raise ValueError({x})",
)

names = st.sampled_from(NAMES)
statements = st.builds(
    lambda text, **values: text.format(**values),
    st.sampled_from(TEMPLATES),
    x=names,
    y=names,
    z=names,
    n=st.integers(0, 3),
)
cells = st.lists(statements, min_size=1, max_size=3).map("\n".join)


@st.composite
def histories(draw: st.DrawFn) -> list[str]:
    """Cells as they ran: some again, some out of order, some edited in between."""
    written = draw(st.lists(cells, min_size=2, max_size=7))
    order = draw(st.lists(st.sampled_from(range(len(written))), max_size=6))
    return ["import random", *written, *(written[number] for number in order)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@for_all(histories())
def test_the_slice_gives_the_value(history: list[str]) -> None:
    with session() as (run, notebook):
        play(history, None, run)
        for name in NAMES:
            if name not in notebook.namespace:
                continue
            try:
                made = sliced(notebook, name)
            except UserError as fault:
                assert "uses the file" in str(fault)
                continue
            note(made.text)
            live, again = notebook.namespace[name], replay(notebook, made)
            assert same(live, again) if _is_data(live) else type(live).__name__ == type(again).__name__, (
                name,
                live,
                again,
            )


def _is_data(value: object, depth: int = 0) -> bool:
    """Whether a value is one that tells all of itself: no function, no iterator, nothing that holds itself."""
    if isinstance(value, list | tuple | dict):
        inner = value.values() if isinstance(value, dict) else value
        return depth < 20 and all(_is_data(one, depth + 1) for one in inner)
    return isinstance(value, int | float | str | None)
