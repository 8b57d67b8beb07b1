"""What imports a name, which imports can stand at the top of a step's module, and in which order."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence, Set

from mlops_jupyter.analysis.facts.extract import StatementKind, extract_facts
from mlops_jupyter.services.pipeline.steps.cell_code import STAR, Binding, CellCode, CellCodes
from mlops_jupyter.services.pipeline.steps.formatting import UNSORTED

Place = tuple[int, int]
"""Where a statement stands: an execution and a line of it."""


def imports(parts: CellCodes, need: Binding) -> dict[Place, str]:
    """Return what imports a name, by place: its last import, and with `import a.c` an earlier `import a.b`."""
    found: dict[Place, str] = {}
    packages = False
    for position in (each for each in parts.importers(need.name) if each <= need.maker):
        part = parts[position]
        making = [s for s in part.facts.statements if need.name in s.writes]
        for statement in making:
            text = part.facts.imports[need.name]
            if len(making) > 1:
                text = extract_facts(part.text(statement)).imports.get(need.name, "")
            before, packages = packages, of_packages(need.name, text)
            if need.name in statement.definite_writes and not (before and packages):
                found.clear()
            found[position, statement.span.line] = part.text(statement)
    return found | _stars_after(parts, need, found)


def origin(parts: CellCodes, need: Binding) -> str:
    """Return what gives an imported name its meaning: where two differ, so may what the name means."""
    said = parts[need.maker].facts.imports.get(need.name, "")
    if said and of_packages(need.name, said):
        return f"import {need.name}"
    return said + "".join(_stars_after(parts, need, imports(parts, need)).values())


def by_star(parts: CellCodes, need: Binding) -> bool:
    """Whether a `from module import *` may have bound a name that is imported."""
    return bool(_stars_after(parts, need, imports(parts, need)))


def _stars_after(parts: CellCodes, need: Binding, made: Iterable[Place]) -> dict[Place, str]:
    """Return the `from module import *` of a name's maker that may have bound it, or bound it anew."""
    last = max((line for position, line in made if position == need.maker), default=0)
    stars = parts[need.maker].stars
    return {(need.maker, line): text for line, text in stars.items() if line >= last}


def of_packages(name: str, imports: str) -> bool:
    """Whether imports bind a name to a package of that name: each adds modules of it, none replaces another."""
    return all(re.match(rf"import {name}(?![\w])(?! as )", line) for line in imports.splitlines())


def starred(parts: CellCodes, members: Sequence[int], foreign: Iterable[Binding]) -> list[Binding]:
    """Return the names that a `from module import *` of the step's own bound and that something of it uses."""
    found = [(member, parts[member].starred) for member in members if parts[member].facts.star_imports]
    if not found:
        return []
    used = parts.names_in_strings(members)
    for position in {*members, *(need.maker for need in foreign)}:
        of = parts[position].facts
        used |= of.reads | of.string_reads | frozenset().union(*of.deferred_reads.values())
    return [Binding(name, member) for member, names in found for name in sorted(names & used)]


def ambiguous(parts: CellCodes, needs: Iterable[Binding]) -> set[str]:
    """Return the names that would mean one thing or another if all that these need were imported in one place.

    An import may bind more than the name that it is there for.
    """
    needs = list(needs)
    meanings: dict[str, set[str]] = {need.name: set() for need in needs}
    for need in needs:
        if need.name in parts[need.maker].facts.definitions:
            meanings[need.name].add("")
            continue
        for maker, line in imports(parts, need):
            part = parts[maker]
            beside = part.starred if line in part.stars else part.facts.imports.keys()
            for name in beside & meanings.keys():
                meanings[name].add(origin(parts, Binding(name, maker)))
    return {name for name, each in meanings.items() if len(each) > 1}


def unsettled(parts: CellCodes, members: Sequence[int], needs: Iterable[Binding], local: Set[str]) -> set[str]:
    """Return the names that no import at the top can bind.

    The step's function binds them itself, or they mean one thing in one of its cells, or statements, and another later.
    """
    found = {*local, *ambiguous(parts, needs)}.union(*(_imported_anew(parts[member]) for member in members))
    statements = [s.writes for m in members for s in parts[m].facts.statements if s.kind is StatementKind.IMPORT]
    while more := {name for writes in statements if writes & found for name in writes} - found:
        found |= more  # an import that stays inside binds all its names there
    return found


def _imported_anew(part: CellCode) -> set[str]:
    """Return the names that a cell imports from one place, and from another one after it has worked with the first."""
    names: set[str] = set()
    meanings: dict[str, str] = {}
    worked: set[str] = set()
    for statement in part.facts.statements:
        star = part.stars.get(statement.span.line, "")
        if statement.kind is not StatementKind.IMPORT and not star:
            worked |= meanings.keys()
            continue
        bound = extract_facts(part.text(statement)).imports
        if star:
            bound = {name: star for name in part.starred | meanings.keys() if _may_bind(star, name)}
        for name, text in bound.items():
            if name in worked and meanings[name] != text and not of_packages(name, f"{meanings[name]}\n{text}"):
                names.add(name)
        meanings |= bound
    return names


def _may_bind(star: str, name: str) -> bool:
    """Whether a `from module import *` binds a name, by the module that the notebook has loaded."""
    module = sys.modules.get(star.split()[1])
    if module is None:
        return True
    exported = getattr(module, "__all__", None)
    return name in exported if exported is not None else hasattr(module, name) and not name.startswith("_")


def in_order(texts: Iterable[str]) -> list[str]:
    """Return import statements as the head of a text: they are sorted later, unless one may bind what another binds."""
    last = list(dict.fromkeys(reversed(list(texts))))[::-1]  # of two that are the same, the later one counts
    last.sort(key=lambda text: not text.startswith("from __future__"))
    meanings: dict[str, set[str]] = {}
    for text in last:
        for name, said in extract_facts(text).imports.items():
            meanings.setdefault(name, set()).add(name if of_packages(name, said) else said)
    starred = any(map(STAR.match, last))
    return [UNSORTED, *last] if starred or any(len(each) > 1 for each in meanings.values()) else last
