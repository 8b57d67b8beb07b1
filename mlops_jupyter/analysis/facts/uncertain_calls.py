"""Calls that leave the facts of a cell uncertain. Each has a reason for people; `verify` has the last word."""

from __future__ import annotations

import ast
from collections.abc import Callable

from mlops_jupyter.analysis.facts.names_in_strings import MAGIC
from mlops_jupyter.analysis.facts.scopes import Scope, ScopeKind
from mlops_jupyter.analysis.syntax.vocabulary import words

MARKS = frozenset({MAGIC, "__timeit__"})
"""Names that occur only in translated magics. They are left out of the facts."""

HARMLESS = words(
    "! time timeit prun lprun mprun memit mem capture matplotlib config who whos who_ls pwd ls ll cat head tail more "
    "less history hist lsmagic magic doctest_mode precision pprint pip conda mamba uv quickref pinfo pinfo2 pdoc pdef "
    "psource pfile psearch page notebook pycat logstart logstop logon logoff logstate autoreload load_ext reload_ext "
    "track pipeline register drift writefile file bash sh script html HTML javascript js markdown latex svg "
    "SVG perl ruby cd pushd popd dhist dirs env set_env mkdir rmdir cp mv rm man alias unalias colors xmode pdb tb "
    "edit ? unload_ext automagic autocall rehashx sx system sc xdel reset_selective store macro gui subshell code_wrap "
    "snakeviz scalene run"
)
"""Magics that bind no names but those on their line. Their changes to files and environment are captured as they run.

What the file of `%run` binds is read from its text (`capture.scripts`).
"""


def _no_arguments(reason: str) -> Callable[[Scope, ast.Call], str]:
    def look(scope: Scope, node: ast.Call) -> str:
        top = scope.kind in (ScopeKind.MODULE, ScopeKind.COMPREHENSION)
        return reason if top and not node.args and isinstance(node.func, ast.Name) else ""

    return look


def _always(reason: str) -> Callable[[Scope, ast.Call], str]:
    return lambda scope, node: reason


def _varying(reason: str) -> Callable[[Scope, ast.Call], str]:
    return lambda scope, node: "" if node.args and isinstance(node.args[0], ast.Constant) else reason


def _on_module(scope: Scope, node: ast.Call) -> str:
    target = node.args[0] if node.args else None
    if isinstance(target, ast.Name) and target.id in scope.notes.modules:
        return f"changes an attribute of module {target.id!r}"
    return ""


def _unknown_magic(scope: Scope, node: ast.Call) -> str:
    first = node.args[0] if node.args else None
    magic = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return "" if magic in HARMLESS else f"%{magic} is not Python: what it reads and binds is not known"


_RULES: dict[str, Callable[[Scope, ast.Call], str]] = {
    MAGIC: _unknown_magic,
    "globals": _always("globals() can read and bind any name"),
    "locals": _no_arguments("locals() can read and bind any name"),
    "vars": _no_arguments("vars() can read and bind any name"),
    "get_ipython": _always("get_ipython() can read and bind any name"),
    "__import__": _always("__import__() imports what is known only when it runs"),
    "import_module": _varying("import_module() imports what is known only when it runs"),
    "reload": _always("reload() changes a module that is already loaded"),
    "run_path": _always("run_path() runs a file of its own"),
    "run_module": _always("run_module() runs a module as a program"),
    "_getframe": _always("_getframe() reaches the variables of callers"),
    "currentframe": _always("currentframe() reaches the variables of callers"),
    "setattr": _on_module,
    "delattr": _on_module,
    "Thread": _always("a thread may go on after the cell has ended"),
    "Timer": _varying("a timer may fire after the cell has ended"),
    "create_task": _always("a task may go on after the cell has ended"),
    "ensure_future": _always("a task may go on after the cell has ended"),
    "run_in_executor": _always("a task may go on after the cell has ended"),
}

DOUBTFUL = frozenset(_RULES)
"""Last names of calls that may leave the facts uncertain."""


def doubt_call(scope: Scope, node: ast.Call, tail: str) -> None:
    """Note why a call to a function of that name leaves the facts uncertain, if it does."""
    reason = _RULES[tail](scope, node)
    if reason:
        scope.notes.doubt(node.lineno, reason)


def doubt_target(scope: Scope, target: ast.expr) -> None:
    """Note that an assignment or a `del` changes a module: `np.pi = 3`."""
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        module = target.value.id
        if module in scope.notes.modules:
            scope.notes.doubt(target.lineno, f"changes {target.attr!r} of module {module!r}")
