"""Splits magic lines that hold Python expressions, never inside brackets or quotes."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

from mlops_jupyter.core.errors import UserError

_PAIR = re.compile(r"([A-Za-z_][\w./\-]*)=(?!=)")
_OPEN, _CLOSE = "([{", ")]}"
_QUOTES = re.compile(r"'''|\"\"\"|'|\"")


def words(line: str) -> list[str]:
    """Split a line at blanks outside of brackets and quotes; the quotes stay.

    Raises
    ------
    UserError
        A quote or bracket is not closed.

    Examples
    --------
    >>> words('auc=f(y, p) note=len("a b") --step 3')
    ['auc=f(y, p)', 'note=len("a b")', '--step', '3']
    """
    return [word for word in _pieces(line) if word]


def _pieces(line: str) -> Iterator[str]:
    start = at = depth = 0
    while at < len(line):
        quote = _QUOTES.match(line, at)
        if quote:
            at = _after_text(line, quote.end(), quote[0])
            continue
        depth += (line[at] in _OPEN) - (line[at] in _CLOSE)
        if line[at].isspace() and depth <= 0:
            yield line[start:at]
            start = at + 1
        at += 1
    if depth > 0:
        raise UserError(f"a bracket is not closed in {line!r}: close it")
    yield line[start:]


def _after_text(line: str, at: int, quote: str) -> int:
    """Return the index after a string's closing quote."""
    while at < len(line):
        if line[at] == "\\":
            at += 2
        elif line.startswith(quote, at):
            return at + len(quote)
        else:
            at += 1
    raise UserError(f"a quote is not closed in {line!r}: close it")


def pairs(found: Sequence[str], example: str) -> dict[str, str]:
    """Return name -> expression for words such as `auc=f(y, p)`; an expression may hold blanks, as in `a=1 + 2`.

    Raises
    ------
    UserError
        No name is given, a word precedes the first name, a name comes twice, or its value is no Python expression.
    """
    texts: dict[str, str] = {}
    name = ""
    for word in found:
        pair = _PAIR.match(word)
        if pair:
            name = pair[1]
            if name in texts:
                raise UserError(f"{name!r} is given twice: give it once")
            texts[name] = word[pair.end() :]
        elif name:
            texts[name] += f" {word}"
        else:
            raise UserError(f"{word!r} is no NAME=VALUE: write them as in `{example}`")
    if not texts:
        raise UserError(f"nothing is given: write NAME=VALUE as in `{example}`")
    return {name: expression(name, text) for name, text in texts.items()}


def expression(name: str, text: str) -> str:
    """Return the stripped text of an expression; raise `UserError` with `name` if it is no Python expression."""
    try:
        ast.parse(text.strip(), mode="eval")
    except SyntaxError as fault:
        raise UserError(f"{name} has no Python expression as its value: {text.strip()!r}: {fault.msg}") from None
    return text.strip()


class ExpressionParser(MagicArgumentParser):
    """Parses a line whose arguments are Python expressions; IPython's own parser would split them in the middle."""

    def parse_argstring(self, argstring: str, *, partial: bool = False) -> Any:
        """Parse a line; raise `UsageError` of one line if that fails."""
        try:
            parts = words(argstring)
        except UserError as fault:
            raise UsageError(str(fault)) from None
        return self.parse_known_args(parts) if partial else self.parse_args(parts)

    def _parse_optional(self, arg_string: str) -> Any:
        """Take only declared options, whole, for options: an expression may begin with a minus sign, or be `--x`.

        Argparse has no public way to say this: `allow_abbrev=False` ends abbreviations, and still refuses `-x` as an
        unknown option. Only "the word is positional" (None) is said here, which argparse has meant by None since 2.7.
        """
        options = self._option_string_actions
        head = arg_string.partition("=")[0]
        return super()._parse_optional(arg_string) if head in options else None


def takes_expressions(act: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb decorated with `magic_arguments` an `ExpressionParser` with the same flags; return the verb."""
    declared: argparse.ArgumentParser = act.parser  # type: ignore[attr-defined]
    act.parser = ExpressionParser(  # type: ignore[attr-defined]
        prog=declared.prog, description=declared.description, parents=[declared], add_help=False
    )
    return act
