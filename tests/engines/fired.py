"""Engines that stay: started as a person would, watched until their schedule has fired, stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.engines.demos import ENGINES, Demo

PATIENCE_SECONDS = 270


@contextmanager
def running(*command: str | Path, cwd: Path, **more: str) -> Iterator[Path]:
    """Run a program of the engines' environment with all that it starts; yield the file of what it says."""
    assert ENGINES.is_dir(), "the engines are not installed: run `make .venvs/engines/.locked`"
    kept = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")}
    env = {**kept, "PATH": f"{ENGINES}{os.pathsep}{os.environ['PATH']}", **more}
    log = cwd / f"{command[0]}-{command[1]}.log"
    with log.open("wb") as said:
        words = [str(ENGINES / command[0]), *map(str, command[1:])]
        process = subprocess.Popen(
            words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
        try:
            yield log
        finally:
            for number, seconds in ((signal.SIGINT, 20), (signal.SIGTERM, 10), (signal.SIGKILL, 5)):
                try:
                    os.killpg(process.pid, number)
                    process.wait(seconds)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue


def until(true: Callable[[], object], *logs: Path) -> None:
    """Wait until something holds; else fail with what the engine said."""
    for _ in range(PATIENCE_SECONDS * 2):
        if true():
            return
        time.sleep(0.5)
    raise AssertionError("\n".join(f"{log.name}:\n{log.read_text(errors='replace')[-3000:]}" for log in logs))


def delivered(store: Path, demo: Demo) -> bool:
    """Whether a run in the store has given the demo's values."""
    return any(values(index.parent) == demo.values for index in store.glob("*/outputs/outputs.json"))


def values(outputs: Path) -> Mapping[str, object]:
    """Return what a run has delivered up to now."""
    try:
        entries = json.loads((outputs / "outputs.json").read_text())["outputs"]
        return {entry["name"]: json.loads((outputs / entry["file"]).read_text()) for entry in entries}
    except (OSError, ValueError):  # it is being written
        return {}


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def listening(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
