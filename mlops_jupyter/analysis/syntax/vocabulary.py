"""Sets of words, written as prose."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """Return the words of a text, each once.

    Examples
    --------
    >>> sorted(words("seed seed shuffle"))
    ['seed', 'shuffle']
    """
    return frozenset(text.split())
