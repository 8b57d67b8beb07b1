"""The plan: the target-neutral model of a pipeline. Every target renders from it, and none changes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mlops_jupyter.core.errors import NotFoundError
from mlops_jupyter.core.hidden_names import HIDDEN
from mlops_jupyter.runtime.model.pipeline import INITIAL

__all__ = [
    "INITIAL",
    "Environment",
    "ExpectedValue",
    "Parameter",
    "Plan",
    "PlanStep",
    "Resources",
    "ScheduleSpec",
]


@dataclass(frozen=True)
class Parameter:
    """A literal that a run may override.

    Attributes
    ----------
    name : a Python identifier.
    default : bool, int, float, str, None, or a list or dict of them.
    """

    name: str
    default: object


@dataclass(frozen=True)
class Resources:
    """The resources that a step requests from the executor. None means the executor's own default.

    Attributes
    ----------
    cpu : number of processors, which may be a fraction.
    memory_bytes : main memory, in bytes.
    gpu : number of whole devices.
    retries : number of attempts after the first, if that fails.
    backoff_seconds : pause before the first retry, in seconds; each later pause is twice as long.
    timeout_seconds : seconds after which an attempt is ended.
    """

    cpu: float | None = None
    memory_bytes: int | None = None
    gpu: int | None = None
    retries: int = 0
    backoff_seconds: float | None = None
    timeout_seconds: float | None = None

    def over(self, other: Resources) -> Resources:
        """Return these resources, with those of `other` where these are not set."""
        return Resources(**{**vars(other), **{name: value for name, value in vars(self).items() if value}})


@dataclass(frozen=True)
class PlanStep:
    """A named unit of the pipeline: a function with arguments in and values out.

    Attributes
    ----------
    name : a Python identifier, unique in the plan; also the module and function name.
    version : hash of the normalized source with the definitions it uses.
    module : text of `steps/<name>.py`, formatted.
    inputs : variable, also a hidden one -> step that made the value (`INITIAL` if none did).
    outputs : groups of variables that are stored together. The variables of one group share objects, whose identity is
        kept.
    parameters : names of the plan's parameters that the function takes as keyword arguments.
    imports : top-level module names that the step imports.
    cells : ids of the notebook's cells from which the step was made.
    executions : positions in the history of the executions from which the step was made.
    notes : what capture was not sure of, for people.
    resources : what the step requests from the executor.
    always : whether the step runs even if its result is cached, because its side effect is its purpose (registering,
        judging, logging).
    after : steps that must end before this one, beside those whose values it takes.
    volatile : what the step takes from outside and no cache key can hold (the clock, the network ...), for people. Such
        a step runs even if its result is cached.
    cache : whether its author wants it taken from the cache even so.
    """

    name: str
    version: str
    module: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[tuple[str, ...], ...] = ()
    parameters: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    executions: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    resources: Resources = Resources()
    always: bool = False
    after: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    cache: bool = False

    @property
    def upstream(self) -> tuple[str, ...]:
        """The names of the steps on which this one depends, each once, in order."""
        return tuple(dict.fromkeys([*(step for step in self.inputs.values() if step != INITIAL), *self.after]))

    @property
    def visible_inputs(self) -> tuple[str, ...]:
        """The arguments of the step's function: its inputs that are not hidden variables."""
        return tuple(name for name in self.inputs if not name.startswith(HIDDEN))


@dataclass(frozen=True)
class ScheduleSpec:
    """When a pipeline runs: by exactly one of `cron`, `every_seconds`, `data`, `after` and `drift`.

    Attributes
    ----------
    cron : five fields as crontab(5) has them (weekdays: 0 and 7 are Sunday), in a time zone.
    timezone : IANA name of the time zone; for `cron` only.
    catchup : whether ticks missed while the scheduler was down run, too, each on its own; for `cron` and
        `every_seconds`.
    start : ISO date from which `catchup` counts; required with it.
    every_seconds : interval from one start to the next, in seconds.
    data : a file or a pattern of files, local or any fsspec address: new data there triggers a run.
    after : the package of another pipeline: a successful run of it triggers a run.
    drift : name of a drift check: drift that it finds triggers a run.
    concurrency : how many runs may be active at once.
    """

    cron: str = ""
    timezone: str = "UTC"
    catchup: bool = False
    start: str = ""
    every_seconds: int = 0
    data: str = ""
    after: str = ""
    drift: str = ""
    concurrency: int = 1

    @property
    def shown(self) -> str:
        """A short text of the schedule, for people."""
        if self.cron:
            return f"{self.cron} ({self.timezone})"
        if self.every_seconds:
            return f"every {self.every_seconds} s"
        kinds = (("new data at", self.data), ("after", self.after), ("on drift of", self.drift))
        return next(f"{kind} {what}" for kind, what in kinds if what)


@dataclass(frozen=True)
class ExpectedValue:
    """The notebook's own value of a delivered output, against which a run is verified.

    Attributes
    ----------
    name : name of the variable.
    fingerprint : portable fingerprint (BLAKE2b); "" if the value has none.
    file : path of the saved value under `tests/expected/`; "" if it is too large for the bundle, or is in `json`.
    json : JSON text of a short plain value; "" for any other.
    format : codec of `file`.
    shown : a short text of the value, for people.
    """

    name: str
    fingerprint: str
    file: str = ""
    json: str = ""
    format: str = ""
    shown: str = ""


@dataclass(frozen=True)
class Environment:
    """The environment in which the steps run.

    Attributes
    ----------
    python : version of Python ("3.11").
    requirements : distributions that the steps import, pinned ("pandas==3.1.1").
    lock : text of requirements.lock: the requirements with all their dependencies.
    variables : environment variables set for every step.
    """

    python: str
    requirements: tuple[str, ...] = ()
    lock: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A whole pipeline: its steps in topological order, and all else that a bundle holds.

    Attributes
    ----------
    name : name of the pipeline, as the user wrote it.
    package : a Python identifier derived from the name.
    steps : the steps in topological order.
    parameters : literals that a run may override.
    outputs : delivered variable -> step that makes it.
    environment : the environment in which the steps run.
    schedule : when the pipeline runs; None if it has no schedule.
    expected : values against which a run is verified.
    files : path in the bundle -> bytes: initial states, data, expected values, the runtime.
    notes : what planning was not sure of, for people.
    secrets : names of environment variables that the steps read and that no file may hold: each target fills them from
        its own store of secrets.
    alert : that one of `secrets` which holds a web address to which `python -m <package> alert` reports a failed run;
        "" if none does.
    folder : where the notebook's folder stands in the tree of files that the steps see; see `runtime.model.pipeline`.
    """

    name: str
    package: str
    steps: tuple[PlanStep, ...]
    parameters: tuple[Parameter, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    environment: Environment = Environment(python="3.11")
    schedule: ScheduleSpec | None = None
    expected: tuple[ExpectedValue, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    alert: str = ""
    folder: str = ""

    def step(self, name: str) -> PlanStep:
        """Return the step of that name.

        Raises
        ------
        NotFoundError
            The pipeline has no such step; the message lists those that it has.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise NotFoundError(f"no step {name!r}: the pipeline has {', '.join(s.name for s in self.steps)}")

    def edges(self) -> Iterator[tuple[str, str]]:
        """Yield (upstream, downstream) pairs, each once."""
        for step in self.steps:
            for upstream in step.upstream:
                yield upstream, step.name
