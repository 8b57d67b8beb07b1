"""A step's executions -> the text of its module: a function that a reviewer would accept."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from mlops_jupyter.analysis.facts import Statement, StatementKind
from mlops_jupyter.analysis.graph import DRAWING, SHOWN
from mlops_jupyter.analysis.parsing import lines_of
from mlops_jupyter.services.pipeline.formatting import KEEP, using
from mlops_jupyter.services.pipeline.parts import Need, Part, Parts
from mlops_jupyter.services.pipeline.submodules import unnamed_imports
from mlops_jupyter.services.pipeline.translate import indented

PYPLOT = re.compile(r"^import matplotlib\.pyplot as (\w+)|^from matplotlib import pyplot as (\w+)", re.MULTILINE)

INNER_IMPORT = re.compile(r"^([ \t]+(?:import|from)\s[^#'\"\\]*[^#'\"\\\s,])$")
"""An import inside a block: whether it succeeds may matter, though its name is never used."""

BUILTIN = re.compile(r"^(\w+) = builtins\.\1$", re.MULTILINE).search
"""A builtin is found again, as in a notebook, once the name that hid it is deleted: a function has no such way back."""

DEFINITIONS = "definitions"
"""Module of a bundle for functions and classes that several steps use."""


@dataclass
class Draft:
    """A step being written. Filled by `draft`, read by `write`."""

    name: str
    members: list[int]
    inputs: dict[str, int] = field(default_factory=dict)
    """Argument -> the execution that made it."""
    parameters: dict[str, object] = field(default_factory=dict)
    local: set[str] = field(default_factory=set)
    """Names that live in the function: arguments, parameters, and what its body binds."""
    imports: list[str] = field(default_factory=list)
    hoisted: list[Need] = field(default_factory=list)
    """Definitions at module level, in the order they were made."""
    body: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing is left to do once imports, definitions and parameters are taken out."""
        return not any(line.strip() and not line.strip().startswith("#") for line in lines_of(self.body))


def draft(parts: Parts, name: str, members: list[int]) -> Draft:
    """Sort what a step's executions take and make into arguments, imports, definitions and the body."""
    done = Draft(name, members)
    done.inputs = {need.name: need.maker for need in parts.values(members)}
    for member in members:
        done.parameters.update(parts[member].parameters)
        for need in parts.reads(member):
            if parts.is_parameter(need):
                done.parameters[need.name] = parts[need.maker].parameters[need.name]
    own_code, own_values = _bindings(parts, members)
    defined = {name for member in members for name in parts[member].facts.definitions}
    shadows = {name for name in own_code.keys() & defined if hasattr(builtins, name)}
    done.local = own_values | shadows | done.inputs.keys() | done.parameters.keys()
    foreign = _foreign(parts, members)
    own = [Need(n, makers[0]) for n, makers in own_code.items() if len(makers) == 1 and n not in done.local]
    needs = sorted({*own, *foreign}, key=lambda need: place(parts, need))
    inside = _inside(parts, needs, done.local | {n for n, makers in own_code.items() if len(makers) > 1})
    at_top: set[str] = set()
    for need in needs:
        if need.name in parts[need.maker].facts.definitions:
            if need.name not in inside:
                done.hoisted.append(need)
                at_top.add(need.name)
        elif need.name not in done.local and (need in foreign or parts[need.maker].imports_plainly(need.name)):
            done.imports += parts.imports(need)
            at_top.add(need.name)
    done.imports += parts.of_the_future
    for member in members:
        done.imports += parts[member].translation.imports
    nested = {need for need in foreign if need.name in parts[need.maker].facts.definitions} - set(done.hoisted)
    done.body = _bodies(parts, done, nested, at_top)
    statements = [(m, s) for m in members for s in parts[m].facts.statements]
    if all(parts.sets_up(m, s) or _dropped(parts[m], s, at_top, done.parameters) for m, s in statements):
        done.body = ""  # it only sets up libraries, which every later step repeats
    else:
        done.body = "".join(parts[p].text(s) for p, s in parts.settings(members)) + done.body
    done.inputs = {name: done.inputs[name] for name in by_appearance(done.body, done.inputs)}
    return done


def by_appearance(text: str, names: Iterable[str]) -> list[str]:
    """Sort names by where a text first mentions them; those that it does not, at the end by name."""
    places: dict[str, int] = {}
    for found in re.finditer(r"[^\W\d]\w*", text):
        places.setdefault(found[0], found.start())
    return sorted(names, key=lambda name: (places.get(name, len(text)), name))


def _bodies(parts: Parts, done: Draft, nested: set[Need], at_top: set[str]) -> str:
    """Join the cells, each after those definitions of other steps that it uses and that read the step's values."""
    texts: list[str] = []
    standing: dict[str, int] = {}
    for member in done.members:
        used = set(parts.reads(member))
        for need in sorted(nested, key=lambda n: place(parts, n)):
            wanted = need in used or not any(need in parts.reads(m) for m in done.members)
            if wanted and standing.get(need.name) != need.maker:
                texts.append(definition(parts, need))
                standing[need.name] = need.maker
        body = _body(parts[member], at_top, done.parameters)
        if parts[member].execution.writes.get(DRAWING) == SHOWN and member != done.members[-1]:
            body += _show(done, body)
        texts.append(body)
        standing.update(dict.fromkeys(parts[member].facts.definitions, member))
    return "\n".join(filter(None, texts))


def _show(done: Draft, body: str) -> str:
    """Return what shows and closes the figures that a cell left open, as the notebook did when the cell had ended."""
    found = PYPLOT.search("".join(done.imports))
    name = next(filter(None, found.groups())) if found else "pyplot"
    if not found:
        done.imports.append("from matplotlib import pyplot\n")
    return "" if body.rstrip().endswith(f"{name}.show()") else f"{name}.show()\n"


def _bindings(parts: Parts, members: list[int]) -> tuple[dict[str, list[int]], set[str]]:
    """Names that the executions bind to code, with who did, and names that they bind to values."""
    code: dict[str, list[int]] = {}
    values: set[str] = set()
    for member in members:
        part = parts[member]
        for name in part.facts.writes:
            if parts.is_code(Need(name, member)):
                texts = {s.span.line for s in part.facts.statements if name in s.writes}
                code.setdefault(name, []).extend([member] * (1 if name in part.facts.imports else len(texts)))
            elif name not in part.parameters:
                values.add(name)
    for name, makers in code.items():
        if all(name in parts[m].facts.imports for m in makers):
            same = {text for m in makers for text in parts.imports(Need(name, m))}
            code[name] = makers[-1:] if len(same) == 1 or "." in min(same, default="") else makers
    return code, values


def _foreign(parts: Parts, members: list[int]) -> list[Need]:
    """Code that other steps bound and this one uses, with what that code needs when it is defined."""
    found: dict[Need, None] = {}
    todo = [n for m in members for n in parts.reads(m) if n.maker not in members and parts.is_code(n)]
    repeated = [need for position, statement in parts.settings(members) for need in parts.used(position, statement)]
    todo += [need for need in repeated if need.maker not in members]
    while todo:
        need = todo.pop()
        if need not in found:
            found[need] = None
            statement = parts[need.maker].binding(need.name)
            if statement:
                here = [Need(name, need.maker) for name in parts[need.maker].facts.writes]
                around = [*parts.reads(need.maker), *here]
                todo += [n for n in around if n.name in statement.reads | statement.text_reads and parts.is_code(n)]
    return list(found)


def _inside(parts: Parts, needs: Sequence[Need], local: Set[str]) -> set[str]:
    """Names of definitions that stay in the step's function: they use its values, or others that do, or come twice."""
    names = Counter(need.name for need in needs)
    definitions = [need for need in needs if need.name in parts[need.maker].facts.definitions]
    found: set[str] = set()
    while True:
        bound = local | found
        more = {n.name for n in definitions if names[n.name] > 1 or n.name in local or not _pure(parts, n, bound)}
        if more <= found:
            return found
        found |= more


def _pure(parts: Parts, need: Need, local: Iterable[str]) -> bool:
    """Whether a definition reads no value of the step, neither when it is made nor when it is called."""
    part = parts[need.maker]
    seen, todo = set(), [need.name]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if name != need.name and name in local:
            return False
        if part.facts.late_writes.get(name):
            return False
        statement = part.binding(name)
        todo.extend(part.facts.late_reads.get(name, ()))
        todo.extend(statement.reads if statement and statement.kind is StatementKind.DEFINITION else ())
    return True


def place(parts: Parts, need: Need) -> tuple[int, int]:
    statement = parts[need.maker].binding(need.name)
    return need.maker, statement.span.line if statement else 0


def _body(part: Part, at_top: set[str], parameters: Mapping[str, object]) -> str:
    """Return what is left of a cell once what stands at the top of the module, and parameters, are taken out."""
    lines, kept, done = part.lines, list[str](), 0
    for statement in part.facts.statements:
        first, last = statement.span.comment_line, statement.span.end_line
        if first <= done:  # a second statement on one line was taken with the first
            continue
        kept += lines[done : first - 1]
        if not _dropped(part, statement, at_top, parameters):
            kept += [INNER_IMPORT.sub(rf"\1{KEEP}", line) for line in lines[first - 1 : last]]
            if lines[statement.span.line - 1].startswith("del "):
                kept += [f"{name} = builtins.{name}" for name in sorted(statement.deletes) if hasattr(builtins, name)]
        done = last
    kept += lines[done:]
    return "\n".join(kept).strip("\n") + "\n" if any(line.strip() for line in kept) else ""


def _dropped(part: Part, statement: Statement, at_top: set[str], parameters: Mapping[str, object]) -> bool:
    first, last = statement.span.line, statement.span.end_line
    if sum(s.span.line <= last and s.span.end_line >= first for s in part.facts.statements) > 1:
        return False  # it shares its lines with others
    if statement.kind in (StatementKind.IMPORT, StatementKind.DEFINITION):
        return statement.writes <= at_top or bool(re.match(r"from\s+\S+\s+import\s+\*", part.text(statement).strip()))
    if statement.kind is StatementKind.LITERAL:
        return (
            bool(statement.writes)
            and statement.writes <= parameters.keys()
            and statement.writes <= part.parameters.keys()
        )
    if statement.kind is not StatementKind.EXPRESSION or statement.reads & part.execution.mutated:
        return False  # what looks at an attribute may have made it
    return _only_shows(_code_only(part.text(statement)), part.execution.writes.keys())


LOOKS = (ast.Expression, ast.Tuple, ast.List, ast.Name, ast.Attribute, ast.Constant, ast.Subscript, ast.Slice)
"""What an expression is made of that does nothing but show values at the end of a cell."""

PLAIN = re.compile(r"shape|dtypes?|columns|index|name|T|size|ndim|values|loc|iloc|at|iat|empty|real|imag|\w+_")
"""Attributes that are there, of frames, arrays and fitted estimators. Others may be made when they are looked at."""


def _only_shows(text: str, made: Set[str]) -> bool:
    """Whether an expression changes nothing. Of what the cell made itself, only known attributes are sure to do so."""
    tree = ast.parse(text.rstrip(" ;"), mode="eval")
    nodes = list(ast.walk(tree))
    fresh = any(isinstance(node, ast.Name) and node.id in made for node in nodes)
    plain = all(PLAIN.fullmatch(node.attr) for node in nodes if isinstance(node, ast.Attribute)) if fresh else True
    return plain and all(isinstance(node, (*LOOKS, ast.expr_context)) for node in nodes)


def _code_only(text: str) -> str:
    return "\n".join(line for line in lines_of(text) if not line.lstrip().startswith("#")).strip()


def write(
    done: Draft,
    parts: Parts,
    package: str,
    doc: str,
    returns: list[str],
    shared: Mapping[Need, str],
    runtime: Iterable[str],
) -> str:
    """Return the module's text, not yet formatted.

    Parameters
    ----------
    doc : the function's docstring.
    returns : variables that the function returns, in order.
    shared : definitions that stand in the bundle's `definitions` module instead.
    runtime : "module:function" of the bundle's runtime that the body calls.
    """
    head = _prologue(done, parts)
    imports = [*done.imports, "import builtins\n"] if head or BUILTIN(done.body) else [*done.imports]
    imports += [f"from {package}.runtime.{m} import {f}\n" for m, f in (use.split(":") for use in runtime)]
    imports += [f"from {package}.{DEFINITIONS} import {n.name}\n" for n in done.hoisted if n in shared]
    local = [need for need in done.hoisted if need not in shared]
    definitions = "\n\n".join(definition(parts, need) for need in local)
    arguments = ", ".join([*done.inputs, *(f"{n}={v!r}" for n, v in done.parameters.items())])
    lines = list(dict.fromkeys(_code_only(_own_display(text, package)) + "\n" for text in imports))
    top = "".join([*lines, *unnamed_imports("".join(lines), definitions + done.body)])
    if any(parts[m].dynamic for m in done.members):
        return _in_a_scope(done, f"{top}\n{definitions}\n{done.body}", arguments, doc, returns)
    if re.search(r"\b__name__\b", done.body):
        head += '__name__ = "__main__"  # as in the notebook\n'
    body = indented(_docstring(doc)) + indented(f"{head}{_unglobal(done.body)}")
    last = f"    return {', '.join(returns)}\n" if returns else ""
    keyword = "async def" if any(parts[m].facts.awaits for m in done.members) else "def"
    spoken = using(parts.spoken({*done.members, *(need.maker for need in local)}))
    return f"{top}\n{definitions}\n\n{keyword} {done.name}({arguments}):\n{body}{last}{spoken}"


def _own_display(text: str, package: str) -> str:
    """Take `display` from the bundle's runtime where a notebook takes it from IPython."""
    found = re.fullmatch(r"from IPython\.(?:core\.)?display import \(?([^()]*)\)?\s*", _code_only(text))
    names = [name.strip() for name in found[1].split(",") if name.strip()] if found else []
    if "display" not in names:
        return text
    others = ", ".join(name for name in names if name != "display")
    rest = f"from IPython.display import {others}\n" if others else ""
    return f"{rest}from {package}.runtime.display import display\n"


def _in_a_scope(done: Draft, text: str, arguments: str, doc: str, returns: list[str]) -> str:
    """Return a step whose cells bind names that only running them tells: they run as a notebook runs them."""
    given = ", ".join(f"{name!r}: {name}" for name in [*done.inputs, *done.parameters])
    last = f"    return {', '.join(f'scope[{name!r}]' for name in returns)}\n" if returns else ""
    return (
        f"SOURCE = {_quoted(text)}\n\n\ndef {done.name}({arguments}):\n"
        + indented(_docstring(doc))
        + f"    scope = {{'__name__': '__main__', {given}}}\n"
        + f"    exec(compile(SOURCE, {f'<step {done.name}>'!r}, 'exec'), scope)  # its cells bind names as they run\n"
        + last
    )


def _quoted(text: str) -> str:
    safe = text.strip("\n").replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""\\\n{safe}\n"""'


def definition(parts: Parts, need: Need) -> str:
    """Return the source of a function, class or named lambda."""
    part = parts[need.maker]
    statement = part.binding(need.name)
    assert statement is not None
    return part.text(statement)


def _prologue(done: Draft, parts: Parts) -> str:
    """Bind first what a function, unlike a cell, would not find: builtins that its body also assigns."""
    early = {n for m in done.members for n in parts[m].facts.reads}
    hidden = sorted(n for n in early & done.local - done.inputs.keys() - done.parameters.keys() if hasattr(builtins, n))
    return "".join(f"{name} = builtins.{name}\n" for name in hidden)


def _unglobal(text: str) -> str:
    """A cell's global names are the step function's own, so functions in it reach them by `nonlocal`."""
    return re.sub(r"^(\s+)global\b", r"\1nonlocal", text, flags=re.MULTILINE)


def _docstring(doc: str) -> str:
    if not doc.strip():
        return ""
    text = doc.strip().replace('"""', "'''").rstrip("\\")
    end = "\n" if "\n" in text or text.endswith('"') else ""
    return f'{"r" if chr(92) in text else ""}"""{text}{end}"""\n'
