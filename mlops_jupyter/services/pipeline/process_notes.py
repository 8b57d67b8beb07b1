"""What a step's code asks of the process that it runs in, and what of it a bundle cannot give: said by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_jupyter.analysis.graph import COMPARES
from mlops_jupyter.services.pipeline.environment.local_modules import local_texts
from mlops_jupyter.services.pipeline.steps.cell_code import CACHED, CellCode, CellCodes
from mlops_jupyter.services.pipeline.steps.function_body import definition
from mlops_jupyter.services.pipeline.steps.step_draft import StepDraft

ASKS_IPYTHON = re.compile(
    r"NameError|__IPYTHON__|['\"]get_ipython['\"]|get_ipython\(\)\.__class__|['\"](IPython|ipykernel|google\.colab)['\"]\s+in\s"
)
ASKS_MODULES = re.compile(r"['\"][\w.]+['\"]\s+(?:not\s+)?in\s+sys\.modules")
SHOWS = re.compile(r"\b(?:str|repr)\(\s*(\w+)\s*\)|\{(\w+)\}")
NAMES_MODULE = re.compile(r"\.__module__\b")


def notes(part: CellCode, parts: CellCodes) -> Iterator[str]:
    """Yield what a cell asks of its process and gets another answer to in a bundle."""
    text = part.translation.text
    where = f"cell {part.cell.number}" if part.cell else f"execution {part.position + 1}"
    if ASKS_IPYTHON.search(text) and ("get_ipython" in text or "IPYTHON" in text or "sys.modules" in text):
        yield f"{where} asks whether it runs in IPython: a bundle has none, so it takes the other way"
    elif ASKS_MODULES.search(text):
        yield f"{where} asks which modules are loaded: a bundle's step has those that it imports itself"
    shown = {name for match in SHOWS.finditer(text) for name in match.groups()}
    if NAMES_MODULE.search(text) or shown & parts.definitions:
        yield f"{where} uses the name of a class's module: in a bundle that is the step's and not '__main__'"


def losses(parts: CellCodes, done: StepDraft, modules: tuple[str, ...]) -> Iterator[str]:
    """Yield what a step may see otherwise than the notebook because it has a process of its own."""
    for need in done.hoisted:
        if CACHED(definition(parts, need)):
            yield f"calls {need.name!r}, whose kept results the cells of a notebook share and steps do not"
    if any(COMPARES(parts[member].translation.text) for member in done.members):
        yield "compares identities, and what comes from another step is a copy"
    for module in modules:
        texts = local_texts([module])
        if any(re.search(r"^\s+global\s|^\w+\s*=\s*[\[{]|^@.*cache", text, re.MULTILINE) for text in texts):
            yield f"imports {module!r}, whose own variables an earlier cell may have changed"
