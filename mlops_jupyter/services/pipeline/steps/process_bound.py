"""Values and state that mean something only in the process that made them, so that the steps that share them merge.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from mlops_jupyter.capture.value_kinds import CODE, FROZEN, is_a, is_own_wrapper
from mlops_jupyter.core.hidden_names import ENVIRON
from mlops_jupyter.runtime.model.package_versions import provider
from mlops_jupyter.services.pipeline.environment.local_modules import local_texts
from mlops_jupyter.services.pipeline.environment.requirements import top_modules
from mlops_jupyter.services.pipeline.steps.cell_code import Binding, CellCodes
from mlops_jupyter.services.pipeline.steps.grouping import Group, Obstacle


class ProcessBound:
    """Finds what a copy in another process cannot stand for. Reads the notebook's values; changes nothing."""

    def __init__(self, namespace: Mapping[str, Any], parts: CellCodes) -> None:
        self._namespace = namespace
        self._parts = parts

    def obstacles(self, group: Group) -> Iterator[Obstacle]:
        """Yield the obstacles between a group and earlier ones."""
        yield from self._not_a_number(group)
        yield from self._read_on_import(group)
        yield from self._of_modules(group)

    def _read_on_import(self, group: Group) -> Iterator[Obstacle]:
        """Yield obstacles of environment variables that were set after a local module which reads them was imported.

        A process in which they are set before it imports the module would give it another value.
        """
        for member in group.members:
            reads = self._parts.reads(member)
            for need in reads:
                if not need.name.startswith(ENVIRON) or need.maker not in self._parts or need.maker in group.members:
                    continue
                variable = need.name.removeprefix(ENVIRON)
                code = [
                    n
                    for n in reads
                    if n.maker in self._parts and min(self._parts.importers(n.name), default=need.maker) < need.maker
                ]
                texts = [self._parts[n.maker].facts.imports.get(n.name, "") for n in code]
                modules = {module for text in texts for module in top_modules(text)}
                if any(variable in text for text in local_texts(modules)):
                    yield need.maker, member, f"a module was imported before {variable!r} was set"

    def _of_modules(self, group: Group) -> Iterator[Obstacle]:
        """Yield obstacles of local modules one of whose objects an earlier group changed, by a name of the notebook."""
        used = [member for member in group.members if self._local_modules(member)]
        if not used:
            return
        for part in self._parts:
            names = (
                sorted(part.execution.mutated) if part.position < used[0] and part.position not in group.members else ()
            )
            for name in names:
                module = self._kept_by_modules.get(id(self._namespace.get(name)))
                makers = [
                    n.maker for n in self._parts.reads(part.position) if n.name == name and n.maker in self._parts
                ]
                for position in (*makers, part.position) if module is not None else ():
                    yield position, used[0], f"{name!r} is an object of module {module!r}, and was changed"

    def _local_modules(self, member: int) -> set[str]:
        """Return the local modules that an execution uses by names that were imported from them."""
        bindings = [*self._parts.reads(member), *(Binding(n, member) for n in self._parts[member].facts.imports)]
        texts = (self._parts[n.maker].facts.imports.get(n.name, "") for n in bindings if n.maker in self._parts)
        return {module for text in set(texts) - {""} for module in top_modules(text)} & self._own_modules

    @cached_property
    def _own_modules(self) -> set[str]:
        texts = {text for part in self._parts for text in part.facts.imports.values()}
        modules = {module for text in texts for module in top_modules(text) if not provider(module)}
        return modules | {m for text in local_texts(modules) for m in top_modules(text) if not provider(m)}

    @cached_property
    def _kept_by_modules(self) -> dict[int, str]:
        """The objects that local modules hold by a name and that may change: `id` -> module."""
        loaded = [(n, m) for n, m in list(sys.modules.items()) if n.partition(".")[0] in self._own_modules]
        values = ((value, name) for name, module in loaded for value in list(vars(module).values()))
        return {id(value): name for value, name in values if not is_a(value, *FROZEN, *CODE)}

    def _not_a_number(self, group: Group) -> Iterator[Obstacle]:
        """Yield obstacles of a NaN that a container of another artifact holds: it equals no copy of itself."""
        needs = self._parts.values(group.members)
        for need in needs:
            value = self._namespace.get(need.name)
            if type(value) is not float or value == value:
                continue
            for other in needs:
                if _holds(self._namespace.get(other.name), value):
                    for each in (need, other):
                        yield each.maker, group.members[0], f"{other.name!r} holds the very NaN that {need.name!r} is"


def keeps_results(value: object) -> bool:
    """Say whether a value is a function of the notebook with a cache: `functools.lru_cache` and its like."""
    return is_own_wrapper(value) and "cache_info" in vars(type(value))


def is_decimal_context(value: object) -> bool:
    """Say whether a value is the very context with which decimal numbers are computed: a copy of it sets nothing."""
    decimal = sys.modules.get("decimal")
    return decimal is not None and type(value) is decimal.Context and value is decimal.getcontext()


def _holds(container: object, value: object) -> bool:
    return type(container) in (list, tuple, set, dict) and any(item is value for item in container)  # type: ignore[attr-defined]
