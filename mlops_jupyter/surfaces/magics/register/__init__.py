"""`%register`: models; each verb in a file of its own. The bare magic registers the model that it names."""

from __future__ import annotations

from mlops_jupyter.surfaces.magics.register import list_models, model, promote, rollback, show
from mlops_jupyter.surfaces.magics.verbs import Verb

VERBS: dict[str, Verb] = {
    "list": list_models.VERB,
    "show": show.VERB,
    "promote": promote.VERB,
    "rollback": rollback.VERB,
    "": model.VERB,
}
