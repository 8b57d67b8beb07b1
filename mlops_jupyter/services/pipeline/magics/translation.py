"""What a cell becomes in plain Python, while its rules write it; and what they may ask of the cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mlops_jupyter.analysis.cells import Segment, SegmentKind, segments
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.services.pipeline.ports import MagicCode
from mlops_jupyter.services.pipeline.select.cell_tags import Role


@dataclass(frozen=True)
class CellContext:
    """Where a cell stands.

    Attributes
    ----------
    where : how to name the cell in a message ("cell 7").
    folder : what relative paths of `%run` count from; None where the notebook had changed its directory.
    package : the bundle's package.
    allow_ipython : keep magics that only IPython knows, and IPython with them.
    extensions : what `%load_ext` had loaded by then.
    role : what its tags say that it is for.
    metrics : names of numbers that it prints, where that role is to give metrics.
    """

    execution: Execution
    where: str
    folder: Path | None = None
    package: str = "pipeline"
    allow_ipython: bool = False
    extensions: tuple[str, ...] = ()
    role: Role = Role.PLAIN
    metrics: tuple[str, ...] = ()

    @cached_property
    def known(self) -> frozenset[str]:
        """Names that a `{expr}` or `$name` may stand for: what the cell took, and every word of its Python."""
        python = (p.text for p in segments(self.execution.body) if p.kind is SegmentKind.PYTHON)
        return self.execution.reads | self.execution.writes.keys() | set(re.findall(r"[^\W\d]\w*", " ".join(python)))

    def refuse(self, piece: Segment, reason: str) -> UserError:
        """Return the one line that says which magic cannot be kept, and why."""
        sign = {SegmentKind.CELL_MAGIC: "%%", SegmentKind.LINE_MAGIC: "%"}.get(piece.kind, "")
        return UserError(f"{self.where}, line {piece.line}: {sign}{piece.name} {reason}")


@dataclass
class Translation:
    """A cell in plain Python.

    Attributes
    ----------
    text : the Python.
    runtime : "module:function" of the bundle's runtime that it calls.
    imports : import statements that the rules brought in.
    requirements : what `%pip install` asked for.
    modules : what it needs beside what it imports.
    scripts : module name in the bundle's `scripts` -> content: what `%run` ran.
    lost : name -> why a bundle cannot bind it; nothing may use it.
    notes : what a person should know.
    """

    text: str = ""
    runtime: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    scripts: Mapping[str, bytes] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)

    def add(self, code: MagicCode) -> None:
        """Append Python."""
        if code.text:
            self.lines.append(code.text)
        self.runtime = tuple(dict.fromkeys((*self.runtime, *code.imports)))

    def bind(self, target: str | None, expression: str) -> None:
        """Append an expression, assigned to what stood left of the magic, if anything did."""
        self.add(MagicCode(f"{target} = {expression}" if target else expression))

    def need(self, statement: str) -> None:
        """Note an import statement that the text relies on."""
        self.imports = tuple(dict.fromkeys((*self.imports, statement)))

    def lose(self, target: str | None, reason: str) -> None:
        """Note that what stood left of a magic is not bound."""
        if target:
            self.lost = {**self.lost, **dict.fromkeys(re.findall(r"[^\W\d]\w*", target), reason)}

    def note(self, text: str) -> None:
        """Note something for a person."""
        self.notes = tuple(dict.fromkeys((*self.notes, text)))
