"""What happens in a step's own process: state set, function called, values kept."""

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
from ..storage.store import Artifact, Facts, Store
from . import display
from .environment import StepEnvironment, reseed
from .initial import package_folder
from .outputs import StepOutputs
from .workdir import working_directory


@dataclass(frozen=True)
class Job:
    """One attempt at one step, as a task for a child process.

    Attributes
    ----------
    store : address; every process opens its own.
    inputs : variable -> artifact that holds it; what was there before the first step is not in it.
    work : the run's working directory (a temporary one if the store is not on this machine).
    tracking : file that `tracking` writes.
    again : it is to run even if a cache knows what it makes.
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
        """Run the step; write its record; return 0, or `FAILED`."""
        store = Store(self.store)
        try:
            entry = self._perform(store)
        except BaseException as fault:
            self._report(fault)
            store.set_step(self.run, {**self._facts("failed"), "outputs": [], "error": self._error(fault)})
            return FAILED
        store.remember(self.key, entry)
        store.set_step(self.run, {**self._facts("done"), **entry, "error": None})
        if entry["delivered"]:
            store.index(self.run)
        return 0

    def _perform(self, store: Store) -> Facts:
        folder = working_directory(self.pipeline, self.step, self.work)
        around = StepEnvironment(self, store, folder)
        around.lay_files()
        around.settle()
        around.set(early=True)
        function = self._function()
        reseed(self.step)
        around.set(early=False)
        arguments = {**self._values(store), **{name: self.parameters[name] for name in self.step.parameters}}
        display.begin()
        with self._tracked():
            values = self._named(_awaited(function(**arguments)))
        keeper = StepOutputs(store, self.run, self.pipeline, self.step)
        kept = keeper.keep(values)
        return {
            **kept,
            "tracking": keeper.keep_tracking(self.tracking),
            "displays": keeper.keep_displays(display.shown()),
        }

    def _function(self) -> Callable[..., Any]:
        module, _, name = self.step.function.partition(":")
        importlib.invalidate_caches()  # modules may have been laid into the working directory a moment ago
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return found

    def _values(self, store: Store) -> dict[str, Any]:
        """Load the arguments; an artifact that holds several is loaded once, so that they share what they shared."""
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
        """Let what the step logs be kept. The room for it is in the bundle only if a step logs."""
        tracking = _sibling("tracking")
        if tracking is None:
            yield
            return
        tracking.begin(self.tracking, self.pipeline.name, self.run, self.step.name)
        try:
            yield
        except BaseException:
            with contextlib.suppress(Exception):  # the step's own fault is the one to tell of
                tracking.finish(failed=True)
            raise
        tracking.finish()

    def _facts(self, status: str) -> Facts:
        now = time.time()
        return {
            "step": self.step.name,
            "version": self.step.version,
            "key": self.key,
            "status": status,
            "started": self.started,
            "seconds": round(now - self.started, 6),
            "attempt": self.attempt,
        }

    def _report(self, fault: BaseException) -> None:
        """Print the whole story to the log."""
        sys.stderr.write(
            f"{type(fault).__name__}: {fault}\n" if isinstance(fault, PipelineError) else traceback.format_exc()
        )

    def _error(self, fault: BaseException) -> Facts:
        story = "" if isinstance(fault, PipelineError) else trimmed(fault, package_folder(self.pipeline), self.work)
        return {"type": type(fault).__name__, "message": str(fault), "traceback": story}


def _awaited(result: Any) -> Any:
    """Return what a step gave; a step with `await` in it gives it in an event loop of its own."""
    if not inspect.iscoroutine(result):
        return result
    import asyncio

    return asyncio.run(result)


def _sibling(name: str) -> Any:
    """Import a module of the runtime if this bundle carries it."""
    full = f"{__package__.rpartition('.')[0]}.{name}"
    module: ModuleType | None = importlib.import_module(full) if importlib.util.find_spec(full) else None
    return module


def trimmed(fault: BaseException, package: Path, work: Path) -> str:
    """Return a fault's traceback with only the lines of the pipeline's own code, paths relative to its package."""
    runtime = Path(__file__).parent
    shown = []
    for frame in traceback.extract_tb(fault.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(work) or (path.is_relative_to(package) and not path.is_relative_to(runtime)):
            frame.filename = os.path.relpath(path, work if path.is_relative_to(work) else package.parent)
            shown.append(frame)
    return "".join([*traceback.format_list(shown), *traceback.format_exception_only(fault)])
