"""Find the secrets that a notebook has read: from environment variables, from files of settings, into variables.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from mlops_jupyter.core.hidden_names import FILE
from mlops_jupyter.runtime.secret_files import secret_entries
from mlops_jupyter.runtime.secret_values import in_environment, is_called_secret
from mlops_jupyter.services.pipeline.ports import Recording


def read_secrets(recording: Recording, declared: Iterable[str]) -> list[tuple[str, str]]:
    """Return (name, value) of each secret that may be known to the notebook from outside of its text.

    Parameters
    ----------
    declared : names of environment variables that hold secrets.
    """
    files = {name for execution in recording.history for name in execution.reads if name.startswith(FILE)}
    entries = (entry for name in sorted(files) for entry in secret_entries(recording.folder / name.removeprefix(FILE)))
    return [*in_environment(declared), *entries]


def variable_secrets(recording: Recording) -> Iterator[tuple[str, str]]:
    """Yield (name, value) of each variable that seems to hold a secret, by its name and its value."""
    for name, value in list(recording.namespace.items()):
        if type(value) is str and is_called_secret(name) and len(value.split()) == 1:
            yield name, value


def is_environment_file(name: str) -> bool:
    """Say whether a hidden variable is a file of environment variables, such as `.env`."""
    return (
        name.startswith(FILE)
        and re.fullmatch(r"\.env(\.\w+)?", PurePosixPath(name.removeprefix(FILE)).name) is not None
    )


def is_foreign_secret(path: str) -> bool:
    """Say whether a file lies above the notebook's folder and is called like one of secrets."""
    called = re.search(r"^\.|secret|credential|password|\.pem$|\.key$", PurePosixPath(path).name, re.IGNORECASE)
    return path.startswith("../") and called is not None
