"""Shows registered models in a notebook and in a terminal."""

from __future__ import annotations

from mlops_jupyter.services.registry.views import ModelView


class Models(list[ModelView]):
    """A list of registered models that shows every one of them as its own text or HTML."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "no models yet"

    def _repr_html_(self) -> str:
        return "".join(model._repr_html_() for model in self) or "no models yet"
