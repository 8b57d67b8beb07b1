"""Draft a step from its executions: arguments, imports, definitions and the body of its function."""

from __future__ import annotations

import builtins
import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

from mlops_jupyter.analysis.facts.extract import StatementKind
from mlops_jupyter.analysis.syntax.parsing import lines_of
from mlops_jupyter.capture.evaluated_text import TESTS_MAIN
from mlops_jupyter.services.pipeline.steps import function_body
from mlops_jupyter.services.pipeline.steps.cell_code import Binding, CellCodes, evaluates_inside
from mlops_jupyter.services.pipeline.steps.imports import Place, by_star, imports, origin, starred, unsettled

PICKLES = re.compile(r"\bmultiprocessing\b|\bProcessPoolExecutor\b|\b(pickle|joblib)\.dumps?\(").search


@dataclass
class StepDraft:
    """The contents of a step's module. `draft` fills it, `step_module.write` reads it."""

    name: str
    members: list[int]
    inputs: dict[str, int] = field(default_factory=dict)
    """Argument -> position of the execution that made its value."""
    parameters: dict[str, object] = field(default_factory=dict)
    local: set[str] = field(default_factory=set)
    """Local names of the function: arguments, parameters, and what its body binds."""
    imports: dict[Binding, dict[Place, str]] = field(default_factory=dict)
    """Names that the top of the module imports -> the import statements, by place in the notebook."""
    others: list[str] = field(default_factory=list)
    """Imports that no cell wrote."""
    hoisted: list[Binding] = field(default_factory=list)
    """Definitions at module level, in the order in which they were made."""
    body: str = ""
    scoped: bool = False
    """Whether the body runs with `exec` in a scope: its text does not show its names, or a star import binds some."""
    main: bool = False
    """Whether the scope is `__main__`: pickle looks there for definitions that use the step's values, and unittest."""

    def imported(self, names: Set[str] | None = None) -> list[str]:
        """Return the imports at the top in the notebook's order: all of them, or those that bind the given names."""
        chosen = [self.imports[need] for need in self.imports if names is None or need.name in names]
        placed = {at: text for each in chosen for at, text in each.items()}
        return [*(placed[at] for at in sorted(placed)), *self.others]

    @property
    def empty(self) -> bool:
        """Whether the body is empty once imports, definitions and parameters are taken out."""
        return not any(line.strip() and not line.strip().startswith("#") for line in lines_of(self.body))


def draft(parts: CellCodes, name: str, members: list[int]) -> StepDraft:
    """Draft a step: sort what its executions read and write into arguments, imports, definitions and the body."""
    result = StepDraft(name, members)
    inputs = {need.name: need.maker for need in parts.values(members)}
    result.parameters = _parameters(parts, members)
    foreign = _foreign(parts, members)
    code = _code(parts, result, inputs.keys(), foreign)
    at_top, nested = _lift(parts, result, code, foreign)
    result.body = _body(parts, result, nested, at_top)
    result.inputs = {name: inputs[name] for name in by_appearance(result.body, inputs)}
    return result


def _parameters(parts: CellCodes, members: Sequence[int]) -> dict[str, object]:
    """Return the parameters that the executions declare, and those of other executions that they read."""
    parameters: dict[str, object] = {}
    for member in members:
        parameters.update(parts[member].parameters)
        for need in parts.reads(member):
            if parts.is_parameter(need):
                parameters[need.name] = parts[need.maker].parameters[need.name]
    return parameters


@dataclass(frozen=True)
class DraftCode:
    """The imports and definitions that a step uses.

    Attributes
    ----------
    needs : their bindings, in the order in which they were made.
    moving : names that no import at the top can bind.
    inside : names of definitions that must stay in the step's function.
    """

    needs: list[Binding]
    moving: set[str]
    inside: set[str]


def _code(parts: CellCodes, done: StepDraft, inputs: Set[str], foreign: list[Binding]) -> DraftCode:
    """Return the imports and definitions that a step uses. Fills `done.local`."""
    own_code, own_values = _bindings(parts, done.members)
    defined = {name for member in done.members for name in parts[member].facts.definitions}
    shadows = {name for name in own_code.keys() & defined if hasattr(builtins, name)}
    done.local = own_values | shadows | inputs | done.parameters.keys()
    own = [Binding(n, makers[0]) for n, makers in own_code.items() if len(makers) == 1 and n not in done.local]
    needs = sorted(
        {*own, *foreign, *starred(parts, done.members, foreign)}, key=lambda n: function_body.place(parts, n)
    )
    moving = unsettled(parts, done.members, needs, done.local)
    several = {name for name, makers in own_code.items() if len(makers) > 1}
    return DraftCode(needs, moving, _inside(parts, needs, moving | several))


def _lift(parts: CellCodes, done: StepDraft, code: DraftCode, foreign: list[Binding]) -> tuple[set[str], set[Binding]]:
    """Fill the draft's imports and definitions.

    Returns
    -------
    The names bound at the top of the module, and the bindings of other steps that stand inside the function.
    """
    at_top: set[str] = set()
    nested: set[Binding] = set()
    for need in code.needs:
        if need.name in parts[need.maker].facts.definitions:
            if need.name not in code.inside:
                done.hoisted.append(need)
                at_top.add(need.name)
            elif need in foreign:
                nested.add(need)
        elif need.name in code.moving:
            done.scoped |= by_star(parts, need)
            nested |= {need} & {*foreign}
        elif need in foreign or _plainly(parts, need):
            done.imports[need] = imports(parts, need)
            at_top.add(need.name)
    texts = [*done.imported(), *(parts[member].translation.text for member in done.members)]
    done.main = bool(code.inside) and PICKLES("".join(texts)) is not None
    done.main |= any(TESTS_MAIN(parts[member].translation.text) for member in done.members)
    done.scoped |= done.main or any(parts[member].dynamic for member in done.members)
    done.scoped |= any(evaluates_inside(function_body.definition(parts, need)) for need in done.hoisted)
    at_top |= set() if done.scoped else {"*"}
    done.others += parts.of_the_future
    for member in done.members:
        done.others += parts[member].translation.imports
    return at_top, nested


def _plainly(parts: CellCodes, need: Binding) -> bool:
    part = parts[need.maker]
    return need.name in part.starred or part.imports_plainly(need.name)


def _body(parts: CellCodes, done: StepDraft, nested: set[Binding], at_top: set[str]) -> str:
    """Return the function's body; "" where it only sets up libraries, which every later step repeats."""
    pyplot, imported = function_body.pyplot(done.imported())
    body = function_body.joined(parts, done.members, nested, at_top, done.parameters, pyplot)
    if not imported and f"{pyplot}.show()" in body:
        done.others.append(f"from matplotlib import {pyplot}\n")
    statements = [(m, s) for m in done.members for s in parts[m].facts.statements]
    if all(parts.sets_up(m, s) or function_body.dropped(parts[m], s, at_top, done.parameters) for m, s in statements):
        return ""
    return "".join(parts[p].text(s) for p, s in parts.settings(done.members)) + body


def by_appearance(text: str, names: Iterable[str]) -> list[str]:
    """Sort names by their first appearance in a text; names that do not appear come last, in alphabetical order."""
    places: dict[str, int] = {}
    for found in re.finditer(r"[^\W\d]\w*", text):
        places.setdefault(found[0], found.start())
    return sorted(names, key=lambda name: (places.get(name, len(text)), name))


def _bindings(parts: CellCodes, members: list[int]) -> tuple[dict[str, list[int]], set[str]]:
    """Return the names that the executions bind to code, with the makers of each, and the names bound to values."""
    code: dict[str, list[int]] = {}
    values: set[str] = set()
    for member in members:
        part = parts[member]
        for name in part.facts.writes:
            if parts.is_code(Binding(name, member)):
                texts = {s.span.line for s in part.facts.statements if name in s.writes}
                code.setdefault(name, []).extend([member] * (1 if name in part.facts.imports else len(texts)))
            elif name not in part.parameters:
                values.add(name)
    for name, makers in code.items():
        if all(name in parts[m].facts.imports for m in makers):
            code[name] = makers[-1:] if len({origin(parts, Binding(name, m)) for m in makers}) == 1 else makers
    return code, values


def _foreign(parts: CellCodes, members: list[int]) -> list[Binding]:
    """Return the code of other steps that this step uses, with the code that its definitions depend on."""
    bindings: dict[Binding, None] = {}
    todo = [n for m in members for n in parts.reads(m) if n.maker not in members and parts.is_code(n)]
    repeated = [need for position, statement in parts.settings(members) for need in parts.used(position, statement)]
    todo += [need for need in repeated if need.maker not in members]
    while todo:
        need = todo.pop()
        if need not in bindings:
            bindings[need] = None
            statement = parts[need.maker].binding(need.name)
            if statement:
                own = [Binding(name, need.maker) for name in parts[need.maker].facts.writes]
                around = [*parts.reads(need.maker), *own]
                todo += [n for n in around if n.name in statement.reads | statement.string_reads and parts.is_code(n)]
    return list(bindings)


def _inside(parts: CellCodes, needs: Sequence[Binding], local: Set[str]) -> set[str]:
    """Return the names of definitions that stay in the function: they depend on its values, or occur twice."""
    names = Counter(need.name for need in needs)
    definitions = [need for need in needs if need.name in parts[need.maker].facts.definitions]
    inside: set[str] = set()
    while True:
        bound = local | inside
        staying = {n.name for n in definitions if names[n.name] > 1 or n.name in local or not _pure(parts, n, bound)}
        if staying <= inside:
            return inside
        inside |= staying


def _pure(parts: CellCodes, need: Binding, local: Iterable[str]) -> bool:
    """Say whether a definition reads no value of the step, neither when it is made nor when it is called."""
    part = parts[need.maker]
    seen, todo = set(), [need.name]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if name != need.name and name in local:
            return False
        if part.facts.deferred_writes.get(name):
            return False
        statement = part.binding(name)
        todo.extend(part.facts.deferred_reads.get(name, ()))
        todo.extend(statement.reads if statement and statement.kind is StatementKind.DEFINITION else ())
    return True
