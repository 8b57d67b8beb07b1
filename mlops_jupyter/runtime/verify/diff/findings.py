"""The differences that a comparison has found so far, and the paths of the parts that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class PathElement:
    """One element of the path to a part of a value.

    Attributes
    ----------
    text : as people read it: ``['auc']``, ``.coef_``, ``column 'age'``.
    bare : the name alone, for patterns: ``auc``.
    """

    text: str
    bare: str


Path = tuple[PathElement, ...]


def told(path: Path) -> str:
    """Return a path as text.

    >>> told((PathElement(".steps", "steps"), PathElement("[0]", "0"), PathElement("column 'age'", "age")))
    ".steps[0] column 'age'"
    """
    text = ""
    for label in path:
        text += f" {label.text}" if text and label.text[:1].isalpha() else label.text
    return text


class DivergenceError(Exception):
    """The values differ beyond tolerance; the message says where and how."""


@dataclass(frozen=True)
class CloseNumbers:
    """Numbers at one place that differ within tolerance: `count` of `total`, by at most `relative`."""

    where: str
    count: int
    total: int
    relative: float


@dataclass
class Differences:
    """Collects differences that are tolerated, in its lists; raises `DivergenceError` at the first that is not.

    Attributes
    ----------
    ignore : patterns (`fnmatch`) of names, or of whole paths joined by dots, whose difference is tolerated.
    """

    rtol: float
    atol: float
    ignore: Sequence[str]
    near: list[CloseNumbers] = field(default_factory=list)
    retyped: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)
    passing: list[str] = field(default_factory=list)
    computed: list[str] = field(default_factory=list)

    def part(self, path: Path, how: str) -> None:
        """Raise `DivergenceError` for a difference that is not tolerated, which ends the comparison."""
        where = told(path)
        raise DivergenceError(f"{where}: {how}" if where else how)

    def passes(self, path: Path) -> bool:
        """Return whether a difference at this place does not count."""
        if not path:
            return False
        whole = ".".join(label.bare for label in path)
        return any(fnmatchcase(path[-1].bare, one) or fnmatchcase(whole, one) for one in self.ignore)

    def reason(self) -> str:
        """Return in words the differences that were tolerated."""
        reasons = []
        if self.near:
            worst = max(self.near, key=lambda near: near.relative)
            where = f"{worst.where}, " if worst.where else ""
            more = f", and {len(self.near) - 1} other places" if len(self.near) > 1 else ""
            rows = f"{worst.count:,} of {worst.total:,} values, " if worst.total > 1 else ""
            reasons.append(f"{where}{rows}at most {worst.relative:.1g} relative{more}")
        if self.retyped:
            reasons.append(self.retyped[0])
        if self.ignored:
            names = ", ".join(dict.fromkeys(self.ignored))
            reasons.append(f"equal but for timings ({names})" if not reasons else f"timings ({names})")
        if self.drawn:
            reasons.append("its pictures are the same")
        reasons += self.passing[:1]
        if self.computed:
            names = ", ".join(sorted(set(self.computed))[:3]) + (" …" if len(set(self.computed)) > 3 else "")
            reasons.append(f"{'' if reasons else 'identical, '}but for caches that it holds ({names})")
        return "; ".join(reasons)
