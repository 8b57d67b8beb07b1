"""The verbs of `%drift`: only the bare magic."""

from __future__ import annotations

from mlops_jupyter.surfaces.magics.drift import check
from mlops_jupyter.surfaces.magics.verbs import Verb

VERBS: dict[str, Verb] = {"": check.VERB}
