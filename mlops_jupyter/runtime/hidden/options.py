"""Options of libraries as hidden variables. Their values are differences to the library's defaults, as JSON."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from .json_values import NOT_TRANSFERABLE, decode, encode, encode_pairs


class Options:
    """Options of one library, of which some may have values that cannot cross to another process: functions."""

    def pairs(self, snapshot: Any) -> list[tuple[str, Any]]:
        """Return the options that count, with their values."""
        raise NotImplementedError

    def value(self, snapshot: Any) -> object:
        """Return the options as JSON, without those that cannot cross."""
        return encode_pairs(self.pairs(snapshot))

    def left_out(self, snapshot: Any) -> dict[str, Any]:
        """Return the options that cannot cross."""
        return {name: value for name, value in self.pairs(snapshot) if encode(value) is NOT_TRANSFERABLE}


class PandasOptions(Options):
    """`pandas.options`: {"display.max_rows": 10}."""

    library = "pandas"

    def snapshot(self, last: object) -> object:
        """Return `last` itself if no option was set since, else the options now."""
        now = sys.modules["pandas._config.config"]._global_config
        return last if now == last else _copied(now)

    def pairs(self, snapshot: Any) -> list[tuple[str, Any]]:
        """Return what differs from the defaults."""
        known = sys.modules["pandas._config.config"]._registered_options
        return [(n, v) for n, v in sorted(_flat(snapshot)) if n in known and v != known[n].defval]

    def set(self, value: Any) -> None:
        """Set the options to that, others to their defaults."""
        import pandas as pd

        for name in encode_pairs(self.pairs(self.snapshot(None))).keys() - value.keys():
            pd.reset_option(name)
        for name, one in value.items():
            pd.set_option(name, decode(one))


def _copied(options: Any) -> Any:
    return {k: _copied(v) for k, v in options.items()} if isinstance(options, dict) else options


def _flat(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


class NumpyPrint(Options):
    """`numpy.printoptions`: what `numpy.get_printoptions` gives."""

    library = "numpy"

    def snapshot(self, last: object) -> object:
        """Return `last` itself if no option was set since, else the options now."""
        now = sys.modules["numpy"].get_printoptions()
        return last if now == last else now

    def pairs(self, snapshot: Any) -> list[tuple[str, Any]]:
        """Return all options."""
        return sorted(snapshot.items())

    def set(self, value: Any) -> None:
        """Set them."""
        import numpy as np

        np.set_printoptions(**decode(value))


class NumpyErrors:
    """`numpy.errstate`: {"divide": "warn", …}, what `numpy.geterr` gives."""

    library = "numpy"

    def snapshot(self, last: object) -> object:
        """Return `last` itself if nothing was set since, else the settings now."""
        now = sys.modules["numpy"].geterr()
        return last if now == last else now

    def value(self, snapshot: Any) -> object:
        """Return the settings."""
        return dict(snapshot)

    def set(self, value: Any) -> None:
        """Set them."""
        import numpy as np

        np.seterr(**value)


class SklearnConfig(Options):
    """`sklearn.config`: {"transform_output": "pandas"}, what `sklearn.get_config` gives that is not the default."""

    library = "sklearn"

    def snapshot(self, last: object) -> object:
        """Return `last` itself if nothing was set since, else the settings now."""
        now = sys.modules["sklearn._config"]._get_threadlocal_config()
        return last if now == last else dict(now)

    def pairs(self, snapshot: Any) -> list[tuple[str, Any]]:
        """Return what differs from the defaults."""
        defaults = sys.modules["sklearn._config"]._global_config
        return [(n, v) for n, v in sorted(snapshot.items()) if v != defaults.get(n, NOT_TRANSFERABLE)]

    def set(self, value: Any) -> None:
        """Set them to that, others to their defaults."""
        import sklearn

        sklearn.set_config(**{**sys.modules["sklearn._config"]._global_config, **decode(value)})


class MatplotlibRc(Options):
    """`matplotlib.rc`: {"figure.dpi": 80}; without what belongs to the screen that a figure is shown on."""

    library = "matplotlib"

    SCREEN = re.compile(r"backend|interactive|toolbar|webagg\.|tk\.|savefig\.directory|docstring\.|macosx\.")

    def snapshot(self, last: object) -> object:
        """Return `last` itself if nothing was set since, else the settings now.

        `dict`'s own methods are used on purpose: matplotlib's resolve the backend when they come across it.
        """
        now = sys.modules["matplotlib"].rcParams
        return last if isinstance(last, dict) and dict.__eq__(now, last) else dict(dict.items(now))

    def pairs(self, snapshot: Any) -> list[tuple[str, Any]]:
        """Return what differs from the defaults."""
        defaults = dict(dict.items(sys.modules["matplotlib"].rcParamsDefault))
        others = ((n, v) for n, v in sorted(snapshot.items()) if not self.SCREEN.match(n))
        return [(n, v) for n, v in others if v != defaults.get(n, NOT_TRANSFERABLE)]

    def set(self, value: Any) -> None:
        """Set them to that, others to their defaults."""
        import matplotlib as mpl

        for name in encode_pairs(self.pairs(self.snapshot(None))).keys() - value.keys():
            mpl.rcParams[name] = mpl.rcParamsDefault[name]
        for name, one in value.items():
            mpl.rcParams[name] = decode(one)


class WarningFilters:
    """`warnings.filters`: rows of [action, message, "module:Category", module, line], first match first."""

    library = ""

    def snapshot(self, last: object) -> object:
        """Return `last` itself if no filter came or went since, else the filters now."""
        now = warnings.filters
        return last if now == last else list(now)

    def value(self, snapshot: Any) -> object:
        """Return the filters as JSON."""
        return [
            [action, _pattern(message), f"{kind.__module__}:{kind.__qualname__}", _pattern(module), line]
            for action, message, kind, module, line in snapshot
        ]

    def set(self, value: Any) -> None:
        """Make them the filters. One whose category is not to be had here is left out: nothing can raise it."""
        found = [(action, _compiled(m), _category(kind), _compiled(module), n) for action, m, kind, module, n in value]
        filters: Any = warnings.filters
        filters[:] = [row for row in found if row[2] is not None]
        with warnings.catch_warnings():  # on its way out it tells the interpreter that filters changed
            pass


def _pattern(part: Any) -> Any:
    """C code puts plain text where Python code puts a compiled pattern."""
    return {"pattern": part.pattern, "flags": part.flags} if isinstance(part, re.Pattern) else part


def _compiled(part: Any) -> Any:
    return re.compile(part["pattern"], part["flags"]) if isinstance(part, dict) else part


def _category(name: str) -> type[Warning] | None:
    import importlib

    module, _, qualname = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found if isinstance(found, type) and issubclass(found, Warning) else None
