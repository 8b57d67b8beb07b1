"""Interfaces of the pipeline service to its callers: the notebook's recording, and our own magics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.plan import Resources


@dataclass(frozen=True)
class MagicCode:
    """The Python that does in a bundle what a magic did in the notebook.

    Attributes
    ----------
    text : one expression or statement that uses the notebook's own names; "" for nothing.
    imports : "module:function" of the bundle's `runtime` that the text calls ("tracking:log_metrics").
    """

    text: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepDeclaration:
    """What the `%%pipeline` line of a cell declares about its step.

    Attributes
    ----------
    parameters : name -> default value.
    inputs : names that the step takes beside those that capture saw it read.
    outputs : the only names that the step may give; None: any.
    resources : what the step asks of the system that runs it.
    is_cached : whether the step is taken from the cache although it reads the clock, the network or the like.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] | None = None
    resources: Resources = field(default_factory=Resources)
    is_cached: bool = False


class Magics(Protocol):
    """What our own magics mean in a bundle."""

    def line(self, magic: str, line: str) -> MagicCode | None:
        """Return a line magic's code, None if the magic only shows something. Raises KeyError if it is not ours."""

    def declared(self, execution: Execution) -> StepDeclaration:
        """Return what a cell's `%%pipeline NAME` header declares; an empty declaration where it has none."""

    def around(self, execution: Execution) -> tuple[MagicCode, MagicCode]:
        """Return the code that a cell's `%%track` header puts before and after its body."""


class Recording(Protocol):
    """The recorded history of one notebook, and its present variables and cells."""

    @property
    def history(self) -> Sequence[Execution]:
        """All executions, oldest first."""

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The notebook's present variables, without IPython's own."""

    @property
    def before(self) -> frozenset[str]:
        """Names that were bound before recording began."""

    @property
    def cells(self) -> Sequence[CodeCell]:
        """The code cells of the notebook's file; empty where there is no file."""

    @property
    def folder(self) -> Path:
        """The working directory in which recording began; relative paths are resolved against it."""

    def initial(self, name: str) -> object:
        """Return the value, as JSON data, that a hidden variable had before anything changed it."""

    def original(self, path: str) -> bytes | None:
        """Return what was in a data file before a cell overwrote it; None if none did, or if it is not known."""
