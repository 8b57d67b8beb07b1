"""The whole grammar: importing this module registers a handler for each kind of node that has rules of its own."""

from __future__ import annotations

from mlops_jupyter.analysis.facts import expressions, functions, imports, paths, patterns, statements
from mlops_jupyter.analysis.facts.visitor import HANDLERS, visit

__all__ = ["HANDLERS", "expressions", "functions", "imports", "paths", "patterns", "statements", "visit"]
