"""A cell's translation into plain Python, which the rules write, and the cell's context, which they read."""

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
    """The context in which a cell is translated.

    Attributes
    ----------
    where : the cell's name for messages ("cell 7").
    folder : the folder that relative paths of `%run` refer to; None if the notebook had changed its directory.
    package : the bundle's package.
    allow_ipython : whether to keep magics that only IPython knows, and IPython with them.
    extensions : modules that `%load_ext` had loaded when the cell ran.
    role : the role that the cell's tags give it.
    metrics : names of the numbers that a cell with the role METRICS prints.
    previous_folder : the path to which `%cd -` leads, from the folder where the cell begins; None if it is not known.
    capture_is_read : whether a later cell reads what `%%capture` keeps of this one.
    """

    execution: Execution
    where: str
    folder: Path | None = None
    package: str = "pipeline"
    allow_ipython: bool = False
    extensions: tuple[str, ...] = ()
    role: Role = Role.PLAIN
    metrics: tuple[str, ...] = ()
    previous_folder: str | None = None
    capture_is_read: bool = False

    @cached_property
    def known(self) -> frozenset[str]:
        """Names that `{expr}` or `$name` may refer to: the cell's reads and writes, and every word of its Python."""
        python = (p.text for p in segments(self.execution.body) if p.kind is SegmentKind.PYTHON)
        return self.execution.reads | self.execution.writes.keys() | set(re.findall(r"[^\W\d]\w*", " ".join(python)))

    def refuse(self, piece: Segment, reason: str) -> UserError:
        """Return the error that says in one line which magic cannot be kept, and why."""
        sign = {SegmentKind.CELL_MAGIC: "%%", SegmentKind.LINE_MAGIC: "%"}.get(piece.kind, "")
        return UserError(f"{self.where}, line {piece.line}: {sign}{piece.name} {reason}")


@dataclass
class Translation:
    """A cell in plain Python.

    Attributes
    ----------
    text : the Python text, set when all lines are written.
    runtime : functions of the bundle's runtime that the text calls, each as "module:function".
    imports : import statements that the rules added.
    requirements : the requirements that `%pip install` named.
    modules : modules that the text needs without importing them.
    scripts : module name in the bundle's `scripts` -> content of the file that `%run` ran.
    lost : name -> why a bundle cannot bind it; nothing may read it.
    notes : what the user should know about the translation.
    lines : the pieces of Python written so far.
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
        """Append code, and note the functions of the runtime that it calls."""
        if code.text:
            self.lines.append(code.text)
        self.runtime = tuple(dict.fromkeys((*self.runtime, *code.imports)))

    def bind(self, target: str | None, expression: str) -> None:
        """Append an expression, assigned to the target left of the magic, if there is one."""
        self.add(MagicCode(f"{target} = {expression}" if target else expression))

    def need(self, statement: str) -> None:
        """Add an import statement that the text relies on."""
        self.imports = tuple(dict.fromkeys((*self.imports, statement)))

    def lose(self, target: str | None, reason: str) -> None:
        """Note that the names left of a magic are not bound, and why."""
        if target:
            self.lost = {**self.lost, **dict.fromkeys(re.findall(r"[^\W\d]\w*", target), reason)}

    def note(self, text: str) -> None:
        """Add a note for the user."""
        self.notes = tuple(dict.fromkeys((*self.notes, text)))
