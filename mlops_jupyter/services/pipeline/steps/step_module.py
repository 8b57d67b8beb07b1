"""Write the text of a step's module from its draft: a function that a reviewer would accept."""

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
"""Search a body for a line that binds a builtin again after a `del`, which a function, unlike a cell, needs."""

DEFINITIONS = "definitions"
"""Name of a bundle's module for functions and classes that several steps use."""


def write(
    done: StepDraft,
    parts: CellCodes,
    package: str,
    doc: str,
    returns: list[str],
    shared: Mapping[Binding, str],
    runtime: Iterable[str],
) -> str:
    """Return the unformatted text of a step's module.

    Parameters
    ----------
    done : the step's draft.
    doc : the function's docstring.
    returns : variables that the function returns, in order.
    shared : definitions that stand in the bundle's `definitions` module instead.
    runtime : functions of the bundle's runtime that the body calls, each as "module:function".
    """
    prologue = _prologue(done, parts)
    imports = [*done.imported(), "import builtins\n"] if prologue or BUILTIN(done.body) else done.imported()
    imports += [f"from {package}.runtime.{m} import {f}\n" for m, f in (use.split(":") for use in runtime)]
    imports += [f"from {package}.{DEFINITIONS} import {n.name}\n" for n in done.hoisted if n in shared]
    local = [need for need in done.hoisted if need not in shared]
    definitions = as_written(parts, "\n\n".join(definition(parts, need) for need in local))
    arguments = _arguments(done)
    first = "".join(in_order(code_only(own_display(text, package)) + "\n" for text in imports))
    top = "".join([first, *unnamed_imports(first, definitions + done.body)])
    if done.scoped:
        return _in_a_scope(done, top, f"{definitions}\n{done.body}", arguments, doc, returns)
    if re.search(r"\b__name__\b", done.body):
        prologue += '__name__ = "__main__"  # as in the notebook\n'
    prologue += "".join(f"{name}: object  # bound by a function\n" for name in _unbound(done.body, arguments))
    body = _docstring(doc) + indented(f"{prologue}{_unglobal(done.body)}")
    last = f"    return {', '.join(returns)}\n" if returns else ""
    keyword = "async def" if any(parts[m].facts.awaits for m in done.members) else "def"
    uses = using(parts.names_in_strings({*done.members, *(need.maker for need in local)}))
    return f"{top}\n{definitions}\n\n{keyword} {done.name}({arguments}):\n{body}{last}{uses}"


def as_written(parts: CellCodes, definitions: str) -> str:
    """Return definitions so that they are not formatted, where a cell asks for the source of one."""
    asks = any("getsource" in part.translation.text for part in parts)
    return f"# fmt: off\n{definitions}\n# fmt: on\n" if asks and definitions else definitions


def _arguments(done: StepDraft) -> str:
    """Return the function's arguments. A list is no default, for all calls would share it: `PIPELINE` has its value."""
    shared = [name for name, value in done.parameters.items() if isinstance(value, (list, dict, set))]
    own = [f"{name}={value!r}" for name, value in done.parameters.items() if name not in shared]
    return ", ".join([*done.inputs, *shared, *own])


def own_display(text: str, package: str) -> str:
    """Import `display` from the bundle's runtime where the notebook imports it from IPython."""
    statement = re.fullmatch(r"from IPython\.(?:core\.)?display import \(?([^()]*)\)?\s*", code_only(text))
    names = [name.strip() for name in statement[1].split(",") if name.strip()] if statement else []
    if "display" not in names:
        return text
    others = ", ".join(name for name in names if name != "display")
    rest = f"from IPython.display import {others}\n" if others else ""
    return f"{rest}from {package}.runtime.step.display import display\n"


def _in_a_scope(done: StepDraft, top: str, text: str, arguments: str, doc: str, returns: list[str]) -> str:
    """Return a step that runs its cells with `exec` in a scope: only running them shows which names they bind."""
    initial = ", ".join(f"{name!r}: {name}" for name in [*done.inputs, *done.parameters])
    last = f"    return {', '.join(f'scope[{name!r}]' for name in returns)}\n" if returns else ""
    first, begin = "", f"    scope = {{'__name__': '__main__', {initial}}}\n"
    if done.main:
        first = "import sys\nimport types\n\n"
        begin = (
            '    main = sys.modules["__main__"] = types.ModuleType("__main__")  # where pickle looks for definitions\n'
        )
        begin += f"    scope = vars(main)\n    scope |= {{{initial}}}\n"
    if STAR.search(top) and initial:  # it may bind what the step is given
        begin += f"    exec({_quoted(top)}, scope)\n    scope |= {{{initial}}}\n"
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
    """Bind the builtins that a body reads and also assigns: a function, unlike a cell, would find them unbound."""
    early = {n for m in done.members for n in parts[m].facts.reads}
    hidden = sorted(n for n in early & done.local - done.inputs.keys() - done.parameters.keys() if hasattr(builtins, n))
    return "".join(f"{name} = builtins.{name}\n" for name in hidden)


def _unglobal(text: str) -> str:
    """Replace `global` by `nonlocal`: a cell's global names are locals of the step's function."""
    return re.sub(r"^(\s+)global\b", r"\1nonlocal", text, flags=re.MULTILINE)


def _unbound(body: str, arguments: str) -> list[str]:
    """Return the names that only inner functions bind, as globals: `nonlocal` needs them declared in the step."""
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
