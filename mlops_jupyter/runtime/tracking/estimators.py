"""What an estimator says of itself: its class and its settings."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = 500
"""Characters of one setting's text: settings are noted to be read, not to be rebuilt from."""


def is_estimator(value: object) -> bool:
    """Tell an estimator (scikit-learn's protocol: `get_params` and `fit`) from its class and from anything else."""
    return not isinstance(value, type) and all(callable(getattr(value, name, None)) for name in ("get_params", "fit"))


def settings(estimators: Mapping[str, object]) -> tuple[dict[str, str], dict[str, str]]:
    """Return (parameters, tags) of named estimators: `clf.n_estimators` and the tag `estimator.clf`.

    One that cannot tell its settings is noted by its class alone.
    """
    parameters: dict[str, str] = {}
    tags: dict[str, str] = {}
    for name, estimator in estimators.items():
        tags[f"estimator.{name}"] = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
        try:
            found = estimator.get_params(deep=True)  # type: ignore[attr-defined]
        except Exception:
            continue
        for key, value in found.items():
            if not is_estimator(value):  # its own settings follow, under its own name
                shown = str(value)
                parameters[f"{name}.{key}"] = shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
    return parameters, tags
