"""The command line of a bundle: `python -m <package> run | step | check | notebook | alert | steps`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from .. import options
from ..errors import UserError
from ..execution import run as engine
from ..model.events import Progress, RunResult, StepEvent, StepStatus
from ..model.pipeline import INITIAL, Pipeline, order, with_limits
from ..step.initial import package_folder
from ..storage.store import Store, new_run
from .console import Stdout, event_as_json, print_event, print_log, print_row, sweep_table
from .hash_seed import restart_seeded
from .parameters import parse_parameters

OK, STEP_FAILED, WRONG_REQUEST = 0, 1, 2
"""Exit codes. The exit code of a run that a signal stopped is 128 plus the signal's number, as in shells."""


class StoppedError(BaseException):
    """The process was asked to end (SIGTERM)."""


def main(pipeline: Pipeline, argv: Sequence[str]) -> int:
    """Carry out a command line; return the exit code.

    Parameters
    ----------
    argv : the words after `python -m <package>`.
    """
    asked = _parser(pipeline).parse_args(argv)
    return _act(pipeline, asked) if getattr(asked, "alert", None) is None else _alerting(pipeline, asked)


def _act(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    try:
        _own_first(str(package_folder(pipeline).parent))
        verb: Callable[[Pipeline, argparse.Namespace], int] = asked.verb
        return verb(pipeline, asked)
    except UserError as fault:
        return _refuse(str(fault), asked)
    except (KeyboardInterrupt, StoppedError) as stop:
        _refuse("the run was stopped; what its steps made is kept: run again to go on from there", asked)
        return 128 + (signal.SIGINT if isinstance(stop, KeyboardInterrupt) else signal.SIGTERM)
    except OSError as fault:
        return _refuse(f"{fault}; is the store {asked.store!r} writable, with room on its disk?", asked)


def _alerting(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    """Run the command, and post an alert if it fails. An alert that cannot be delivered only gives a warning."""
    from .alert import address, alert

    asked.run = asked.run or new_run()
    try:
        address(asked.alert)  # checked before the run, not when the alert is due
    except UserError as fault:
        return _refuse(str(fault), asked)
    code = _act(pipeline, asked)
    if code not in (OK, 128 + signal.SIGINT):
        try:
            alert(pipeline, Store(asked.store), asked.run, asked.alert)
        except (UserError, OSError) as fault:
            sys.stderr.write(f"warning: {fault}\n")
    return code


def _own_first(home: str) -> None:
    """Give the bundle's modules precedence over those in the working directory, which `python -m` puts first."""
    here = sys.path[0]
    if home in sys.path[1:] and Path(here or ".").absolute() == Path.cwd() and here != home:
        sys.path.remove(here)
        sys.path.insert(sys.path.index(home) + 1, here)


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
    for flags, facts in options.OPTIONS.items():
        run.add_argument(*flags, **facts)
    step = verbs.add_parser("step", help="run one step of a run: a task of an orchestrator")
    step.set_defaults(verb=_step)
    step.add_argument("name", metavar="NAME")
    step.add_argument("--run", required=True, help="name of the run that the step belongs to")
    for flags in (("-p", "--parameter"), ("--data",), ("--timeout",), ("--cache-volatile",)):
        step.add_argument(*flags, **options.OPTIONS[flags])
    # Given by the coordinator of the run, which is on another machine.
    step.add_argument("--led", type=int, default=0, help=argparse.SUPPRESS)
    step.add_argument("--again", action="store_true", help=argparse.SUPPRESS)
    step.add_argument("--parent", type=int, default=None, help=argparse.SUPPRESS)
    check = verbs.add_parser("check", help="compare a run's outputs with the notebook's values")
    check.set_defaults(verb=_check)
    check.add_argument("--run", required=True)
    check.add_argument("--reference", metavar="RUN", help="compare with the outputs of this run instead")
    check.add_argument("--expected", type=Path, metavar="DIR", help="folder of expected.json (the bundle's own)")
    notebook = verbs.add_parser("notebook", help="run the notebook's cells in one process, to compare a run with")
    notebook.set_defaults(verb=_notebook)
    for flags in (("-p", "--parameter"), ("--data",), ("--run",), ("--timeout",)):
        notebook.add_argument(*flags, **options.OPTIONS[flags])
    alert = verbs.add_parser("alert", help="say to a web address what became of a run")
    alert.set_defaults(verb=_alert)
    alert.add_argument("--run", required=True)
    alert.add_argument("--to", required=True, metavar="NAME", help="the environment variable that holds the address")
    steps = verbs.add_parser("steps", help="list the steps")
    steps.set_defaults(verb=_steps)
    for verb in (run, step, check, notebook, alert):
        verb.add_argument("--store", required=True, help="where results are kept: a folder, or an fsspec address")
    for verb in (run, step, check, notebook, alert, steps):
        verb.add_argument("--json", action="store_true", help="print one JSON object, and nothing else, to stdout")
    return parser


def _run(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    run = asked.run = asked.run or new_run()
    options.check(asked)
    parameters = parse_parameters(pipeline, asked.parameter)
    pipeline = _with_options(pipeline, asked.retries, asked)
    start: str | None = vars(asked)["from"]  # `from` is a keyword of Python
    if asked.each:
        return _each(pipeline, asked, parameters, run, start)
    executor = {"engine": asked.engine or "local", "address": asked.address}
    with Stdout() as answer, _stoppable(), _telling(pipeline, answer, run, executor["engine"] == "local") as progress:
        result = engine.run(
            pipeline, asked.store, parameters, run, asked.data, asked.only, start, asked.jobs, progress, **executor
        )
    return _tell(result, asked, answer)


def _with_options(pipeline: Pipeline, retries: int | None, asked: argparse.Namespace) -> Pipeline:
    pipeline = with_limits(pipeline, retries, asked.timeout)
    return replace(pipeline, cache_volatile=bool(asked.cache_volatile))


def _each(pipeline: Pipeline, asked: argparse.Namespace, given: dict[str, object], run: str, start: str | None) -> int:
    from ..execution.sweep import parse_each, run_each

    each, executor = parse_each(pipeline, asked.each), asked.engine or "local"
    with Stdout() as answer, _stoppable():
        if executor == "local":
            restart_seeded(pipeline, answer, run)
        sweep = run_each(
            pipeline, asked.store, each, run, given, asked.data, asked.only, start, asked.jobs,
            lambda row: print_row(each[0], row), executor, asked.address,
        )  # fmt: skip
    if asked.json:
        facts = {"run": sweep.run, "status": sweep.status, "store": asked.store, "seconds": round(sweep.seconds, 6)}
        answer.write(json.dumps({**facts, "each": sweep.parameter, "runs": list(sweep.rows)}))
    else:
        answer.write(sweep_table(sweep.parameter, sweep.rows))
        answer.write(f"run {sweep.run} {sweep.status}: {asked.store}/{sweep.run}/each.json")
    return OK if sweep.status == "succeeded" else STEP_FAILED


def _step(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    parameters = parse_parameters(pipeline, asked.parameter)
    pipeline = _with_options(pipeline, None, asked)
    if asked.parent:
        from ..executors.child_process import die_with

        die_with(asked.parent, signal.SIGTERM)
    with Stdout() as answer, _stoppable(), _telling(pipeline, answer, asked.run) as progress:
        result = engine.run_step(
            pipeline,
            asked.store,
            asked.name,
            asked.run,
            parameters,
            asked.data,
            progress,
            led=asked.led,
            again=asked.again,
        )
        print_log(Store(asked.store), asked.run, asked.name)
    return _tell(result, asked, answer)


def _check(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    from ..verify.verification import NOTHING_EXPECTED, check

    os.environ.update(pipeline.environment)  # before a library takes its threads from it
    with Stdout() as answer:
        verdict = check(pipeline, Store(asked.store), asked.run, asked.expected, asked.reference)
    if asked.json:
        answer.write(json.dumps(verdict.facts()))
    else:
        for output in verdict.outputs:
            detail = f": {output.reason} (expected {output.expected}, got {output.actual})"
            answer.write(f"{output.name}: {output.status}{detail if output.status != 'identical' else ''}")
            if output.parting:
                where = f"parts first in step {output.parting.step!r} (variable {output.parting.variable!r})"
                answer.write(f"  {where}; {output.parting.cause}")
        answer.write(verdict.status if verdict.outputs else f"{verdict.status}: {NOTHING_EXPECTED}")
    return OK if verdict.status in ("identical", "close") else STEP_FAILED


def _notebook(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    from ..verify.notebook import as_one_step

    run = asked.run = asked.run or new_run()
    parameters = parse_parameters(pipeline, asked.parameter)
    cells = with_limits(as_one_step(pipeline), None, asked.timeout)
    with Stdout() as answer, _stoppable(), _telling(cells, answer, run) as progress:
        result = engine.run(cells, asked.store, parameters, run, asked.data, progress=progress)
    return _tell(result, asked, answer)


def _alert(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    from .alert import alert

    text = alert(pipeline, Store(asked.store), asked.run, asked.to)
    if asked.json:
        _print({"status": "sent", "text": text})
    else:
        sys.stdout.write(f"told: {text}\n")
    return OK


def _steps(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    steps = order(pipeline)
    if asked.json:
        facts = (
            {
                "name": s.name,
                "upstream": s.upstream,
                "makes": s.makes,
                "parameters": s.parameters,
                "volatile": s.volatile,
            }
            for s in steps
        )
        _print({"pipeline": pipeline.name, "steps": list(facts)})
        return OK
    for step in steps:
        taken = ", ".join(f"{name} from {maker}" if maker != INITIAL else name for name, maker in step.inputs.items())
        sys.stdout.write(f"{step.name}: {taken or 'nothing'} -> {', '.join(step.makes) or 'nothing'}\n")
        sys.stdout.writelines(f"  always runs: it {reason}\n" for reason in step.volatile)
    return OK


def _tell(result: RunResult, asked: argparse.Namespace, answer: Stdout) -> int:
    good = result.status == "succeeded"
    if asked.json:
        steps = [event_as_json(event) for event in result.steps]
        facts = {"run": result.run, "status": result.status, "store": asked.store, "seconds": round(result.seconds, 6)}
        answer.write(json.dumps({**facts, "steps": steps, "outputs": list(result.outputs)}))
    else:
        answer.write(f"run {result.run} {result.status}: {asked.store}/{result.run}/outputs/outputs.json")
    return OK if good else STEP_FAILED


def _print(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")


@contextmanager
def _stoppable() -> Iterator[None]:
    """Stop the run on SIGTERM as on Ctrl-C, and ignore any second signal while it is being stopped.

    Ctrl-C in a terminal reaches every process of a command, and the parent process may pass it on as well, perhaps
    late: so once stopped, this process ignores SIGINT and SIGTERM until it ends.
    """
    handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            raise KeyboardInterrupt if number == signal.SIGINT else StoppedError

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    for signum, handler in handlers.items():
        if handler is not signal.SIG_IGN:  # whoever started us in the background wants us to go on
            signal.signal(signum, stop)
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            if not stopped:
                signal.signal(signum, handler or signal.SIG_DFL)


@contextmanager
def _telling(pipeline: Pipeline, answer: Stdout, run: str, seeded: bool = True) -> Iterator[Progress]:
    """Lend a callback that prints step events; with `seeded`, it checks the hash seed before the first step begins.

    If the seed is wrong, the process starts anew (see `restart_seeded`); so earlier events are held back until then.
    """
    pending: list[StepEvent] = []
    checked = not seeded

    def flush() -> None:
        while pending:
            print_event(pending.pop(0))

    def progress(event: StepEvent) -> None:
        nonlocal checked
        if event.status is StepStatus.RUNNING and not checked:
            restart_seeded(pipeline, answer, run)
            checked = True
        pending.append(event)
        if checked:
            flush()

    try:
        yield progress
    finally:
        flush()
