"""The whole grammar: importing this gives `walk` a handler for each kind of node that has rules of its own."""

from __future__ import annotations

from mlops_jupyter.analysis import expressions, functions, imports, paths, patterns, statements
from mlops_jupyter.analysis.walk import HANDLERS, walk

__all__ = ["HANDLERS", "expressions", "functions", "imports", "paths", "patterns", "statements", "walk"]
