"""The bundle alone: readable Python that runs with `python -m <package> run`. The default target."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_jupyter.core.plan import Plan
from mlops_jupyter.services.export.targets import Feature

name = "python"
title = "plain Python"
expresses = frozenset({Feature.STEPS, Feature.PARAMETERS, Feature.RETRIES, Feature.BACKOFF, Feature.TIMEOUT})


def render(plan: Plan) -> Mapping[str, str]:
    """Return nothing: what every bundle holds is all that is needed."""
    return {}


def deploy(plan: Plan) -> str:
    """Return nothing: every bundle's README says how it runs."""
    return ""
