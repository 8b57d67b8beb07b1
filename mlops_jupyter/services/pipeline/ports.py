"""What the pipeline service needs of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mlops_jupyter.analysis.outline import CodeCell
from mlops_jupyter.core.records import Execution


@dataclass(frozen=True)
class Code:
    """Python that does in a bundle what a magic did in the notebook.

    Attributes
    ----------
    text : one expression or statement, over the notebook's own names; "" for nothing.
    imports : "module:function" of the bundle's `runtime` that the text calls ("tracking:log_metrics").
    """

    text: str
    imports: tuple[str, ...] = ()


class Magics(Protocol):
    """Our own magics, as far as a bundle keeps them."""

    def line(self, magic: str, line: str) -> Code | None:
        """Return what a line magic becomes: None if it only looks. Raises KeyError if it is not ours."""

    def parameters(self, execution: Execution) -> Mapping[str, object]:
        """Return the parameters that a cell's `%%pipeline NAME --params` header declares, with their defaults."""

    def around(self, execution: Execution) -> tuple[Code, Code]:
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
