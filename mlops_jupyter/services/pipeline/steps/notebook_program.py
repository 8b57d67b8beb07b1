"""The kept cells of a notebook as one plain program, in the order in which they ran: what a bundle is compared with.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_jupyter.core.executions import Mark
from mlops_jupyter.core.hidden_names import DRAWING
from mlops_jupyter.services.pipeline.steps.cell_code import CellCode, CellCodes
from mlops_jupyter.services.pipeline.steps.function_body import is_parameter_default
from mlops_jupyter.services.pipeline.steps.step_module import own_display

PATH = "tests/notebook.py"
"""Where the program lies in a bundle."""

HEAD = '''"""The notebook in one process: its kept cells, in the order in which they ran.

`mlops-jupyter verify --data DIR -p NAME=VALUE` runs this and the pipeline, and compares their values.
"""
'''


def notebook_program(parts: CellCodes, package: str, defaults: Mapping[str, object]) -> str:
    """Return the text of the program.

    Parameters
    ----------
    package : the bundle's package.
    defaults : the pipeline's parameters: name -> value in the notebook. The program takes those of `__parameters__`,
        where whoever runs it has set that.
    """
    lines = list(parts.of_the_future)
    if defaults:
        lines.append(f'__parameters__ = globals().get("__parameters__", {dict(defaults)!r})\n')
    lines += dict.fromkeys(line for part in parts for line in _imports(part, package))
    texts = ((_title(part), _text(part, package)) for part in parts)
    cells = [f"# %% {title}\n{text}" for title, text in texts if text.strip()]
    return "\n".join(filter(None, [HEAD, "".join(lines), *cells]))


def _imports(part: CellCode, package: str) -> Iterator[str]:
    yield from (own_display(text, package).rstrip("\n") + "\n" for text in part.translation.imports)
    for use in part.translation.runtime:
        module, function = use.split(":")
        yield f"from {package}.runtime.{module} import {function}\n"


def _title(part: CellCode) -> str:
    if part.cell is None:
        return "a cell that was edited or deleted since"
    heading = " ".join(part.cell.heading.split())
    return f"cell {part.cell.number}" + (f": {heading}" if heading else "")


def _text(part: CellCode, package: str) -> str:
    """Return one cell, with the values of its parameters at its top instead of where it has their defaults."""
    lines = part.lines
    for statement in reversed(part.facts.statements):
        first, last = statement.span.line - 1, statement.span.end_line
        text = "\n".join(lines[first:last])
        if text.startswith("from __future__") or is_parameter_default(part, statement, part.parameters):
            lines = [*lines[:first], *lines[last:]]
        elif text.startswith("from IPython") and (own := own_display(text + "\n", package)) != text + "\n":
            lines = [*lines[:first], *own.splitlines(), *lines[last:]]
    given = [f"{name} = __parameters__[{name!r}]" for name in part.parameters]
    shown = ["import matplotlib.pyplot", "matplotlib.pyplot.show()"]  # as the notebook did when the cell had ended
    drawn = shown if part.execution.writes.get(DRAWING) == Mark.SHOWN else []
    return "\n".join([*given, *lines, *drawn]).rstrip("\n") + "\n"
