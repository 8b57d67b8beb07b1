"""Visitors of `match` statements and their patterns."""

from __future__ import annotations

import ast

from mlops_jupyter.analysis.facts.scopes import Scope, join
from mlops_jupyter.analysis.facts.visitor import visit, visit_all, visits


@visits(ast.Match)
def match(scope: Scope, node: ast.Match) -> None:
    """Visit `match`: one case runs or none; a bare name or `_` without a guard always matches."""
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
    """Visit a capture pattern: `case pattern as x`, `case x`, `case [*x]`."""
    if isinstance(node, ast.MatchAs) and node.pattern:
        visit(scope, node.pattern)
    if node.name:
        scope.bind(node.name)


@visits(ast.MatchMapping)
def mapping(scope: Scope, node: ast.MatchMapping) -> None:
    """Visit a mapping pattern: `case {"key": pattern, **rest}`."""
    visit_all(scope, node.keys)
    visit_all(scope, node.patterns)
    if node.rest:
        scope.bind(node.rest)


@visits(ast.MatchOr)
def alternatives(scope: Scope, node: ast.MatchOr) -> None:
    """Visit an or-pattern, `case a | b`, whose alternatives all bind the same names."""
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
