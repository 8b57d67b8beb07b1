"""Fingerprints: 32 hex digits that stand for a value's content, the same in every process.

Equal content gives equal fingerprints and any change another one; where that cannot be promised the answer is
`Unfingerprintable`, a value and never a guess. What counts as content, where it is not plain:

* bool, int, float, str, bytes and numpy's scalars are told apart by type; 0.0 and -0.0 differ; every NaN is the same;
* dicts count in insertion order, sets without order, attributes of objects without order;
* classes count by qualified name, not by module: `__main__.Model` is `churn.model.Model` in the exported bundle;
* functions count by what their instructions do, defaults and closure, so only within one minor version of Python;
* memory layout, chunks, offsets, block structure and what lies under masks do not count.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .values.formulas import New, default_hasher
from .values.handlers import find
from .values.reach import reached
from .values.walk import Known, Opaque, Walk

__all__ = ["Survey", "Unfingerprintable", "default_hasher", "fingerprint", "survey", "surveys"]


@dataclass(frozen=True)
class Unfingerprintable:
    """The answer where no fingerprint can be given.

    Attributes
    ----------
    reason : why, in words that follow the name of a variable: "it holds a lock".
    """

    reason: str


@dataclass(frozen=True)
class Survey:
    """A value's fingerprint, and which mutable objects it reaches.

    Attributes
    ----------
    fingerprint : 32 hex digits, or why there are none.
    objects : `id` of the mutable objects reached (containers, arrays and the owners of their buffers, frames,
        instances), but for those to which their holder has the only reference. Two values whose surveys were taken
        between the same two statements share objects, and change together, if these sets intersect.
    """

    fingerprint: str | Unfingerprintable
    objects: frozenset[int]
    slow: bool = False
    """Reading it, or finding the objects, takes longer than the budget."""
    vague: bool = False
    """Some of the objects may be missing."""


def fingerprint(
    value: object, *, new: New = default_hasher, budget_seconds: float | None = None, known: Known | None = None
) -> str | Unfingerprintable:
    """Return the fingerprint of a value. Never raises, whatever the value does.

    Parameters
    ----------
    value : anything.
    new : a constructor as hashlib's, of 16 bytes: BLAKE2b in bundles, `xxhash.xxh3_128` in the kernel.
    budget_seconds : give up after about so long; hooks of the value's own classes are not interrupted.
    known : what was found out about parts at the same moment; it is added to. None: nothing.

    Examples
    --------
    >>> fingerprint({"a": [1, 2.5]}) == fingerprint({"a": [1, 2.5]})
    True
    >>> fingerprint(x for x in "abc").reason
    'it holds a generator, which is used up by reading'
    """
    walk = Walk(new, find, budget_seconds, known)
    try:
        return walk.digest(value).hex()
    except Opaque as why:
        return Unfingerprintable(str(why))
    except RecursionError:
        return Unfingerprintable("it is nested too deep")
    except MemoryError:
        return Unfingerprintable("there was not enough memory to read it")
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # a value's own code may raise anything
        return Unfingerprintable(f"reading it raised {type(fault).__name__}")
    finally:
        walk.leave()


def survey(value: object, *, new: New = default_hasher, budget_seconds: float | None = None) -> Survey:
    """Return the fingerprint of a value and the mutable objects it reaches. Never raises.

    Examples
    --------
    >>> rows = [[1], [2]]
    >>> first = rows[0]
    >>> bool(survey(rows).objects & survey(first).objects)
    True
    >>> survey("text").objects
    frozenset()
    """
    return surveys([value], new=new, budget_seconds=budget_seconds)[0]


def surveys(
    values: Iterable[object],
    *,
    new: New = default_hasher,
    budget_seconds: float | None = None,
    unread: Collection[int] = (),
) -> list[Survey]:
    """Return the survey of each of several values at one moment; what they share is read once. Never raises.

    Parameters
    ----------
    unread : `id` of values known to take too long to read; only what they reach is found.
    """
    reaches = [(value, *_reached(value, budget_seconds)) for value in values]
    known: Known = {}
    found = []
    for value, objects, vague in reaches:
        begun = time.perf_counter()
        mark: str | Unfingerprintable
        if vague:
            mark = Unfingerprintable(f"finding what it shares took longer than {budget_seconds:g} s")
        elif id(value) in unread:
            mark = Unfingerprintable(f"it took longer than {budget_seconds:g} s")
        else:
            mark = fingerprint(value, new=new, budget_seconds=budget_seconds, known=known)
        slow = budget_seconds is not None and time.perf_counter() - begun > budget_seconds
        if slow:
            mark = Unfingerprintable(f"it took longer than {budget_seconds:g} s")
        found.append(Survey(mark, objects, slow or vague or id(value) in unread, vague))
    return found


def _reached(value: object, budget_seconds: float | None) -> tuple[frozenset[int], bool]:
    """Return what a value reaches, and whether that took too long to be sure of it."""
    begun = time.perf_counter()
    objects = reached(value, budget_seconds)
    return objects, budget_seconds is not None and time.perf_counter() - begun > budget_seconds
