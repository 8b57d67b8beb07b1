"""Runs one bundle in a process of its own, and says how it ended."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mlops_jupyter.services.schedule.bundle import Bundle
from mlops_jupyter.services.schedule.runner import process_tree

GRACE_SECONDS = 10.0
"""How long a run that is stopped may take to end by itself before it is killed."""

TAIL_BYTES = 1 << 20
"""How much of the end of a run's output is looked at for its outcome."""


@dataclass(frozen=True)
class RunRequest:
    """What to run. `run` marks the processes and names the run in the store; `timeout` is in seconds."""

    run: str
    bundle: Bundle
    store: Path
    parameters: Mapping[str, str]
    data: Path | None
    log: Path
    tracking_uri: str
    timeout: float | None = None
    grace: float = GRACE_SECONDS

    @property
    def command(self) -> list[str]:
        """The bundle's own command line."""
        line = [
            sys.executable,
            "-m",
            self.bundle.package,
            "run",
            "--store",
            str(self.store),
            "--run",
            self.run,
            "--json",
        ]
        for name, value in self.parameters.items():
            line += ["-p", f"{name}={value}"]
        return [*line, "--data", str(self.data)] if self.data else line

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, with the bundle's code as the only addition to Python's path."""
        return {
            **os.environ,
            "PYTHONPATH": str(self.bundle.folder / "src"),
            "PYTHONUNBUFFERED": "1",  # the log can be followed
            "MLFLOW_TRACKING_URI": self.tracking_uri,
            process_tree.MARK: self.run,
        }


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended: `exit_code` is None where it never started, `printed` is its own report, `reason` is ours."""

    exit_code: int | None
    printed: Mapping[str, Any]
    reason: str


def perform(order: RunRequest, stopped: Callable[[], bool]) -> RunOutcome:
    """Run the bundle to its end, its timeout, or until `stopped()`; nothing of it is left running after."""
    order.log.parent.mkdir(parents=True, exist_ok=True)
    order.store.mkdir(parents=True, exist_ok=True)
    with order.log.open("a+b") as log, tempfile.TemporaryFile(dir=order.log.parent) as said:
        begin = log.seek(0, os.SEEK_END)  # an earlier try may have written here
        log.write(f"$ {shlex.join(order.command)}\n".encode())
        log.flush()
        try:
            process = _start(order, said, log)
        except OSError as fault:
            return RunOutcome(None, {}, f"could not start: {fault}")
        try:
            reason = _wait(process, order, stopped)
        finally:
            process_tree.terminate(order.run, order.grace)
            code = process.wait()
        printed = _report(said)
        reason = reason or ("" if code == 0 else _why(printed) or _last_words(log, begin, code))
        said.seek(0)
        log.seek(0, os.SEEK_END)
        shutil.copyfileobj(said, log)
    return RunOutcome(code, printed, reason)


def _start(order: RunRequest, said: IO[bytes], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        order.command,
        cwd=order.bundle.folder,
        env=order.environment,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=log,
        start_new_session=True,  # Ctrl-C at the scheduler's terminal is for the scheduler
    )


def _wait(process: subprocess.Popen[bytes], order: RunRequest, stopped: Callable[[], bool]) -> str:
    """Wait for the end; return why it was cut short, or an empty text."""
    deadline = time.monotonic() + order.timeout if order.timeout else float("inf")
    while True:
        try:
            process.wait(timeout=0.1)
            return ""
        except subprocess.TimeoutExpired:
            if stopped():
                return "stopped: the scheduler was told to end"
            if time.monotonic() > deadline:
                return f"took longer than its timeout of {order.timeout:g} s"


def _report(said: IO[bytes]) -> dict[str, Any]:
    """Return the last JSON object that begins a line of the output; what a step printed may stand around it."""
    text = _tail(said)
    decoder = json.JSONDecoder()
    starts = [at for at in range(len(text)) if text[at] == "{" and (at == 0 or text[at - 1] == "\n")]
    for at in reversed(starts):
        try:
            found, _ = decoder.raw_decode(text, at)
        except ValueError:
            continue
        return dict(found)
    return {}


def _why(printed: Mapping[str, Any]) -> str:
    """Return the first fault that a bundle's report names, in one line, or an empty text."""
    if printed.get("error"):
        return str(printed["error"])
    steps = printed.get("steps")
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict) and isinstance(fault := step.get("error"), dict):
            return f"step {step.get('step')!r}: {fault.get('type')}: {fault.get('message')}"
    return ""


def _last_words(log: IO[bytes], begin: int, code: int) -> str:
    """Return a run's exit code with the last line of its log: of a Python fault, its type and message."""
    lines = [line.strip() for line in _tail(log, begin).splitlines()[1:] if line.strip()]
    how = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    return f"{how}: {lines[-1][:500]}" if lines else how


def _tail(stream: IO[bytes], begin: int = 0) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(begin, size - TAIL_BYTES))
    return stream.read().decode(errors="replace")
