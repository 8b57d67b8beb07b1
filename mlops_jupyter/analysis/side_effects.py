"""Side effects of cells that capture does not see, and random states that a cell seeds anew."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence, Set

from mlops_jupyter.analysis.facts.extract import SourceFacts
from mlops_jupyter.analysis.purity import quiet_import
from mlops_jupyter.analysis.syntax.qualified_names import Qualified, qualified_name, root_name
from mlops_jupyter.core.executions import Execution, Mark
from mlops_jupyter.core.hidden_names import FILE, NUMPY_RANDOM, PYTHON_RANDOM, TORCH_RANDOM

SHOWING = re.compile(r"(?:from|import) (?:IPython|bokeh|gc|logging|matplotlib|plotly|pprint|seaborn|time|warnings)\b")
"""Imports of libraries whose calls only show, wait or tidy up; their changes of options are captured."""

LISTING = re.compile(r"subprocess|os\.system|popen|glob|listdir|scandir|iterdir|\bwalk\(|exists\(|is_file\(|is_dir\(")
"""Text that lists files or tests for them, without opening them."""

CURRENT = re.compile(r"\b(?:gcf|gca|get_fignums|savefig)\(")
"""Text that uses the current figure, on which earlier cells may have drawn."""

DRAWING = re.compile(r"(?:from|import) (?:matplotlib|seaborn)\b")
"""Imports of libraries that draw on the current figure."""

WATCHED = re.compile(r"\b(?:environ|options|path|rcParams)\b")
"""Parts of modules whose changes are captured as hidden variables."""

SEEDS = {"numpy.random.seed": NUMPY_RANDOM, "random.seed": PYTHON_RANDOM, "torch.manual_seed": TORCH_RANDOM}
"""Functions that seed a global random state -> its hidden variable."""

CACHES = re.compile(r"cache|memo", re.IGNORECASE)
"""Decorators of functions that cache their results."""


def remembering(body: Iterable[ast.stmt]) -> frozenset[str]:
    """Return the names of the functions in a body that cache their results, a state that no fingerprint shows."""
    return frozenset(
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef) and any(CACHES.search(ast.unparse(d)) for d in node.decorator_list)
    )


def draws(execution: Execution, origin: Qualified) -> bool:
    """Return whether an execution may have drawn on the current figure."""
    return "plot" in execution.body or any(DRAWING.match(origin(name)) for name in execution.reads)


def handles(history: Sequence[Execution], position: int) -> Iterator[tuple[int, str]]:
    """Yield (position, name) of later executions that use, close or drop a file handle which an execution wrote to.

    What was written may reach the file only then.
    """
    execution = history[position]
    if not any(name.startswith(FILE) for name in execution.writes):
        return
    for name in [name for name, mark in execution.writes.items() if mark == Mark.UNKNOWN]:
        for later in range(position + 1, len(history)):
            if name in history[later].writes or name in history[later].deletes:
                yield later, name
                if name not in history[later].mutated:
                    break


def unseen(
    execution: Execution, found: SourceFacts, body: Iterable[ast.stmt], read: Set[str], origin: Qualified
) -> bool:
    """Return whether an execution may have side effects that no name and no hidden variable shows.

    Parameters
    ----------
    execution : the execution.
    found : facts of its text.
    body : top-level statements of its text.
    read : names that any cell of the notebook reads. An import of other names is there for its side effects.
    origin : returns the import statement that bound a name, and any other text for the notebook's own functions and
        classes.
    """
    if any(_has_state(origin(name)) for name in execution.reads | found.reads):
        return any(isinstance(node, ast.Call) for statement in body for node in ast.walk(statement))
    seen = bool(execution.mutated) or any(name.startswith("~") for name in execution.writes)
    return bool(found.uncertain) or any(_unseen(node, seen, read, origin) for node in body)


def _has_state(come: str) -> bool:
    """Return whether an import statement loads a module of the project, whose functions may keep state in it."""
    if not come.startswith(("import", "from")):
        return False
    module = sys.modules.get(come.split()[1].partition(".")[0])
    file = str(getattr(module, "__file__", None) or "")
    return bool(file) and not file.startswith((sys.prefix, sys.base_prefix))


def _unseen(node: ast.stmt, seen: bool, read: Set[str], origin: Qualified) -> bool:
    match node:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            bound = {(alias.asname or alias.name).partition(".")[0] for alias in names}
            return not quiet_import(node) and not bound & {"*", *read}
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            return any(_patches(target, seen, origin) for target in targets)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return _patches(target, seen, origin)
        case ast.Expr(value=ast.Call(func=func)):
            come = origin(root_name(func))
            return not seen and come.startswith(("import", "from")) and not SHOWING.match(come)
    return False


def _patches(target: ast.expr, seen: bool, origin: Qualified) -> bool:
    """Return whether an assignment's target is an attribute or item of a module or class."""
    if isinstance(target, ast.Tuple | ast.List):
        return any(_patches(element, seen, origin) for element in target.elts)
    if isinstance(target, ast.Name) or not origin(root_name(target)):
        return False
    return not (seen and WATCHED.search(ast.unparse(target)))


def reseeded(loud: Iterable[ast.stmt], origin: Qualified) -> frozenset[str]:
    """Return the hidden variables of the random states that statements seed before they do anything else."""
    return frozenset(_leading(loud, origin))


def _leading(loud: Iterable[ast.stmt], origin: Qualified) -> Iterator[str]:
    for node in loud:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        call = node.value if isinstance(node, ast.Expr) else None
        if not isinstance(call, ast.Call) or any(isinstance(n, ast.Call) for n in ast.walk(call) if n is not call):
            return
        state = SEEDS.get(qualified_name(call.func, origin))
        if state is None:
            return
        yield state
