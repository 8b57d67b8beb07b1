"""Runs one bundle in a process of its own, and returns how it ended."""

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mlops_jupyter.runtime.storage.atomic import private
from mlops_jupyter.services.schedule.bundle import Bundle
from mlops_jupyter.services.schedule.runner import process_tree

GRACE_SECONDS = 10.0
"""How long a run that is stopped may take to end by itself before it is killed."""

EXIT_SECONDS = 1.0
"""How long an ended process may take to give its exit code."""

TAIL_BYTES = 1 << 20
"""How much of the end of a run's output is looked at for its outcome."""


@dataclass(frozen=True)
class RunRequest:
    """What to run.

    Attributes
    ----------
    run : the run's id, which marks its processes and names it in the store.
    store : the folder that holds what runs of this bundle made.
    log : the file that gets what the bundle prints; an earlier try may have written there.
    timeout : seconds after which the run is ended; None lets it run.
    grace : seconds that a run which is stopped may take to end by itself.
    """

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
    """How a run ended.

    Attributes
    ----------
    exit_code : None where the bundle's process never started, or could not be ended.
    report : the JSON object that the bundle printed.
    reason : why the run did not succeed; empty if it did.
    left_running : pids of processes that could not be ended.
    """

    exit_code: int | None
    report: Mapping[str, Any]
    reason: str
    left_running: list[int] = field(default_factory=list)


def run_bundle(request: RunRequest, stopped: Callable[[], bool]) -> RunOutcome:
    """Run the bundle to its end, its timeout, or until `stopped()`; end all that it started."""
    request.log.parent.mkdir(parents=True, exist_ok=True)
    request.store.mkdir(parents=True, exist_ok=True)
    appended = open(request.log, "a+b", opener=private)  # noqa: SIM115 (Path.open has no opener)
    with appended as log, tempfile.TemporaryFile(dir=request.log.parent) as output:
        begin = log.seek(0, os.SEEK_END)
        log.write(f"$ {shlex.join(request.command)}\n".encode())
        log.flush()
        try:
            process = _start(request, output, log)
        except OSError as error:
            return RunOutcome(None, {}, f"could not start: {error}")
        try:
            reason = _wait(process, request, stopped)
        finally:
            left_running = process_tree.terminate(request.run, request.grace, process)
            code = _exit_code(process)
        report = _report(output)
        if not reason and code != 0:
            reason = _reported_error(report) or _last_words(log, begin, code)
        if reason and left_running:
            reason += f"; could not be ended: process {', '.join(map(str, left_running))}"
        output.seek(0)
        log.seek(0, os.SEEK_END)
        shutil.copyfileobj(output, log)
    return RunOutcome(code, report, reason, left_running)


def _exit_code(process: subprocess.Popen[bytes]) -> int | None:
    """Return the exit code of a process that has ended; None if it could not be ended."""
    try:
        return process.wait(EXIT_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _start(request: RunRequest, output: IO[bytes], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        request.command,
        cwd=request.bundle.folder,
        env=request.environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=log,
        start_new_session=True,  # Ctrl-C at the scheduler's terminal is for the scheduler
    )


def _wait(process: subprocess.Popen[bytes], request: RunRequest, stopped: Callable[[], bool]) -> str:
    """Wait for the end; return why it was cut short, or an empty text."""
    deadline = time.monotonic() + request.timeout if request.timeout else float("inf")
    while True:
        try:
            process.wait(timeout=0.1)
            return ""
        except subprocess.TimeoutExpired:
            if stopped():
                return "stopped: the scheduler was told to end"
            if time.monotonic() > deadline:
                return f"took longer than its timeout of {request.timeout:g} s"


def _report(output: IO[bytes]) -> dict[str, Any]:
    """Return the last JSON object that begins a line of the output; what a step printed may stand around it."""
    text = _tail(output)
    decoder = json.JSONDecoder()
    starts = [at for at in range(len(text)) if text[at] == "{" and (at == 0 or text[at - 1] == "\n")]
    for at in reversed(starts):
        try:
            report, _ = decoder.raw_decode(text, at)
        except ValueError:
            continue
        return dict(report)
    return {}


def _reported_error(report: Mapping[str, Any]) -> str:
    """Return the first error that a bundle's report names, in one line, or an empty text."""
    if report.get("error"):
        return str(report["error"])
    steps = report.get("steps")
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict) and isinstance(error := step.get("error"), dict):
            return f"step {step.get('step')!r}: {error.get('type')}: {error.get('message')}"
    return ""


def _last_words(log: IO[bytes], begin: int, code: int | None) -> str:
    """Return a run's exit code with the last line of its log: of a Python exception, its type and message."""
    if code is None:
        return "did not end"
    lines = [line.strip() for line in _tail(log, begin).splitlines()[1:] if line.strip()]
    how = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    return f"{how}: {lines[-1][:500]}" if lines else how


def _tail(stream: IO[bytes], begin: int = 0) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(begin, size - TAIL_BYTES))
    return stream.read().decode(errors="replace")
