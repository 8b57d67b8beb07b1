"""Which steps a run of the pipeline, started now, would take from the cache.

The answer comes from the run's own lookup: the same cache key, in the same store, with the default parameters. Nothing
is written and no process is started. Two things can still part the answer from the run: an artifact whose bytes were
damaged in the store (its length is looked at, not its content), and a bundle that a person edited, over which
`%pipeline run` refuses to export.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from mlops_jupyter.analysis.graph import build
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.hidden_names import ENVIRON, FILE, HIDDEN
from mlops_jupyter.core.plan import Plan, PlanStep
from mlops_jupyter.runtime.execution.cache_lookup import CacheLookup
from mlops_jupyter.runtime.hashing import MODULE_VERSION, content_digest, file_digest, module_version
from mlops_jupyter.runtime.hidden.registry import initial_file, read
from mlops_jupyter.runtime.model.events import ExecutionRequest
from mlops_jupyter.runtime.model.package_versions import versions
from mlops_jupyter.runtime.model.pipeline import INITIAL, cache_key
from mlops_jupyter.runtime.model.source_digest import SourceDigests, code_files, with_edits
from mlops_jupyter.runtime.step.initial import environment_digest, value_digest
from mlops_jupyter.runtime.storage.store import Artifact, Store
from mlops_jupyter.services.export.bundle import manifest
from mlops_jupyter.services.export.bundle.create import MARK
from mlops_jupyter.services.export.render import as_pipeline, step_files
from mlops_jupyter.services.pipeline.planner import PlanRequest, plan
from mlops_jupyter.services.pipeline.ports import Magics, Recording
from mlops_jupyter.services.pipeline.query.step_states import Reruns, StepState, StepView
from mlops_jupyter.services.pipeline.select.cell_identity import in_file


def step_states(
    recording: Recording, request: PlanRequest, magics: Magics, bundle: Path, store: Path
) -> list[StepView]:
    """Return the steps that an export made now would have, each with its state.

    Parameters
    ----------
    request : as `%pipeline run` asks for the export.
    bundle, store : the folders that `%pipeline run` writes the bundle to and keeps results in.
    """
    planned = plan(recording, request, magics)
    cached = cached_steps(planned, bundle, store)
    reruns = Reruns(build(recording.history), in_file(recording.history, recording.cells))
    return [_view(step, reruns, cached) for step in planned.steps]


def _view(step: PlanStep, reruns: Reruns, cached: set[str]) -> StepView:
    state = StepState.CACHED if step.name in cached else StepState.FRESH
    if reruns.outdate(step.executions):
        state = StepState.STALE
    return StepView(
        name=step.name,
        version=step.version[:12],
        state=state,
        inputs=step.visible_inputs,
        outputs=tuple(name for names in step.outputs for name in names if not name.startswith(HIDDEN)),
        volatile=() if step.cache else step.volatile,
    )


def cached_steps(planned: Plan, bundle: Path, store: Path) -> set[str]:
    """Return the names of the steps that a run would take from the cache.

    A step after one that has to run counts as not cached: what it will take is not known yet.
    """
    try:
        pipeline = with_edits(as_pipeline(planned), _sources(planned, bundle))
        first_digest = _FirstValues(planned).digest
        request = ExecutionRequest(pipeline, pipeline.parameters)
        cache = CacheLookup(Store(store), "", pipeline)
        return _walk(request, cache, first_digest, _package_versions(planned))
    except (UserError, FileNotFoundError):
        return set()  # no run would begin: the bundle's folder cannot be written, or a data file is gone


def _walk(
    request: ExecutionRequest,
    cache: CacheLookup,
    first_digest: Callable[[str], str],
    package_versions: Callable[[tuple[str, ...]], Mapping[str, str]],
) -> set[str]:
    """Look up each step in order, with the artifacts that the steps before it have in the cache."""
    pipeline, forced = request.pipeline, request.forced()
    artifacts: dict[str, tuple[Artifact, ...]] = {}
    for step in request.scope():
        known = all(maker == INITIAL or maker in artifacts for maker in step.inputs.values())
        if step.name in forced or not known:
            continue
        inputs = {
            name: first_digest(name) if maker == INITIAL else _artifact(artifacts[maker], name).digest
            for name, maker in step.inputs.items()
        }
        key = cache_key(step, inputs, pipeline.parameters, package_versions(step.packages), pipeline.environment)
        entry = cache.look_up(step, key)
        if entry is not None:
            artifacts[step.name] = tuple(map(Artifact.of, entry["outputs"]))
    return set(artifacts)


def _artifact(artifacts: tuple[Artifact, ...], name: str) -> Artifact:
    return next(artifact for artifact in artifacts if name in artifact.names)


def _sources(planned: Plan, bundle: Path) -> SourceDigests:
    """Return the digests of the package's code as the export before a run leaves it, a person's own files included."""
    files = step_files(planned)
    folder = bundle / "src" / planned.package
    written = manifest.read(bundle).files if (bundle / MARK).is_file() else {}
    own = {path for path in code_files(folder) if f"src/{planned.package}/{path}" not in written} - files.keys()
    return SourceDigests(
        planned.package, [*files, *own], lambda path: files[path] if path in files else (folder / path).read_bytes()
    )


class _FirstValues:
    """The first values of hidden variables, and the data files, that a plan carries. Reads; never changes."""

    def __init__(self, planned: Plan) -> None:
        self._files = planned.files
        self._folder = f"src/{planned.package}/initial"
        self._place = planned.folder
        self._secrets = planned.secrets
        self._outside = json.loads(self._files.get(f"{self._folder}/files.json", b"{}"))

    def digest(self, name: str) -> str:
        """Return the digest of a first value that `runtime.step.initial.Initial` gives in the bundle.

        Raises
        ------
        FileNotFoundError
            A data file is gone.
        """
        data = self._files.get(f"{self._folder}/{initial_file(name, self._place)}")
        if not name.startswith(FILE):
            value = None if data is None else json.loads(data)
            if name.startswith(ENVIRON):
                variable = name.removeprefix(ENVIRON)
                return environment_digest(variable, read(name) if data is None else value, self._secrets)
            return value_digest(value)
        if data is not None:
            return content_digest(data)
        path = name.removeprefix(FILE)
        if path not in self._outside:
            raise FileNotFoundError(path)
        known = self._outside[path]
        return str(known["digest"]) if "digest" in known else file_digest(Path(known["at"]))


def _package_versions(planned: Plan) -> Callable[[tuple[str, ...]], dict[str, str]]:
    """Return a function from modules to their versions; a module that the bundle carries is versioned by its source."""
    carried = {path.removeprefix("src/"): data for path, data in planned.files.items() if path.startswith("src/")}

    def version(module: str, installed: str) -> str:
        if installed != "missing" and not installed.startswith(MODULE_VERSION):
            return installed
        if f"{module}/__init__.py" in carried:
            paths = (path for path in carried if path.startswith(f"{module}/") and path.endswith(".py"))
            return module_version(carried[path] for path in sorted(paths, key=PurePosixPath))
        return module_version([carried[f"{module}.py"]]) if f"{module}.py" in carried else installed

    def package_versions(modules: tuple[str, ...]) -> dict[str, str]:
        return {module: version(module, installed) for module, installed in versions(modules).items()}

    return package_versions
