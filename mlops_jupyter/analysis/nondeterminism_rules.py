"""Finds the causes of nondeterminism in a cell while its syntax tree is visited."""

from __future__ import annotations

import ast
import re

from mlops_jupyter.analysis.nondeterminism import (
    ATTRIBUTES,
    GENERATORS,
    METHODS,
    NOW_WITHOUT,
    ORDERED,
    PAIRS,
    READERS,
    SEEDERS,
    SET_METHODS,
    SHUFFLES,
    SORTERS,
    TAKES_RANDOM_STATE,
    WORDS,
    NondeterminismCause,
    NondeterminismKind,
)

CALL_TAILS = frozenset(
    {key.rpartition(".")[2] for key in PAIRS}
    | set(WORDS)
    | set(METHODS)
    | GENERATORS
    | set(SEEDERS)
    | TAKES_RANDOM_STATE
    | SHUFFLES
    | set(NOW_WITHOUT)
    | READERS
    | SORTERS
    | ORDERED
    | {"datetime64", "to_datetime"}
)
"""Last names of calls that the finder examines; all others cost one set lookup."""

ATTRIBUTE_TAILS = frozenset(key.rpartition(".")[2] for key in ATTRIBUTES)
"""Last names of attributes that the finder examines."""

_REMOTE = re.compile(r"(https?|ftps?|s3a?|gs|gcs|az|abfss?|adl|hf|hdfs)://", re.I)
_USUAL = {"np": ("numpy",), "pd": ("pandas",), "tf": ("tensorflow",)}


class NondeterminismFinder:
    """Collects the causes of nondeterminism in one cell, from the visits to its calls, attributes and loops.

    Follows names, not values: `rng.random()` on a generator is no cause, a user's own object called `random` is one.

    Attributes
    ----------
    found : causes, in the order of the visits.
    aliases : name bound by an import -> path of the imported thing.
    sets : names bound to sets.
    ordered : (name, cause) for each name whose items are taken in order: a cause if the name holds a set.
    """

    def __init__(self, lines: list[str]) -> None:
        self.found: list[NondeterminismCause] = []
        self.aliases: dict[str, tuple[str, ...]] = {}
        self._lines = lines
        self._seeded: set[str] = set()
        self._settled: set[int] = set()  # ids of nodes whose order does not matter
        self.sets: set[str] = set()
        self.ordered: list[tuple[str, NondeterminismCause]] = []

    def call(self, node: ast.Call, tail: str) -> None:
        """Examine a call whose last name is `tail`."""
        path = self.path(node.func)
        tail = path[-1] if path else tail
        if tail in SEEDERS and self._seeds(node, path, tail):
            return
        if tail in SORTERS and len(path) == 1:
            self._settle(node)
        kind = self._kind(node, path, tail)
        if kind is NondeterminismKind.UNSEEDED and (
            self._seeded & {_family(path), "*"} or _given(node, 99, "random_state")
        ):
            return
        if kind is NondeterminismKind.ORDER and id(node) in self._settled:
            return
        if kind:
            self._add(kind, node)
        elif tail in ORDERED:
            self._ordered(node.args, node)

    def attribute(self, node: ast.Attribute) -> None:
        """Examine an attribute that is not called."""
        kind = ATTRIBUTES.get(".".join(self.path(node)[-2:]))
        if kind:
            self._add(kind, node)

    def iterated(self, node: ast.expr) -> None:
        """Examine the iterable of a loop or comprehension."""
        if id(node) in self._settled:
            return
        if _is_set(node):
            self._add(NondeterminismKind.ORDER, node)
        self._ordered([node], node)

    def assigned(self, names: list[str], value: ast.expr) -> None:
        """Examine the value that an assignment binds to names."""
        if names and _is_set(value):
            self.sets.update(names)

    def path(self, node: ast.expr) -> tuple[str, ...]:
        """Return the names of `a.b.c`, import aliases resolved; of a call in between, the last name counts."""
        names: list[str] = []
        while True:
            if isinstance(node, ast.Attribute):
                names.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Call):
                node = node.func
            elif isinstance(node, ast.Name):
                root = self.aliases.get(node.id) or _USUAL.get(node.id) or (node.id,)
                return (*root, *reversed(names))
            else:
                return ("", *reversed(names))

    def _kind(self, node: ast.Call, path: tuple[str, ...], tail: str) -> NondeterminismKind | None:
        if tail in GENERATORS:
            return None if _given(node, 0, "seed", "entropy", "x") else NondeterminismKind.ENTROPY
        if (tail in TAKES_RANDOM_STATE and path[-2:-1] != ("random",)) or (tail in SHUFFLES and _true(node, "shuffle")):
            return None if _given(node, 99, "random_state", "seed", "random_seed") else NondeterminismKind.UNSEEDED
        if tail in ORDERED and any(map(_is_set, node.args)):
            return NondeterminismKind.ORDER
        if tail in READERS and node.args and _REMOTE.match(_text(node.args[0])):
            return NondeterminismKind.NETWORK
        if tail in NOW_WITHOUT and path[-2:-1] == ("time",):
            return NondeterminismKind.CLOCK if len(node.args) < NOW_WITHOUT[tail] else None
        if tail in {"datetime64", "to_datetime"}:
            return NondeterminismKind.CLOCK if node.args and _text(node.args[0]) in {"now", "today"} else None
        if len(path) == 1:
            return WORDS.get(tail) or METHODS.get(tail)
        return PAIRS.get(".".join(path[-2:])) or METHODS.get(tail)

    def _seeds(self, node: ast.Call, path: tuple[str, ...], tail: str) -> bool:
        """Note a seeded random state; return False if the call seeds none. `seed()` and `seed(None)` take entropy."""
        family = SEEDERS[tail] or _family(path)
        if tail == "seed" and path[-2:-1] != ("random",):
            return False
        if _given(node, 0, "a", "seed"):
            self._seeded.add(family)
        else:
            self._add(NondeterminismKind.ENTROPY, node)
        return True

    def _settle(self, node: ast.Call) -> None:
        for arg in node.args:
            self._settled.add(id(arg))
            if isinstance(arg, (ast.GeneratorExp, ast.ListComp, ast.SetComp)):
                self._settled.update(id(g.iter) for g in arg.generators)

    def _ordered(self, taken: list[ast.expr], node: ast.expr) -> None:
        names = (part.id for part in taken if isinstance(part, ast.Name))
        self.ordered += ((name, self._cause(NondeterminismKind.ORDER, node)) for name in names)

    def _add(self, kind: NondeterminismKind, node: ast.expr) -> None:
        self.found.append(self._cause(kind, node))

    def _cause(self, kind: NondeterminismKind, node: ast.expr) -> NondeterminismCause:
        return NondeterminismCause(kind, node.lineno, self._written(node))

    def _written(self, node: ast.expr) -> str:
        line = self._lines[node.lineno - 1].encode()
        end = node.end_col_offset if node.end_lineno == node.lineno else len(line)
        return line[node.col_offset : end].decode().strip()


def _family(path: tuple[str, ...]) -> str:
    """Return the owner of the random state a call draws from: "python", "torch", "tensorflow" or (shared) "numpy"."""
    if path[:1] == ("random",):
        return "python"
    return path[0] if path[0] in {"torch", "tensorflow"} else "numpy"


def _given(node: ast.Call, position: int, *names: str) -> bool:
    """Return whether an argument is passed and not the constant None. `*args` or `**kwargs` may hold it: True."""
    if any(isinstance(arg, ast.Starred) for arg in node.args) or any(k.arg is None for k in node.keywords):
        return True
    values = [k.value for k in node.keywords if k.arg in names] + node.args[position : position + 1]
    return any(not (isinstance(v, ast.Constant) and v.value is None) for v in values)


def _true(node: ast.Call, name: str) -> bool:
    return any(k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is True for k in node.keywords)


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    if isinstance(node, ast.BinOp):
        return _is_set(node.left) or _is_set(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in SET_METHODS and _is_set(node.func.value)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"set", "frozenset"}
