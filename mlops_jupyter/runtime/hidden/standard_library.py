"""Settings that modules of the standard library keep for the whole process, as hidden variables.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any


class Setting:
    """One setting of a module of the standard library, which one function tells and another one sets.

    Parameters
    ----------
    library : the module that must be loaded for the setting to exist.
    tell : returns the setting as JSON.
    set_ : sets it to what `tell` returned.
    """

    def __init__(self, library: str, tell: Callable[[Any], object], set_: Callable[[Any, Any], object]) -> None:
        self.library = library
        self._tell = tell
        self._set = set_

    def snapshot(self, last: object) -> object:
        """Return `last` itself if the setting is the same, else the setting now."""
        now = (self._tell(sys.modules[self.library]),)  # None is a setting, too
        return last if now == last else now

    def value(self, snapshot: Any) -> object:
        """Return the setting as JSON."""
        return snapshot[0]

    def set(self, value: Any) -> None:
        """Set it."""
        self._set(sys.modules[self.library], value)


DECIMAL = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
DIALECT = (
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
)


def _decimal(decimal: Any) -> object:
    context = decimal.getcontext()
    traps = sorted(signal.__name__ for signal, is_on in context.traps.items() if is_on)
    return {**{name: getattr(context, name) for name in DECIMAL}, "traps": traps}


def _set_decimal(decimal: Any, value: dict[str, Any]) -> None:
    context = decimal.getcontext()
    for name in DECIMAL:
        setattr(context, name, value[name])
    for signal in context.traps:
        context.traps[signal] = signal.__name__ in value["traps"]


def _dialects(csv: Any) -> object:
    return {name: {key: getattr(csv.get_dialect(name), key) for key in DIALECT} for name in csv.list_dialects()}


def _set_dialects(csv: Any, value: dict[str, Any]) -> None:
    for name in set(csv.list_dialects()) - value.keys():
        csv.unregister_dialect(name)
    for name, attributes in value.items():
        csv.register_dialect(name, **attributes)


def _levels(logging: Any) -> object:
    loggers = logging.root.manager.loggerDict.items()
    levels = {name: logger.level for name, logger in loggers if getattr(logger, "level", 0)}
    return {"": logging.root.level, **levels}


def _set_levels(logging: Any, value: dict[str, int]) -> None:
    for name, level in value.items():
        logging.getLogger(name).setLevel(level)


class FileTypes:
    """`~mimetypes`: the types of files beside those that the system knows: [[type, ending, strict], …]."""

    library = "mimetypes"

    def __init__(self) -> None:
        self._known: Any = None

    def snapshot(self, last: object) -> object:
        """Return `last` itself if no type was added since."""
        module: Any = sys.modules["mimetypes"]
        tables = module._db.types_map if module.inited and module._db is not None else ({}, {})
        now = tuple(tables)
        if last is not None and now == last:
            return last
        copy = tuple(map(dict, tables))
        return last if last is not None and self.value(copy) == self.value(last) else copy

    def value(self, snapshot: Any) -> object:
        """Return what was added."""
        if not any(snapshot):
            return []
        if self._known is None:
            import mimetypes

            self._known = mimetypes.MimeTypes()
            for file in mimetypes.knownfiles:
                with contextlib.suppress(OSError):  # most of them are of other systems
                    self._known.read(file)
        return [
            [kind, ending, bool(strict)]
            for strict, table in enumerate(snapshot)
            for ending, kind in table.items()
            if self._known.types_map[strict].get(ending) != kind
        ]

    def set(self, value: Any) -> None:
        """Add the types."""
        import mimetypes

        for kind, ending, strict in value:
            mimetypes.add_type(kind, ending, strict)


SOCKET = Setting("socket", lambda m: m.getdefaulttimeout(), lambda m, value: m.setdefaulttimeout(value))
CONTEXT = Setting("decimal", _decimal, _set_decimal)
FIELD_SIZE = Setting("csv", lambda m: m.field_size_limit(), lambda m, value: m.field_size_limit(value))
DIALECTS = Setting("csv", _dialects, _set_dialects)
LOCALE = Setting("locale", lambda m: m.setlocale(m.LC_ALL), lambda m, value: m.setlocale(m.LC_ALL, value))
LEVELS = Setting("logging", _levels, _set_levels)
RECURSION = Setting("sys", lambda m: m.getrecursionlimit(), lambda m, value: m.setrecursionlimit(value))
