"""The records of mutation analysis. `collect` makes them of source text, `MutationSummaries` resolves them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union


@dataclass(frozen=True)
class CallSite:
    """A call, as far as it matters which objects go into it.

    Attributes
    ----------
    function : last name of what is called; "" for any other expression.
    is_method : whether that is an attribute of the receiver.
    receiver : what the object whose method is called may share objects with.
    positional : the same of each argument, and of all that `*` spreads, in order.
    keywords : the same of each argument that is given by its name; `**` has the name "".
    is_discarded : whether the call is a statement whose result nobody uses.
    """

    function: str
    is_method: bool = False
    receiver: frozenset[Root] = frozenset()
    positional: tuple[frozenset[Root], ...] = ()
    keywords: tuple[tuple[str, frozenset[Root]], ...] = ()
    is_discarded: bool = False

    @property
    def arguments(self) -> frozenset[Root]:
        """What any argument may share objects with."""
        return frozenset().union(*self.positional, *(roots for _, roots in self.keywords))


Root = Union[str, CallSite]  # noqa: UP007 - an alias that names itself
"""What an expression may share objects with: a variable, or the result of a call."""


@dataclass(frozen=True)
class StateChange:
    """Something outside of the code's own variables that it sets or calls by a dotted name: `np.random.seed(0)`.

    Attributes
    ----------
    path : the dotted name, part by part.
    is_call : whether it is called rather than set.
    is_item : whether an item of it is set, or deleted.
    key : the constant first argument or index, such as the name of an environment variable; "" if there is none.
    in_block : whether that stands in a block or function, so that it may not happen, or in a statement that does more.
    """

    path: tuple[str, ...]
    is_call: bool
    is_item: bool = False
    key: str = ""
    in_block: bool = False


@dataclass(frozen=True)
class FileUse:
    """A file that code names.

    Attributes
    ----------
    name : its path as the code has it, or a pattern.
    variable : the variable that holds the name instead; "" if the code has the name itself.
    is_written : whether the code may write the file, or take it away.
    """

    name: str = ""
    variable: str = ""
    is_written: bool = False


@dataclass(frozen=True)
class Mutations:
    """What one body of code may change in place: a cell, a function or a module.

    Attributes
    ----------
    changed : what the code may change by itself.
    suspected : objects of methods whose results it drops, which it calls for some effect.
    calls : the calls, whose functions may change more.
    aliases : variable -> what it may share objects with.
    state : what it sets or calls outside.
    mentioned : variables that the code reads, functions that it may call among them.
    rebound : global variables that a function declares and binds.
    returned : what the result of a function may share objects with.
    parameters : names of a function's parameters, in order.
    local : variables that are a function's own.
    imports : name -> the import statement that binds it, of imports anywhere in the code.
    files : the files that it names.
    texts : variable -> names of files among the texts that it is bound to.
    functions, methods : functions that the code defines, by name; those of classes apart, `self` being a parameter.
    """

    changed: frozenset[Root] = frozenset()
    suspected: frozenset[Root] = frozenset()
    calls: tuple[CallSite, ...] = ()
    aliases: Mapping[str, frozenset[Root]] = field(default_factory=dict)
    state: frozenset[StateChange] = frozenset()
    mentioned: frozenset[str] = frozenset()
    rebound: frozenset[str] = frozenset()
    returned: frozenset[Root] = frozenset()
    parameters: tuple[str, ...] = ()
    local: frozenset[str] = frozenset()
    imports: Mapping[str, str] = field(default_factory=dict)
    files: frozenset[FileUse] = frozenset()
    texts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    functions: tuple[tuple[str, Mutations], ...] = ()
    methods: tuple[tuple[str, Mutations], ...] = ()
