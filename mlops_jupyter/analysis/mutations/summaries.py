"""What functions change in place, followed through the functions that they call, to a fixed point.

The analysis is that of Banning (1979), "An efficient way to find the side effects of procedure calls and the aliases of
variables", for names and without regard to the order of statements. It errs towards change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mlops_jupyter.analysis.mutations.outside import hidden_variables
from mlops_jupyter.analysis.mutations.records import CallSite, FileUse, Mutations, Root
from mlops_jupyter.analysis.mutations.sharing import shared

NOTHING: frozenset[str] = frozenset()


@dataclass
class _Summary:
    """What is known of one function so far. Grows until nothing is added."""

    code: Mutations
    module: Module
    is_method: bool
    changed: set[str] = field(default_factory=set)
    """Parameters and global variables."""
    returned: set[str] = field(default_factory=set)
    outer: set[str | FileUse] = field(default_factory=set)
    """Hidden variables and files."""

    @property
    def size(self) -> int:
        return len(self.changed) + len(self.returned) + len(self.outer)


@dataclass(frozen=True)
class Module:
    """A unit of code with its own global variables: the notebook, or a local module.

    Attributes
    ----------
    imports : name -> the import statement that binds it.
    own_state : the hidden variable that a change of its global variables counts as; "" if they are the notebook's.
    """

    imports: Mapping[str, str]
    own_state: str = ""


@dataclass(frozen=True)
class PossibleChanges:
    """What a cell may change.

    Attributes
    ----------
    names : variables whose objects the text changes on some path, or that a function of it binds.
    suspected : variables whose methods it calls for some effect.
    hidden : hidden variables.
    files : the files that it names, and that the functions name which it may call.
    """

    names: frozenset[str]
    suspected: frozenset[str]
    hidden: frozenset[str]
    files: frozenset[FileUse] = frozenset()


class MutationSummaries:
    """The summaries of all functions of a notebook and its local modules; answers what a cell may change."""

    def __init__(self, code: Iterable[tuple[Mutations, Module]]) -> None:
        self._functions: dict[str, list[_Summary]] = {}
        self._methods: dict[str, list[_Summary]] = {}
        for mutations, module in code:
            for name, function in mutations.functions:
                self._functions.setdefault(name, []).append(_Summary(function, module, is_method=False))
            for name, method in mutations.methods:
                self._methods.setdefault(name, []).append(_Summary(method, module, is_method=True))
        self._settle()

    def of_cell(self, cell: Mutations, module: Module) -> PossibleChanges:
        """Return what a cell may change by itself and by the functions that it names."""
        outer: set[str | FileUse] = {*hidden_variables(cell.state, module.imports), *cell.files}
        changed = self._changed(cell, module, outer)
        mentioned = self._mentioned(cell, outer)
        suspected = {
            root
            for site in cell.calls
            if site.is_discarded and site.is_method and site.function not in self._methods
            for root in self._closed(cell, module, site.receiver & cell.suspected)
        }
        files = frozenset(each for each in outer if isinstance(each, FileUse))
        hidden = frozenset(each for each in outer if isinstance(each, str))
        return PossibleChanges(frozenset(changed | mentioned), frozenset(suspected - changed), hidden, files)

    def _settle(self) -> None:
        every = [one for table in (self._functions, self._methods) for many in table.values() for one in many]
        while True:
            size = sum(one.size for one in every)
            for one in every:
                self._grow(one)
            if size == sum(one.size for one in every):
                return

    def _grow(self, one: _Summary) -> None:
        """Add to a summary what the present summaries of other functions tell."""
        code, module = one.code, one.module
        one.outer |= {*hidden_variables(code.state, {**module.imports, **code.imports}), *code.files}
        changed = self._changed(code, module, one.outer) | self._mentioned(code, one.outer)
        changed |= self._closed(code, module, code.suspected)
        changed -= code.local - set(code.parameters)
        if module.own_state:
            own_globals = changed - set(code.parameters)
            if own_globals:
                one.outer.add(module.own_state)
            changed -= own_globals
        one.changed |= changed
        one.returned |= self._closed(code, module, code.returned) - (code.local - set(code.parameters))

    def _changed(self, code: Mutations, module: Module, outer: set[str | FileUse]) -> set[str]:
        """Return the variables that code may change: itself, or by the calls that it makes. Adds to `outer`."""
        changed = self._closed(code, module, code.changed) | code.rebound
        for site in code.calls:
            for callee in self._callees(site, module):
                outer |= callee.outer
                changed |= callee.changed - set(callee.code.parameters)
                for argument in self._arguments(callee, site, callee.changed):
                    changed |= self._closed(code, module, argument)
            changed |= self._by_callback(code, module, site)
        return changed

    def _by_callback(self, code: Mutations, module: Module, site: CallSite) -> set[str]:
        """Return what a function among the arguments may change of the others: `map(mark, rows)`."""
        given = {root for root in site.arguments if isinstance(root, str) and root in self._functions}
        if not any(one.changed & set(one.code.parameters) for name in given for one in self._functions[name]):
            return set()
        return self._closed(code, module, (site.receiver | site.arguments) - given)

    def _mentioned(self, code: Mutations, outer: set[str | FileUse]) -> set[str]:
        """Return the global variables that the functions which code names may change, whoever calls them."""
        changed: set[str] = set()
        for name in code.mentioned & self._functions.keys():
            for one in self._functions[name]:
                outer |= one.outer
                changed |= one.changed - set(one.code.parameters)
        return changed

    def _callees(self, site: CallSite, module: Module) -> Iterator[_Summary]:
        if site.is_method:
            yield from self._methods.get(site.function, ())
        if not site.is_method or not site.receiver.isdisjoint(module.imports):
            imported = "" if site.is_method else module.imports.get(site.function, "")
            name = imported.rpartition(" import ")[2].partition(" as ")[0]
            yield from self._functions.get(name or site.function, ())

    def _arguments(self, callee: _Summary, site: CallSite, parameters: Iterable[str]) -> Iterator[frozenset[Root]]:
        """Yield what goes into parameters of a function; into any, where that cannot be told."""
        names = callee.code.parameters
        given = (site.receiver, *site.positional) if callee.is_method else site.positional
        keywords = dict(site.keywords)
        for name in parameters:
            if name not in names:
                continue
            at = names.index(name)
            if name in keywords:
                yield keywords[name]
            elif at < len(given):
                yield given[at]
            else:
                yield site.arguments

    def _closed(self, code: Mutations, module: Module, roots: Iterable[Root]) -> set[str]:
        """Return the variables that share objects with any of the given, as far as the code tells."""
        names: set[str] = set()
        seen: set[Root] = set()
        todo = list(roots)
        while todo:
            root = todo.pop()
            if root in seen:
                continue
            seen.add(root)
            if isinstance(root, str):
                names.add(root)
                todo += code.aliases.get(root, ())
                continue
            todo += shared(root)
            for callee in self._callees(root, module):
                todo += callee.returned - set(callee.code.parameters)
                for argument in self._arguments(callee, root, callee.returned):
                    todo += argument
        return names
