"""Whether the process that a row names still runs."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from mlops_jupyter.store.process_identity import identity, is_running, was_running


def test_a_later_process_of_the_same_number_is_not_the_one() -> None:
    assert was_running(os.getpid(), time.time())
    assert not was_running(os.getpid(), time.time() - 1e6), "this process began after such a session"
    assert not was_running(2**22 + 1, time.time())


def test_a_process_that_is_dead_but_not_buried_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not was_running(child.pid, time.time())
    child.wait()


def test_an_identity_is_of_one_process() -> None:
    mine = identity()
    assert is_running(mine)
    assert not is_running({**mine, "started": mine["started"] - 60})
    assert not is_running({"pid": 2**22 + 1, "started": mine["started"]})


@pytest.mark.parametrize("owner", [None, {}, {"pid": 1}, {"pid": "x", "started": 0}, 7])
def test_what_is_no_identity_does_not_run(owner: object) -> None:
    assert not is_running(owner)


def test_a_process_that_may_not_be_looked_at_runs_as_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(process: psutil.Process) -> float:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "status", denied)
    assert was_running(os.getpid(), time.time() - 1e6)
