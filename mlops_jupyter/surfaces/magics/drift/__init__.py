"""The verbs of `%drift`: one, without a name."""

from __future__ import annotations

from mlops_jupyter.surfaces.magics.drift import check
from mlops_jupyter.surfaces.magics.verbs import Verb

VERBS: dict[str, Verb] = {"": check.VERB}
