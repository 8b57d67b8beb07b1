"""Names inside strings that a library may evaluate against the caller's variables.

These are candidates: a column of a frame and a variable look alike here. The caller intersects them with the
names of the namespace.
"""

from __future__ import annotations

import ast
import keyword
import re

from mlops_jupyter.analysis.syntax.vocabulary import words

EVALUATORS = frozenset({"query", "eval", "exec", "sql", "execute", "sqldf", "from_formula"})
"""Calls whose text may name variables: pandas `query` and `eval`, numexpr, DuckDB's replacement scans, pandasql."""

FORMULAS = words(
    "ols gls wls glsar glm gee rlm mixedlm logit probit mnlogit poisson negativebinomial quantreg phreg "
    "dmatrix dmatrices model_matrix Formula feols fepois"
)
"""Calls that take a formula: statsmodels, patsy, formulaic, pyfixest."""

MAGIC = "__magic__"
"""The function that stands for a magic in translated text; its `text=` is the line of an unknown magic."""

_AT = re.compile(r"(?<![\w@.])@([^\W\d]\w*)")
_WORD = re.compile(r"[^\W\d]\w*")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_SQL = re.compile(
    r"\s*(select|with|from|insert|create|copy|describe|summarize|pivot|unpivot|update|delete|show)\b", re.I
)
_FORMULA = re.compile(r"[\w)\]]\s*~\s*[\w(]")
_MODULES = frozenset({"pd", "pandas", "ne", "numexpr"})
_NONE: frozenset[str] = frozenset()


def names_in_call(call: ast.Call, tail: str) -> frozenset[str]:
    """Return the candidates in the constant strings among a call's arguments.

    Parameters
    ----------
    tail : last name of the call: one of `EVALUATORS` or `FORMULAS`, or `MAGIC`.

    Examples
    --------
    >>> call = ast.parse("df.query('age > @limit')", mode="eval").body
    >>> sorted(names_in_call(call, "query"))
    ['limit']
    """
    if tail == MAGIC:  # an unknown magic may read any variable that its line names
        return frozenset().union(*(_words(_constant(k.value)) for k in call.keywords))
    texts = [text for text in map(_constant, [*call.args, *(k.value for k in call.keywords)]) if text]
    return frozenset().union(*(_in_argument(text, call.func, tail) for text in texts)) if texts else _NONE


def _in_argument(text: str, func: ast.expr, tail: str) -> frozenset[str]:
    if tail in FORMULAS or tail == "from_formula":
        return _words(text)
    method = isinstance(func, ast.Attribute)
    on_module = method and isinstance(func.value, ast.Name) and func.value.id in _MODULES  # type: ignore[attr-defined]
    if tail == "eval" and on_module:  # pandas.eval and numexpr take bare names from the caller
        return _words(text)
    if not method and tail in {"eval", "exec"}:
        return _NONE  # their text is Python, and analysed as such
    if _SQL.match(text):
        return _words(_QUOTED.sub(" ", text))
    return names_in_string(text)


def names_in_string(text: str) -> frozenset[str]:
    """Return the candidates in a string that no known call evaluates: `@name`, and the words of a formula `y ~ x`.

    Examples
    --------
    >>> sorted(names_in_string("price > @limit"))
    ['limit']
    >>> names_in_string("mail me@example.org or look in ~/data")
    frozenset()
    """
    if "@" in text:
        return frozenset(_AT.findall(text))
    if "~" in text and _FORMULA.search(text):
        return _words(text)
    return _NONE


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in _WORD.findall(text) if not keyword.iskeyword(word))


def _constant(node: ast.expr) -> str:
    """Return the constant part of a string expression (of an f-string, the text between its fields); "" if none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return " ".join(_constant(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return f"{_constant(node.left)} {_constant(node.right)}".strip()
    return ""
