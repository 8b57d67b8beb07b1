"""The skops codec for estimators, and joblib (or pickle where joblib is not installed) for any other object.

A skops file names the types it needs. They are only loaded if they come from scikit-learn, numpy, scipy, or the package
that this runtime belongs to; a file that asks for others is refused. joblib and pickle run the code that a file names:
give them only files that this project's own store wrote.
"""

from __future__ import annotations

import copyreg
import importlib.util
import io
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import UserError

TRUSTED = ("sklearn", "numpy", "scipy", __name__.partition(".")[0])


class UntrustedTypesError(UserError):
    """A skops file asks for types that are not trusted."""


def estimator(value: Any) -> bool:
    """Return whether a value looks like an estimator of scikit-learn's kind and skops is installed."""
    return not isinstance(value, type) and hasattr(type(value), "get_params") and _installed("skops")


def save_skops(value: Any) -> bytes:
    """Return an estimator as a skops file."""
    import skops.io

    return bytes(skops.io.dumps(value))


def load_skops(data: bytes) -> Any:
    """Return the estimator of a skops file; raise `UntrustedTypesError` if it needs types of an unknown origin."""
    import skops.io

    names = skops.io.get_untrusted_types(data=data)
    strangers = [name for name in names if name.partition(".")[0] not in TRUSTED]
    if strangers:
        raise UntrustedTypesError(f"the file needs {', '.join(strangers)}, which skops may not load here")
    return skops.io.loads(data, trusted=names)


def joblib_there(value: Any) -> bool:
    """Return whether joblib is installed, whatever the value."""
    return _installed("joblib")


def save_joblib(value: Any) -> bytes:
    """Return any object as a joblib file. Code that no other process could import travels by value."""
    import joblib

    stream = io.BytesIO()
    try:
        with _shared_generator_by_name():
            joblib.dump(value, stream)
    except (pickle.PicklingError, AttributeError):  # a function inside a function
        if not _installed("cloudpickle"):
            raise
        return _by_value(value)
    data = stream.getvalue()
    return _by_value(value) if b"__main__" in data and _installed("cloudpickle") else data


def _by_value(value: Any) -> bytes:
    import cloudpickle

    with _shared_generator_by_name():
        return bytes(cloudpickle.dumps(value))


def load_joblib(data: bytes) -> Any:
    """Return the object of a file; this runs the code that the file names."""
    import joblib

    return joblib.load(io.BytesIO(data))


def save_pickle(value: Any) -> bytes:
    """Return any object as a pickle."""
    with _shared_generator_by_name():
        return pickle.dumps(value, 5)


def load_pickle(data: bytes) -> Any:
    """Return the object of a file; this runs the code that the file names."""
    return pickle.loads(data)


@contextmanager
def _shared_generator_by_name() -> Iterator[None]:
    """Let pickles refer to numpy's shared generator by its name, as functions are: it is the same in any process.

    Frozen distributions of scipy hold it. A copy of it would be another generator, in a state of its own.
    """
    random = sys.modules.get("numpy.random.mtrand")
    if random is None or random.RandomState in copyreg.dispatch_table:
        yield
        return

    def reduced(value: Any) -> Any:
        return "_rand" if value is random._rand else value.__reduce__()

    copyreg.dispatch_table[random.RandomState] = reduced
    try:
        yield
    finally:
        copyreg.dispatch_table.pop(random.RandomState, None)


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
