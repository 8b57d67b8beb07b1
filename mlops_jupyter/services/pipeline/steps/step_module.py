"""A step's executions -> the text of its module: a function that a reviewer would accept."""

from __future__ import annotations

import builtins
import re
import symtable
import textwrap
from collections.abc import Iterable, Mapping

from mlops_jupyter.services.pipeline.environment.implicit_submodules import unnamed_imports
from mlops_jupyter.services.pipeline.magics.translate import indented
from mlops_jupyter.services.pipeline.steps.cell_code import STAR, Binding, CellCodes
from mlops_jupyter.services.pipeline.steps.formatting import using
from mlops_jupyter.services.pipeline.steps.function_body import code_only, definition
from mlops_jupyter.services.pipeline.steps.imports import in_order
from mlops_jupyter.services.pipeline.steps.step_draft import StepDraft

BUILTIN = re.compile(r"^(\w+) = builtins\.\1$", re.MULTILINE).search
"""A builtin is found again, as in a notebook, once the name that hid it is deleted: a function has no such way back."""

DEFINITIONS = "definitions"
"""Module of a bundle for functions and classes that several steps use."""


def write(
    done: StepDraft,
    parts: CellCodes,
    package: str,
    doc: str,
    returns: list[str],
    shared: Mapping[Binding, str],
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
    imports = [*done.imported(), "import builtins\n"] if head or BUILTIN(done.body) else done.imported()
    imports += [f"from {package}.runtime.{m} import {f}\n" for m, f in (use.split(":") for use in runtime)]
    imports += [f"from {package}.{DEFINITIONS} import {n.name}\n" for n in done.hoisted if n in shared]
    local = [need for need in done.hoisted if need not in shared]
    definitions = "\n\n".join(definition(parts, need) for need in local)
    arguments = _arguments(done)
    first = "".join(in_order(code_only(_own_display(text, package)) + "\n" for text in imports))
    top = "".join([first, *unnamed_imports(first, definitions + done.body)])
    if done.scoped:
        return _in_a_scope(done, top, f"{definitions}\n{done.body}", arguments, doc, returns)
    if re.search(r"\b__name__\b", done.body):
        head += '__name__ = "__main__"  # as in the notebook\n'
    head += "".join(f"{name}: object  # bound by a function\n" for name in _unbound(done.body, arguments))
    body = _docstring(doc) + indented(f"{head}{_unglobal(done.body)}")
    last = f"    return {', '.join(returns)}\n" if returns else ""
    keyword = "async def" if any(parts[m].facts.awaits for m in done.members) else "def"
    spoken = using(parts.names_in_strings({*done.members, *(need.maker for need in local)}))
    return f"{top}\n{definitions}\n\n{keyword} {done.name}({arguments}):\n{body}{last}{spoken}"


def _arguments(done: StepDraft) -> str:
    """Inputs and parameters. A list is no default, for all calls would share it; `PIPELINE` has its first value."""
    shared = [name for name, value in done.parameters.items() if isinstance(value, (list, dict, set))]
    own = [f"{name}={value!r}" for name, value in done.parameters.items() if name not in shared]
    return ", ".join([*done.inputs, *shared, *own])


def _own_display(text: str, package: str) -> str:
    """Take `display` from the bundle's runtime where a notebook takes it from IPython."""
    found = re.fullmatch(r"from IPython\.(?:core\.)?display import \(?([^()]*)\)?\s*", code_only(text))
    names = [name.strip() for name in found[1].split(",") if name.strip()] if found else []
    if "display" not in names:
        return text
    others = ", ".join(name for name in names if name != "display")
    rest = f"from IPython.display import {others}\n" if others else ""
    return f"{rest}from {package}.runtime.step.display import display\n"


def _in_a_scope(done: StepDraft, top: str, text: str, arguments: str, doc: str, returns: list[str]) -> str:
    """Return a step whose cells bind names that only running them tells: they run as a notebook runs them."""
    given = ", ".join(f"{name!r}: {name}" for name in [*done.inputs, *done.parameters])
    last = f"    return {', '.join(f'scope[{name!r}]' for name in returns)}\n" if returns else ""
    first, begin = "", f"    scope = {{'__name__': '__main__', {given}}}\n"
    if done.main:
        first = "import sys\nimport types\n\n"
        begin = (
            '    main = sys.modules["__main__"] = types.ModuleType("__main__")  # where pickle looks for definitions\n'
        )
        begin += f"    scope = vars(main)\n    scope |= {{{given}}}\n"
    if STAR.search(top) and given:  # it may bind what the step is given
        begin += f"    exec({_quoted(top)}, scope)\n    scope |= {{{given}}}\n"
        top = ""
    return (
        f"{first}SOURCE = {_quoted(f'{top}{chr(10)}{text}')}\n\n\ndef {done.name}({arguments}):\n"
        + _docstring(doc)
        + begin
        + f"    exec(compile(SOURCE, {f'<step {done.name}>'!r}, 'exec'), scope)  # its cells bind names as they run\n"
        + last
    )


def _quoted(text: str) -> str:
    safe = text.strip("\n").replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""\\\n{safe}\n"""'


def _prologue(done: StepDraft, parts: CellCodes) -> str:
    """Bind first what a function, unlike a cell, would not find: builtins that its body also assigns."""
    early = {n for m in done.members for n in parts[m].facts.reads}
    hidden = sorted(n for n in early & done.local - done.inputs.keys() - done.parameters.keys() if hasattr(builtins, n))
    return "".join(f"{name} = builtins.{name}\n" for name in hidden)


def _unglobal(text: str) -> str:
    """A cell's global names are the step function's own, so functions in it reach them by `nonlocal`."""
    return re.sub(r"^(\s+)global\b", r"\1nonlocal", text, flags=re.MULTILINE)


def _unbound(body: str, arguments: str) -> list[str]:
    """Names that functions of a step declare global and only they bind: `nonlocal` asks for a place in the step."""
    if "global" not in body:
        return []
    step = symtable.symtable(f"async def step({arguments}):\n{indented(body)}", "step", "exec").get_children()[-1]
    inner, declared = list(step.get_children()), set[str]()
    while inner:
        table = inner.pop()
        inner += table.get_children()
        declared |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_declared_global()}
    bound = {symbol.get_name() for symbol in step.get_symbols() if symbol.is_local()}
    return sorted(declared - bound)


def _docstring(doc: str) -> str:
    if not doc.strip():
        return ""
    text = doc.strip().replace('"""', "'''").rstrip("\\")
    end = "\n" if "\n" in text or text.endswith('"') else ""
    whole = f'{"r" if chr(92) in text else ""}"""{text}{end}"""\n'
    return textwrap.indent(whole, "    ")  # ruff does not where a line ends with a backslash
