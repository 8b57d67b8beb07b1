"""The table of our magics: each with its verbs, for `load`, the translator for bundles and the documentation."""

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
"""Magic -> verb -> what it does; the verb "" is what the bare magic does."""
