"""Runs as they are looked at: read from the ledger, sorted, found by what the user calls them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlops_jupyter.core.errors import NotFoundError
from mlops_jupyter.core.ids import RunId
from mlops_jupyter.store.ledger import Ledger


@dataclass(frozen=True)
class RunView:
    """A run, whole, as it was when it was read.

    Attributes
    ----------
    status : "running", "finished", "failed" or "killed".
    started, ended : seconds since the epoch; `ended` is None while it runs.
    metrics : key -> the value of the greatest step, the last one logged there.
    artifacts : path -> digest of the bytes.
    mlflow : MLflow's id of it, None until it has been carried there.
    """

    id: RunId
    name: str
    experiment: str
    status: str
    started: float
    ended: float | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)
    notebook: str | None = None
    session: str | None = None
    mlflow: str | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took, None while it runs."""
        return None if self.ended is None else self.ended - self.started


FIELDS = ("started", "ended", "seconds", "name", "experiment", "status")
"""What runs can be sorted by, besides `metrics.KEY` and `params.KEY`."""

_LATEST = """
SELECT run, key, value FROM (
    SELECT run, key, value, row_number() OVER (PARTITION BY run, key ORDER BY step DESC, id DESC) AS place
    FROM metric WHERE run IN ({runs})
) WHERE place = 1"""


def read(ledger: Ledger, where: str = "1", values: Sequence[object] = (), limit: int = -1) -> list[RunView]:
    """Return the runs that a condition over the table `run` selects, newest first."""
    rows = ledger.query(f"SELECT * FROM run WHERE {where} ORDER BY started DESC, id DESC LIMIT ?", (*values, limit))
    ids = [row["id"] for row in rows]
    params, tags = _pairs(ledger, "param", "value", ids), _pairs(ledger, "tag", "value", ids)
    artifacts, metrics = _pairs(ledger, "artifact", "digest", ids), _metrics(ledger, ids)
    return [
        RunView(
            id=RunId(row["id"]),
            name=row["name"],
            experiment=row["experiment"],
            status=row["status"],
            started=row["started"],
            ended=row["ended"],
            params=params.get(row["id"], {}),
            metrics=metrics.get(row["id"], {}),
            tags=tags.get(row["id"], {}),
            artifacts=artifacts.get(row["id"], {}),
            notebook=row["notebook"],
            session=row["session"],
            mlflow=row["mlflow"],
        )
        for row in rows
    ]


def _marks(ids: Sequence[str]) -> str:
    return ",".join("?" * len(ids))


def _pairs(ledger: Ledger, table: str, column: str, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    key = "path" if table == "artifact" else "key"
    found: dict[str, dict[str, str]] = {}
    for part in _parts(ids):
        sql = f"SELECT run, {key} AS key, {column} AS value FROM {table} WHERE run IN ({_marks(part)}) ORDER BY rowid"
        for row in ledger.query(sql, part):
            found.setdefault(row["run"], {})[row["key"]] = row["value"]
    return found


def _metrics(ledger: Ledger, ids: Sequence[str]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for part in _parts(ids):
        for row in ledger.query(_LATEST.format(runs=_marks(part)), part):
            found.setdefault(row["run"], {})[row["key"]] = math.nan if row["value"] is None else row["value"]
    return found


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + 500] for start in range(0, len(ids), 500)]  # SQLite takes so many values a query


def sort(runs: Sequence[RunView], key: str) -> list[RunView]:
    """Sort by `metrics.auc`, `params.x`, `started` ...; downward with `-` before it; runs without it come last.

    Raises
    ------
    NotFoundError
        No run has such a thing; the line names those there are.
    """
    name = key.removeprefix("-")
    having = [(value, run) for run in runs if (value := _value(run, name)) is not None]
    if not having and runs:
        known = sorted(
            {f"metrics.{k}" for r in runs for k in r.metrics} | {f"params.{k}" for r in runs for k in r.params}
        )
        if name not in FIELDS:
            raise NotFoundError(f"no run has {name!r} to sort by: there are {', '.join([*FIELDS, *known])}")
    numbers = [pair for pair in having if isinstance(pair[0], float)]
    words = [pair for pair in having if not isinstance(pair[0], float)]
    down = key.startswith("-")
    ordered = [run for part in (numbers, words) for _, run in sorted(part, key=lambda pair: pair[0], reverse=down)]
    placed = {run.id for run in ordered}
    return [*ordered, *(run for run in runs if run.id not in placed)]


def _value(run: RunView, name: str) -> float | str | None:
    """Return what to sort a run by: a number where it is one, so that 10 comes after 9."""
    group, _, key = name.partition(".")
    found: object = None
    if name in FIELDS:
        found = getattr(run, name)
    elif group == "metrics":
        found = run.metrics.get(key)
    elif group == "params":
        found = run.params.get(key)
    if found is None:
        return None
    try:
        number = float(str(found))
    except ValueError:
        return str(found)
    return None if math.isnan(number) else number


def find(ledger: Ledger, called: str) -> RunView:
    """Return the run of that id, name (the newest of several) or beginning of an id.

    Raises
    ------
    NotFoundError
        None is called so, or the beginning fits several.
    """
    for where, values in (("id = ?", (called,)), ("name = ?", (called,)), ("mlflow = ?", (called,))):
        found = read(ledger, where, values, limit=1)
        if found:
            return found[0]
    found = read(ledger, "substr(id, 1, ?) = ?", (len(called), called)) if called else []
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(f"{len(found)} runs have an id that begins with {called!r}: give more of it")
    last = ", ".join(dict.fromkeys(run.name for run in read(ledger, limit=10)))
    raise NotFoundError(f"no run {called!r}: " + (f"the last ones are {last}" if last else "there are none yet"))
