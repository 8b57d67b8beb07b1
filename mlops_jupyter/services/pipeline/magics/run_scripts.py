"""`%run FILE`: the file travels with the bundle, and the step binds the names that the notebook got from it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from mlops_jupyter.analysis.cells import Segment, to_python
from mlops_jupyter.analysis.facts.extract import SourceFacts, StatementKind, extract_facts
from mlops_jupyter.analysis.syntax.parsing import lines_of
from mlops_jupyter.capture import scripts
from mlops_jupyter.capture.scripts import Run
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.pipeline.magics.translation import CellContext, Translation
from mlops_jupyter.services.pipeline.ports import MagicCode
from mlops_jupyter.services.pipeline.steps.grouping import identifier

AS_A_PROGRAM = re.compile(r"__name__|__file__|\bargv\b|\bglobals\(|\blocals\(|^\s*from\s+\.", re.MULTILINE)
"""What a file may say that means something else when it is imported."""

ARGUMENTS = re.compile(r"\bargv\b|\b(argparse|optparse|getopt|click|fire|typer|docopt|absl|tyro|hydra)\b")
"""What a file may say that reads the command line."""


def run(piece: Segment, done: Translation, site: CellContext) -> None:
    """Write one `%run` line of a file in a namespace of its own; one that runs inside is `inlined`."""
    asked = parsed(piece, site)
    path = found(piece, asked, site)
    text = _text(piece, path, site)
    said = extract_facts(to_python(text))
    changes = sorted(name for names in said.deferred_writes.values() for name in names)
    if changes:
        raise site.refuse(
            piece,
            f"{asked.path}: a function of that file binds its global {changes[0]!r}, which no cell sees: "
            "let it return the value",
        )
    names = _names(site, said)
    name = identifier(asked.path.with_suffix("").as_posix(), "script")
    if done.scripts.get(name, text.encode()) != text.encode():
        raise site.refuse(piece, f"{asked.path}: another file of this notebook is called {name!r} too: rename one")
    done.scripts = {**done.scripts, name: text.encode()}
    if _only_defines(text, said, site):
        if names:
            done.add(MagicCode(f"from {site.package}.scripts.{name} import {', '.join(names)}"))
        return
    _program(name, asked, text, said, names, done)


def _program(name: str, asked: Run, text: str, said: SourceFacts, names: list[str], done: Translation) -> None:
    """Run it as the notebook did. What it imports is imported: a module is the same whoever imports it."""
    lines = lines_of(text)
    for statement in said.statements:
        bound = statement.writes & set(names)
        if statement.kind is StatementKind.IMPORT and bound == statement.writes and bound <= said.imports.keys():
            done.add(MagicCode("\n".join(lines[statement.span.line - 1 : statement.span.end_line])))
            names = [n for n in names if n not in bound]
    given = [repr(name)]
    if asked.arguments:
        given.append(f"arguments={list(asked.arguments)!r}")
    if names:
        given.append(f"gives={names!r}")
    if "n" in asked.options:
        given.append(f"called={asked.path.stem!r}")
    done.bind(", ".join(names) or None, f"run_script({', '.join(given)})")
    done.add(MagicCode("", ("step.scripts:run_script",)))


def inlined(piece: Segment, done: Translation, site: CellContext) -> tuple[str, ...] | None:
    """Return the texts that a `%run -i` or `%run x.ipynb` line stands for; None for a line that is not of that kind."""
    asked = parsed(piece, site)
    if not asked.inside:
        return None
    if piece.text[:1].isspace():
        raise site.refuse(piece, "of a file in the notebook's own variables stands in a block: take it out of that")
    path = found(piece, asked, site)
    try:
        texts = scripts.sources(path)
    except (OSError, ValueError) as fault:
        raise site.refuse(piece, f"{asked.path}: {fault}") from fault
    whole = "\n".join(texts)
    if "__file__" in whole:
        raise site.refuse(piece, f"{asked.path} asks for its own place (`__file__`), which no step has")
    if asked.arguments or (path.suffix == ".py" and ARGUMENTS.search(whole)):
        done.need("import sys")
        done.add(MagicCode(f"sys.argv = {[asked.path.as_posix(), *asked.arguments]!r}"))
    return texts


def parsed(piece: Segment, site: CellContext) -> Run:
    """Read the line, and refuse options that a bundle cannot keep."""
    try:
        asked = scripts.parse(piece.rest)
    except ValueError as fault:
        raise site.refuse(piece, f"{piece.rest}: {fault}") from fault
    for letter in "dpme":
        if letter in asked.options:
            raise site.refuse(piece, f"-{letter} has no meaning outside IPython: run the file without it")
    changed = [word for word in asked.arguments if re.search(r"[*?\[{$]", word)]
    if changed or re.search(r"[{$]", str(asked.path)):
        raise site.refuse(piece, f"{piece.rest} is known only when it runs: write the names themselves")
    return asked


def found(piece: Segment, asked: Run, site: CellContext) -> Path:
    """Return the file, if it is still what ran."""
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
    """Names that the notebook has from the file: those that its text binds, and those that nothing else explains."""
    written = {n for n in site.execution.writes if n.isidentifier()}
    body = extract_facts(to_python(site.execution.body))
    explained = body.writes | site.execution.mutated | scripts.seen(site.execution.body).writes
    return sorted((said.writes & (written | body.reads)) | (written - explained))


def _only_defines(text: str, said: SourceFacts, site: CellContext) -> bool:
    """Whether importing the file gives what running it gave: imports, definitions, constants, and no state."""
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
    made = said.definitions & site.execution.writes.keys()
    return all(site.execution.writes[name] == "code" for name in made) and made == said.definitions


def collect(translations: Iterable[Translation], package: str) -> dict[str, bytes]:
    """Return path under `src/` -> content of all files that a pipeline's steps run.

    Raises
    ------
    UserError
        Two files would go by one name.
    """
    found: dict[str, bytes] = {}
    for name, data in (item for one in translations for item in one.scripts.items()):
        if found.setdefault(f"{package}/scripts/{name}.py", data) != data:
            raise UserError(f"two files that %run ran would both be called {name!r} in the bundle: rename one")
    return {f"{package}/scripts/__init__.py": b'"""Files that the notebook ran."""\n', **found} if found else {}
