"""The package's exceptions: their names, the one root of the user's mistakes, and that they survive another process."""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
import pickle
from importlib import import_module
from typing import Any

import pytest

from mlops_jupyter.core.errors import NewerStoreError, NotFoundError, UserError
from mlops_jupyter.runtime import errors
from tests.house.source import PACKAGE, modules


def exceptions() -> dict[str, type[BaseException]]:
    """Name -> class, for every exception that a module of the package defines at its top."""
    raised = {name for name, value in vars(builtins).items() if inspect.isclass(value)}
    raised = {name for name in raised if issubclass(getattr(builtins, name), BaseException)} | {"UserError"}
    written = [(path, node) for path, tree in modules().items() for node in tree.body if isinstance(node, ast.ClassDef)]
    found: dict[str, type[BaseException]] = {}
    for _ in range(3):  # deeper than any hierarchy here
        for path, node in written:
            if raised & {base.id for base in node.bases if isinstance(base, ast.Name)}:
                module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
                raised.add(node.name)
                found[node.name] = getattr(import_module(module), node.name)
    return found


EXCEPTIONS = exceptions()

NOT_THE_USERS = {
    "DivergenceError",
    "NotJsonError",
    "OpaqueValueError",
    "ParseError",
    "RegionConflictError",
    "StoppedError",
    "UnavailableError",
    "UnobservedError",
    "_EnoughError",
    "_ValueGoneError",
}
"""Those that one part of the package tells another, and that are caught before anybody sees them."""


def test_they_are_found() -> None:
    assert len(EXCEPTIONS) > 20


@pytest.mark.parametrize("name", sorted(EXCEPTIONS))
def test_their_names_end_in_error(name: str) -> None:
    assert name.endswith("Error")


def test_the_users_mistakes_have_one_root() -> None:
    assert UserError is errors.UserError
    assert {name for name, kind in EXCEPTIONS.items() if not issubclass(kind, UserError)} == NOT_THE_USERS


ARGUMENTS: dict[str, tuple[Any, ...]] = {"SerializationError": ("x", "it holds a lock"), "ParseError": (3, "bad")}


@pytest.mark.parametrize("name", sorted(EXCEPTIONS))
@pytest.mark.parametrize("again", [copy.copy, lambda fault: pickle.loads(pickle.dumps(fault))], ids=["copy", "pickle"])
def test_they_reach_another_process_whole(name: str, again: Any) -> None:
    fault = EXCEPTIONS[name](*ARGUMENTS.get(name, ("one line",)))
    other = again(fault)
    assert type(other) is type(fault)
    assert str(other) == str(fault)
    assert vars(other) == vars(fault)


@pytest.mark.parametrize("kind", [UserError, NotFoundError, NewerStoreError])
def test_ipython_is_given_one_line(kind: type[UserError]) -> None:
    assert kind("no step 'a': the pipeline has b")._render_traceback_() == [
        f"{kind.__name__}: no step 'a': the pipeline has b"
    ]


def test_the_line_ends_with_the_users_own() -> None:
    def mistaken() -> None:
        raise UserError("it is so")

    with pytest.raises(UserError) as raised:
        mistaken()
    (line,) = raised.value._render_traceback_()
    number = mistaken.__code__.co_firstlineno + 1
    assert line == f'UserError: it is so (line {number}: raise UserError("it is so"))'
