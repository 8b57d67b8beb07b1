"""Restore the environment that a step had in the notebook: files, environment variables, hidden variables."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..hidden import registry
from ..hidden.names import EARLY, FILE, HIDDEN, NUMPY_RANDOM
from ..model.pipeline import INITIAL, Step
from ..storage.store import Store
from .initial import Initial
from .module_places import lay_modules
from .workdir import GONE, copy_on_write, lay_files

if TYPE_CHECKING:
    from .job import Job


KERNEL = "ipykernel_launcher.py"
"""The program's name in a Jupyter kernel, by which `argparse` calls it."""


class StepEnvironment:
    """Restores the hidden inputs of one step in its process."""

    def __init__(self, job: Job, store: Store, folder: Path) -> None:
        self._job = job
        self._store = store
        self._folder = folder
        self._initial = Initial(job.pipeline, job.data)

    def lay_files(self) -> None:
        """Put the step's input files into its working directory."""
        module = self._job.step.function.partition(":")[0]
        spec = importlib.util.find_spec(module)
        source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
        copy_on_write(lay_files(self._job.step, self._folder, self._initial.file, self._made, source))
        lay_modules(self._initial.folder.parent, self._folder)

    def _made(self, path: str) -> bytes | None:
        artifact = self._job.inputs[FILE + path]
        return None if artifact.format == GONE else self._store.get(artifact.digest)

    def settle(self) -> None:
        """Change to the working directory, make it the home of relative paths, set the pipeline's environment.

        Code that parses a command line finds none of the run's options, and the program's name that it has in a kernel.
        """
        sys.argv = [KERNEL]
        os.chdir(self._folder)
        os.environ.update(self._job.pipeline.environment)
        registry.set_home(self._folder)

    def set(self, early: bool) -> None:
        """Set the hidden variables that the import of the step's module may need (`early`), or the others."""
        names = [name for name in self._job.step.inputs if name.startswith(HIDDEN) and not name.startswith(FILE)]
        rank = {name: place for place, name in enumerate(registry.FAMILIES)}
        for name in sorted(names, key=lambda name: rank.get(name, -1)):
            if name.startswith(EARLY) == early:
                self._set(name)

    def _set(self, name: str) -> None:
        if self._job.step.inputs[name] != INITIAL:
            registry.write(name, json.loads(self._store.get(self._job.inputs[name].digest)))
        elif self._initial.has(name):
            registry.write(name, self._initial.value(name))


def reseed(step: Step) -> None:
    """Seed numpy's global generator anew, unless it is an input: forked children would draw the same numbers."""
    if "numpy.random" in sys.modules and NUMPY_RANDOM not in step.inputs:
        sys.modules["numpy.random"].seed()
