"""Our scopes against CPython's own, on real code: the standard library's."""

from __future__ import annotations

import ast
import importlib
import inspect
import symtable

import pytest

from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.analysis.facts.names_in_strings import names_in_string

MODULES = [
    "ast", "calendar", "contextlib", "dataclasses", "enum", "functools", "heapq", "logging", "random", "statistics",
    "tempfile", "tokenize", "traceback", "uuid",
]  # fmt: skip


def global_reads(table: symtable.SymbolTable) -> set[str]:
    """Names that a scope, or one inside it, takes from the globals."""
    own = {s.get_name() for s in table.get_symbols() if s.is_global() and (s.is_referenced() or s.is_declared_global())}
    if table.get_type() == "class":  # a name that the class binds is looked up among the globals where it has none yet
        own -= {s.get_name() for s in table.get_symbols() if s.is_assigned()}
    return own.union(*map(global_reads, table.get_children()))


def without_annotations(tree: ast.Module) -> str:
    """The text without annotations: symtable counts those inside functions, which nobody evaluates."""

    class Strip(ast.NodeTransformer):
        def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
            self.generic_visit(node)
            value = node.value or ast.Constant(None)
            return ast.copy_location(ast.Assign(targets=[node.target], value=value), node)

    return ast.unparse(ast.fix_missing_locations(Strip().visit(tree)))


@pytest.mark.parametrize("name", MODULES)
def test_functions_read_what_the_compiler_says(name: str) -> None:
    source = without_annotations(ast.parse(inspect.getsource(importlib.import_module(name))))
    found = extract_facts(source)
    defined = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    tables = {t.get_name(): t for t in symtable.symtable(source, name, "exec").get_children()}
    strings = (n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    guesses = frozenset().union(*map(names_in_string, strings))
    compared = 0
    for function in defined:
        if defined.count(function) > 1 or function not in tables:
            continue
        expected = global_reads(tables[function])
        assert found.deferred_reads[function] - expected <= guesses
        bound_first = found.deferred_writes.get(function, frozenset())
        assert expected - found.deferred_reads[function] <= bound_first
        compared += 1
    assert compared or not defined


@pytest.mark.parametrize("name", MODULES)
def test_cells_bind_what_the_compiler_says(name: str) -> None:
    source = inspect.getsource(importlib.import_module(name))
    found = extract_facts(source)
    top = symtable.symtable(source, name, "exec")
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    gone = found.deletes - found.writes  # symtable counts a `del` as a binding
    # symtable counts a name that is only annotated; and what functions declare global is bound when they are called
    annotated = {s.get_name() for s in top.get_symbols() if s.is_annotated()}
    late = frozenset().union(*found.deferred_writes.values())
    assert found.writes - late <= bound
    assert bound - found.writes <= gone | annotated | late
