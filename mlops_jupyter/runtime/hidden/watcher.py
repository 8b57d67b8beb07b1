"""Watch hidden variables around every cell, for about thirty microseconds a cell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec, SourceFileLoader, SourcelessFileLoader
from types import ModuleType
from typing import Any

from ..errors import PipelineError
from .names import ENVIRON, LOGGER_LEVELS, RANDOM, WARNING_FILTERS
from .options import Options
from .process import decoded, differing, environment
from .registry import FAMILIES, names_now

FILE_LOADERS = (SourceFileLoader, SourcelessFileLoader, ExtensionFileLoader)


class HiddenStateWatcher(MetaPathFinder):
    """Finds which hidden variables changed since a mark. A process has one watcher; it loads no library.

    The state of a library that is imported meanwhile is watched from the end of its import on: so a cell that imports
    numpy and seeds it changes the random state, and a cell that only imports it does not. Changes that an import makes
    to the environment, to the warning filters, to the levels of loggers and to random states that are still unused
    are not counted as changes, because every step repeats the import.
    """

    def __init__(self) -> None:
        libraries = {family.library for family in FAMILIES.values() if family.library}
        self._awaited = libraries - sys.modules.keys()
        self._importing = 0
        self._environ = environment(None)
        self._first_environ = self._environ
        self._last: dict[str, object] = {name: FAMILIES[name].snapshot(None) for name in names_now()}
        self._first = dict(self._last)
        sys.meta_path.insert(0, self)

    def mark(self) -> None:
        """Set the mark: `changed` compares with the current state from now on."""
        self._environ = environment(self._environ)
        last = self._last
        for name, before in last.items():
            snapshot = FAMILIES[name].snapshot(before)
            if snapshot is not before:
                last[name] = snapshot

    def changed(self) -> set[str]:
        """Return the names of the hidden variables that differ from the mark. Does not move the mark."""
        names = {name for name, before in self._last.items() if FAMILIES[name].snapshot(before) is not before}
        environ = environment(self._environ)
        if environ is not self._environ:
            names.update(ENVIRON + name for name in differing(self._environ, environ))
        return names

    def cut(self, names: Iterable[str]) -> set[str]:
        """Return those of `names` in which an option that is not transferable changed since the mark.

        The value of such an option is a function.
        """
        return {name for name in names if name in self._last and self._is_cut(name)}

    def _is_cut(self, name: str) -> bool:
        family = FAMILIES[name]
        if not isinstance(family, Options):
            return False
        return family.left_out(self._last[name]) != family.left_out(family.snapshot(None))

    def take(self, name: str) -> object:
        """Return a variable's value at the mark, as JSON; `registry.read` returns the current value."""
        return self._value(name, self._last, self._environ)

    def initial(self, name: str) -> object:
        """Return a variable's value at the start of the watch, or when its library was imported if that was later."""
        return self._value(name, self._first, self._first_environ)

    def _value(self, name: str, snapshots: dict[str, object], environ: object) -> object:
        if name.startswith(ENVIRON):
            return decoded(environ, name.removeprefix(ENVIRON))
        if name not in snapshots:
            raise PipelineError(f"{name!r} is not watched now: {', '.join(sorted(snapshots))} are, and {ENVIRON}NAME")
        return FAMILIES[name].value(snapshots[name])

    def close(self) -> None:
        """Stop watching imports."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module by the other finders, and have its import watched.

        Of nested imports, only the outermost is watched, and those of libraries with hidden variables.
        """
        if self._importing and fullname not in self._awaited:
            return None
        others = (
            finder for finder in sys.meta_path if not isinstance(finder, HiddenStateWatcher)
        )  # two watchers would call each other without end
        specs = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None or not isinstance(spec.loader, FILE_LOADERS):  # other loaders may serve several modules
            return spec
        loader: Any = spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            self._watch_import(module, execute)

        loader.exec_module = exec_module
        return spec

    def _watch_import(self, module: ModuleType, execute: Callable[[ModuleType], None]) -> None:
        before = None if self._importing else (environment(None), self._now())
        self._importing += 1
        try:
            execute(module)
        finally:
            self._importing -= 1
            for name, family in FAMILIES.items():
                if family.library == module.__name__:
                    self._awaited.discard(family.library)
                    self._first[name] = self._last[name] = family.snapshot(None)
            if before is not None:
                self._excuse(*before)

    def _now(self) -> dict[str, Any]:
        return {
            name: FAMILIES[name].snapshot(self._last[name])
            for name in (WARNING_FILTERS, LOGGER_LEVELS, *RANDOM)
            if name in self._last
        }

    def _excuse(self, environ: Any, before: dict[str, Any]) -> None:
        """Move what an import changed into the mark, so that it does not count as a change."""
        changed = {name: value for name, value in environment(None).items() if environ.get(name) != value}
        if changed:
            self._environ = {**self._environ, **changed}
        after = self._now()
        added = [row for row in after[WARNING_FILTERS] if row not in before[WARNING_FILTERS]]
        if added:
            last: Any = self._last[WARNING_FILTERS]
            self._last[WARNING_FILTERS] = [*added, *last]
        if before.get(LOGGER_LEVELS) is self._last.get(LOGGER_LEVELS) and LOGGER_LEVELS in after:
            self._last[LOGGER_LEVELS] = after[LOGGER_LEVELS]
        for name in after.keys() & RANDOM:
            if name not in before or before[name] is self._last[name] is self._first[name]:
                self._first[name] = self._last[name] = after[name]
