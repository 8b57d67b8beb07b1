"""The pauses between the tries of a step, for systems that take a list of them, and the longest time of a run."""

from __future__ import annotations

from mlops_jupyter.core.plan import Plan, Resources
from mlops_jupyter.runtime.execution.coordinator import backoff
from mlops_jupyter.runtime.model.pipeline import Step


def pauses(wishes: Resources) -> list[str]:
    """Return the seconds before each retry of a step, as text: the pauses that the bundle's own `run` makes.

    Examples
    --------
    >>> pauses(Resources(retries=3))
    ['0.5', '1', '2']
    >>> pauses(Resources(retries=4, backoff_seconds=20))
    ['20', '40', '60', '60']
    """
    return [f"{seconds:.3f}".rstrip("0").rstrip(".") for seconds in _seconds(wishes)]


def _seconds(wishes: Resources) -> tuple[float, ...]:
    return backoff(wishes.backoff_seconds or Step.backoff).pauses(wishes.retries)


def longest_run(plan: Plan) -> float | None:
    """Return the seconds of all steps, one after the other, with all their tries and pauses; None if one has no limit.

    Examples
    --------
    >>> from mlops_jupyter.core.plan import PlanStep
    >>> wishes = Resources(retries=2, backoff_seconds=90, timeout_seconds=600)
    >>> longest_run(Plan("p", "p", steps=(PlanStep("a", "1", "", resources=wishes),)))
    1980
    """
    wishes = [step.resources for step in plan.steps]
    if not all(wish.timeout_seconds for wish in wishes):
        return None
    tries = sum((wish.retries + 1) * (wish.timeout_seconds or 0.0) for wish in wishes)
    return tries + sum(sum(_seconds(wish)) for wish in wishes)
