"""The kernel's side of `mlops-jupyter export`, `diff` and `slice`, called when the notebook has run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_jupyter.core.errors import UserError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def answer(shell: InteractiveShell, wish: str, path: str) -> None:
    """Export the notebook and write the result to `path` as JSON: its facts, or `fault` with the user's one line.

    Parameters
    ----------
    wish : JSON of the options, with `output` (a folder), `targets` and a `name`.
    """
    from mlops_jupyter.services.export import options, service
    from mlops_jupyter.surfaces.magics import session_of

    arguments = json.loads(wish)
    session = session_of(shell)
    try:
        request = options.to_request(arguments, arguments["name"])
        output, ledger = Path(arguments["output"]), session.workspace.ledger
        update = arguments.get("update", False)
        exported = service.export(
            session.notebook, request, session.translator, output, arguments["targets"], ledger, update
        )
    except UserError as fault:
        result: dict[str, object] = {"fault": str(fault)}
    else:
        result = {
            "path": str(exported.path),
            "package": exported.plan.package,
            "targets": list(exported.targets),
            "steps": [step.name for step in exported.plan.steps],
            "outputs": dict(exported.plan.outputs),
            "notes": exported.notes,
            "changes": None if exported.changes is None else str(exported.changes),
            "cell_seconds": sum(e.seconds for e in session.recorder.history),
            "overhead_seconds": sum(e.overhead for e in session.recorder.history),
            "seconds": exported.seconds,
        }
    Path(path).write_text(json.dumps(result), encoding="utf-8")


def comparison(shell: InteractiveShell, wish: str, path: str) -> None:
    """Write to `path` as JSON how a bundle differs from the notebook, or `fault` with the user's one line."""
    from mlops_jupyter.services.export.service import compare
    from mlops_jupyter.surfaces.magics import session_of

    try:
        session = session_of(shell)
        result = compare(session.notebook, session.translator, Path(json.loads(wish)["bundle"])).as_json()
    except UserError as fault:
        result = {"fault": str(fault)}
    Path(path).write_text(json.dumps(result), encoding="utf-8")


def program(shell: InteractiveShell, wish: str, path: str) -> None:
    """Write the slice of a name to `path` as JSON: its program, or `fault` with the user's one line."""
    from mlops_jupyter.services.pipeline.query.slices import slice_of
    from mlops_jupyter.surfaces.magics import session_of

    try:
        session = session_of(shell)
        sliced = slice_of(session.notebook, json.loads(wish)["name"], session.translator)
    except UserError as fault:
        result: dict[str, object] = {"fault": str(fault)}
    else:
        result = {"name": sliced.name, "text": sliced.text, "executions": sliced.executions, "starts": sliced.starts}
    Path(path).write_text(json.dumps(result), encoding="utf-8")
