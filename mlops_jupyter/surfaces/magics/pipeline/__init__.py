"""`%pipeline`: show the steps and what made a value, and run, export, verify and compare the pipeline."""

from __future__ import annotations

from mlops_jupyter.surfaces.magics.pipeline.diff import diff
from mlops_jupyter.surfaces.magics.pipeline.export import export
from mlops_jupyter.surfaces.magics.pipeline.history import history
from mlops_jupyter.surfaces.magics.pipeline.run import run
from mlops_jupyter.surfaces.magics.pipeline.show import show
from mlops_jupyter.surfaces.magics.pipeline.slice import slice_
from mlops_jupyter.surfaces.magics.pipeline.targets import targets
from mlops_jupyter.surfaces.magics.pipeline.verify import verify
from mlops_jupyter.surfaces.magics.verbs import Verb

VERBS = {
    "": Verb(show),
    "slice": Verb(slice_),
    "history": Verb(history),
    "run": Verb(run),
    "export": Verb(export),
    "verify": Verb(verify),
    "diff": Verb(diff),
    "targets": Verb(targets),
}
