"""Translate `%run FILE`: the file travels with the bundle, and the step binds the names that the file gave."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from mlops_jupyter.analysis.cells import Segment, to_python
from mlops_jupyter.analysis.facts.extract import SourceFacts, StatementKind, extract_facts
from mlops_jupyter.analysis.syntax.parsing import lines_of
from mlops_jupyter.capture import scripts
from mlops_jupyter.capture.scripts import ScriptCall
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.services.pipeline.magics.translation import CellContext, Translation
from mlops_jupyter.services.pipeline.ports import MagicCode
from mlops_jupyter.services.pipeline.steps.grouping import identifier

AS_A_PROGRAM = re.compile(r"__name__|__file__|\bargv\b|\bglobals\(|\blocals\(|^\s*from\s+\.", re.MULTILINE)
"""Search a file for code that would behave differently if the file were imported."""

ARGUMENTS = re.compile(r"\bargv\b|\b(argparse|optparse|getopt|click|fire|typer|docopt|absl|tyro|hydra)\b")
"""Search a file for code that reads the command line."""


def run(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate a `%run` line that runs a file in its own namespace. (`inlined` is for files in the notebook's.)"""
    request = parsed(piece, site)
    path = found(piece, request, site)
    text = _text(piece, path, site)
    facts = extract_facts(to_python(text))
    changes = sorted(name for names in facts.deferred_writes.values() for name in names)
    if changes:
        raise site.refuse(
            piece,
            f"{request.path}: a function of that file binds its global {changes[0]!r}, which no cell sees: "
            "let it return the value",
        )
    names = _names(site, facts)
    name = identifier(request.path.with_suffix("").as_posix(), "script")
    if done.scripts.get(name, text.encode()) != text.encode():
        raise site.refuse(piece, f"{request.path}: another file of this notebook is called {name!r} too: rename one")
    done.scripts = {**done.scripts, name: text.encode()}
    if _only_defines(text, facts, site):
        if names:
            done.add(MagicCode(f"from {site.package}.scripts.{name} import {', '.join(names)}"))
        return
    _program(name, request, text, facts, names, done)


def _program(name: str, asked: ScriptCall, text: str, said: SourceFacts, names: list[str], done: Translation) -> None:
    """Append a call that runs the file as the notebook did. Names that the file only imports are imported directly."""
    lines = lines_of(text)
    for statement in said.statements:
        bound = statement.writes & set(names)
        if statement.kind is StatementKind.IMPORT and bound == statement.writes and bound <= said.imports.keys():
            done.add(MagicCode("\n".join(lines[statement.span.line - 1 : statement.span.end_line])))
            names = [n for n in names if n not in bound]
    arguments = [repr(name)]
    if asked.arguments:
        arguments.append(f"arguments={list(asked.arguments)!r}")
    if names:
        arguments.append(f"gives={names!r}")
    if "n" in asked.options:
        arguments.append(f"called={asked.path.stem!r}")
    done.bind(", ".join(names) or None, f"run_script({', '.join(arguments)})")
    done.add(MagicCode("", ("step.scripts:run_script",)))


def inlined(piece: Segment, done: Translation, site: CellContext) -> tuple[str, ...] | None:
    """Return the texts that a `%run -i` or `%run x.ipynb` line runs in the notebook; None for any other line."""
    request = parsed(piece, site)
    if not request.inside:
        return None
    if piece.text[:1].isspace():
        raise site.refuse(piece, "of a file in the notebook's own variables stands in a block: take it out of that")
    path = found(piece, request, site)
    try:
        texts = scripts.sources(path)
    except (OSError, ValueError) as fault:
        raise site.refuse(piece, f"{request.path}: {fault}") from fault
    whole = "\n".join(texts)
    if "__file__" in whole:
        raise site.refuse(piece, f"{request.path} asks for its own place (`__file__`), which no step has")
    if request.arguments or (path.suffix == ".py" and ARGUMENTS.search(whole)):
        done.need("import sys")
        done.add(MagicCode(f"sys.argv = {[request.path.as_posix(), *request.arguments]!r}"))
    return texts


def parsed(piece: Segment, site: CellContext) -> ScriptCall:
    """Parse a `%run` line, and refuse options that a bundle cannot keep."""
    try:
        request = scripts.parse(piece.rest)
    except ValueError as fault:
        raise site.refuse(piece, f"{piece.rest}: {fault}") from fault
    for letter in "dpme":
        if letter in request.options:
            raise site.refuse(piece, f"-{letter} has no meaning outside IPython: run the file without it")
    changed = [word for word in request.arguments if re.search(r"[*?\[{$]", word)]
    if changed or re.search(r"[{$]", str(request.path)):
        raise site.refuse(piece, f"{piece.rest} is known only when it runs: write the names themselves")
    return request


def found(piece: Segment, asked: ScriptCall, site: CellContext) -> Path:
    """Return the path of the file; refuse a file that is gone or was changed since it ran."""
    if site.folder is None and not asked.path.is_absolute():
        raise site.refuse(piece, f"{asked.path} was run after the notebook had changed its directory: name it in full")
    path = (site.folder or Path()) / asked.path
    if not path.is_file():
        path = path.with_suffix(".py") if not path.suffix else path
    try:
        changed = path.stat().st_mtime > site.execution.started + site.execution.seconds
    except OSError as fault:
        raise site.refuse(piece, f"{asked.path}: that file is no longer there") from fault
    if changed:
        raise site.refuse(piece, f"{asked.path}: that file was changed since: run the cell again, then export")
    return path


def _text(piece: Segment, path: Path, site: CellContext) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        ast.parse(text)
    except (OSError, ValueError, SyntaxError) as fault:
        raise site.refuse(piece, f"{path.name} is no Python that can be taken along: {fault}") from fault
    return text


def _names(site: CellContext, said: SourceFacts) -> list[str]:
    """Return the names that the notebook got from the file: those its text binds, and those nothing else explains."""
    written = {n for n in site.execution.writes if n.isidentifier()}
    body = extract_facts(to_python(site.execution.body))
    explained = body.writes | site.execution.mutated | scripts.seen(site.execution.body).writes
    return sorted((said.writes & (written | body.reads)) | (written - explained))


def _only_defines(text: str, said: SourceFacts, site: CellContext) -> bool:
    """Say whether importing the file is as good as running it: it has only imports, definitions and constants."""
    if AS_A_PROGRAM.search(text) or said.star_imports or said.uncertain:
        return False
    constants = {
        name for name, value in said.literals.items() if isinstance(value, (bool, int, float, str, type(None)))
    }
    tree = ast.parse(text)
    for number, statement in enumerate(said.statements):
        documents = number == 0 and ast.get_docstring(tree) is not None
        plain = statement.kind in (StatementKind.IMPORT, StatementKind.DEFINITION)
        if (
            not plain
            and not documents
            and not (statement.kind is StatementKind.LITERAL and statement.writes <= constants)
        ):
            return False
    definitions = said.definitions & site.execution.writes.keys()
    return all(site.execution.writes[name] == Mark.CODE for name in definitions) and definitions == said.definitions


def collect(translations: Iterable[Translation], package: str) -> dict[str, bytes]:
    """Return path under `src/` -> content of all files that a pipeline's steps run.

    Raises
    ------
    UserError
        If two files would have the same name in the bundle.
    """
    files: dict[str, bytes] = {}
    for name, data in (item for translation in translations for item in translation.scripts.items()):
        if files.setdefault(f"{package}/scripts/{name}.py", data) != data:
            raise UserError(f"two files that %run ran would both be called {name!r} in the bundle: rename one")
    return {f"{package}/scripts/__init__.py": b'"""Files that the notebook ran."""\n', **files} if files else {}
