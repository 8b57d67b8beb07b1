"""`%track`: runs, their metrics and parameters; each verb in a file of its own."""

from __future__ import annotations

from mlops_jupyter.surfaces.magics.track import end, log, params, runs, start
from mlops_jupyter.surfaces.magics.verbs import Verb

VERBS: dict[str, Verb] = {
    "start": start.VERB,
    "log": log.VERB,
    "params": params.VERB,
    "end": end.VERB,
    "runs": runs.VERB,
}
