"""The protocol of observers, each of which tells one kind of thing that a cell read and wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mlops_jupyter.capture.active_cell import ActiveCell


@dataclass(frozen=True, slots=True)
class Accesses:
    """What one observer saw a cell do.

    Attributes
    ----------
    reads : variables whose values the cell took from before itself; hidden variables begin with `~`.
    writes : variable -> the fingerprint of its value after the cell, or a mark that stands for one.
    notes : what an export should tell about the cell.
    """

    reads: Set[str] = frozenset()
    writes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: Sequence[str] = ()


NOTHING = Accesses()
"""What an observer returns that saw nothing."""


class Observer(Protocol):
    """Looks at each cell at both of its borders.

    The recorder asks its observers in turn before a cell, and in the opposite order after it. Whatever an observer
    raises makes the cell one of which nothing is known (`Execution.unobserved`).
    """

    def before(self, cell: ActiveCell) -> None:
        """Remember the state before the cell's body runs."""

    def after(self, cell: ActiveCell) -> Accesses:
        """Return what the cell accessed. `cell.reads` and `cell.writes` hold what the observers asked so far saw."""


class UnobservedError(Exception):
    """An observer did not see all that a cell did; the text says why, in words for the user."""
