"""Prune a project's record: cells of old sessions, tracked runs that MLflow has, messages, scheduled runs, objects.

What a model, a schedule or an open message names stays. Rows go in transactions of their own before the files that they
name, so a process that is killed on the way leaves no row that names what is gone.

The decisions behind it: ARCHITECTURE.md, "Run".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops_jupyter.services.retention.policy import Deleted, Policy
from mlops_jupyter.store.ledger import Ledger, LedgerError
from mlops_jupyter.store.process_identity import was_running

SESSIONS = """
SELECT one.id, one.pid, one.started FROM (
    SELECT *, row_number() OVER (PARTITION BY notebook ORDER BY started DESC, id DESC) AS place FROM session
) AS one WHERE place > :keep AND started < :before
AND NOT EXISTS (SELECT 1 FROM execution WHERE execution.session = one.id AND execution.started >= :before)
AND EXISTS (SELECT 1 FROM execution WHERE execution.session = one.id)
"""
RUNS = """
SELECT one.id FROM (
    SELECT *, row_number() OVER (PARTITION BY experiment ORDER BY started DESC, id DESC) AS place FROM run
) AS one WHERE place > :keep AND ended < :before AND mlflow IS NOT NULL
AND one.id NOT IN (SELECT run FROM model_version WHERE run IS NOT NULL)
AND one.id NOT IN (SELECT json_extract(payload, '$.run') FROM outbox WHERE done IS NULL AND payload LIKE '%"run"%')
AND NOT EXISTS (SELECT 1 FROM metric, courier WHERE metric.run = one.id AND metric.id > courier.carried_metric)
"""
SCHEDULED = """
SELECT id, log FROM (
    SELECT *, row_number() OVER (PARTITION BY schedule ORDER BY due DESC) AS place FROM schedule_run
) WHERE place > :keep AND status <> 'running' AND started < :before
AND id NOT IN (SELECT run FROM schedule_alert WHERE sent IS NULL AND run IS NOT NULL)
AND due NOT IN (SELECT max(due) FROM schedule_run AS last WHERE last.status = 'succeeded' GROUP BY last.schedule)
AND due NOT IN (
    SELECT max(due) FROM schedule_run AS last WHERE json_extract(outcome, '$.trigger') = 'clock' GROUP BY last.schedule
)
"""
ARRIVALS = """
SELECT id FROM schedule_arrival
WHERE at < :before AND id NOT IN (SELECT max(id) FROM schedule_arrival GROUP BY schedule)
"""
MESSAGES = "SELECT id FROM outbox WHERE done < :before"

NAMED = """
SELECT digest FROM artifact
UNION SELECT digest FROM model_version
UNION SELECT json_extract(facts, '$.example') FROM model_version
UNION SELECT json_extract(payload, '$.digest') FROM outbox WHERE done IS NULL
"""
"""The digests of the objects that something in the ledger names."""

BATCH = 500


def prune(ledger: Ledger, folder: Path, policy: Policy, now: float, deleted: Deleted) -> None:
    """Delete from a project's ledger, objects and logs what a policy does not keep.

    Parameters
    ----------
    folder : the project's `.mlops`.
    now : seconds since the epoch.
    """
    values = {"keep": policy.keep_runs, "before": now - policy.older_than}
    sessions = [row["id"] for row in ledger.query(SESSIONS, values) if not was_running(row["pid"], row["started"])]
    _rows(ledger, deleted, "session of cells", sessions, "DELETE FROM execution WHERE session = ?")
    tables = [f"DELETE FROM {table} WHERE run = ?" for table in ("metric", "param", "tag", "artifact")]
    runs = [row["id"] for row in ledger.query(RUNS, values)]
    _rows(ledger, deleted, "tracked run", runs, *tables, "DELETE FROM run WHERE id = ?")
    messages = [row["id"] for row in ledger.query(MESSAGES, values)]
    _rows(ledger, deleted, "message", messages, "DELETE FROM outbox WHERE id = ?")
    scheduled = ledger.query(SCHEDULED, values)
    ids = [row["id"] for row in scheduled]
    of_run = ("DELETE FROM schedule_alert WHERE run = ?", "DELETE FROM schedule_run WHERE id = ?")
    _rows(ledger, deleted, "scheduled run", ids, *of_run)
    arrivals = [row["id"] for row in ledger.query(ARRIVALS, values)]
    _rows(ledger, deleted, "arrival of data", arrivals, "DELETE FROM schedule_arrival WHERE id = ?")
    for log in (row["log"] for row in scheduled if row["log"]):
        deleted.file(folder / log, "log")
    deleted.objects(folder, {row["digest"] for row in ledger.query(NAMED)}, now)
    if deleted.counts.total() and not policy.dry_run:
        _shrink(ledger)


def _rows(ledger: Ledger, deleted: Deleted, what: str, ids: Sequence[object], *statements: str) -> None:
    """Delete what belongs to each id, some at a time, so that writers are not kept waiting."""
    deleted.counts[what] += len(ids)
    for start in range(0, len(ids) if not deleted.dry_run else 0, BATCH):
        with ledger.transaction():
            for statement in statements:
                ledger.executemany(statement, [(each,) for each in ids[start : start + BATCH]])


def _shrink(ledger: Ledger) -> None:
    """Give the space of deleted rows back to the disk, unless others are using the ledger: then they use it again."""
    try:
        ledger.query("PRAGMA busy_timeout=1000")
        ledger.execute("VACUUM")
        ledger.query("PRAGMA wal_checkpoint(TRUNCATE)")
    except LedgerError:
        return


def stores_of(folder: Path) -> list[Path]:
    """Return the stores of the bundles that a project's scheduler runs."""
    return sorted(path for path in (folder / "store").glob("*") if (path / "objects").is_dir())
