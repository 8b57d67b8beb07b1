"""The walk over two values side by side: containers and objects. Arrays and tables are in `tabular.py`."""

from __future__ import annotations

import math
import re
import sys
import tempfile
import types
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ...codecs.figures import picture
from ...fingerprints import builtin
from ...fingerprints.code import does
from ...fingerprints.decompose import decompose
from ...fingerprints.fingerprint import Unfingerprintable, fingerprint
from ...fingerprints.walk import OpaqueValueError
from . import tabular
from .caches import computed_keys, is_address, is_computed
from .findings import CloseNumbers, Differences, Path, PathElement, told
from .messages import shown

DEEPEST = 150
TEMPORARY = rf"{re.escape(tempfile.gettempdir())}/tmp[a-z0-9_]{{8}}(?![a-z0-9_])"
PASSING = re.compile(TEMPORARY + r"|0x[5-7][0-9a-f]{11}(?![0-9a-f])")
"""Text that is new in every process: names that `tempfile` makes up, and addresses of objects."""
CODE = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, type, types.ModuleType, types.CodeType)

Inner = Callable[[Path, Any, Any], None]


class Differ:
    """Compares two values part by part and notes `findings`. It remembers pairs that it met, so cycles end."""

    def __init__(self, findings: Differences) -> None:
        self.findings = findings
        self._met: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._pictures: dict[int, bytes] = {}

    def compare(self, path: Path, expected: Any, actual: Any) -> None:
        """Compare two parts that lie at the same place; raise `DivergenceError` if they differ beyond tolerance."""
        if expected is actual:
            return
        if self.findings.passes(path):
            if fingerprint(expected) != fingerprint(actual):
                self.findings.ignored.append(path[-1].bare)
            return
        if _number(expected) and _number(actual):
            return self._numbers(path, expected, actual)
        if type(expected) is not type(actual) and not _alike(expected, actual):
            return self.findings.part(path, f"{_kind(expected)} became {_kind(actual)}")
        if type(expected) in (str, bytes, bool, type(None)):
            return self._texts(path, expected, actual)
        if type(expected) is datetime:
            return self._times(path, expected, actual)
        key = (id(expected), id(actual))
        if key in self._met:
            return
        if len(path) > DEEPEST:
            self.findings.part(path[:3], "nested too deep to compare")
        self._met[key] = (expected, actual)
        self._inside(path, expected, actual)

    def _inside(self, path: Path, expected: Any, actual: Any) -> None:
        kind = type(expected)
        table = tabular.comparer(kind)
        if table is not None:
            table(self, path, expected, actual)
        elif kind in (list, tuple):
            self._rows(path, expected, actual)
        elif kind is dict:
            self._dicts(path, expected, actual)
        elif kind in (set, frozenset):
            self._sets(path, expected, actual)
        elif drawn(expected):
            self._drawings(path, expected, actual)
        elif kind in builtin.HANDLERS or isinstance(expected, CODE):
            self.whole(path, expected, actual)
        else:
            self._objects(path, expected, actual)

    def _numbers(self, path: Path, expected: Any, actual: Any) -> None:
        """Compare two numbers; those of different types may be close, but are never identical."""
        relative = apart(expected, actual)
        exact = not (_inexact(expected) or _inexact(actual))
        if (exact and relative > 0) or (relative > 0 and not self._within(expected, actual)):
            self.findings.part(path, f"{_precise(expected, actual)} became {_precise(actual, expected)}")
        if type(expected) is not type(actual):
            where = told(path)
            text = f"{type(expected).__name__} became {type(actual).__name__}"
            self.findings.retyped.append(f"{where}: {text}" if where else text)
        elif fingerprint(expected) != fingerprint(actual):
            self.findings.near.append(CloseNumbers(told(path), 1, 1, relative))

    def _texts(self, path: Path, expected: Any, actual: Any) -> None:
        """Compare two texts, which may name what is new in every process: a temporary folder, an object's address."""
        if expected == actual:
            return
        if type(expected) is not str or _lasting(expected) != _lasting(actual):
            self.findings.part(path, f"{shown(expected)} became {shown(actual)}")
        self._passing(path, "equal but for a temporary path or an object's address")

    def _times(self, path: Path, expected: datetime, actual: datetime) -> None:
        """Compare two times; an attribute may note when its object was made, if that was less than a day ago."""
        if expected == actual and expected.tzinfo == actual.tzinfo:
            return
        today = abs(datetime.now(actual.tzinfo) - actual) < timedelta(days=1)
        if not (today and path and path[-1].text.startswith(".") and expected.tzinfo == actual.tzinfo):
            self.findings.part(path, f"{expected} became {actual}")
        self._passing(path, "equal but for the time at which it was made")

    def _within(self, expected: Any, actual: Any) -> bool:
        gap = abs(expected - actual)
        return bool(gap <= self.findings.atol + self.findings.rtol * abs(expected) and math.isfinite(abs(expected)))

    def _rows(self, path: Path, expected: Any, actual: Any) -> None:
        if len(expected) != len(actual):
            self.findings.part(path, f"length {len(expected):,} became {len(actual):,}")
        for place, (before, after) in enumerate(zip(expected, actual, strict=True)):
            self.compare((*path, PathElement(f"[{place}]", str(place))), before, after)

    def _dicts(self, path: Path, expected: dict[Any, Any], actual: dict[Any, Any]) -> None:
        before, after = _by_digest(expected), _by_digest(actual)
        for digest in before.keys() - after.keys():
            self.findings.part(path, f"key {shown(before[digest])} is missing")
        for digest in after.keys() - before.keys():
            self.findings.part(path, f"key {shown(after[digest])} is new")
        if list(before) != list(after):
            self.findings.part(path, "the order of its keys changed")
        for digest, key in before.items():
            self.compare((*path, PathElement(f"[{shown(key)}]", str(key))), expected[key], actual[after[digest]])

    def _sets(self, path: Path, expected: Any, actual: Any) -> None:
        before, after = _by_digest(expected), _by_digest(actual)
        for digest in before.keys() - after.keys():
            self.findings.part(path, f"element {shown(before[digest])} is missing")
        for digest in after.keys() - before.keys():
            self.findings.part(path, f"element {shown(after[digest])} is new")

    def _objects(self, path: Path, expected: Any, actual: Any) -> None:
        try:
            before, after = decompose(expected), decompose(actual)
        except OpaqueValueError as why:
            return self.findings.part(path, f"cannot be compared: {why}")
        if before.name != after.name:
            self.findings.part(path, f"{before.name} became {after.name}")
        kind, parts, others = type(expected), dict(before.parts), dict(after.parts)
        for label in parts.keys() ^ others.keys():
            if not is_computed(kind, label):
                self.findings.part(path, f"{label} is {'missing' if label in parts else 'new'}")
            self.findings.computed.append(label.strip("."))
        for label in (label for label in parts if label in others):
            self._attribute(path, kind, label, parts[label], others[label])

    def _attribute(self, path: Path, kind: type, label: str, before: Any, after: Any) -> None:
        """Compare what two objects of a class have under one label."""
        if is_address(label, before, after):
            if before != after:
                self.findings.computed.append(label.strip("."))
            return
        keys = computed_keys(kind, label, before, after)
        if keys:
            self.findings.computed += sorted(keys)
            shared = [key for key in before if key in after]
            before, after = ({key: part[key] for key in shared} for part in (before, after))
        self.compare((*path, PathElement(label, label.strip(".[]"))), before, after)

    def _drawings(self, path: Path, expected: Any, actual: Any) -> None:
        """Compare figures, and what lies on them, by the pictures of the figures."""
        before, after = self._picture(expected), self._picture(actual)
        if before is None or after is None:
            self.findings.part(path, "cannot be compared: it is drawn on no figure")
        if before != after:
            self.findings.part(path, "it is drawn differently")
        self.findings.drawn.append(told(path))

    def _picture(self, value: Any) -> bytes | None:
        figure = getattr(value, "figure", None)
        if figure is not None and id(figure) not in self._pictures:
            self._pictures[id(figure)] = picture(figure)
        return self._pictures.get(id(figure))

    def whole(self, path: Path, expected: Any, actual: Any) -> None:
        """Compare by fingerprint two parts that have no parts of their own to compare."""
        before, after = fingerprint(expected), fingerprint(actual)
        if isinstance(before, Unfingerprintable):
            self.findings.part(path, f"cannot be compared: {before.reason}")
        if before != after and type(expected) is type(actual) is types.FunctionType:
            self._functions(path, expected, actual)
        elif before != after and isinstance(expected, CODE):
            self.findings.part(path, f"the code of {shown(expected)} changed")
        elif before != after:
            self.findings.part(path, f"{shown(expected)} became {shown(actual)}")

    def _functions(self, path: Path, expected: types.FunctionType, actual: types.FunctionType) -> None:
        """Compare two functions: what they do, their defaults, and the free variables that both have."""
        if does(expected.__code__) != does(actual.__code__):
            self.findings.part(path, f"the code of {shown(expected)} changed")
        self.compare((*path, PathElement(".__defaults__", "__defaults__")), expected.__defaults__, actual.__defaults__)
        self.compare(
            (*path, PathElement(".__kwdefaults__", "__kwdefaults__")), expected.__kwdefaults__, actual.__kwdefaults__
        )
        self.compare((*path, PathElement(".__dict__", "__dict__")), vars(expected), vars(actual))
        others = _closed_over(actual)
        for name, value in _closed_over(expected).items():
            if name in others:
                self.compare((*path, PathElement(f" variable {name!r}", name)), value, others[name])
        self._passing(path, "the same function, defined inside its step")

    def _passing(self, path: Path, why: str) -> None:
        where = told(path)
        self.findings.passing.append(f"{where}: {why}" if where else why)


def apart(expected: Any, actual: Any) -> float:
    """Return the relative difference of two numbers: 0 if equal or both NaN, infinite if it has no finite value.

    >>> apart(2.0, 1.0)
    0.5
    """
    if expected == actual or (expected != expected and actual != actual):
        return 0.0
    size = max(abs(expected), abs(actual))
    try:
        gap = float(abs(expected - actual) / size)
    except (OverflowError, TypeError):
        return math.inf
    return gap if math.isfinite(gap) else math.inf


def drawn(value: Any) -> bool:
    """Return whether a value is a matplotlib figure, or lies on one."""
    artist = sys.modules.get("matplotlib.artist")
    return artist is not None and isinstance(value, artist.Artist)


def _number(value: Any) -> bool:
    if type(value) in (int, float, complex):
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.number) and not isinstance(value, numpy.timedelta64)


def _inexact(value: Any) -> bool:
    if type(value) in (float, complex):
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.inexact)


def _alike(expected: Any, actual: Any) -> bool:
    """Return whether two classes are the same class, once of the notebook and once of its bundle."""
    names = type(expected).__qualname__, type(actual).__qualname__
    return names[0] == names[1] and builtin.written_here(type(expected)) and builtin.written_here(type(actual))


def _lasting(text: str) -> str:
    return PASSING.sub("*", text)


def _closed_over(function: types.FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: content for name, cell in cells for content in builtin.cell_contents(cell)}


def _kind(value: Any) -> str:
    """Return a value's type, and the value itself if it is short."""
    name = type(value).__name__
    if name in ("NoneType", "NAType", "NaTType"):
        return name.removesuffix("Type")
    return f"{name} {shown(value)}" if type(value) in (str, bool, int, float) else name


def _precise(value: Any, other: Any) -> str:
    """Return a number with as many digits as are needed to tell it from another."""
    short, whole = shown(value), repr(value)
    return short if short != shown(other) else whole


def _by_digest(keys: Any) -> dict[Any, Any]:
    """Return fingerprint -> key, in the keys' order; fingerprints tell keys apart without calling their `__eq__`."""
    keyed = {}
    for key in keys:
        digest = fingerprint(key)
        keyed[id(key) if isinstance(digest, Unfingerprintable) else digest] = key
    return keyed
