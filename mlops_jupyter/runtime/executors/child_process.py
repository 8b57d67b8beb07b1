"""Processes for steps: forked from one that has imported what they need, or started fresh where forking is not safe."""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

LOST = 70
"""Exit code of a child that could not even say what went wrong (EX_SOFTWARE of sysexits.h)."""


KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
STOP = getattr(signal, "SIGSTOP", signal.SIGTERM)

STRAYS_SECONDS = 2.0
"""How long to try to end what a step has started outside its group: another user's process is not ours to end."""


class ChildTask(Protocol):
    """What a child does: writes its result to the store, returns an exit code. Can be pickled."""

    def __call__(self) -> int:
        """Do it."""


class ChildProcess:
    """A running child, in a process group of its own. `poll` gives its exit code, negative for a signal."""

    def __init__(self, pid: int, popen: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._popen = popen
        self._code: int | None = None
        self._watch = _watch(pid)
        self._strays: dict[int, str] = {}

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self._code is None:
            self._code = self._reap()
            if self._code is not None and self._watch is not None:
                os.close(self._watch)
                self._watch = None
        return self._code

    def _reap(self) -> int | None:
        if not hasattr(os, "waitid"):
            return self._popen.poll() if self._popen else None
        if not os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return None
        self._signal(KILL)  # what it started and left behind; until it is reaped its number is no other's
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if self._popen is not None:
            self._popen.returncode = code
        return code

    def handle(self) -> int | None:
        """Return a descriptor that becomes readable when the child ends, where the system has such."""
        return self._watch

    def ask_to_leave(self) -> None:
        """Ask it and all that it started to end."""
        self._strays = _outside(self.pid)  # once it is gone, nobody knows that they were its own
        self._signal(signal.SIGTERM)
        _send(self._strays, signal.SIGTERM)

    def kill(self, grace: float = 0.0) -> None:
        """End it and all that it started, after a grace time in which it may leave. Returns when it is gone."""
        until = time.monotonic() + grace
        while self.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        if self._code is None:
            self._signal(STOP)  # so that it starts nothing more
            until = time.monotonic() + STRAYS_SECONDS
            while (strays := _outside(self.pid)) and time.monotonic() < until:
                _send(strays, KILL)
                time.sleep(0.005)
        while self.poll() is None:
            self._signal(KILL)
            time.sleep(0.005)
        _send(self._strays, KILL)

    def _signal(self, number: int) -> None:
        try:
            if hasattr(os, "killpg"):
                os.killpg(self.pid, number)
            elif self._popen is not None:
                self._popen.terminate()
        except ProcessLookupError:  # it has not yet a group of its own, or is gone
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _watch(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or an old one
        return None


def _outside(pid: int) -> dict[int, str]:
    """Return what a process has started that has left its group, with when each began (which a later one has not).

    It is found through its parents, which only Linux shows: a step there stays the parent of all that it started.
    """
    rows: dict[int, tuple[int, int, str]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, group, *rest = entry.read_text().rpartition(") ")[2].split()  # proc(5)
            if state != "Z":  # which has ended
                rows[int(entry.parent.name)] = int(parent), int(group), rest[16]
    family = {pid}
    while more := {one for one, (parent, *_) in rows.items() if parent in family} - family:
        family |= more
    return {one: rows[one][2] for one in family - {pid} if rows[one][1] != pid}


def _send(processes: Mapping[int, str], number: int) -> None:
    """Send a signal to those that are still the same processes."""
    for pid, began in processes.items():
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19] == began:
                os.kill(pid, number)


def wait(children: Iterable[ChildProcess], seconds: float | None) -> None:
    """Return when one of the children has ended, or after some seconds (None: as long as it takes)."""
    family = list(children)
    until = None if seconds is None else time.monotonic() + seconds
    handles = [handle for child in family if (handle := child.handle()) is not None]
    if len(handles) == len(family) and family:
        select.select(handles, [], [], seconds)
        return
    while not any(child.poll() is not None for child in family):
        if until is not None and time.monotonic() >= until:
            return
        time.sleep(0.01)


def start(task: ChildTask, log: Path, fork: bool) -> ChildProcess:
    """Start a child that does the task, with what it prints added to a log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    return _fork(task, log) if fork else _spawn(task, log)


def _fork(task: ChildTask, log: Path) -> ChildProcess:
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    with warnings.catch_warnings():
        # Python 3.12 warns of threads: those that numerical libraries keep in reserve know how to be forked.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return ChildProcess(pid)
    code = LOST
    try:
        os.setsid()
        die_with(parent)
        _redirect(log)
        code = task()
    except BaseException:
        traceback.print_exc()
    finally:
        _leave(code)
    raise AssertionError("unreachable")


def _leave(code: int) -> None:
    """End without the parent's exit handlers."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def die_with(parent: int, last: int = KILL) -> None:
    """See that a step does not outlive the engine, also if that is killed, nor lose sight of what it starts.

    Parameters
    ----------
    last : the signal that it gets when its parent is gone.

    Notes
    -----
    prctl(2): PR_SET_PDEATHSIG; PR_SET_CHILD_SUBREAPER, for what its own children leave behind.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None)
        libc.prctl(1, last)
        libc.prctl(36, 1)
        if os.getppid() != parent:
            os._exit(LOST)


def _redirect(log: Path) -> None:
    """Send what the process prints to the log, also from C; and let it read nothing."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.dup2(nothing, 0)
    os.close(descriptor)
    os.close(nothing)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115


def _spawn(task: ChildTask, log: Path) -> ChildProcess:
    code = f"from {__name__} import spawned; spawned()"
    paths = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    with log.open("ab") as stream:
        popen = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=stream,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    assert popen.stdin is not None
    with popen.stdin as stdin:
        stdin.write(pickle.dumps((os.getpid(), task)))
    return ChildProcess(popen.pid, popen)


def spawned() -> None:
    """Do the task that the parent wrote to the standard input: the whole life of a fresh process."""
    parent, task = pickle.loads(sys.stdin.buffer.read())
    if os.name == "posix":
        die_with(parent)
    code = LOST
    try:
        code = task()
    except BaseException:
        traceback.print_exc()
    finally:
        _leave(code)
