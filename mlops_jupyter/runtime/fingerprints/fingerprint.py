"""Fingerprints: 32 hex digits that stand for a value's content, the same in every process.

Equal content gives equal fingerprints, and any change gives another one. Where that cannot be promised the result is
an `Unfingerprintable`, never a guess. What counts as content, where that is not plain:

* bool, int, float, str, bytes and numpy's scalars are told apart by type; 0.0 and -0.0 differ; every NaN is the same;
* dicts count in insertion order, sets without order, attributes of objects without order;
* classes count by qualified name, not by module: `__main__.Model` is `churn.model.Model` in the exported bundle;
* functions count by what their instructions do, defaults and closure, so only within one minor version of Python;
* memory layout, chunks, offsets, block structure and what lies under masks do not count.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..hashing import New, default_hasher
from .budget import Budget
from .reachable import reachable_ids
from .registry import find_handler
from .walk import Known, OpaqueValueError, Walk

__all__ = ["Survey", "Unfingerprintable", "default_hasher", "fingerprint", "survey", "surveys"]


@dataclass(frozen=True)
class Unfingerprintable:
    """The result for a value that cannot have a fingerprint.

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
        instances), except those to which their holder has the only reference. Two values whose surveys were taken
        between the same two statements share objects, and change together, if these sets intersect.
    digests : `id` -> digest of those objects that the fingerprint is computed from and that have a digest of their
        own. Where an object's digest is the same in two surveys, nothing that the object shows has changed.
    """

    fingerprint: str | Unfingerprintable
    objects: frozenset[int]
    digests: Mapping[int, bytes] = field(default_factory=dict)
    slow: bool = False
    """Whether reading the value, or finding its objects, takes longer than the budget."""
    vague: bool = False
    """Whether some of the objects may be missing from `objects`."""


def fingerprint(
    value: object, *, new: New = default_hasher, budget_seconds: float | None = None, known: Known | None = None
) -> str | Unfingerprintable:
    """Return the fingerprint of a value. Never raises, whatever the value does.

    Parameters
    ----------
    value : anything.
    new : a constructor as hashlib's, of 16 bytes: `default_hasher` in bundles, `hashing.kernel_hasher()` in the kernel.
    budget_seconds : give up after about so long; hooks of the value's own classes are not interrupted.
    known : digests of parts that were computed at the same moment; the walk adds to them. None: there are none.

    Examples
    --------
    >>> fingerprint({"a": [1, 2.5]}) == fingerprint({"a": [1, 2.5]})
    True
    >>> fingerprint(x for x in "abc").reason
    'it holds a generator, which is used up by reading'
    """
    walk = Walk(new, find_handler, budget_seconds, known)
    try:
        return walk.digest(value).hex()
    except OpaqueValueError as why:
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
    owned: Callable[[int], bool] = lambda key: False,
) -> list[Survey]:
    """Return a survey of each value, all at one moment; objects that values share are read once. Never raises.

    Parameters
    ----------
    unread : `id` of values known to take too long to read; only what they reach is found.
    owned : whether the array with that `id` needs a digest, as several variables hold it, though the values hold only
        a view of it. (Writing through a view can change more than the view shows.)
    """
    reached = [(value, *_reached(value, budget_seconds)) for value in values]
    known: Known = {}
    results = []
    for value, objects, vague in reached:
        budget = Budget(budget_seconds)
        result: str | Unfingerprintable
        if vague:
            result = Unfingerprintable(f"finding what it shares took longer than {budget_seconds:g} s")
        elif id(value) in unread:
            result = Unfingerprintable(f"it took longer than {budget_seconds:g} s")
        else:
            result = fingerprint(value, new=new, budget_seconds=budget_seconds, known=known)
        slow = budget.spent()
        if slow:
            result = Unfingerprintable(f"it took longer than {budget_seconds:g} s")
        results.append((result, objects, slow or vague or id(value) in unread, vague))
    for base in _bases(known):
        if owned(id(base)):
            fingerprint(base, new=new, budget_seconds=budget_seconds, known=known)
    return [
        Survey(result, objects, {key: known[key][0] for key in objects & known.keys()}, slow, vague)
        for result, objects, slow, vague in results
    ]


def _bases(known: Known) -> list[Any]:
    """Return the base arrays that have no digest in `known` while views of them have one."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return []
    arrays = (part for _, part, _ in known.values() if issubclass(type(part), numpy.ndarray))  # runs no code of theirs
    bases = {id(view.base): view.base for view in arrays if type(view.base) is numpy.ndarray}
    return [base for key, base in bases.items() if key not in known]


def _reached(value: object, budget_seconds: float | None) -> tuple[frozenset[int], bool]:
    """Return (`id` of the objects that a value reaches, whether the search ran out of budget and may be incomplete)."""
    budget = Budget(budget_seconds)
    objects = reachable_ids(value, budget_seconds)
    return objects, budget.spent()
