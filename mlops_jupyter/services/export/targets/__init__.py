"""What a bundle can be rendered for: targets, found by name through the entry points `mlops_jupyter.targets`.

A target is a module or an object with the attributes of `Target`. Nothing is imported before a target is asked for,
and targets are strangers to each other. To add one, a package declares::

    [project.entry-points."mlops_jupyter.targets"]
    argo = "my_package.argo"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.core.plan import Plan, ScheduleSpec

GROUP = "mlops_jupyter.targets"


class Feature(Enum):
    """What a plan may ask of the system that runs it. The value is its name for people."""

    PARAMETERS = "parameters"  # a run may override them
    STEPS = "steps"  # each is a task of its own, seen and tried again by itself
    SCHEDULE = "schedule"  # it starts runs by the clock
    TIMEZONE = "time zone"  # ... as the clock goes in a place
    INTERVAL = "interval"  # ... every so many seconds
    DATA = "schedule on data"  # it starts runs when data have come
    AFTER = "schedule after"  # it starts runs when those of another pipeline have succeeded
    DRIFT = "schedule on drift"  # it starts runs when a check finds drift
    CATCHUP = "catchup"  # also runs that fell due while it was down
    CONCURRENCY = "concurrency"  # only so many runs at once
    RETRIES = "retries"  # a step that failed is tried again
    BACKOFF = "backoff"  # ... after a pause that grows
    TIMEOUT = "timeout"  # a step that takes too long is stopped
    CPU = "cpu"
    MEMORY = "memory"
    GPU = "gpu"
    SECRETS = "secret"  # an environment variable filled from what it keeps secrets in
    ALERT = "alert"  # it says so when a run failed


@runtime_checkable
class Target(Protocol):
    """A system that bundles are rendered for.

    Attributes
    ----------
    name : what users type after `--to`.
    title : its name for people, with the versions that are served ("Airflow 3").
    expresses : features of a plan that its files can express; `lost` names the others.
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def expresses(self) -> frozenset[Feature]: ...

    def render(self, plan: Plan) -> Mapping[str, str]:
        """Return the files that the target adds to the bundle: path in it -> text. Pure: equal plans, equal texts."""
        ...

    def deploy(self, plan: Plan) -> str:
        """Return what the README says under the target's title: Markdown with exact commands; "" to say nothing."""
        ...


def names() -> list[str]:
    """Return the names of all targets that are installed, sorted; nothing of theirs is imported."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def find(name: str) -> Target:
    """Find a target by name and import it.

    Raises
    ------
    NotFoundError
        No package offers a target of that name; the message names those there are.
    UserError
        The target is offered twice, cannot be imported, or lacks attributes of `Target`.
    """
    offers = list(entry_points(group=GROUP, name=name))
    if not offers:
        raise NotFoundError(f"no target {name!r}: choose from {', '.join(names()) or 'none (reinstall mlops_jupyter)'}")
    if len({entry.value for entry in offers}) > 1:
        packages = " and ".join(sorted(_package(entry) for entry in offers))
        raise UserError(f"target {name!r} is offered by {packages}: uninstall one of them")
    return _imported(offers[0])


def _imported(entry: EntryPoint) -> Target:
    try:
        target = entry.load()
    except Exception as fault:
        raise UserError(
            f"target {entry.name!r} of {_package(entry)} does not load ({type(fault).__name__}: {fault}): reinstall it"
        ) from fault
    if not isinstance(target, Target):
        missing = ", ".join(a for a in ("name", "title", "expresses", "render", "deploy") if not hasattr(target, a))
        raise UserError(f"target {entry.name!r} of {_package(entry)} is no target, it lacks {missing}: upgrade it")
    return target


def _package(entry: EntryPoint) -> str:
    return repr(entry.dist.name if entry.dist else entry.value)


def lost(plan: Plan, target: Target) -> list[str]:
    """Return what the plan asks for that the target cannot express, each by name, in the plan's order.

    Examples
    --------
    >>> from mlops_jupyter.core.plan import ScheduleSpec
    >>> from mlops_jupyter.services.export.targets import python
    >>> lost(Plan("churn", "churn", steps=(), schedule=ScheduleSpec("0 6 * * 1")), python)
    ["schedule '0 6 * * 1'"]
    """
    return [f"{feature.value} {what}" for feature, what in asked(plan) if feature not in target.expresses]


def asked(plan: Plan) -> Iterator[tuple[Feature, str]]:
    """Yield each feature that a plan asks of the system that runs it, and what exactly it asks, in words."""
    for parameter in plan.parameters:
        yield Feature.PARAMETERS, repr(parameter.name)
    if plan.schedule:
        yield from _of_schedule(plan.schedule)
    for secret in plan.secrets:
        yield Feature.SECRETS, repr(secret)
    if plan.alert:
        yield Feature.ALERT, f"to the address in {plan.alert!r}"
    for step in plan.steps:
        wishes = step.resources
        for feature, value, unit in (
            (Feature.RETRIES, wishes.retries, ""),
            (Feature.BACKOFF, wishes.backoff_seconds if wishes.retries else None, " s"),
            (Feature.TIMEOUT, wishes.timeout_seconds, " s"),
            (Feature.CPU, wishes.cpu, ""),
            (Feature.MEMORY, wishes.memory_bytes, " bytes"),
            (Feature.GPU, wishes.gpu, ""),
        ):
            if value:
                yield feature, f"{value}{unit} of step {step.name!r}"


def _of_schedule(schedule: ScheduleSpec) -> Iterator[tuple[Feature, str]]:
    kinds: tuple[tuple[Feature, object, str], ...] = (
        (Feature.SCHEDULE, schedule.cron, repr(schedule.cron)),
        (Feature.TIMEZONE, schedule.timezone != "UTC", repr(schedule.timezone)),
        (Feature.INTERVAL, schedule.every_seconds, f"of {schedule.every_seconds} s"),
        (Feature.DATA, schedule.data, repr(schedule.data)),
        (Feature.AFTER, schedule.after, repr(schedule.after)),
        (Feature.DRIFT, schedule.drift, repr(schedule.drift)),
        (Feature.CATCHUP, schedule.catchup, "of runs that were missed"),
        (Feature.CONCURRENCY, schedule.concurrency != 1, f"of {schedule.concurrency} runs"),
    )
    yield from ((feature, said) for feature, asks, said in kinds if asks)
