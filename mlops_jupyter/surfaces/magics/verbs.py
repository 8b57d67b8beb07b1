"""A magic's verbs: each declares its flags, acts in the notebook, and gives the code that replaces it in a bundle.

The decisions behind it: ARCHITECTURE.md, "Surfaces".
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.pipeline.ports import MagicCode

__all__ = ["MagicCode", "Verb", "act", "arguments", "choose"]

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.session import NotebookSession


@dataclass(frozen=True)
class Verb:
    """One verb of a magic. `act` is decorated with `magic_arguments`, so `act.parser` holds its flags.

    Attributes
    ----------
    act : (session, parsed arguments) -> the magic's value.
    code : parsed arguments -> the bundle's code; None: the verb only displays, and is left out of bundles.
    """

    act: Callable[[NotebookSession, Namespace], Any]
    code: Callable[[Namespace], MagicCode | None] = lambda args: None

    @property
    def parser(self) -> MagicArgumentParser:
        """The parser that `magic_arguments` made from the flags."""
        parser: MagicArgumentParser = self.act.parser  # type: ignore[attr-defined]
        return parser


HELP = (["-h"], ["--help"])
"""Words that end a line to show a verb's help; IPython takes `%pipeline slice?` for a question about `slice`."""


def _help(verb: Verb, others: str) -> Verb:
    text = verb.parser.format_help().replace("::\n\n", "").strip() + (f"\n\nverbs: {others}" if others else "")
    return Verb(lambda session, args: print(text))


def choose(magic: str, verbs: Mapping[str, Verb], line: str) -> tuple[Verb, Namespace]:
    """Return the verb that a line begins with (the one named "" if it begins with none) and its parsed arguments.

    Raises
    ------
    UsageError
        The verb is unknown, or the arguments do not fit it; the message is one line.
    """
    word, _, rest = line.strip().partition(" ")
    if word not in verbs:
        word, rest = "", line.strip()
    verb = verbs.get(word)
    verb_names = ", ".join(name for name in verbs if name)
    if verb is None:
        raise UsageError(f"%{magic} takes one of {verb_names}" + (f", not {line.split()[0]!r}" if line.strip() else ""))
    if rest.split()[-1:] in HELP:
        return _help(verb, "" if word else verb_names), Namespace()
    try:
        return verb, verb.parser.parse_argstring(rest.strip())
    except (UsageError, ValueError) as fault:  # ValueError: a quote that is not closed
        hint = f"; the verbs of %{magic} are {verb_names}" if verb_names and not word and rest else ""
        raise UsageError(f"%{magic} {word}".rstrip() + f": {fault}{hint}") from None


def arguments(declared: Any, line: str) -> Namespace:
    """Parse the line of one of our cell magics by the flags that `magic_arguments` declared.

    Raises
    ------
    UserError
        The arguments do not fit the flags.
    """
    try:
        args: Namespace = declared.parser.parse_argstring(line)
    except (UsageError, ValueError) as fault:  # ValueError: a quote that is not closed
        raise UserError(str(fault)) from None
    return args


def act(session: NotebookSession, magic: str, verbs: Mapping[str, Verb], line: str) -> Any:
    """Run a magic line and return its value; a `UserError` becomes a `UsageError`, one line without a traceback."""
    try:
        verb, args = choose(magic, verbs, line)
        return verb.act(session, args)
    except UserError as fault:
        raise UsageError(str(fault)) from None
