"""Refuse values that a bundle cannot make again, by name, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.facts.extract import StatementKind
from mlops_jupyter.analysis.graph import build
from mlops_jupyter.analysis.nondeterminism import NondeterminismKind
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.hidden_names import ENVIRON, FILE, HIDDEN
from mlops_jupyter.services.pipeline.ports import Recording
from mlops_jupyter.services.pipeline.secret_sources import is_environment_file
from mlops_jupyter.services.pipeline.select.selection import where
from mlops_jupyter.services.pipeline.steps.cell_code import CellCodes

KEPT_BY_IPYTHON = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|In|Out").fullmatch
"""Match the names under which IPython keeps earlier inputs and outputs."""


def kept_by_ipython(place: str, name: str) -> UserError:
    """Return the error for a name under which IPython keeps an earlier input or output."""
    return UserError(f"{place} uses {name!r}, which IPython keeps: give the value a name of its own")


def made_by_none(place: str, name: str, before: Set[str]) -> UserError:
    """Return the error for a value that no cell made: it was made before recording began, or between two cells."""
    if name not in before:
        return UserError(
            f"{place} uses {name!r}, which was made between two cells, by a widget or a thread: make it in a cell"
        )
    return UserError(
        f"{place} uses {name!r}, which was made before `%load_ext mlops_jupyter`: "
        "restart the kernel, load the extension first and run the notebook again"
    )


def check_seen(history: Sequence[Execution], cells: Sequence[CodeCell | None]) -> None:
    """Refuse a history with an unobserved execution, from which any value may come."""
    for position, execution in enumerate(history):
        if execution.unobserved:
            raise UserError(
                f"what {where(position, cells)} changed is not known ({execution.unobserved}): "
                "restart the kernel and run the notebook again"
            )


def check_private(history: Sequence[Execution], kept: Sequence[int], cells: Sequence[CodeCell | None]) -> None:
    """Refuse a `%%private` cell among the executions that are kept: what it says stands in no file."""
    for position in kept:
        if not history[position].header("private"):
            continue
        users = build(history).users.get(position, ())
        uses = ((n, u) for u, n in users if u in kept and not n.startswith(HIDDEN))
        name, user = next(uses, ("", position))
        use = f"{where(user, cells)} uses {name!r} of it" if name else "an output comes from it"
        raise UserError(
            f"{where(position, cells)} is %%private, which no bundle may hold, and {use}: "
            "make the value in another cell, and read what is secret from os.environ"
        )


def check_prompts(parts: CellCodes, kept: Sequence[int], cells: Sequence[CodeCell | None]) -> None:
    """Refuse cells that ask for a password: nobody is there when a pipeline runs, and no file may hold the answer."""
    for position in kept:
        causes = parts[position].facts.causes
        if any(c.kind is NondeterminismKind.INPUT and "getpass" in c.text for c in causes):
            raise UserError(
                f"{where(position, cells)} asks for a password (getpass), and nobody is there when a pipeline runs: "
                "read it from os.environ['PASSWORD'], and export with --secret PASSWORD"
            )


def check_born(parts: CellCodes, kept: Sequence[int], cells: Sequence[CodeCell | None], recording: Recording) -> None:
    """Refuse reads of values that no recorded cell made, and of values that IPython keeps."""
    for position in kept:
        for name in sorted(parts[position].facts.reads - parts[position].facts.writes):
            if KEPT_BY_IPYTHON(name):
                raise kept_by_ipython(where(position, cells), name)
        for name in sorted(parts.graph.undefined_reads(position)):
            if not name.startswith(HIDDEN):
                raise made_by_none(where(position, cells), name, recording.before)


def check_lost(parts: CellCodes, kept: Sequence[int], cells: Sequence[CodeCell | None]) -> None:
    """Refuse reads of a magic's result that a bundle cannot bind."""
    for position in kept:
        part = parts[position]
        for name in sorted(part.facts.reads | parts.graph.producers[position].keys()):
            own = name in part.facts.reads and name in part.translation.lost
            maker = position if own else parts.graph.producers[position].get(name)
            if maker is not None and maker in parts and name in parts[maker].translation.lost:
                reason = parts[maker].translation.lost[name]
                raise UserError(f"{where(position, cells)} uses {name!r}, which {reason}")


def check_files(
    parts: CellCodes, kept: Sequence[int], cells: Sequence[CodeCell | None], secrets: Sequence[str]
) -> None:
    """Refuse files that hold secrets, and modules that are written anew after they were used."""
    _check_secret_files(parts, kept, cells, secrets)
    _check_rewritten(parts, kept, cells)


def _check_secret_files(
    parts: CellCodes, kept: Sequence[int], cells: Sequence[CodeCell | None], secrets: Sequence[str]
) -> None:
    """Refuse a file of environment variables, unless what it sets is named as secrets: it stays out of a bundle."""
    for position in kept:
        execution = parts.graph.history[position]
        files = sorted(name.removeprefix(FILE) for name in execution.reads if is_environment_file(name))
        variables = sorted(name.removeprefix(ENVIRON) for name in execution.writes if name.startswith(ENVIRON))
        missing = [name for name in variables if name not in secrets]
        if files and (missing or not secrets):
            options = " ".join(f"--secret {name}" for name in missing or ["NAME"])
            raise UserError(
                f"{where(position, cells)} reads {files[0]!r}, which may hold secrets and stays out of the bundle: "
                f"export with {options}, and set them as environment variables where the pipeline runs"
            )


def _check_rewritten(parts: CellCodes, kept: Sequence[int], cells: Sequence[CodeCell | None]) -> None:
    """Refuse a module that a cell writes anew after another has used it: a bundle has one text of each module."""
    history = parts.graph.history
    for writer in kept:
        for name, mark in history[writer].writes.items():
            path = name.removeprefix(FILE)
            if not name.startswith(FILE) or not path.endswith(".py") or path.startswith(("/", "..")):
                continue
            module = path.split("/")[0].removesuffix(".py")
            user = next((p for p in kept if p < writer and _uses(parts, p, module)), None)
            if user is None:
                continue
            before = next((e.writes[name] for e in reversed(history[:user]) if name in e.writes), None)
            if before != mark:
                raise UserError(
                    f"{where(writer, cells)} writes {path!r} anew after {where(user, cells)} used it, and a bundle "
                    f"has one text of each module: give the new one another name, or run {where(user, cells)} again"
                )


def _uses(parts: CellCodes, position: int, module: str) -> bool:
    """Say whether an execution uses what it, or an earlier one, imported from a module."""
    imports = re.compile(rf"\s*(import|from)\s+{re.escape(module)}\b").match
    part = parts[position]
    makers = dict(parts.graph.producers[position])
    if any(s.kind not in (StatementKind.IMPORT, StatementKind.DEFINITION) for s in part.facts.statements):
        makers |= dict.fromkeys(part.facts.imports, position)
    texts = [parts[at].facts.imports.get(name, "") for name, at in makers.items() if at in parts]
    return any(map(imports, texts))
