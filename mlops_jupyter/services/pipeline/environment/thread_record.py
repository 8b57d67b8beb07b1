"""The threads of numerical libraries in the notebook's process: as variables for the steps, and as a record."""

from __future__ import annotations

import json
import os

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.hidden_names import ENVIRON
from mlops_jupyter.runtime.verify.numeric_threads import FILE, VARIABLES, numeric_threads
from mlops_jupyter.services.pipeline.ports import Recording

PATH = f"tests/expected/{FILE}"


def thread_variables(recording: Recording) -> dict[str, str]:
    """Return the environment variables for threads that the notebook's process began with.

    One that a cell sets is a hidden variable, which the steps set themselves.
    """
    values = ((name, _began_with(recording, name)) for name in VARIABLES)
    return {name: value for name, value in values if value is not None}


def _began_with(recording: Recording, name: str) -> str | None:
    try:
        value = recording.initial(f"{ENVIRON}{name}")
    except UserError:
        return os.environ.get(name)
    return value if isinstance(value, str) else None


def thread_record() -> dict[str, bytes]:
    """Return the record's file (path -> content), or nothing where no numerical library is loaded."""
    facts = numeric_threads()
    return {PATH: json.dumps(facts, indent=1).encode()} if facts["pools"] else {}
