"""`mlops-jupyter models`: list the registered models of the project."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops_jupyter.runtime.tables import aligned

if TYPE_CHECKING:
    from mlops_jupyter.services.registry.views import ModelVersion, ModelView


def add_to(subparsers: Any) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("models", help="the registered models", description="The registered models.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="only this model")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--offline", action="store_true", help="what this project knows, without asking MLflow")
    parser.set_defaults(act=act)


def act(args: argparse.Namespace) -> int:
    """Print the registered models; return 0."""
    from mlops_jupyter.workspace import Workspace

    workspace = Workspace.open()
    try:
        registry, fresh = workspace.registry, not args.offline
        models = [registry.show(args.name, fresh)] if args.name else registry.list(fresh)
        print(json.dumps([_plain(model) for model in models], indent=2) if args.json else _table(models))
        return 0
    finally:
        workspace.close()


def _plain(model: ModelView) -> dict[str, Any]:
    return {
        "name": model.name,
        "aliases": dict(model.aliases),
        "versions": [_plain_version(version) for version in model.versions],
    }


def _plain_version(version: ModelVersion) -> dict[str, Any]:
    metrics = {key: value if math.isfinite(value) else None for key, value in version.metrics.items()}
    return {**vars(version), "metrics": metrics}


def _table(models: Sequence[ModelView]) -> str:
    if not models:
        return "no models yet"
    rows = [("model", "version", "status", "aliases", "metrics")]
    for version in (version for model in models for version in model.versions):
        metrics = " ".join(f"{key}={value:.6g}" for key, value in version.metrics.items())
        number = "" if version.version is None else str(version.version)
        rows.append((version.name, number, version.status, ",".join(version.aliases), metrics))
    return aligned(rows)
