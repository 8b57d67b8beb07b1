"""Views of runs: read from the ledger, sorted, and found by id or name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlops_jupyter.core.errors import NotFoundError
from mlops_jupyter.core.ids import RunId
from mlops_jupyter.store.ledger import Ledger


@dataclass(frozen=True)
class RunView:
    """A run with all its data, as it was when it was read.

    Attributes
    ----------
    status : "running", "finished", "failed" or "killed".
    started, ended : seconds since the epoch; `ended` is None while the run is running.
    metrics : key -> the last value logged for the greatest step.
    artifacts : path -> digest of the content.
    notebook : path of the notebook, None where there is none.
    session : id of the session that opened the run.
    mlflow : MLflow's id of the run, None until the run has been carried to MLflow.
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
        """The run's duration in seconds, None while it is running."""
        return None if self.ended is None else self.ended - self.started


FIELDS = ("started", "ended", "seconds", "name", "experiment", "status")
"""Sort keys of runs, besides `metrics.KEY` and `params.KEY`."""

_LATEST = """
SELECT run, key, value FROM (
    SELECT run, key, value, row_number() OVER (PARTITION BY run, key ORDER BY step DESC, id DESC) AS place
    FROM metric WHERE run IN ({runs})
) WHERE place = 1"""


def read(ledger: Ledger, where: str = "1", values: Sequence[object] = (), limit: int = -1) -> list[RunView]:
    """Return the runs that an SQL condition over the table `run` selects, newest first; all if `limit` is -1."""
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
    pairs: dict[str, dict[str, str]] = {}
    for part in _parts(ids):
        sql = f"SELECT run, {key} AS key, {column} AS value FROM {table} WHERE run IN ({_marks(part)}) ORDER BY rowid"
        for row in ledger.query(sql, part):
            pairs.setdefault(row["run"], {})[row["key"]] = row["value"]
    return pairs


def _metrics(ledger: Ledger, ids: Sequence[str]) -> dict[str, dict[str, float]]:
    metrics: dict[str, dict[str, float]] = {}
    for part in _parts(ids):
        for row in ledger.query(_LATEST.format(runs=_marks(part)), part):
            metrics.setdefault(row["run"], {})[row["key"]] = math.nan if row["value"] is None else row["value"]
    return metrics


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + 500] for start in range(0, len(ids), 500)]  # SQLite limits the values of a query


def sort(runs: Sequence[RunView], key: str) -> list[RunView]:
    """Sort runs by `metrics.auc`, `params.x`, `started` ...; `-` before the key means descending.

    Runs without the key come last.

    Raises
    ------
    NotFoundError
        If no run has the key; the line names those there are.
    """
    name = key.removeprefix("-")
    valued = [(value, run) for run in runs if (value := _value(run, name)) is not None]
    if not valued and runs:
        known = sorted(
            {f"metrics.{k}" for r in runs for k in r.metrics} | {f"params.{k}" for r in runs for k in r.params}
        )
        if name not in FIELDS:
            raise NotFoundError(f"no run has {name!r} to sort by: there are {', '.join([*FIELDS, *known])}")
    numbers = [pair for pair in valued if isinstance(pair[0], float)]
    words = [pair for pair in valued if not isinstance(pair[0], float)]
    reverse = key.startswith("-")
    ordered = [run for part in (numbers, words) for _, run in sorted(part, key=lambda pair: pair[0], reverse=reverse)]
    sorted_ids = {run.id for run in ordered}
    return [*ordered, *(run for run in runs if run.id not in sorted_ids)]


def _value(run: RunView, name: str) -> float | str | None:
    """Return a run's value of a sort key: a number where possible, so that 10 comes after 9; None if there is none."""
    group, _, key = name.partition(".")
    value: object = None
    if name in FIELDS:
        value = getattr(run, name)
    elif group == "metrics":
        value = run.metrics.get(key)
    elif group == "params":
        value = run.params.get(key)
    if value is None:
        return None
    try:
        number = float(str(value))
    except ValueError:
        return str(value)
    return None if math.isnan(number) else number


def find(ledger: Ledger, called: str) -> RunView:
    """Return the run with this id, name (the newest of several), MLflow id or prefix of an id.

    Raises
    ------
    NotFoundError
        If there is no such run, or several ids have the prefix.
    """
    for where, values in (("id = ?", (called,)), ("name = ?", (called,)), ("mlflow = ?", (called,))):
        runs = read(ledger, where, values, limit=1)
        if runs:
            return runs[0]
    runs = read(ledger, "substr(id, 1, ?) = ?", (len(called), called)) if called else []
    if len(runs) == 1:
        return runs[0]
    if runs:
        raise NotFoundError(f"{len(runs)} runs have an id that begins with {called!r}: give more of it")
    last = ", ".join(dict.fromkeys(run.name for run in read(ledger, limit=10)))
    raise NotFoundError(f"no run {called!r}: " + (f"the last ones are {last}" if last else "there are none yet"))
