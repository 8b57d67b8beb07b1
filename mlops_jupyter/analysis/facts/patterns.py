"""What `match` does to names."""

from __future__ import annotations

import ast

from mlops_jupyter.analysis.facts.scopes import Scope, join
from mlops_jupyter.analysis.facts.visitor import visit, visit_all, visits


@visits(ast.Match)
def match(scope: Scope, node: ast.Match) -> None:
    """One case or none; a bare name or `_` without a guard leaves no other way."""
    visit(scope, node.subject)
    start = scope.flow()
    ends = []
    complete = False
    for case in node.cases:
        scope.resume(start)
        visit(scope, case.pattern)
        if case.guard:
            visit(scope, case.guard)
        visit_all(scope, case.body)
        ends.append(scope.flow())
        complete = complete or (case.guard is None and _catches_all(case.pattern))
    scope.resume(join(*ends) if complete else join(start, *ends))


@visits(ast.MatchAs, ast.MatchStar)
def capture(scope: Scope, node: ast.MatchAs | ast.MatchStar) -> None:
    """`case pattern as x`, `case x`, `case [*x]`."""
    if isinstance(node, ast.MatchAs) and node.pattern:
        visit(scope, node.pattern)
    if node.name:
        scope.bind(node.name)


@visits(ast.MatchMapping)
def mapping(scope: Scope, node: ast.MatchMapping) -> None:
    """`case {"key": pattern, **rest}`."""
    visit_all(scope, node.keys)
    visit_all(scope, node.patterns)
    if node.rest:
        scope.bind(node.rest)


@visits(ast.MatchOr)
def alternatives(scope: Scope, node: ast.MatchOr) -> None:
    """`case a | b`: all bind the same names."""
    start, ends = scope.flow(), []
    for pattern in node.patterns:
        scope.resume(start)
        visit(scope, pattern)
        ends.append(scope.flow())
    scope.resume(join(*ends))


def _catches_all(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(map(_catches_all, pattern.patterns))
    return isinstance(pattern, ast.MatchAs) and (pattern.pattern is None or _catches_all(pattern.pattern))
