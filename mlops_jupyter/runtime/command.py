"""The command line of a bundle: `python -m <package> run | step | check | steps`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from . import engine
from .events import Event, Progress, Result, Status
from .faults import Fault
from .given import parameters
from .pipeline import INITIAL, Pipeline, order
from .runs import Store, new_run
from .seed import restart_seeded
from .telling import Stdout, facts_of, show, show_log

OK, STEP_FAILED, WRONG_REQUEST = 0, 1, 2
"""Exit codes; a run that a signal stopped gives 128 and the signal's number, as shells do."""

JOBS = min(4, os.cpu_count() or 1)


class Stopped(BaseException):
    """The process was asked to end (SIGTERM)."""


def main(pipeline: Pipeline, argv: Sequence[str]) -> int:
    """Do what the words of a command line ask; return the exit code.

    Parameters
    ----------
    argv : what came after `python -m <package>`.
    """
    asked = _parser(pipeline).parse_args(argv)
    try:
        verb: Callable[[Pipeline, argparse.Namespace], int] = asked.verb
        return verb(pipeline, asked)
    except Fault as fault:
        return _refuse(str(fault), asked)
    except (KeyboardInterrupt, Stopped) as stop:
        _refuse("the run was stopped", asked)
        return 128 + (signal.SIGINT if isinstance(stop, KeyboardInterrupt) else signal.SIGTERM)
    except OSError as fault:
        return _refuse(f"{fault}; is the store {asked.store!r} writable, with room on its disk?", asked)


def _refuse(complaint: str, asked: argparse.Namespace) -> int:
    sys.stderr.write(f"error: {complaint}\n")
    if getattr(asked, "json", False):
        _print({"status": "failed", "error": complaint})
    return WRONG_REQUEST


def _parser(pipeline: Pipeline) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {pipeline.package}", description=f"The pipeline {pipeline.name}.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    run = verbs.add_parser("run", help="run the pipeline")
    run.set_defaults(verb=_run)
    run.add_argument("--run", help="name of the run (a new one if not given)")
    run.add_argument("--from", dest="start", metavar="STEP", help="run this step and those after it, cached or not")
    run.add_argument("--only", metavar="STEP", help="run just this step, on cached inputs")
    run.add_argument("--jobs", type=int, default=JOBS, help="how many steps may run at once (%(default)s)")
    step = verbs.add_parser("step", help="run one step of a run: a task of an orchestrator")
    step.set_defaults(verb=_step)
    step.add_argument("name", metavar="NAME")
    step.add_argument("--run", required=True, help="name of the run that the step belongs to")
    for verb in (run, step):
        verb.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE")
        verb.add_argument("--data", type=Path, metavar="DIR", help="folder that holds the data files")
    check = verbs.add_parser("check", help="compare a run's outputs with the notebook's values")
    check.set_defaults(verb=_check)
    check.add_argument("--run", required=True)
    check.add_argument("--expected", type=Path, metavar="DIR", help="folder of expected.json (the bundle's own)")
    steps = verbs.add_parser("steps", help="list the steps")
    steps.set_defaults(verb=_steps)
    for verb in (run, step, check):
        verb.add_argument("--store", required=True, help="where results are kept: a folder, or an fsspec address")
    for verb in (run, step, check, steps):
        verb.add_argument("--json", action="store_true", help="print one JSON object, and nothing else, to stdout")
    return parser


def _run(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    given = parameters(pipeline, asked.parameter)
    run = asked.run or new_run()
    with Stdout() as answer, _stoppable():
        told = _progress(pipeline, answer, run)
        result = engine.run(pipeline, asked.store, given, run, asked.data, asked.only, asked.start, asked.jobs, told)
    return _tell(result, asked, answer)


def _step(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    given = parameters(pipeline, asked.parameter)
    with Stdout() as answer, _stoppable():
        told = _progress(pipeline, answer, asked.run)
        result = engine.run_step(pipeline, asked.store, asked.name, asked.run, given, asked.data, told)
        show_log(Store(asked.store), asked.run, asked.name)
    return _tell(result, asked, answer)


def _check(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    from .checking import check

    with Stdout() as answer:
        verdict = check(pipeline, Store(asked.store), asked.run, asked.expected)
    if asked.json:
        answer.write(json.dumps(verdict.facts()))
    else:
        for one in verdict.outputs:
            detail = "" if one.status == "identical" else f": {one.reason} (expected {one.expected}, got {one.actual})"
            answer.write(f"{one.name}: {one.status}{detail}")
        if verdict.parted:
            answer.write("values part first in step {!r}, variable {!r}".format(*verdict.parted))
        answer.write(verdict.status)
    return OK if verdict.status in ("identical", "close") else STEP_FAILED


def _steps(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    steps = order(pipeline)
    if asked.json:
        facts = ({"name": s.name, "upstream": s.upstream, "makes": s.makes, "parameters": s.parameters} for s in steps)
        _print({"pipeline": pipeline.name, "steps": list(facts)})
        return OK
    for step in steps:
        taken = ", ".join(f"{name} from {maker}" if maker != INITIAL else name for name, maker in step.inputs.items())
        sys.stdout.write(f"{step.name}: {taken or 'nothing'} -> {', '.join(step.makes) or 'nothing'}\n")
    return OK


def _tell(result: Result, asked: argparse.Namespace, answer: Stdout) -> int:
    good = result.status == "succeeded"
    if asked.json:
        steps = [facts_of(event) for event in result.steps]
        facts = {"run": result.run, "status": result.status, "store": asked.store, "seconds": round(result.seconds, 6)}
        answer.write(json.dumps({**facts, "steps": steps, "outputs": list(result.outputs)}))
    else:
        answer.write(f"run {result.run} {result.status}: {asked.store}/{result.run}/outputs/outputs.json")
    return OK if good else STEP_FAILED


def _print(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")


@contextmanager
def _stoppable() -> Iterator[None]:
    """See that SIGTERM stops a run as Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # only the main thread may
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _progress(pipeline: Pipeline, answer: Stdout, run: str) -> Progress:
    """Return what shows progress; before the first step begins it sees that text is hashed with the right seed."""

    def told(event: Event) -> None:
        if event.status is Status.RUNNING:
            restart_seeded(pipeline, answer, run)
        show(event)

    return told
