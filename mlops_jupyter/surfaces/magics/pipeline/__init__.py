"""`%pipeline`: see the graph, run it here, export it, prove it."""

from __future__ import annotations

from mlops_jupyter.surfaces.magics.pipeline.export import export
from mlops_jupyter.surfaces.magics.pipeline.run import run
from mlops_jupyter.surfaces.magics.pipeline.show import show
from mlops_jupyter.surfaces.magics.pipeline.verify import verify
from mlops_jupyter.surfaces.magics.verbs import Verb

VERBS = {"": Verb(show), "run": Verb(run), "export": Verb(export), "verify": Verb(verify)}
