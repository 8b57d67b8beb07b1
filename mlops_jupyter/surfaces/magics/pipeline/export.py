"""`%pipeline export`: write the notebook as a bundle for the chosen targets."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.services.export import options as export_options

if TYPE_CHECKING:
    from mlops_jupyter.services.export.service import Exported
    from mlops_jupyter.surfaces.magics.session import NotebookSession


def options(table: Mapping[tuple[str, ...], Mapping[str, Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that declares the options of a table on a verb: those that magic and command line share."""

    def declare(verb: Callable[..., Any]) -> Callable[..., Any]:
        for flags, facts in reversed(list(table.items())):
            verb = argument(*flags, **facts)(verb)
        return verb

    return declare


@magic_arguments("pipeline export")
@argument(
    "--output",
    "-o",
    required=True,
    help="the folder to write; a bundle that is there is written anew unless files of it were edited",
)
@options(export_options.OPTIONS)
def export(session: NotebookSession, args: Namespace) -> Exported:
    """Write the notebook as a pipeline that runs without Jupyter and without this package."""
    from mlops_jupyter.services.export import service

    output = Path(unquoted(args.output)).expanduser()
    arguments = {name: _plain(value) for name, value in export_options.from_args(args).items()}
    request = export_options.to_request(arguments, output.name)
    targets = export_options.words(unquoted(args.to))
    ledger = session.workspace.ledger
    return service.export(session.notebook, request, session.translator, output, targets, ledger, args.update)


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return unquoted(value) if isinstance(value, str) else value


def unquoted(text: str) -> str:
    """Return an argument without the quotes that IPython leaves around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
