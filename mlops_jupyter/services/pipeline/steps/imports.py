"""The imports of a step: which statements import a name, which can stand at the top of its module, in which order.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence, Set

from mlops_jupyter.analysis.facts.extract import StatementKind, extract_facts
from mlops_jupyter.core.hidden_names import ENVIRON
from mlops_jupyter.services.pipeline.steps.cell_code import STAR, Binding, CellCode, CellCodes
from mlops_jupyter.services.pipeline.steps.formatting import UNSORTED

Place = tuple[int, int]
"""Where a statement stands: the position of its execution, and the line number in it."""


def imports(parts: CellCodes, need: Binding) -> dict[Place, str]:
    """Return the statements that import a name, by place: its last import; with `import a.c`, also `import a.b`."""
    statements: dict[Place, str] = {}
    packages = False
    for position in (each for each in parts.importers(need.name) if each <= need.maker):
        part = parts[position]
        binding = [s for s in part.facts.statements if need.name in s.writes]
        for statement in binding:
            text = part.facts.imports[need.name]
            if len(binding) > 1:
                text = extract_facts(part.text(statement)).imports.get(need.name, "")
            before, packages = packages, of_packages(need.name, text)
            if need.name in statement.definite_writes and not (before and packages):
                statements.clear()
            statements[position, statement.span.line] = part.text(statement)
    return statements | _stars_after(parts, need, statements)


def origin(parts: CellCodes, need: Binding) -> str:
    """Return the text that gives an imported name its meaning: if two texts differ, the meanings may differ."""
    text = parts[need.maker].facts.imports.get(need.name, "")
    if text and of_packages(need.name, text):
        return f"import {need.name}"
    return text + "".join(_stars_after(parts, need, imports(parts, need)).values())


def by_star(parts: CellCodes, need: Binding) -> bool:
    """Say whether a `from module import *` may have bound an imported name."""
    return bool(_stars_after(parts, need, imports(parts, need)))


def _stars_after(parts: CellCodes, need: Binding, made: Iterable[Place]) -> dict[Place, str]:
    """Return, by place, the star imports in the maker of a name that may have bound or rebound it."""
    last = max((line for position, line in made if position == need.maker), default=0)
    stars = parts[need.maker].stars
    return {(need.maker, line): text for line, text in stars.items() if line >= last}


def of_packages(name: str, imports: str) -> bool:
    """Say whether imports bind a name to the package of that name: each adds submodules, none replaces another."""
    return all(re.match(rf"import {name}(?![\w])(?! as )", line) for line in imports.splitlines())


def starred(parts: CellCodes, members: Sequence[int], foreign: Iterable[Binding]) -> list[Binding]:
    """Return the names that star imports of the step's own executions bound, and that the step uses."""
    star_names = [(member, parts[member].starred) for member in members if parts[member].facts.star_imports]
    if not star_names:
        return []
    used = parts.names_in_strings(members)
    for position in {*members, *(need.maker for need in foreign)}:
        facts = parts[position].facts
        used |= facts.reads | facts.string_reads | frozenset().union(*facts.deferred_reads.values())
    return [Binding(name, member) for member, names in star_names for name in sorted(names & used)]


def ambiguous(parts: CellCodes, needs: Iterable[Binding]) -> set[str]:
    """Return the names that would have several meanings if all these bindings were imported in one place.

    An import may bind more names than the one that is needed.
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
    return {name for name, texts in meanings.items() if len(texts) > 1}


def unsettled(parts: CellCodes, members: Sequence[int], needs: Iterable[Binding], local: Set[str]) -> set[str]:
    """Return the names that no import at the top of the module can bind.

    The step's function binds them itself, or their meaning changes from one of its cells or statements to another.
    """
    changing = {*local, *ambiguous(parts, needs)}.union(*(_imported_anew(parts[member]) for member in members))
    changing |= _after_environment(parts, members)
    statements = [s.writes for m in members for s in parts[m].facts.statements if s.kind is StatementKind.IMPORT]
    while beside := {name for writes in statements if writes & changing for name in writes} - changing:
        changing |= beside  # an import that stays inside binds all its names there
    return changing


def _after_environment(parts: CellCodes, members: Sequence[int]) -> set[str]:
    """Return the names that a step first imports after it has set environment variables: a module may read them."""
    names: set[str] = set()
    is_set = False
    for member in members:
        part = parts[member]
        sets = any(name.startswith(ENVIRON) for name in part.execution.writes)
        for statement in part.facts.statements:
            if statement.kind is StatementKind.IMPORT:
                first = {name for name in statement.writes if min(parts.importers(name), default=member) == member}
                names |= first if is_set else set()
            elif sets and "env" in part.text(statement):
                is_set = True
    return names


def _imported_anew(part: CellCode) -> set[str]:
    """Return the names that a cell imports from one module, uses, and then imports from another module."""
    names: set[str] = set()
    meanings: dict[str, str] = {}
    used: set[str] = set()
    for statement in part.facts.statements:
        star = part.stars.get(statement.span.line, "")
        if statement.kind is not StatementKind.IMPORT and not star:
            used |= meanings.keys()
            continue
        bound = extract_facts(part.text(statement)).imports
        if star:
            bound = {name: star for name in part.starred | meanings.keys() if _may_bind(star, name)}
        for name, text in bound.items():
            if name in used and meanings[name] != text and not of_packages(name, f"{meanings[name]}\n{text}"):
                names.add(name)
        meanings |= bound
    return names


def _may_bind(star: str, name: str) -> bool:
    """Say whether a `from module import *` binds a name, judged by the module that the notebook has loaded."""
    module = sys.modules.get(star.split()[1])
    if module is None:
        return True
    exported = getattr(module, "__all__", None)
    return name in exported if exported is not None else hasattr(module, name) and not name.startswith("_")


def in_order(texts: Iterable[str]) -> list[str]:
    """Return imports as a module's head, marked not to be sorted if one may rebind what another binds."""
    last = list(dict.fromkeys(reversed(list(texts))))[::-1]  # of two equal ones, the later one counts
    last.sort(key=lambda text: not text.startswith("from __future__"))
    meanings: dict[str, set[str]] = {}
    for text in last:
        for name, statement in extract_facts(text).imports.items():
            meanings.setdefault(name, set()).add(name if of_packages(name, statement) else statement)
    starred = any(map(STAR.match, last))
    return [UNSORTED, *last] if starred or any(len(statements) > 1 for statements in meanings.values()) else last
