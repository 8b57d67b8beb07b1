"""What is noted of a cell while its tree is walked, beside the names of each scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_jupyter.analysis.nondeterminism_rules import NondeterminismFinder
from mlops_jupyter.analysis.syntax.parsing import LINE_END

if TYPE_CHECKING:
    from mlops_jupyter.analysis.facts.scopes import Scope


class VisitState:
    """One cell's notebook margin, shared by all its scopes.

    Attributes
    ----------
    text_names : candidates found in strings of the statement at hand.
    names_in_strings : candidates found in any string.
    doubts : reasons why the facts may be incomplete, in words, each once, in order.
    imports : bound name -> import statement, of imports at the top level.
    modules : names that the cell binds to modules.
    code : id of a lambda or generator expression that is no name's own -> its scope: whoever holds it may run it later.
    lazy_annotations : `from __future__ import annotations` is on.
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
