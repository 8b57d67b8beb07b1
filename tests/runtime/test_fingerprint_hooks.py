"""Looking at a value leaves it alone: no hook of its class that may have effects is called, nothing is loaded."""

from __future__ import annotations

import io
import itertools
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from PIL import Image
from sklearn.base import BaseEstimator

from mlops_jupyter.runtime.codecs import is_picklable
from mlops_jupyter.runtime.fingerprints.fingerprint import Unfingerprintable, fingerprint, survey
from mlops_jupyter.runtime.fingerprints.hooks import is_quiet

CALLED: list[str] = []


class Hooked:
    """A class whose hooks all have an effect that shows."""

    def __init__(self, n: int = 1) -> None:
        self.n = n

    def _note(self, hook: str) -> None:
        CALLED.append(hook)

    def __getstate__(self) -> Any:
        self._note("getstate")
        return dict(self.__dict__)

    def __eq__(self, other: object) -> bool:
        self._note("eq")
        return True

    def __hash__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        self._note("bool")
        return True

    def __len__(self) -> int:
        self._note("len")
        return 1

    def __iter__(self) -> Iterator[int]:
        self._note("iter")
        return iter((1,))

    @property
    def loaded(self) -> int:
        self._note("property")
        return 1

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        self._note("class")
        return int


class Reduced(Hooked):
    def __reduce_ex__(self, protocol: Any) -> Any:
        self._note("reduce_ex")
        return Reduced, (self.n,)


class Asking(Hooked):
    def __getattribute__(self, name: str) -> Any:
        CALLED.append(f"getattribute {name}")
        return object.__getattribute__(self, name)


class Slotted:
    __slots__ = ("n",)

    def __init__(self, n: int = 1) -> None:
        self.n = n

    def __getstate__(self) -> Any:
        CALLED.append("getstate")
        return (None, {"n": self.n})


class LazyList(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        CALLED.append("iter")
        return iter(())

    def __len__(self) -> int:
        CALLED.append("len")
        return 0


class LazyDict(dict[Any, Any]):
    def items(self) -> Any:
        CALLED.append("items")
        return super().items()


class LazyOrdered(OrderedDict[Any, Any]):
    def items(self) -> Any:
        CALLED.append("items")
        return super().items()


class LazyQueue(deque[Any]):
    def __iter__(self) -> Iterator[Any]:
        CALLED.append("iter")
        return super().__iter__()


class Fault(ValueError):
    def __reduce__(self) -> Any:
        CALLED.append("reduce")
        return super().__reduce__()


class Estimator(BaseEstimator):  # type: ignore[misc]
    def __init__(self, n: int = 1) -> None:
        self.n = n

    def __getstate__(self) -> Any:
        CALLED.append("getstate")
        return super().__getstate__()


class Hostile:
    """Every look at it raises, in a way that `except Exception` does not catch."""

    def _no(self, *args: Any, **kwargs: Any) -> Any:
        raise SystemExit("no")

    __eq__ = __hash__ = __repr__ = __str__ = __len__ = __iter__ = __bool__ = __getattribute__ = _no  # type: ignore


class HostileDict(dict[Any, Any]):
    def items(self) -> Any:
        raise RuntimeError("no")


LEFT_ALONE = {
    "getstate and others": (Hooked(1), Hooked(2)),
    "reduce_ex": (Reduced(1), Reduced(2)),
    "getattribute": (Asking(1), Asking(2)),
    "slots": (Slotted(1), Slotted(2)),
    "list": (LazyList([1]), LazyList([2])),
    "dict": (LazyDict(a=1), LazyDict(a=2)),
    "ordered dict": (LazyOrdered(a=1), LazyOrdered(a=2)),
    "queue": (LazyQueue([1]), LazyQueue([2])),
    "exception": (Fault(1), Fault(2)),
    "estimator": (Estimator(1), Estimator(2)),
    "inside of others": ({"a": [Reduced(1)]}, {"a": [Reduced(2)]}),
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_no_hook_with_effects_is_called(name: str) -> None:
    one, other = LEFT_ALONE[name]
    CALLED.clear()
    marks = {survey(one).fingerprint, fingerprint(other), fingerprint(one)}
    is_picklable(one, 1000)
    assert CALLED == []
    assert len(marks) == 2
    assert not any(isinstance(mark, Unfingerprintable) for mark in marks)


ITERATORS = {
    "list": lambda: iter([1, 2]),
    "dict": lambda: iter({1: 2, 3: 4}),
    "set": lambda: iter({1, 3}),
    "map": lambda: map(str, [1, 2]),
    "zip": lambda: zip([1], [2], strict=False),
    "enumerate": lambda: enumerate("ab"),
    "chain": lambda: itertools.chain([1], [2]),
    "count": lambda: itertools.count(3),
    "cycle": lambda: itertools.cycle("ab"),
    "islice": lambda: itertools.islice("abc", 2),
    "tee": lambda: itertools.tee("ab")[0],
    "groupby": lambda: itertools.groupby("aab"),
    "generator": lambda: (x for x in "ab"),
    "file": lambda: io.StringIO("one\ntwo\n"),
}


@pytest.mark.parametrize("name", ITERATORS)
def test_iterators_are_not_used_up(name: str) -> None:
    value = ITERATORS[name]()
    survey(value)
    is_picklable(value, 1000)
    first = next(iter(ITERATORS[name]()))
    assert str(next(value))[:12] == str(first)[:12]


def test_an_image_is_not_loaded() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "PNG")
    image = Image.open(io.BytesIO(stream.getvalue()))
    mark = fingerprint([image])
    image.verify()  # raises once an image has been loaded
    assert isinstance(mark, Unfingerprintable)
    assert mark.reason == "it holds an image that is not loaded yet"


def test_an_image_that_is_loaded_is_content() -> None:
    image, other = Image.new("RGB", (4, 4)), Image.new("RGB", (4, 4), "red")
    before = fingerprint(image)
    assert before == fingerprint(image.copy()) != fingerprint(other)
    image.putpixel((0, 0), (1, 2, 3))
    assert fingerprint(image) != before


def test_an_answer_is_not_read() -> None:
    answer = requests.Response()
    answer.raw = io.BytesIO(b"text")
    assert isinstance(fingerprint(answer), Unfingerprintable)
    assert answer.content == b"text"
    assert isinstance(fingerprint(answer), str)


class Copies:
    def __init__(self) -> None:
        self.lock, self.n = threading.Lock(), 1

    def __getstate__(self) -> Any:
        state = self.__dict__.copy()
        del state["lock"]
        return state


class Rebuilt:
    def __init__(self, n: int) -> None:
        self.n = n

    def __reduce__(self) -> Any:
        return Rebuilt, (self.n,)


class Counts(Copies):
    def __getstate__(self) -> Any:
        self.n += 1
        return {"n": self.n}


class Pops(Copies):
    def __getstate__(self) -> Any:
        state = self.__dict__
        state.pop("lock", None)
        return state


class PopsOfAPart(Copies):
    def __getstate__(self) -> Any:
        return self.n.pop()  # type: ignore[attr-defined]


class ByProperty(Copies):
    @property
    def loaded(self) -> int:
        return 1

    def __getstate__(self) -> Any:
        return (self.loaded,)


class Calls(Copies):
    def __getstate__(self) -> Any:
        return print(self.n)


@dataclass(frozen=True, slots=True)
class Point:
    x: int


QUIET = dict.fromkeys((Copies, Rebuilt, Point), True) | dict.fromkeys(
    (Counts, Pops, PopsOfAPart, ByProperty, Calls), False
)


@pytest.mark.parametrize("kind", QUIET, ids=lambda kind: kind.__name__)
def test_hooks_that_only_copy_are_told_from_others(kind: type) -> None:
    assert is_quiet(kind) is QUIET[kind]


def test_what_a_hook_leaves_out_does_not_count() -> None:
    assert fingerprint(Copies()) == fingerprint(Copies())


HOSTILE = {"object": Hostile, "inside": lambda: {"a": (1, Hostile())}, "dict": lambda: HostileDict(a=1)}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_raises_at_every_look_is_read_as_it_is_stored(name: str) -> None:
    assert isinstance(fingerprint(HOSTILE[name]()), str)
