"""What is remembered of values: those that take too long are not read by every cell."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mlops_jupyter.capture import value_store
from mlops_jupyter.capture.value_store import ValueStore
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.runtime.fingerprints import budget, hooks


@pytest.fixture(autouse=True)
def _little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_store, "BUDGET_SECONDS", 0.05)
    monkeypatch.setattr(hooks, "LIBRARIES", hooks.LIBRARIES | {__name__.partition(".")[0]})  # so `Slow` is asked


class Slow:
    """Says how often it was taken apart."""

    def __init__(self) -> None:
        self.times = 0

    def __reduce_ex__(self, protocol: Any) -> Any:
        self.times += 1
        begun = time.process_time()
        while time.process_time() < begun + 0.06:
            pass
        return Slow, ()


def chain(links: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(links):
        found = [found]
    return found


def taken_down(value: list[Any]) -> None:
    """By hand: the interpreter's own way recurses."""
    while value:
        value = value.pop()


def test_a_slow_value_is_read_once() -> None:
    one, two = Slow(), Slow()
    space: dict[str, Any] = {"s": one}
    seen = ValueStore(space)
    for _ in range(3):
        seen.refresh(["s"])
        assert seen.fingerprint("s") == Mark.UNKNOWN
        assert seen.reason("s") == "it took longer than 0.05 s"
    assert one.times == 1
    space["s"] = two  # another object may be quicker
    seen.refresh(["s"])
    assert two.times == 1
    space["s"] = 3
    seen.refresh(["s"])
    assert seen.fingerprint("s") != Mark.UNKNOWN


def test_what_a_slow_value_shares_is_still_found() -> None:
    space: dict[str, Any] = {"s": [Slow(), []]}
    seen = ValueStore(space)
    seen.refresh(["s"])
    space["inner"] = space["s"][1]
    seen.refresh(["s", "inner"])
    assert seen.sharing("inner") == {"s"}


def test_what_is_looked_at_with_an_endless_value_may_share_with_it() -> None:
    space: dict[str, Any] = {"deep": chain(200_000), "other": [1], "number": 5}
    seen = ValueStore(space)
    seen.refresh(["other"])
    seen.refresh(["deep", "number"])
    assert seen.reason("deep") == "finding what it shares took longer than 0.05 s"
    assert seen.sharing("deep") == frozenset()
    space["within"] = space["deep"][0][0]
    seen.refresh(["deep", "within", "number"])
    assert seen.sharing("within") == {"deep"}
    assert seen.sharing("deep") == {"within"}
    space["part"] = [space["within"]]
    seen.refresh(["within", "part"])
    assert "part" in seen.sharing("deep"), "it came from there, though by another name"
    del space["part"]
    seen.forget("part")
    space["again"] = space["deep"]
    seen.refresh(["deep", "again"])
    kept, space["deep"] = space["deep"], [2]
    seen.refresh(["deep"])
    assert seen.sharing("deep") <= {"within", "again"}, (
        "those two are as endless, so they may share with anything they met"
    )
    assert seen.sharing("within") >= {"again"}
    assert seen.sharing("other") == frozenset()
    taken_down(kept)


def test_an_interrupted_look_knows_nothing_and_the_next_one_all(monkeypatch: pytest.MonkeyPatch) -> None:
    space: dict[str, Any] = {"a": [1], "b": [[]]}
    seen = ValueStore(space)

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(value_store, "surveys", interrupted)
        seen.refresh(["a", "b"])
    assert seen.fingerprint("a") == seen.fingerprint("b") == Mark.UNKNOWN
    assert seen.sharing("a") == {"b"}, "either may hold the other now"
    seen.refresh(["a", "b"])
    assert Mark.UNKNOWN not in (seen.fingerprint("a"), seen.fingerprint("b"))
    assert seen.sharing("a") == frozenset()


def test_a_value_that_waits_for_the_machine_is_not_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**9))
    monkeypatch.setattr(budget.time, "perf_counter", lambda: next(clock) * 0.02)  # others compute, this process waits
    seen = ValueStore({"s": [[1], [2]]})
    monkeypatch.setattr(budget.time, "process_time", lambda: 0.0)
    seen.refresh(["s"])
    assert seen.fingerprint("s") != Mark.UNKNOWN
