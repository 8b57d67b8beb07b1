"""Generates the pages that are made from the code: `python -m docs.build`.

`reference.md` lists every magic, verb, flag and target, from the parsers that read them; `messages.md` every error
message for a user, from the statements that raise it. `python -m docs.check` lists what is outdated or undocumented.
"""

from __future__ import annotations

import argparse
import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "mlops_jupyter"

ROOTS = {"UserError", "UsageError"}
"""Names of the errors that are shown as one line without a traceback; so are all that derive from them."""


@dataclass
class Page:
    """A page under construction, and the undocumented entries that were met on the way (`untold`)."""

    lines: list[str]
    untold: list[str] = field(default_factory=list)

    def entry(self, name: str, level: int, text: str | None, parser: argparse.ArgumentParser) -> None:
        """Add the section of a command: its description and the table of its arguments."""
        description = inspect.cleandoc(text or "")
        if not description:
            self.untold.append(f"{name} says nothing of what it does")
        self.lines += ["", f"{'#' * level} `{name}`", "", *description.splitlines()]
        flags = [a for a in parser._actions if not isinstance(a, PARTS) and a.help is not argparse.SUPPRESS]
        if flags:
            self.lines += ["", "| argument | |", "|---|---|"]
        for action in flags:
            if not action.help:
                self.untold.append(f"{name} {spelled(action)} has no help")
            self.lines.append(f"| `{spelled(action)}` | {shown(action)} |")

    @property
    def text(self) -> str:
        """The whole page as Markdown."""
        return "\n".join(self.lines) + "\n"


PARTS = (argparse._HelpAction, argparse._VersionAction, argparse._SubParsersAction)


def spelled(action: argparse.Action) -> str:
    """Return an argument as a user types it: `--step N`, `NAME...`."""
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    value = f"{{{','.join(map(str, action.choices))}}}" if action.choices else metavar
    value += "..." if action.nargs in ("+", "*") else ""
    if not action.option_strings:
        return value
    return ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {value}")


def shown(action: argparse.Action) -> str:
    """Return an argument's help as a table's cell."""
    text = " ".join(((action.help or "") % vars(action)).split()) if action.help else ""
    return text.replace("|", "\\|")


def reference() -> Page:
    """Return the page of magics, commands and targets."""
    page = Page(["# Reference", "", "Made by `python -m docs.build` from the code; do not edit."])
    page.lines += ["", "## Magics"]
    for name, text, parser in magics():
        page.entry(name, 3, text, parser)
    page.lines += ["", "## Command line"]
    for name, text, parser in commands():
        page.entry(name, 3, text, parser)
    page.lines += ["", "## Targets", "", *targets(page)]
    return page


def magics() -> Iterator[tuple[str, str | None, argparse.ArgumentParser]]:
    """Yield every verb of every magic, then its cell form."""
    from mlops_jupyter.surfaces.magics.table import VERBS

    for magic, verbs in VERBS.items():
        for verb, entry in verbs.items():
            yield f"%{magic} {verb}".strip(), entry.act.__doc__, entry.parser
        module = f"mlops_jupyter.surfaces.magics.{magic}.cell"
        if find_spec(module):
            for form in vars(import_module(module)).values():
                if isinstance(getattr(form, "parser", None), argparse.ArgumentParser):
                    yield f"%%{magic}", form.__doc__, form.parser


def commands() -> Iterator[tuple[str, str | None, argparse.ArgumentParser]]:
    """Yield every verb of the command line, also those below a verb."""
    from mlops_jupyter.surfaces.cli import parser

    yield from below("mlops-jupyter", parser())


def below(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, str | None, argparse.ArgumentParser]]:
    """Yield the commands below a parser that have no commands below themselves, with description and parser."""
    for group in (action for action in parser._actions if isinstance(action, argparse._SubParsersAction)):
        helps = {action.dest: action.help for action in group._choices_actions}
        for verb, sub in group.choices.items():
            if not any(isinstance(action, argparse._SubParsersAction) for action in sub._actions):
                yield f"{name} {verb}", sub.description or helps.get(verb), sub
            yield from below(f"{name} {verb}", sub)


def targets(page: Page) -> list[str]:
    """Return the lines of the table of export targets."""
    from mlops_jupyter.services.export import targets

    lines = ["| `--to` | | says of a plan |", "|---|---|---|"]
    for target in map(targets.find, targets.names()):
        features = ", ".join(feature.value for feature in targets.Feature if feature in target.expresses)
        lines.append(f"| `{target.name}` | {target.title} | {features} |")
    if len(lines) == 2:
        page.untold.append("no target is installed")
    return lines


def messages() -> Page:
    """Return the page of the error messages for users, room by room."""
    page = Page(["# Messages", "", "Made by `python -m docs.build` from the code; do not edit.", ""])
    page.lines += [
        "One line each, without a traceback: what went wrong, which name, what to do. `{...}` stands for a value."
    ]
    rooms: dict[str, list[str]] = {}
    for path, tree in parsed().items():
        room = ".".join(path.relative_to(PACKAGE).with_suffix("").parts[:2])
        rooms.setdefault(room.removesuffix(".__init__"), []).extend(raised(tree))
    for room, texts in rooms.items():
        if texts:
            page.lines += ["", f"## {room}", "", *(f"* `{text}`" for text in dict.fromkeys(texts))]
    return page


@cache
def parsed() -> dict[Path, ast.Module]:
    """Return the syntax tree of each file of the package."""
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def mistakes() -> set[str]:
    """Return the names of the error classes for users: the roots, and what derives from them."""
    classes = [node for tree in parsed().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {node.name: {base.id for base in node.bases if isinstance(base, ast.Name)} for node in classes}
    names: set[str] = set()
    added = ROOTS
    while added:
        names |= added
        added = {name for name, above in bases.items() if above & names} - names
    return names


def raised(tree: ast.AST) -> Iterator[str]:
    """Yield the messages of the users' errors that a module constructs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in mistakes() and node.args:
            text = template(node.args[0])
            if text:
                yield " ".join(text.split()).replace("`", "'")


def template(node: ast.expr) -> str:
    """Return a message with `{name}` for each value in it; "" for one that only passes another on."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (v.value if isinstance(v, ast.Constant) else f"{{{name(v)}}}" for v in node.values)
        return "".join(map(str, parts))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template(node.left) + template(node.right)
    return ""


def name(value: ast.expr) -> str:
    """Return the name of a value in a message, "..." for any other expression."""
    inner = value.value if isinstance(value, ast.FormattedValue) else value
    plain = isinstance(inner, ast.Name | ast.Attribute)
    return ast.unparse(inner) if plain else "..."


PAGES: Mapping[str, Callable[[], Page]] = {"reference.md": reference, "messages.md": messages}


if __name__ == "__main__":
    for file, make in PAGES.items():
        (HERE / file).write_text(make().text, encoding="utf-8")
