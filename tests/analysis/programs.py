"""Small programs for properties, and a way to run them that sees every global read, bound and deleted."""

from __future__ import annotations

import builtins
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType

from hypothesis import strategies as st

NAMES = ("a", "b", "c", "f", "g")
BUDGET = 1500
"""Looked-up names after which a program is stopped: some would never end."""

names = st.sampled_from(NAMES)


class Stop(BaseException):
    """The budget is spent. No `except Exception` of a program catches it."""


class Value:
    """Stands for anything: a number, a container, a function that calls what it is given, a context manager."""

    def __init__(self, number: int) -> None:
        self.number = number % 97
        self.attribute = number

    def __add__(self, other: object) -> Value:
        return Value(self.number * 3 + (other.number if isinstance(other, Value) else 1))

    __radd__ = __sub__ = __mul__ = __add__

    def __bool__(self) -> bool:
        return self.number % 2 == 0

    def __iter__(self) -> Iterator[Value]:
        return iter([Value(self.number + 1), Value(self.number + 2)][: self.number % 3])

    def __getitem__(self, key: object) -> Value:
        return Value(self.number + 5)

    def __setitem__(self, key: object, value: object) -> None:
        self.number = (self.number + 7) % 97

    def __call__(self, *arguments: object) -> object:
        for argument in arguments:
            if callable(argument):
                argument()
        return arguments[0] if arguments else Value(self.number + 11)

    def __enter__(self) -> Value:
        return self

    def __exit__(self, *fault: object) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and self.number == other.number

    def __hash__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"<{self.number}>"


@dataclass
class Seen:
    """What running a program did. `shape` is what it left behind, comparable between runs."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    fault: str = ""
    shape: dict[str, object] = field(default_factory=dict)


class Recording(dict[str, object]):
    """Globals that note who reads them. CPython 3.11 asks a subclass of dict by its methods, except in class bodies and
    for `global` stores: those show in what is left behind."""

    def __init__(self, start: dict[str, object]) -> None:
        super().__init__(start, __builtins__=builtins, __name__="program")
        self.start = start
        self.seen = Seen()
        self.left = BUDGET

    def __getitem__(self, name: str) -> object:
        self.left -= 1
        if self.left < 0:
            raise Stop
        value = super().__getitem__(name)
        if name in self.start and value is self.start[name]:
            self.seen.reads.add(name)
        return value

    def __setitem__(self, name: str, value: object) -> None:
        if name in NAMES:  # not __annotations__
            self.seen.writes.add(name)
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        self.seen.deletes.add(name)
        super().__delitem__(name)


def run(code: CodeType, given: frozenset[str]) -> Seen:
    """Run a program among the globals of those names, and return what was seen."""
    space = Recording({name: Value(number) for number, name in enumerate(NAMES) if name in given})
    seen = space.seen
    try:
        exec(code, space)
    except Stop:
        seen.fault = "Stop"
    except Exception as fault:
        seen.fault = type(fault).__name__
    for name, value in space.items():
        if name not in NAMES:
            continue
        seen.shape[name] = shape(value)
        if value is not space.start.get(name):
            seen.writes.add(name)
    seen.kept = seen.writes & space.keys()
    seen.deletes |= space.start.keys() - space.keys()
    return seen


def shape(value: object) -> object:
    if isinstance(value, Value):
        return value.number
    if isinstance(value, list | tuple):
        return [shape(item) for item in value]
    if isinstance(value, str):
        return re.sub("0x[0-9a-f]+", "0x", value)  # where a function lies
    return value if isinstance(value, int) else type(value).__name__


# Text


def expressions() -> st.SearchStrategy[str]:
    atom = st.one_of(names, names, st.sampled_from(["1", "'x'", "()"]))

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("({} + {})".format, inner, inner),
            st.builds("{}({})".format, names, inner),
            st.builds("({} if {} else {})".format, inner, inner, inner),
            st.builds("({} and {} or {})".format, inner, inner, inner),
            st.builds("({} := {})".format, names, inner),
            st.builds("[{} for {} in {}]".format, inner, names, names),
            st.builds("[{} for {} in {} if {}]".format, inner, names, names, inner),
            st.builds("[{} for {} in {} for {} in {}]".format, inner, names, names, names, inner),
            st.builds("{{{}: {} for {} in {}}}".format, names, inner, names, names),
            st.builds("({} for {} in {})".format, inner, names, names),
            st.builds("(lambda {}={}: {})".format, names, inner, inner),
            st.builds("(lambda: {})()".format, inner),
            st.builds("f'{{{}}}'".format, names),
            st.builds("{}.attribute".format, names),
            st.builds("{}[{}]".format, names, inner),
            st.builds("({} == {} == {})".format, inner, inner, inner),
        )

    return st.recursive(atom, larger, max_leaves=5)


def indented(block: str) -> str:
    return "".join(f"    {line}\n" for line in block.splitlines())


EXPRESSIONS = expressions()


@st.composite
def simple(draw: st.DrawFn) -> str:
    name, other, value = draw(names), draw(names), draw(EXPRESSIONS)
    return draw(
        st.sampled_from(
            [
                f"{name} = {value}",
                f"{name} = {value}",
                f"{name} = {other} = {value}",
                f"{name}, {other} = {value}, {draw(names)}",
                f"{name} += {value}",
                f"{name}: {other} = {value}",
                f"{name}.attribute = {value}",
                f"{name}[{other}] = {value}",
                f"del {name}",
                f"import math as {name}",
                f"{name} = lambda {other}=1: {value}",
                f"{value}",
                f"{name}({other})",
                f"assert {value}, {other}",
                f"raise ValueError({name})",
                "pass",
            ]
        )
    )


@st.composite
def compound(draw: st.DrawFn, blocks: st.SearchStrategy[str]) -> str:
    name, other, value = draw(names), draw(names), draw(EXPRESSIONS)
    body, more = indented(draw(blocks)), indented(draw(blocks))
    declared = draw(st.sampled_from(["", f"    global {other}\n"]))
    parameter = name if name != other else "p"
    decorator = draw(st.sampled_from(["", f"@{other}\n"]))
    jump = draw(st.sampled_from(["", "    if a: break\n", "    if b: continue\n"]))
    return draw(
        st.sampled_from(
            [
                f"if {value}:\n{body}else:\n{more}",
                f"if {value}:\n{body}",
                f"for {name} in {value}:\n{jump}{body}else:\n{more}",
                f"for {name} in [1, 2]:\n{jump}{body}",
                f"while {value}:\n{body}    break\nelse:\n{more}",
                f"while True:\n{body}    break\n",
                f"try:\n{body}except Exception as {name}:\n{more}",
                f"try:\n{body}except (ValueError, NameError):\n{more}else:\n{body}",
                f"try:\n{body}finally:\n{more}",
                f"with {name} as {other}:\n{body}",
                f"match {value}:\n    case [{name}]:\n{indented(body)}    case {other}:\n{indented(more)}",
                f"{decorator}def {name}({parameter}={value}):\n{declared}{body}    return {other}\n",
                f"def {name}():\n{declared}{body}{more}\n{name}()\n",
                f"def {name}():\n    def {other}():\n{indented(body)}{more}    return {other}\n{name}()\n",
                f"class {name}:\n{body}    def m(self={other}):\n{indented(more)}",
                f"class {name}:\n{body}    def {other}(p={value}):\n{indented(more)}    {other}()\n",
            ]
        )
    )


def blocks(smaller: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    statement = st.one_of(simple(), simple(), compound(smaller))
    return st.lists(statement, min_size=1, max_size=4).map("\n".join)


PLAIN = st.lists(simple(), min_size=1, max_size=3).map("\n".join)
PROGRAMS = blocks(blocks(PLAIN))


def subsets() -> list[frozenset[str]]:
    """The starts from which a program is run: all names there, or one missing."""
    return [frozenset(NAMES), *(frozenset(rest) for rest in itertools.combinations(NAMES, len(NAMES) - 1))]
