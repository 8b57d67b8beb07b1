"""A model as bytes: skops where all its types are known to be harmless, cloudpickle or joblib otherwise."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import Any

from ..errors import UserError
from ..secret_values import KnownSecrets

TRUSTED = ("sklearn.", "numpy.", "scipy.", "xgboost.", "lightgbm.", "collections.", "builtins.")
"""Prefixes of the types that a model may hold in a skops file; for others it is pickled."""


@dataclass(frozen=True)
class ModelFile:
    """A saved model.

    Attributes
    ----------
    format : "skops", "cloudpickle" or "joblib".
    note : why the format is not skops, "" if it is.
    trusted : types that skops must be told to trust at loading.
    """

    format: str
    data: bytes
    note: str = ""
    trusted: tuple[str, ...] = ()


def save(model: object) -> ModelFile:
    """Save a model, without pickle where that is possible and the model can be loaded again.

    Functions and classes of the notebook itself travel by cloudpickle, which keeps their code.

    Raises
    ------
    UserError
        The model holds a secret.
    """
    file = _saved(model)
    if secret := KnownSecrets.of_environment().held_by(file.data):
        raise UserError(f"the model holds the secret {secret!r}, which no store may: make one that is given it later")
    return file


def _saved(model: object) -> ModelFile:
    try:
        return _skops(model)
    except Exception as fault:  # skops raises whatever its many visitors meet
        why = " ".join(str(fault).split())[:200] or type(fault).__name__
    try:
        import cloudpickle
    except ImportError:
        import joblib

        stream = io.BytesIO()
        joblib.dump(model, stream)
        return ModelFile("joblib", stream.getvalue(), f"kept with joblib (a pickle), as skops cannot: {why}")
    return ModelFile("cloudpickle", cloudpickle.dumps(model), f"kept with cloudpickle, as skops cannot: {why}")


def _skops(model: object) -> ModelFile:
    import skops.io

    data = skops.io.dumps(model)
    unknown = tuple(sorted(skops.io.get_untrusted_types(data=data)))
    strange = [name for name in unknown if not name.startswith(TRUSTED) or name.startswith("builtins.")]
    if strange:
        raise TypeError(f"it holds {', '.join(strange)}")
    skops.io.loads(data, trusted=list(unknown))
    return ModelFile("skops", data, trusted=unknown)


def load(file: ModelFile) -> Any:
    """Return the model of a file. Give it only bytes that `save` made: two of the three formats run code at loading."""
    if file.format == "skops":
        import skops.io

        return skops.io.loads(file.data, trusted=list(file.trusted))
    if file.format == "cloudpickle":
        import cloudpickle

        return cloudpickle.loads(file.data)
    import joblib

    return joblib.load(io.BytesIO(file.data))


SAMPLE_ROWS = 5
"""Rows from the start of the features that an example has."""


def example(model: Any, X: Any) -> tuple[Any, Any] | None:
    """Return a few rows of features and the model's predictions for them; None if rows cannot be taken.

    These are the first rows, and for a frame the first row with a missing value in each column: MLflow's signature
    shows by it that the column may have missing values.
    """
    import numpy as np

    if hasattr(X, "iloc"):
        gaps = {int(np.argmax(column)) for column in X.isna().to_numpy().T if column.any()} if X.ndim == 2 else set()
        rows = sorted({*range(min(SAMPLE_ROWS, len(X))), *gaps})
        few = X.iloc[rows]
    elif isinstance(X, (np.ndarray, list, tuple)):
        few = np.asarray(X)[:SAMPLE_ROWS]
    else:
        return None
    return few, model.predict(few)


def requirements(model: object) -> list[str]:
    """Return the distributions, pinned to their installed versions, that a model needs to be loaded and to predict.

    They are those of the model's class, of its parts and of the file formats. They are read from installed metadata:
    nothing is imported to find them.
    """
    from importlib import metadata

    tops = {"sklearn", "skops", "cloudpickle", "numpy", "pandas"} | _modules(model)
    names = metadata.packages_distributions()
    pinned = {}
    for top in tops:
        for distribution in names.get(top, [])[:1]:
            pinned[distribution] = f"{distribution}=={metadata.version(distribution)}"
    return sorted(pinned.values())


def _modules(model: object) -> set[str]:
    parts = [model]
    with contextlib.suppress(Exception):  # a model that does not tell its parts is known by its class alone
        parts += list(model.get_params(deep=True).values())  # type: ignore[attr-defined]
    return {type(part).__module__.partition(".")[0] for part in parts}
