"""The kernel's side of `mlops-jupyter export`, `diff` and `slice`: the notebook has run, now answer from that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_jupyter.core.errors import UserError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def answer(shell: InteractiveShell, wish: str, path: str) -> None:
    """Export as asked and write what came of it as JSON: the facts, or `fault` with the user's one line."""
    from mlops_jupyter.services.export import options, service
    from mlops_jupyter.surfaces.magics import session_of

    asked = json.loads(wish)
    session = session_of(shell)
    try:
        request = options.to_request(asked, asked["name"])
        output, ledger = Path(asked["output"]), session.workspace.ledger
        update = asked.get("update", False)
        done = service.export(session.notebook, request, session.translator, output, asked["targets"], ledger, update)
    except UserError as fault:
        found: dict[str, object] = {"fault": str(fault)}
    else:
        found = {
            "path": str(done.path),
            "package": done.plan.package,
            "targets": list(done.targets),
            "steps": [step.name for step in done.plan.steps],
            "outputs": dict(done.plan.outputs),
            "notes": done.notes,
            "changes": None if done.changes is None else str(done.changes),
            "cell_seconds": sum(e.seconds for e in session.recorder.history),
            "overhead_seconds": sum(e.overhead for e in session.recorder.history),
            "seconds": done.seconds,
        }
    Path(path).write_text(json.dumps(found), encoding="utf-8")


def comparison(shell: InteractiveShell, wish: str, path: str) -> None:
    """Write as JSON how a bundle differs from the notebook, or `fault` with the user's one line."""
    from mlops_jupyter.services.export.service import compare
    from mlops_jupyter.surfaces.magics import session_of

    try:
        session = session_of(shell)
        found = compare(session.notebook, session.translator, Path(json.loads(wish)["bundle"])).as_json()
    except UserError as fault:
        found = {"fault": str(fault)}
    Path(path).write_text(json.dumps(found), encoding="utf-8")


def program(shell: InteractiveShell, wish: str, path: str) -> None:
    """Write the slice that was asked for as JSON: its program, or `fault` with the user's one line."""
    from mlops_jupyter.services.pipeline.query.slices import slice_of
    from mlops_jupyter.surfaces.magics import session_of

    try:
        session = session_of(shell)
        made = slice_of(session.notebook, json.loads(wish)["name"], session.translator)
    except UserError as fault:
        found: dict[str, object] = {"fault": str(fault)}
    else:
        found = {"name": made.name, "text": made.text, "executions": made.executions, "starts": made.starts}
    Path(path).write_text(json.dumps(found), encoding="utf-8")
