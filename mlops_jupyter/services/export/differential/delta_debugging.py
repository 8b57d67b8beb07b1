"""Delta debugging: the part of a failing input that fails as well, and of which no element can be left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Element = TypeVar("Element")


def minimized(
    elements: Sequence[Element], fails: Callable[[Sequence[Element]], bool], tries: int
) -> tuple[Element, ...]:
    """Return a smaller part of the elements that still fails (ddmin of Zeller and Hildebrandt, TSE 28(2), 2002).

    Parameters
    ----------
    elements : they are known to fail together.
    fails : says whether a part, in the same order, fails.
    tries : how often `fails` may be called; what is smallest by then is the answer.

    Examples
    --------
    >>> minimized("abcdef", lambda part: "b" in part and "e" in part, 50)
    ('b', 'e')
    """
    kept = tuple(elements)
    parts = 2
    while len(kept) > 1 and tries > 0:
        size = -(-len(kept) // parts)
        chunks = [kept[at : at + size] for at in range(0, len(kept), size)]
        without = [sum((c for c in chunks if c is not chunk), ()) for chunk in chunks]
        for candidate in [*chunks, *(without if len(chunks) > 2 else [])]:
            tries -= 1
            if fails(candidate):
                kept, parts = candidate, 2 if candidate in chunks else max(parts - 1, 2)
                break
            if tries == 0:
                return kept
        else:
            if size == 1:
                return kept
            parts = min(parts * 2, len(kept))
    return kept
