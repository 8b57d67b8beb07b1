"""The plan: the neutral model of a pipeline. Every target renders from it, none changes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mlops_jupyter.core.errors import NotFoundError

INITIAL = ""
"""The step name of a value that was there before the first step ran."""

HIDDEN = "~"
"""First character of hidden variables: random states, environment, options, files."""


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
    """What a step asks of the system that runs it. None means: that system's own default.

    Attributes
    ----------
    cpu : processors, also parts of one.
    memory_bytes : main memory.
    gpu : whole devices.
    retries : how often it is tried again where it failed.
    backoff_seconds : pause before the first retry; each later one is twice as long.
    timeout_seconds : after which a try is ended.
    """

    cpu: float | None = None
    memory_bytes: int | None = None
    gpu: int | None = None
    retries: int = 0
    backoff_seconds: float | None = None
    timeout_seconds: float | None = None

    def over(self, other: Resources) -> Resources:
        """Return these wishes, and another's where these say nothing."""
        return Resources(**{**vars(other), **{name: value for name, value in vars(self).items() if value}})


@dataclass(frozen=True)
class PlanStep:
    """A named unit of the pipeline: a function with arguments in and values out.

    Attributes
    ----------
    name : a Python identifier, unique in the plan; also the module and function name.
    version : hash of the normalised source with the definitions it uses.
    module : text of `steps/<name>.py`, formatted.
    inputs : variable -> step that made the value (`INITIAL` if none did). Hidden variables too.
    outputs : groups of variables that cross together. A group of several shares objects and keeps their identity.
    parameters : names of the plan's parameters that the function takes as keyword arguments.
    imports : top-level module names that the step imports.
    cells : ids of the notebook's cells that it was made from.
    executions : positions in the recording of what it was made from.
    notes : what capture was not sure of, in words.
    always : run even when nothing changed: its point is its effect (registering, judging, logging).
    after : steps that it waits for beside those whose values it takes.
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

    @property
    def upstream(self) -> tuple[str, ...]:
        """Names of the steps that this one comes after, each once, in order."""
        return tuple(dict.fromkeys([*(step for step in self.inputs.values() if step != INITIAL), *self.after]))

    @property
    def visible_inputs(self) -> tuple[str, ...]:
        """Arguments of the function: inputs that are not hidden variables."""
        return tuple(name for name in self.inputs if not name.startswith(HIDDEN))


@dataclass(frozen=True)
class Schedule:
    """When to run: by exactly one of `cron`, `every_seconds`, `data`, `after` and `drift`.

    Attributes
    ----------
    cron : five fields as crontab(5) has them (weekdays: 0 and 7 are Sunday), in a time zone.
    timezone : IANA name; of `cron` alone.
    catchup : also run what fell due while the scheduler was down, each tick on its own; of `cron` and `every_seconds`.
    start : ISO date from which `catchup` counts; needed with it.
    every_seconds : an interval, from one start to the next.
    data : a file or a pattern of files, local or any fsspec address: it runs when what lies there is new.
    after : the package of another pipeline: it runs when a run of that one has succeeded.
    drift : name of a drift check: it runs when that finds drift.
    concurrency : how many runs may be under way at once.
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
        """The schedule in a few words."""
        if self.cron:
            return f"{self.cron} ({self.timezone})"
        if self.every_seconds:
            return f"every {self.every_seconds} s"
        kinds = (("new data at", self.data), ("after", self.after), ("on drift of", self.drift))
        return next(f"{kind} {what}" for kind, what in kinds if what)


@dataclass(frozen=True)
class ExpectedValue:
    """The notebook's own value of a delivered output, against which a run is proven.

    Attributes
    ----------
    name : variable.
    fingerprint : portable fingerprint (BLAKE2b), or "" where the value has none.
    file : path of the saved value under `tests/expected/`, or "" where it was too large to travel, or is in `json`.
    json : a short bare value's json text, "" for any other.
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
    """What the steps need around them.

    Attributes
    ----------
    python : "3.11"
    requirements : distributions that the steps import, pinned ("pandas==3.1.1").
    lock : text of requirements.lock: the same with all they need.
    variables : environment variables set for every step.
    """

    python: str
    requirements: tuple[str, ...] = ()
    lock: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A pipeline, whole: steps in an order that respects their edges.

    Attributes
    ----------
    name : as the user wrote it.
    package : a Python identifier derived from the name.
    outputs : delivered variable -> step that makes it.
    files : path in the bundle -> bytes: initial states, data, expected values, the runtime.
    secrets : names of environment variables that the steps read and that no file may hold: each target fills them from
        what it keeps secrets in.
    alert : the one of them that holds a web address to which `python -m <package> alert` says that a run failed; "" for
        none.
    """

    name: str
    package: str
    steps: tuple[PlanStep, ...]
    parameters: tuple[Parameter, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    environment: Environment = Environment(python="3.11")
    schedule: Schedule | None = None
    expected: tuple[ExpectedValue, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    alert: str = ""

    def step(self, name: str) -> PlanStep:
        """Return the step of that name, or raise `NotFoundError` naming those there are."""
        for step in self.steps:
            if step.name == name:
                return step
        raise NotFoundError(f"no step {name!r}: the pipeline has {', '.join(s.name for s in self.steps)}")

    def edges(self) -> Iterator[tuple[str, str]]:
        """Yield (upstream, downstream) pairs, each once."""
        for step in self.steps:
            for upstream in step.upstream:
                yield upstream, step.name
