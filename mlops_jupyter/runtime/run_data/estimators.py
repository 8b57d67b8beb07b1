"""The class and the settings of an estimator, as a tracked run logs them."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = 500
"""Characters of one setting's text: settings are noted to be read, not to be rebuilt from."""


def is_estimator(value: object) -> bool:
    """Return whether a value is an estimator (with scikit-learn's `get_params` and `fit`), and not its class."""
    return not isinstance(value, type) and all(callable(getattr(value, name, None)) for name in ("get_params", "fit"))


def settings(estimators: Mapping[str, object]) -> tuple[dict[str, str], dict[str, str]]:
    """Return (parameters, tags) of named estimators: `clf.n_estimators` and the tag `estimator.clf`.

    An estimator whose `get_params` fails has only the tag.
    """
    parameters: dict[str, str] = {}
    tags: dict[str, str] = {}
    for name, estimator in estimators.items():
        tags[f"estimator.{name}"] = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
        try:
            own = estimator.get_params(deep=True)  # type: ignore[attr-defined]
        except Exception:
            continue
        for key, value in own.items():
            if not is_estimator(value):  # its own settings follow, under its own name
                shown = str(value)
                parameters[f"{name}.{key}"] = shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
    return parameters, tags
