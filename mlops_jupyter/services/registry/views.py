"""Views of registered models and their versions, read from the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from mlops_jupyter.runtime.tables import html, html_facts
from mlops_jupyter.store.ledger import Ledger


@dataclass(frozen=True)
class ModelVersion:
    """One version of a registered model.

    Attributes
    ----------
    id : our id, which MLflow keeps as the tag `mlops_jupyter.model`.
    version : MLflow's version number; None until the registration has arrived.
    status : "ready", "pending" (MLflow was not reached yet) or "set aside" (MLflow refused; `error` says why).
    metrics : metrics on the held-out data that were given.
    require : the requirements that were met.
    format : the model's serializer: "skops", "cloudpickle", "joblib"; "mlflow" where it was registered elsewhere.
    note : what the user should know about the version, such as why skops could not save it.
    run : our id of the run that made the model.
    created : seconds since the epoch.
    """

    id: str
    name: str
    version: int | None
    status: str
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    require: tuple[str, ...] = ()
    format: str = ""
    note: str = ""
    run: str | None = None
    created: float = 0.0
    error: str = ""

    def __repr__(self) -> str:
        title = f"{self.name!r} version {self.version}" if self.version else f"{self.name!r} ({self.status})"
        metrics = "".join(f", {key}={value:.6g}" for key, value in self.metrics.items())
        names = "".join(f" @{alias}" for alias in self.aliases)
        notes = "".join(f"; {note}" for note in (self.note, self.error) if note)
        return f"<model {title}{names}{metrics}{notes}>"

    def _repr_html_(self) -> str:
        rows = [("model", self.name), ("version", str(self.version or "")), ("status", self.status)]
        rows += [("aliases", ", ".join(self.aliases)), ("kept with", self.format), ("note", self.note or self.error)]
        rows += [(key, f"{value:.6g}") for key, value in self.metrics.items()]
        return html_facts((name, text) for name, text in rows if text)


@dataclass(frozen=True)
class ModelView:
    """A registered model: its versions, newest first, and the version number that each alias names."""

    name: str
    versions: tuple[ModelVersion, ...] = ()
    aliases: Mapping[str, int] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        rows = (
            (
                str(version.version or ""),
                version.status,
                ", ".join(version.aliases),
                ", ".join(f"{key} {value:.6g}" for key, value in version.metrics.items()),
                version.format,
            )
            for version in self.versions
        )
        columns = ("version", "status", "aliases", "metrics", "kept with")
        return f"<b>{escape(self.name)}</b>{html(columns, rows)}"

    def __repr__(self) -> str:
        lines = "".join(f"\n  {version!r}" for version in self.versions)
        return f"<{self.name!r}: {len(self.versions)} version{'s' if len(self.versions) != 1 else ''}>{lines}"


def read(ledger: Ledger, aliases: Mapping[str, Mapping[str, int]], name: str | None = None) -> list[ModelView]:
    """Return all models sorted by name, or the model of one name; `aliases` is model -> alias -> version number."""
    errors = _errors(ledger)
    rows = ledger.query(
        "SELECT * FROM model_version WHERE ? IS NULL OR model = ?"
        " ORDER BY model, version IS NULL DESC, version DESC, created DESC",
        (name, name),
    )
    versions_of: dict[str, list[ModelVersion]] = {}
    for row in rows:
        facts = json.loads(row["facts"])
        error = errors.get(row["id"], "") if row["version"] is None else ""
        model_aliases = aliases.get(row["model"], {})
        versions_of.setdefault(row["model"], []).append(
            ModelVersion(
                id=row["id"],
                name=row["model"],
                version=row["version"],
                status="ready" if row["version"] is not None else "set aside" if error else "pending",
                aliases=tuple(a for a, v in model_aliases.items() if v == row["version"]),
                metrics={key: float(value) for key, value in facts.get("metrics", {}).items()},
                require=tuple(facts.get("require", ())),
                format=row["format"],
                note=facts.get("note", ""),
                run=row["run"],
                created=row["created"],
                error=error,
            )
        )
    return [ModelView(model, tuple(versions), dict(aliases.get(model, {}))) for model, versions in versions_of.items()]


def _errors(ledger: Ledger) -> dict[str, str]:
    rows = ledger.query(
        "SELECT payload, error FROM outbox WHERE kind = 'register' AND done IS NOT NULL AND error IS NOT NULL"
    )
    return {json.loads(row["payload"])["id"]: row["error"] for row in rows}
