"""The table of our magics and their verbs, for `load`, the translator for bundles and the documentation."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_jupyter.surfaces.magics import drift, pipeline, register, track
from mlops_jupyter.surfaces.magics.verbs import Verb

VERBS: dict[str, Mapping[str, Verb]] = {
    "track": track.VERBS,
    "register": register.VERBS,
    "pipeline": pipeline.VERBS,
    "drift": drift.VERBS,
}
"""Name of a magic -> name of a verb -> the verb; the name "" is the bare magic."""
