"""What the pipeline service needs of others."""

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
    """Python that does in a bundle what a magic did in the notebook.

    Attributes
    ----------
    text : one expression or statement, over the notebook's own names; "" for nothing.
    imports : "module:function" of the bundle's `runtime` that the text calls ("tracking:log_metrics").
    """

    text: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepDeclaration:
    """What the author of a cell says of its step, in a `%%pipeline` line.

    Attributes
    ----------
    parameters : name -> default.
    inputs : names that the step takes beside those that it is seen to take.
    outputs : the only names that the step gives; None: whatever others take or nobody does.
    resources : what the step asks of the system that runs it.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] | None = None
    resources: Resources = field(default_factory=Resources)


class Magics(Protocol):
    """Our own magics, as far as a bundle keeps them."""

    def line(self, magic: str, line: str) -> MagicCode | None:
        """Return what a line magic becomes: None if it only looks. Raises KeyError if it is not ours."""

    def declared(self, execution: Execution) -> StepDeclaration:
        """Return what a cell's `%%pipeline NAME` header declares; nothing where it has none."""

    def around(self, execution: Execution) -> tuple[MagicCode, MagicCode]:
        """Return what goes before and after the body of a cell for its `%%track` header."""


class Recording(Protocol):
    """What one notebook did, and what it holds now."""

    @property
    def history(self) -> Sequence[Execution]:
        """Every execution, oldest first."""

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The notebook's variables as they are now, without IPython's own."""

    @property
    def before(self) -> frozenset[str]:
        """Names that were bound before recording began."""

    @property
    def cells(self) -> Sequence[CodeCell]:
        """The notebook's code cells as they stand in its file; none where there is no file."""

    @property
    def folder(self) -> Path:
        """The working directory in which recording began: relative paths count from it."""

    def initial(self, name: str) -> object:
        """Return the value that a hidden variable had before anything changed it (JSON)."""
