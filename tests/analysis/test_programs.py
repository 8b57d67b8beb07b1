"""Generated programs, run: what really happened is among what the facts said may happen."""

from __future__ import annotations

import warnings

from hypothesis import HealthCheck, assume, event, given, settings

from mlops_jupyter.analysis.facts.extract import SourceFacts, extract_facts
from tests.analysis.programs import NAMES, PROGRAMS, Seen, run, subsets


def compiled(program: str):  # the compiler refuses some that parse: walrus in an iterable, names global after use
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(program, "program", "exec")
    except SyntaxError:
        assume(False)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(PROGRAMS)
def test_what_happens_was_foreseen(program: str) -> None:
    code = compiled(program)
    found = extract_facts(program)
    for start in subsets():
        seen = run(code, start)
        event(seen.fault or "completed")
        check(found, seen)
    everything, needed = run(code, frozenset(NAMES)), run(code, found.reads & set(NAMES))
    check_unread(found, everything, needed)


def check(found: SourceFacts, seen: Seen) -> None:
    assert seen.reads <= found.reads
    assert seen.writes <= found.writes
    assert seen.deletes <= found.deletes
    if not seen.fault:
        assert found.definite_writes <= seen.kept


def check_unread(found: SourceFacts, everything: Seen, needed: Seen) -> None:
    """Without the names that it does not read, a program does the same: also in class bodies, where no dict listens."""
    assert needed.fault == everything.fault
    bound = {name: value for name, value in everything.shape.items() if name in found.reads or name in everything.kept}
    assert needed.shape == bound
