"""`make engines` ends with one line: how many targets ran, were validated only, or failed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

OUTCOMES: dict[str, dict[str, bool]] = {"ran": {}, "validated": {}}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note for each target whether all its proofs held.

    A test says what it proves by a mark: ``@pytest.mark.ran("airflow")`` or ``@pytest.mark.validated("argo")``. One
    that is skipped, as without root, proves nothing.
    """
    report = yield
    if report.skipped or (report.passed and report.when != "call"):
        return report
    for kind, held in OUTCOMES.items():
        for mark in item.iter_markers(kind):
            for target in mark.args:
                held[target] = held.get(target, True) and not report.failed
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say it in one line."""
    if "tests/engines" not in " ".join(config.args):
        return
    failed = {t for held in OUTCOMES.values() for t, good in held.items() if not good}
    ran = OUTCOMES["ran"].keys() - failed
    validated = OUTCOMES["validated"].keys() - ran - failed
    for kind, names in (("ran", ran), ("validated only", validated), ("failed", failed)):
        terminalreporter.write_line(f"{kind}: {', '.join(sorted(names)) or 'none'}")
    terminalreporter.write_line(f"engines: {len(ran)} ran, {len(validated)} validated only, {len(failed)} failed")
