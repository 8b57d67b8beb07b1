"""The pauses between tries of a step, for systems that are told each one."""

from __future__ import annotations

from mlops_jupyter.core.plan import Resources
from mlops_jupyter.runtime.conductor import LONGEST_PAUSE_SECONDS
from mlops_jupyter.runtime.pipeline import Step


def pauses(wishes: Resources) -> list[str]:
    """Return the seconds before each retry of a step, as text: the pauses that the bundle's own `run` makes.

    Examples
    --------
    >>> pauses(Resources(retries=3))
    ['0.5', '1', '2']
    >>> pauses(Resources(retries=4, backoff_seconds=20))
    ['20', '40', '60', '60']
    """
    first = wishes.backoff_seconds or Step.backoff
    longest = max(LONGEST_PAUSE_SECONDS, first)
    found = (min(first * 2 ** min(n, 60), longest) for n in range(wishes.retries))
    return [f"{seconds:.3f}".rstrip("0").rstrip(".") for seconds in found]
