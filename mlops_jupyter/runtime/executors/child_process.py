"""Child processes for steps: forked with their modules imported, or started fresh where forking is not safe."""

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
"""Exit code of a child that ended without writing its record (EX_SOFTWARE of sysexits.h)."""


KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
STOP = getattr(signal, "SIGSTOP", signal.SIGTERM)

STRAYS_SECONDS = 2.0
"""How long to try to kill processes that left the step's group; those of another user may not be killed."""


class ChildTask(Protocol):
    """The task of a child process. It writes its result to the store and can be pickled."""

    def __call__(self) -> int:
        """Perform the task; return the exit code."""


class ChildProcess:
    """A child process in a process group of its own. Its exit code is negative if a signal killed it."""

    def __init__(self, pid: int, popen: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._popen = popen
        self._code: int | None = None
        self._watch = _watch(pid)
        self._strays: dict[int, str] = {}

    def poll(self) -> int | None:
        """Return the exit code, or None while the child runs."""
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
        self._signal(KILL)  # kills what it left behind; until it is reaped, no other process has its number
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if self._popen is not None:
            self._popen.returncode = code
        return code

    def handle(self) -> int | None:
        """Return a file descriptor that becomes readable when the child ends; None if the system has none (pidfd)."""
        return self._watch

    def ask_to_leave(self) -> None:
        """Send SIGTERM to the child and to all processes that it started."""
        self._strays = _outside(self.pid)  # once the child is gone, they can no longer be found
        self._signal(signal.SIGTERM)
        _send(self._strays, signal.SIGTERM)

    def kill(self, grace: float = 0.0) -> None:
        """Kill the child and all processes that it started, after `grace` seconds; return when the child has ended."""
        until = time.monotonic() + grace
        while self.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        if self._code is None:
            self._signal(STOP)  # so that it starts no more processes
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
        except ProcessLookupError:  # it has no group of its own yet, or has ended
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _watch(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or an old kernel
        return None


def _outside(pid: int) -> dict[int, str]:
    """Return the descendants of a process that left its process group: process id -> start time in clock ticks.

    The start time tells a process from a later one with the same id. Descendants are found through /proc, which only
    Linux has; there a step adopts the orphans among its descendants (see `die_with`).
    """
    rows: dict[int, tuple[int, int, str]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, group, *rest = entry.read_text().rpartition(") ")[2].split()  # proc(5)
            if state != "Z":  # a zombie has ended
                rows[int(entry.parent.name)] = int(parent), int(group), rest[16]
    family = {pid}
    while more := {child for child, (parent, *_) in rows.items() if parent in family} - family:
        family |= more
    return {child: rows[child][2] for child in family - {pid} if rows[child][1] != pid}


def _send(processes: Mapping[int, str], number: int) -> None:
    """Send a signal to processes, given with their start times; skip a process id that another process has now."""
    for pid, began in processes.items():
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19] == began:
                os.kill(pid, number)


def wait(children: Iterable[ChildProcess], seconds: float | None) -> None:
    """Return when one of the children has ended, or after `seconds` (None for no limit)."""
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
    """Start a child process that performs a task and appends its output to a log; fork it or start it fresh."""
    log.parent.mkdir(parents=True, exist_ok=True)
    return _fork(task, log) if fork else _spawn(task, log)


def _fork(task: ChildTask, log: Path) -> ChildProcess:
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    with warnings.catch_warnings():
        # Python 3.12 warns of threads, but numerical libraries start theirs anew after a fork.
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
    """End this process without running the exit handlers that a fork inherited."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def die_with(parent: int, last: int = KILL) -> None:
    """Make this process end when its parent ends, even if that is killed, and adopt its orphaned descendants.

    Parameters
    ----------
    parent : process id of the parent.
    last : number of the signal that this process gets when its parent has ended.

    Notes
    -----
    On Linux alone, by prctl(2): PR_SET_PDEATHSIG, and PR_SET_CHILD_SUBREAPER for the orphans.
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
    """Send the output of this process to the log, also that of C code, and give it an empty standard input."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.dup2(empty, 0)
    os.close(descriptor)
    os.close(empty)
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
    """Perform the task that the parent process wrote to the standard input, then end this process."""
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
