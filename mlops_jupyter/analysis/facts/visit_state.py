"""The state of one visit to a cell's syntax tree, beside the names of each scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_jupyter.analysis.nondeterminism_rules import NondeterminismFinder
from mlops_jupyter.analysis.syntax.parsing import LINE_END

if TYPE_CHECKING:
    from mlops_jupyter.analysis.facts.scopes import Scope


class VisitState:
    """Collects facts of one cell that belong to no single scope; all scopes of the cell share it.

    Attributes
    ----------
    lines : the lines of the cell's source.
    causes : finds the causes of nondeterminism.
    text_names : candidates for names in strings of the current statement.
    names_in_strings : candidates for names in any string.
    doubts : reasons why the facts may be incomplete, for people, each once, in order.
    imports : bound name -> import statement, of imports at the top level.
    modules : names that the cell binds to modules.
    star_imports : modules of `from m import *`.
    definitions : names bound at the top level to functions and classes.
    code : id of a lambda or generator expression that is bound to no name -> its scope: it may run later.
    lazy_annotations : whether `from __future__ import annotations` is on.
    awaits : whether the top level awaits.
    """

    def __init__(self, source: str) -> None:
        self.lines = LINE_END.split(source)
        self.causes = NondeterminismFinder(self.lines)
        self.text_names: set[str] = set()
        self.names_in_strings: set[str] = set()
        self.doubts: dict[str, None] = {}
        self.imports: dict[str, str] = {}
        self.modules: set[str] = set()
        self.star_imports: list[str] = []
        self.definitions: set[str] = set()
        self.code: dict[int, Scope] = {}
        self.lazy_annotations = False
        self.awaits = False

    def doubt(self, line: int, reason: str) -> None:
        """Note a reason why the facts may be incomplete."""
        self.doubts[f"line {line}: {reason}"] = None
