"""What is old and not named goes; what is young, among the newest, or named stays, wherever the process dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.storage.store import Store
from mlops_jupyter.services.retention import record, run_stores
from mlops_jupyter.services.retention.policy import Deleted, Policy
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.workspace import Workspace

DAY = 86400.0
NOW = time.time()


def store_with(folder: Path, ages: dict[str, float]) -> Store:
    """Make a store of runs of given ages in days; each has an object of its own, and one that all share."""
    store = Store(folder)
    for run, age in ages.items():
        own, shared = store.put(run.encode()), store.put(b"shared")
        outputs = [{"names": ["x"], "digest": own, "format": "json", "bytes": len(run)}]
        delivered = [{"name": "y", "file": "y.json", "digest": shared, "bytes": 6}]
        store.remember(f"key-{run}", {"outputs": outputs, "delivered": delivered, "tracking": None})
        facts = {"step": "load", "key": f"key-{run}", "status": "done", "outputs": outputs, "delivered": delivered}
        store.set_step(run, facts)
        store.write(run, "outputs/y.json", b"shared")
        times = {"started": NOW - age * DAY, "ended": NOW - age * DAY}
        store.set_run(run, {"run": run, "pipeline": "demo", "status": "succeeded", **times})
        for path in (folder / "objects" / own[:2] / own[2:], folder / "cache" / f"key-{run}.json"):
            os.utime(path, (NOW - age * DAY,) * 2)
    return store


def whole(folder: Path) -> bool:
    """Whether each run that is there has each object that it names."""
    store = Store(folder)
    steps = (store.step(run, "load") for run in store.runs() if store.run(run))
    return all(
        store.get(each["digest"]) for facts in steps if facts for each in (*facts["outputs"], *facts["delivered"])
    )


def prune(folder: Path, keep: int = 1, days: float = 30, dry_run: bool = False) -> Deleted:
    deleted = Deleted(dry_run)
    run_stores.prune(folder, Policy(keep, days * DAY, dry_run), NOW, deleted)
    return deleted


KEPT = [
    (1, 30, ["c"]),
    (2, 30, ["b", "c"]),
    (1, 50, ["b", "c"]),
    (9, 30, ["a", "b", "c"]),
]


@pytest.mark.parametrize(("keep", "days", "runs"), KEPT)
def test_the_runs_of_a_store(keep: int, days: float, runs: list[str], tmp_path: Path) -> None:
    store = store_with(tmp_path, {"a": 60, "b": 40, "c": 35})
    deleted = prune(tmp_path, keep, days)
    assert store.runs() == runs
    assert deleted.counts["run"] == 3 - len(runs)
    assert sorted(path.stem for path in (tmp_path / "cache").iterdir()) == [f"key-{run}" for run in runs]
    assert len(list((tmp_path / "objects").glob("*/*"))) == len(runs) + 1
    assert whole(tmp_path)
    assert not prune(tmp_path, keep, days).counts.total()


def test_a_dry_run_counts_the_same_and_deletes_nothing(tmp_path: Path) -> None:
    store_with(tmp_path, {"a": 60, "b": 40, "c": 35})
    files = sorted(tmp_path.rglob("*"))
    wished = prune(tmp_path, dry_run=True)
    assert sorted(tmp_path.rglob("*")) == files
    done = prune(tmp_path)
    assert (wished.counts["run"], wished.counts["cache entry"]) == (done.counts["run"], done.counts["cache entry"])
    assert str(wished).startswith("would delete 2 runs, 2 cache entries")


def test_an_object_that_was_just_written_stays_though_nothing_names_it(tmp_path: Path) -> None:
    store = store_with(tmp_path, {"a": 60, "b": 35})
    key = store.put(b"about to be named")
    os.utime(tmp_path / "objects" / key[:2] / key[2:], (NOW - 40 * DAY,) * 2)
    assert store.put(b"about to be named") == key  # written again: it counts as new
    prune(tmp_path)
    assert store.get(key) == b"about to be named"


def dying(act: Callable[..., None], left: list[int]) -> Callable[..., None]:
    """Return an operation on a path that is interrupted once as many were done as are left."""

    def once(path: Path, *args: object, **named: object) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        act(path, *args, **named)

    return once


def test_dying_after_every_single_deletion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlink, rmdir = Path.unlink, Path.rmdir
    complete, number = False, 0
    while not complete:
        folder = tmp_path / str(number)
        store_with(folder, {"a": 60, "b": 40, "c": 35})
        left = [number]

        monkeypatch.setattr(Path, "unlink", dying(unlink, left))
        monkeypatch.setattr(Path, "rmdir", dying(rmdir, left))
        try:
            prune(folder)
            complete = True
        except KeyboardInterrupt:
            complete = False
        monkeypatch.setattr(Path, "unlink", unlink)
        monkeypatch.setattr(Path, "rmdir", rmdir)
        assert whole(folder)
        for path in folder.iterdir():  # what is left of a run without its record is litter once it is old
            os.utime(path, (NOW - 60 * DAY,) * 2)
        prune(folder)
        assert Store(folder).runs() == ["c"]
        assert len(list((folder / "objects").glob("*/*"))) == 2
        number += 1
    assert number > 10


def test_a_folder_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match="is no store of runs: give the folder that a run had as --store"):
        prune(tmp_path)
    assert (tmp_path / "photos").is_dir()


def project(folder: Path) -> Workspace:
    """A project with two sessions of cells, runs of which a model names one, messages, and scheduled runs."""
    workspace = Workspace(folder)
    ledger, old = workspace.ledger, NOW - 60 * DAY
    for session, age in (("s1", 60), ("s2", 50)):
        ledger.execute("INSERT INTO session VALUES (?, 'a.ipynb', 4000000, ?)", (session, NOW - age * DAY))
        ledger.execute(
            "INSERT INTO execution (session, source, started, seconds, status, overhead)"
            " VALUES (?, 'x', ?, 1, 'ok', 0)",
            (session, NOW - age * DAY),
        )
    for number in range(4):
        digest = workspace.objects.put(f"artifact {number}".encode())
        os.utime(workspace.folder / "objects" / digest[:2] / digest[2:], (old, old))
        ledger.execute(
            "INSERT INTO run (id, experiment, name, started, ended, status, mlflow) VALUES (?, 'e', 'n', ?, ?, ?, ?)",
            (f"r{number}", old + number, old + number, "finished", None if number == 1 else "m"),
        )
        ledger.execute("INSERT INTO artifact VALUES (?, 'a.txt', ?)", (f"r{number}", digest))
        ledger.execute("INSERT INTO metric (run, key, value, time) VALUES (?, 'auc', 1, 1)", (f"r{number}",))
    ledger.execute("UPDATE courier SET carried_metric = 99")
    ledger.execute("INSERT INTO model_version VALUES ('v', 'm', 1, 'r2', 'd', 'skops', 1.0, '{}')")
    number = ledger.post("params", {"run": "r0"})
    ledger.execute("UPDATE outbox SET done = ? WHERE id = ?", (old, number))
    ledger.execute(
        "INSERT INTO schedule (id, bundle, cron, timezone, created) VALUES ('c', 'b', '* * * * *', 'UTC', 1)"
    )
    logs = workspace.folder / "schedule-logs"
    logs.mkdir()
    for number in range(3):
        (logs / f"{number}.txt").write_text("log")
        ledger.execute(
            "INSERT INTO schedule_run (id, schedule, due, started, ended, status, log, outcome)"
            " VALUES (?, 'c', ?, ?, ?, ?, ?, ?)",
            (
                *(f"x{number}", old + number, old + number, old + number),
                *("succeeded" if number == 0 else "failed", f"schedule-logs/{number}.txt", '{"trigger": "clock"}'),
            ),
        )
    return workspace


def ids(ledger: Ledger, table: str) -> list[object]:
    return [row["id"] for row in ledger.query(f"SELECT id FROM {table} ORDER BY id")]


def test_the_record_of_a_project(tmp_path: Path) -> None:
    workspace = project(tmp_path)
    deleted = Deleted()
    record.prune(workspace.ledger, workspace.folder, Policy(1, 30 * DAY), NOW, deleted)
    ledger = workspace.ledger
    assert [row["session"] for row in ledger.query("SELECT session FROM execution")] == ["s2"]
    assert ids(ledger, "run") == ["r1", "r2", "r3"]  # not carried, named by a model, the newest
    assert [row["run"] for row in ledger.query("SELECT run FROM metric ORDER BY id")] == ["r1", "r2", "r3"]
    assert ids(ledger, "outbox") == []
    assert ids(ledger, "schedule_run") == ["x0", "x2"]  # the last that succeeded, and the newest
    assert sorted(path.name for path in (workspace.folder / "schedule-logs").iterdir()) == ["0.txt", "2.txt"]
    assert len(list((workspace.folder / "objects").glob("*/*"))) == 3
    assert deleted.counts["object"] == 1


def test_what_is_young_stays(tmp_path: Path) -> None:
    workspace = project(tmp_path)
    deleted = Deleted()
    record.prune(workspace.ledger, workspace.folder, Policy(1, 90 * DAY), NOW, deleted)
    assert not deleted.counts.total()


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "mlops_jupyter", "gc", *words]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, timeout=60)


def test_the_command(tmp_path: Path) -> None:
    project(tmp_path).close()
    store_with(tmp_path / ".mlops" / "store" / "demo-1", {"a": 60, "b": 40, "c": 35})
    dry = command(tmp_path, "--keep-runs", "1", "--dry-run")
    assert (dry.returncode, dry.stdout.split(" (")[0]) == (
        0,
        "would delete 1 session of cells, 1 tracked run, 1 message, 1 scheduled run, 1 log, "
        "2 runs, 2 cache entries, 2 objects",
    )
    done = command(tmp_path, "--keep-runs", "1")
    assert done.returncode == 0, done.stderr
    assert "2 runs" in done.stdout
    assert command(tmp_path, "--keep-runs", "1").stdout == "nothing to delete\n"


REFUSED = [
    (("--keep-runs", "0"), "--keep-runs 0 would keep none"),
    (("--older-than", "soon"), "'soon' is no duration: write it as 30s, 15m, 6h or 1d"),
    (("--store", "."), "is no store of runs"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED, ids=[row[0][0] for row in REFUSED])
def test_a_mistake_is_one_line(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = command(tmp_path, *words)
    assert (done.returncode, done.stderr.count("\n"), said in done.stderr) == (2, 1, True)


def test_facts_that_are_no_json_count_as_none(tmp_path: Path) -> None:
    store_with(tmp_path, {"a": 60, "b": 35})
    (tmp_path / "a" / "run.json").write_text(json.dumps([1])[:-1])
    os.utime(tmp_path / "a", (NOW - 60 * DAY,) * 2)
    assert prune(tmp_path).counts["run"] == 1
