"""The magics: `%track`, `%register`, `%pipeline`, `%drift`, and the cell forms `%%track` and `%%pipeline`.

`load` connects a shell to its project and a recorder; the table of a magic's verbs then parses and runs its lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.surfaces.magics.table import VERBS
from mlops_jupyter.surfaces.magics.verbs import act

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlops_jupyter.surfaces.magics.session import NotebookSession

_sessions: dict[int, NotebookSession] = {}


def load(shell: InteractiveShell) -> None:
    """Start recording in a shell and register the magics there; a `UserError` becomes a `UsageError`, one line."""
    from IPython.core.error import UsageError

    from mlops_jupyter.surfaces.magics import cells, session_start
    from mlops_jupyter.surfaces.magics.bundle_code import BundleTranslator

    try:
        session = session_start.start(shell, BundleTranslator())
    except UserError as fault:
        raise UsageError(str(fault)) from None
    _sessions[id(shell)] = session
    cells.install(shell, session)
    for name in VERBS:
        shell.magics_manager.register_function(_magic(session, name), magic_kind="line_cell", magic_name=name)


def unload(shell: InteractiveShell) -> None:
    """Stop recording and remove the magics; what was recorded stays in `.mlops/`."""
    from mlops_jupyter.surfaces.magics import cells

    session = _sessions.pop(id(shell), None)
    if session is None:
        return
    session.close()
    cells.remove(shell)
    for name in VERBS:
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop(name, None)


def session_of(shell: InteractiveShell) -> NotebookSession:
    """Return the session of a shell in which the extension is loaded."""
    return _sessions[id(shell)]


def _magic(session: NotebookSession, name: str) -> Callable[..., Any]:
    from IPython.core.magic import no_var_expand

    verbs = VERBS[name]

    def magic(line: str, cell: str | None = None) -> Any:
        if cell is not None:  # only when called by name: a typed cell is handled before IPython sees its magic
            session.shell.run_cell(f"%%{name} {line}\n{cell}").raise_error()
            return None
        return act(session, name, verbs, line)

    magic.__doc__ = "\n\n".join(
        f"%{name} {verb}".strip() + f"\n{(entry.act.__doc__ or '').strip()}" for verb, entry in verbs.items()
    )
    return no_var_expand(magic)  # values are Python of the notebook: `{}` and `$` mean what they mean there
