"""What a cell does that capture does not see, and what it makes anew without looking at what was there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Set

from mlops_jupyter.analysis.facts import SourceFacts
from mlops_jupyter.analysis.origins import Origin, qualified, root
from mlops_jupyter.analysis.silence import quiet_import
from mlops_jupyter.core.records import Execution

SHOWING = re.compile(r"(?:from|import) (?:IPython|bokeh|gc|logging|matplotlib|plotly|pprint|seaborn|time|warnings)\b")
"""Libraries whose calls show, wait or tidy up; what they do to options is seen."""

LISTING = re.compile(r"subprocess|os\.system|popen|glob|listdir|scandir|iterdir|\bwalk\(|exists\(|is_file\(|is_dir\(")
"""Text that looks which files there are, without opening them."""

WATCHED = re.compile(r"\b(?:environ|options|path|rcParams)\b")
"""Parts of modules whose changes are seen as hidden variables."""

SEEDS = {"numpy.random.seed": "~numpy.random", "random.seed": "~random", "torch.manual_seed": "~torch.random"}
"""Functions that make a random state anew."""


def unseen(execution: Execution, found: SourceFacts, body: Iterable[ast.stmt], read: Set[str], origin: Origin) -> bool:
    """Whether an execution may have changed what no name and no hidden variable tells.

    Parameters
    ----------
    read : names that any cell of the notebook reads. An import of others is there for what it does.
    origin : as for imports; of the notebook's own functions and classes, anything.
    """
    seen = bool(execution.mutated) or any(name.startswith("~") for name in execution.writes)
    return bool(found.uncertain) or any(_unseen(node, seen, read, origin) for node in body)


def _unseen(node: ast.stmt, seen: bool, read: Set[str], origin: Origin) -> bool:
    match node:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            bound = {(alias.asname or alias.name).partition(".")[0] for alias in names}
            return not quiet_import(node) and not bound & {"*", *read}
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            return any(_patches(target, seen, origin) for target in targets)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return _patches(target, seen, origin)
        case ast.Expr(value=ast.Call(func=func)):
            come = origin(root(func))
            return not seen and come.startswith(("import", "from")) and not SHOWING.match(come)
    return False


def _patches(target: ast.expr, seen: bool, origin: Origin) -> bool:
    """Whether a target is a part of a module or class."""
    if isinstance(target, ast.Tuple | ast.List):
        return any(_patches(element, seen, origin) for element in target.elts)
    if isinstance(target, ast.Name) or not origin(root(target)):
        return False
    return not (seen and WATCHED.search(ast.unparse(target)))


def reseeded(loud: Iterable[ast.stmt], origin: Origin) -> frozenset[str]:
    """Return the random states that statements make anew before they do anything else."""
    return frozenset(_leading(loud, origin))


def _leading(loud: Iterable[ast.stmt], origin: Origin) -> Iterator[str]:
    for node in loud:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        call = node.value if isinstance(node, ast.Expr) else None
        if not isinstance(call, ast.Call) or any(isinstance(n, ast.Call) for n in ast.walk(call) if n is not call):
            return
        state = SEEDS.get(qualified(call.func, origin))
        if state is None:
            return
        yield state
