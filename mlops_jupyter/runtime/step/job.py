"""Run a step in its own process: restore its environment, call its function, store its outputs."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import PipelineError
from ..model.events import FAILED
from ..model.pipeline import Pipeline, Step
from ..secret_values import KnownSecrets, printed_masked
from ..storage.store import Artifact, Facts, Store
from . import display
from .environment import StepEnvironment, reseed
from .initial import package_folder
from .mutation_check import MutationCheck
from .outputs import StepOutputs
from .outside_access import OutsideAccess
from .workdir import working_directory


@dataclass(frozen=True)
class Job:
    """One attempt at one step, as a task for a child process.

    Attributes
    ----------
    store : address of the store, which every process opens anew.
    run : id of the run.
    key : cache key of the step.
    parameters : values of all the pipeline's parameters.
    inputs : variable -> artifact that holds it, without initial values.
    data : folder of data files that is searched before the bundle's own, or None.
    work : the run's working directory (a temporary one if the store is not on this machine).
    tracking : file for what the step logs.
    attempt : number of the attempt, from 1.
    again : whether the step runs even if it is cached.
    started : seconds since the epoch.
    """

    pipeline: Pipeline
    step: Step
    store: str
    run: str
    key: str
    parameters: Mapping[str, object]
    inputs: Mapping[str, Artifact]
    data: Path | None
    work: Path
    tracking: Path
    attempt: int = 1
    again: bool = False
    started: float = field(default_factory=time.time)

    def __call__(self) -> int:
        """Run the step and write its record; return 0, or `FAILED`."""
        store = Store(self.store)
        secrets = KnownSecrets.of_environment(self.pipeline.secrets)
        with printed_masked(secrets):
            try:
                entry = self._perform(store, secrets)
            except BaseException as fault:
                self._report(fault)
                store.set_step(self.run, {**self._facts("failed"), "outputs": [], "error": self._error(fault, secrets)})
                return FAILED
        store.remember(self.key, entry)
        store.set_step(self.run, {**self._facts("done"), **entry, "error": None})
        if entry["delivered"]:
            store.index(self.run)
        return 0

    def _perform(self, store: Store, secrets: KnownSecrets) -> Facts:
        folder = working_directory(self.pipeline, self.step, self.work)
        environment = StepEnvironment(self, store, folder)
        environment.lay_files()
        environment.settle()
        environment.set(early=True)
        function = self._function()
        arguments = {**self._values(store), **{name: self.parameters[name] for name in self.step.parameters}}
        check = MutationCheck(self.pipeline, self.step)
        check.begin(arguments)
        reseed(self.step)  # from here on, nothing but the function may draw: loading a generator does
        environment.set(early=False)
        check.watch()
        own = (folder, self.work, self.tracking.parent, package_folder(self.pipeline).parent)
        outside = OutsideAccess(*own, *filter(None, [store.folder]))
        outside.begin()
        display.begin()
        with self._tracked():
            values = self._named(_awaited(function(**arguments)))
        seen = outside.end()
        check.end(arguments)
        outputs = StepOutputs(store, self.run, self.pipeline, self.step, secrets)
        entry = outputs.keep(values)
        return {
            **entry,
            **seen,
            "tracking": outputs.keep_tracking(self.tracking),
            "displays": outputs.keep_displays(display.shown()),
        }

    def _function(self) -> Callable[..., Any]:
        module, _, name = self.step.function.partition(":")
        importlib.invalidate_caches()  # modules may just have been put into the working directory
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return function

    def _values(self, store: Store) -> dict[str, Any]:
        """Load the arguments. An artifact of several variables is loaded once, so that they still share objects."""
        from ..codecs import load_exact

        needed = {name: self.inputs[name] for name in self.step.arguments}
        loaded = {key: load_exact(store.get(key)) for key in {artifact.digest for artifact in needed.values()}}
        return {name: loaded[artifact.digest][name] for name, artifact in needed.items()}

    def _named(self, result: Any) -> dict[str, Any]:
        names = self.step.returns
        if len(names) == 1:
            return {names[0]: result}
        values = result if isinstance(result, tuple) else (() if result is None else (result,))
        if names and len(values) != len(names):
            raise PipelineError(
                f"step {self.step.name!r} returned {len(values)} values where it says that it makes {', '.join(names)}"
            )
        return dict(zip(names, values, strict=False))

    @contextlib.contextmanager
    def _tracked(self) -> Iterator[None]:
        """Write what the step logs to the tracking file. The bundle has `runtime.tracking` only if a step logs."""
        tracking = _sibling("tracking")
        if tracking is None:
            yield
            return
        tracking.begin(self.tracking, self.pipeline.name, self.run, self.step.name)
        try:
            yield
        except BaseException:
            with contextlib.suppress(Exception):  # the step's own error is the one to report
                tracking.finish(failed=True)
            raise
        tracking.finish()

    def _facts(self, status: str) -> Facts:
        seconds = time.time() - self.started
        return {
            "step": self.step.name,
            "version": self.step.version,
            "key": self.key,
            "status": status,
            "started": self.started,
            "seconds": round(seconds, 6),
            "attempt": self.attempt,
        }

    def _report(self, fault: BaseException) -> None:
        """Print an error with its whole traceback to the log; of a `PipelineError`, its line alone."""
        sys.stderr.write(
            f"{type(fault).__name__}: {fault}\n" if isinstance(fault, PipelineError) else traceback.format_exc()
        )

    def _error(self, fault: BaseException, secrets: KnownSecrets) -> Facts:
        trace = "" if isinstance(fault, PipelineError) else trimmed(fault, package_folder(self.pipeline), self.work)
        message = secrets.masked(f"{fault}{self._searched(fault)}")
        return {"type": type(fault).__name__, "message": message, "traceback": secrets.masked(trace)}

    def _searched(self, fault: BaseException) -> str:
        """Return where files were looked for, if one that other parameters may name is missing."""
        given = [n for n, default in self.pipeline.parameters.items() if self.parameters[n] != default]
        if not given or not isinstance(fault, FileNotFoundError):
            return ""
        places = [*([f"{str(self.data)!r} (--data)"] if self.data else []), "the bundle", "the folder of the command"]
        return f" (a file that a parameter names is looked for in {', '.join(places[:-1])} and {places[-1]})"


def _awaited(result: Any) -> Any:
    """Return a step's result; a coroutine, of a step that contains `await`, is run in a new event loop."""
    if not inspect.iscoroutine(result):
        return result
    import asyncio

    return asyncio.run(result)


def _sibling(name: str) -> Any:
    """Return a module of the runtime, or None if this bundle does not contain it."""
    full = f"{__package__.rpartition('.')[0]}.{name}"
    module: ModuleType | None = importlib.import_module(full) if importlib.util.find_spec(full) else None
    return module


def trimmed(fault: BaseException, package: Path, work: Path) -> str:
    """Return an error's traceback with the frames of the pipeline's own code alone, and paths relative to it."""
    runtime = Path(__file__).parents[1]
    frames = []
    for frame in traceback.extract_tb(fault.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(work) or (path.is_relative_to(package) and not path.is_relative_to(runtime)):
            frame.filename = os.path.relpath(path, work if path.is_relative_to(work) else package.parent)
            frames.append(frame)
    return "".join([*traceback.format_list(frames), *traceback.format_exception_only(fault)])
