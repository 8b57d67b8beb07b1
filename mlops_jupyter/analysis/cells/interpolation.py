"""Interpolation: the notebook's variables in lines that are not Python (`!ls {folder}`, `%track log auc=score`)."""

from __future__ import annotations

import re
import string
from contextlib import suppress

from mlops_jupyter.analysis.syntax.parsing import ParseError, parse

_DOLLAR = re.compile(r"(?<!\$)\$([^\W\d]\w*(?:\.[^\W\d]\w*)*)")
_KEYED = re.compile(r"(?:^|\s)[^\W\d][\w.@/-]*=(?!=)")
_OPTION = re.compile(r"(?:^|\s)(--?[\w-]+)(?:[= ]\s*(\"[^\"]*\"|'[^']*'|[^\s-]\S*))?")
_READING_OPTIONS = frozenset({"--data", "--reference", "--current", "--features", "--signature", "--input-example"})
_VERBS = {
    "track": {"log", "param", "params", "metric", "metrics", "artifact", "figure", "model", "tag", "tags"},
    "register": None,
    "drift": None,
}


def interpolated(line: str) -> list[str]:
    """Return the expressions that IPython expands in a line: `{expr}`, `$name`, `$name.attribute`.

    Braces that hold no Python (`awk '{print $1}'`) are the shell's own, and so are `{{` and `$$`.

    Examples
    --------
    >>> interpolated("cp {folder / 'a'} $target && awk '{print $1}'")
    ["folder / 'a'", 'target']
    """
    fields: list[str] = []
    with suppress(ValueError):  # braces that do not match: IPython leaves such a line alone; $names count all the same
        fields = [field.strip() for _, field, _, _ in string.Formatter().parse(line) if field]
    return [text for text in dict.fromkeys(fields + _DOLLAR.findall(line)) if is_expression(text)]


def arguments_read(magic: str, line: str) -> list[str]:
    """Return the expressions that one of our own line magics evaluates: values of `key=value`, and names of variables.

    Examples
    --------
    >>> arguments_read("track", "log auc=max(a, b) loss=0.3 --step epoch")
    ['max(a, b)', '0.3']
    >>> arguments_read("register", "model --name churn --data X,y")
    ['model', 'X', 'y']
    """
    verbs = _VERBS[magic]
    verb, _, rest = line.partition(" ")
    if verbs is not None and verb not in verbs:
        return []
    plain = line if verbs is None else rest
    option_values: list[str] = []
    for option in _OPTION.finditer(plain):
        if option[1] in _READING_OPTIONS and option[2]:
            option_values += option[2].strip("\"'").split(",")
    plain = _OPTION.sub(" ", plain)
    keyed = list(_KEYED.finditer(plain))
    bare = plain[: keyed[0].start()] if keyed else plain
    ends = [match.start() for match in keyed[1:]] + [len(plain)]
    values = [
        plain[match.end() : end] for match, end in zip(keyed, ends, strict=False)
    ]  # without keys: one end, no match
    return [text.strip() for text in [*bare.split(), *values, *option_values] if is_expression(text)]


def is_expression(text: str) -> bool:
    """Return whether a text is one Python expression."""
    return bool(text.strip()) and "#" not in text and "\n" not in text and parses(f"({text.strip()})")


def parses(text: str) -> bool:
    """Return whether a text is valid Python."""
    try:
        parse(text)
    except ParseError:
        return False
    return True
