"""Options of libraries as hidden variables: the options that differ from the library's defaults, as JSON."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from .json_values import NOT_TRANSFERABLE, decode, encode, encode_pairs


class Options:
    """Options of one library. An option whose value is a function may not be transferable to another process."""

    def pairs(self, snapshot: Any) -> list[tuple[str, Any]]:
        """Return the options of a snapshot that are part of the hidden variable, as (name, value)."""
        raise NotImplementedError

    def value(self, snapshot: Any) -> object:
        """Return the options of a snapshot as JSON, without those that are not transferable."""
        return encode_pairs(self.pairs(snapshot))

    def left_out(self, snapshot: Any) -> dict[str, Any]:
        """Return the options of a snapshot that are not transferable: name -> value."""
        return {name: value for name, value in self.pairs(snapshot) if encode(value) is NOT_TRANSFERABLE}


class PandasOptions(Options):
    """`~pandas.options`: the options of pandas that differ from their defaults, as in {"display.max_rows": 10}."""

    library = "pandas"

    def snapshot(self, last: object) -> object:
        """Return `last` itself if no option was set since, else the current options."""
        now = sys.modules["pandas._config.config"]._global_config
        return last if now == last else _copied(now)

    def pairs(self, snapshot: Any) -> list[tuple[str, Any]]:
        """Return the options that differ from their defaults, as (name, value)."""
        known = sys.modules["pandas._config.config"]._registered_options
        return [(n, v) for n, v in sorted(_flat(snapshot)) if n in known and v != known[n].defval]

    def set(self, value: Any) -> None:
        """Set the options that `value` has, and all others to their defaults."""
        import pandas as pd

        for name in encode_pairs(self.pairs(self.snapshot(None))).keys() - value.keys():
            pd.reset_option(name)
        for name, setting in value.items():
            pd.set_option(name, decode(setting))


def _copied(options: Any) -> Any:
    return {k: _copied(v) for k, v in options.items()} if isinstance(options, dict) else options


def _flat(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


class NumpyPrint(Options):
    """`~numpy.printoptions`: the result of `numpy.get_printoptions`."""

    library = "numpy"

    def snapshot(self, last: object) -> object:
        """Return `last` itself if no option was set since, else the current options."""
        now = sys.modules["numpy"].get_printoptions()
        return last if now == last else now

    def pairs(self, snapshot: Any) -> list[tuple[str, Any]]:
        """Return all options, as (name, value)."""
        return sorted(snapshot.items())

    def set(self, value: Any) -> None:
        """Set the options."""
        import numpy as np

        np.set_printoptions(**decode(value))


class NumpyErrors:
    """`~numpy.errstate`: the result of `numpy.geterr`, as in {"divide": "warn", …}."""

    library = "numpy"

    def snapshot(self, last: object) -> object:
        """Return `last` itself if nothing was set since, else the current settings."""
        now = sys.modules["numpy"].geterr()
        return last if now == last else now

    def value(self, snapshot: Any) -> object:
        """Return the settings as JSON."""
        return dict(snapshot)

    def set(self, value: Any) -> None:
        """Set how numpy handles floating-point errors."""
        import numpy as np

        np.seterr(**value)


class SklearnConfig(Options):
    """`~sklearn.config`: the settings of `sklearn.get_config` that differ from their defaults."""

    library = "sklearn"

    def snapshot(self, last: object) -> object:
        """Return `last` itself if nothing was set since, else the current settings."""
        now = sys.modules["sklearn._config"]._get_threadlocal_config()
        return last if now == last else dict(now)

    def pairs(self, snapshot: Any) -> list[tuple[str, Any]]:
        """Return the options that differ from their defaults, as (name, value)."""
        defaults = sys.modules["sklearn._config"]._global_config
        return [(n, v) for n, v in sorted(snapshot.items()) if v != defaults.get(n, NOT_TRANSFERABLE)]

    def set(self, value: Any) -> None:
        """Set the settings that `value` has, and all others to their defaults."""
        import sklearn

        sklearn.set_config(**{**sys.modules["sklearn._config"]._global_config, **decode(value)})


class MatplotlibRc(Options):
    """`~matplotlib.rc`: the settings that differ from their defaults, without those of the screen."""

    library = "matplotlib"

    SCREEN = re.compile(r"backend|interactive|toolbar|webagg\.|tk\.|savefig\.directory|docstring\.|macosx\.")

    def snapshot(self, last: object) -> object:
        """Return `last` itself if nothing was set since, else the current settings.

        The methods of `dict` are used on purpose: those of matplotlib resolve the backend when they read it.
        """
        now = sys.modules["matplotlib"].rcParams
        return last if isinstance(last, dict) and dict.__eq__(now, last) else dict(dict.items(now))

    def pairs(self, snapshot: Any) -> list[tuple[str, Any]]:
        """Return the options that differ from their defaults, as (name, value)."""
        defaults = dict(dict.items(sys.modules["matplotlib"].rcParamsDefault))
        settings = ((n, v) for n, v in sorted(snapshot.items()) if not self.SCREEN.match(n))
        return [(n, v) for n, v in settings if v != defaults.get(n, NOT_TRANSFERABLE)]

    def set(self, value: Any) -> None:
        """Set the settings that `value` has, and all others to their defaults."""
        import matplotlib as mpl

        for name in encode_pairs(self.pairs(self.snapshot(None))).keys() - value.keys():
            mpl.rcParams[name] = mpl.rcParamsDefault[name]
        for name, setting in value.items():
            mpl.rcParams[name] = decode(setting)


class WarningFilters:
    """`~warnings.filters`: rows of [action, message, "module:Category", module, line], as in `warnings.filters`."""

    library = ""

    def snapshot(self, last: object) -> object:
        """Return `last` itself if the filters did not change since, else the current filters."""
        now = warnings.filters
        return last if now == last else list(now)

    def value(self, snapshot: Any) -> object:
        """Return the filters as JSON."""
        return [
            [action, _pattern(message), f"{kind.__module__}:{kind.__qualname__}", _pattern(module), line]
            for action, message, kind, module, line in snapshot
        ]

    def set(self, value: Any) -> None:
        """Replace the filters. A filter whose category cannot be imported is left out: nothing can raise it."""
        rows = [(action, _compiled(m), _category(kind), _compiled(module), n) for action, m, kind, module, n in value]
        filters: Any = warnings.filters
        filters[:] = [row for row in rows if row[2] is not None]
        with warnings.catch_warnings():  # its exit tells the interpreter that the filters changed
            pass


def _pattern(part: Any) -> Any:
    """Return a part of a filter as JSON: C code adds filters with texts, Python code with compiled patterns."""
    return {"pattern": part.pattern, "flags": part.flags} if isinstance(part, re.Pattern) else part


def _compiled(part: Any) -> Any:
    return re.compile(part["pattern"], part["flags"]) if isinstance(part, dict) else part


def _category(name: str) -> type[Warning] | None:
    import importlib

    module, _, qualname = name.partition(":")
    try:
        category: Any = importlib.import_module(module)
        for part in qualname.split("."):
            category = getattr(category, part)
    except (ImportError, AttributeError):
        return None
    return category if isinstance(category, type) and issubclass(category, Warning) else None
