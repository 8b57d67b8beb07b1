"""Executions in the ledger: what was written is found again, in one that an older version began too."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution, Header
from mlops_jupyter.core.ids import ExecutionId, SessionId
from mlops_jupyter.store import ledger as ledgers
from mlops_jupyter.store.executions import ExecutionLog
from mlops_jupyter.store.ledger import Ledger, LedgerError

ACCESS = "SELECT execution, name, kind, fingerprint FROM access ORDER BY execution, kind, name"

SESSION = "INSERT INTO session (id, notebook, pid, started) VALUES ('s', NULL, 1, 1.0)"


def accesses(ledger: Ledger) -> list[tuple[object, ...]]:
    return [tuple(row) for row in ledger.query(ACCESS)]


def test_what_was_accessed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.execute(SESSION)
    writes = {"größe": "a1", '~file:data/"x" y.csv': "b2"}
    log = ExecutionLog(ledger, SessionId("s"))
    log.add(Execution(ExecutionId(0), "del z", "del z", writes=writes, deletes=frozenset("z")))
    log.add(Execution(ExecutionId(1), "größe", "größe", reads=frozenset({"größe"})))
    assert accesses(ledger) == [
        (1, "z", "delete", None),
        (1, "größe", "write", "a1"),
        (1, '~file:data/"x" y.csv', "write", "b2"),
        (2, "größe", "read", None),
    ]


def test_a_ledger_of_an_older_version_keeps_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = ledgers._migrations()
    monkeypatch.setattr(ledgers, "_migrations", lambda: steps[:2])
    older = Ledger(tmp_path / "ledger.db")
    older.execute(SESSION)
    rows = [(1, "z", "delete", None), (1, "x", "read", None), (1, "x", "write", "a1"), (2, "x", "read", None)]
    for number in (1, 2, 3):
        older.execute(
            "INSERT INTO execution (id, session, source, started, seconds, status, overhead)"
            f" VALUES ({number}, 's', 'x', 1.0, 1.0, 'ok', 0.1)"
        )
    older.executemany("INSERT INTO access (execution, name, kind, fingerprint) VALUES (?, ?, ?, ?)", rows)
    older.close()
    monkeypatch.setattr(ledgers, "_migrations", lambda: steps)
    assert accesses(Ledger(tmp_path / "ledger.db")) == rows


def test_a_full_disk_keeps_executions_and_saves_them_when_there_is_room(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.execute(SESSION)
    log = ExecutionLog(ledger, SessionId("s"))
    fill(ledger)
    with pytest.raises(LedgerError, match=r"1 cell kept in memory, not recorded yet: .* is full; see that its disk"):
        log.add(Execution(ExecutionId(0), long("a"), long("a")))
    with pytest.raises(LedgerError, match="2 cells kept in memory"):
        log.add(Execution(ExecutionId(1), long("b"), long("b")))
    make_room(ledger)
    log.add(Execution(ExecutionId(2), "c", "c"))
    sources = [row["source"] for row in ledger.query("SELECT source FROM execution ORDER BY id")]
    assert sources == [long("a"), long("b"), "c"]


def test_a_transaction_that_finds_the_disk_full_leaves_nothing_and_no_transaction_open(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.execute(SESSION)
    fill(ledger)
    for _ in range(2):
        with pytest.raises(LedgerError, match="is full"), ledger.transaction():
            ledger.post("small", {})
            ledger.post("large", {"text": long("x")})
    make_room(ledger)
    with ledger.transaction():
        ledger.post("after", {})
    assert [row["kind"] for row in ledger.query("SELECT kind FROM outbox")] == ["after"]


def long(letter: str) -> str:
    return letter * 100_000


def fill(ledger: Ledger) -> None:
    """Let SQLite find no room for another page, as on a full disk."""
    ledger.query("PRAGMA max_page_count=1")  # SQLite makes of it the number that the file has


def make_room(ledger: Ledger) -> None:
    ledger.query("PRAGMA max_page_count=1000000")


LEVELS = [(None, 1), ("FULL", 2), ("extra", 3)]


@pytest.mark.parametrize(("level", "number"), LEVELS)
def test_how_long_it_waits_for_the_disk(
    level: str | None, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if level:
        monkeypatch.setenv(ledgers.SYNCHRONOUS, level)
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.query("PRAGMA synchronous")[0][0] == number


def test_a_word_that_is_no_level_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ledgers.SYNCHRONOUS, "OFF")
    with pytest.raises(UserError, match="MLOPS_JUPYTER_SYNCHRONOUS='OFF' means nothing: set it to NORMAL, FULL"):
        Ledger(tmp_path / "ledger.db")


MASKED = [
    ("password = 'x7Kq-1'", "password = '***'"),
    ("print('x7Kq-92fa')", "print('***')"),
]


@pytest.mark.parametrize(("source", "saved"), MASKED)
def test_secrets_in_the_record_are_masked(
    source: str, saved: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.execute(SESSION)
    log = ExecutionLog(ledger, SessionId("s"))
    monkeypatch.setenv("API_TOKEN", "x7Kq-92fa")  # also one that is set while the notebook runs
    writes = {"password": "a1", "~environ:API_TOKEN": "a2", "size": "a3"}
    log.add(Execution(ExecutionId(0), source, source, error="E: no x7Kq-92fa", writes=writes))
    row = ledger.query("SELECT source, error FROM execution")[0]
    assert (row["source"], row["error"]) == (saved, "E: no ***")
    marks = {row["name"]: row["fingerprint"] for row in ledger.query("SELECT name, fingerprint FROM access")}
    assert marks == {"password": "", "~environ:API_TOKEN": "", "size": "a3"}


def test_of_a_private_cell_only_that_it_ran_is_recorded(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.execute(SESSION)
    source = "%%private\nname = 'x'\n1 / 0"
    private = Execution(
        ExecutionId(0),
        source,
        source,
        headers=(Header("private", ""),),
        error="NameError: name 'Smith' is not defined",
        reads=frozenset({"name"}),
        writes={"name": "a1"},
    )
    ExecutionLog(ledger, SessionId("s")).add(private)
    row = ledger.query("SELECT source, error FROM execution")[0]
    assert (row["source"], row["error"]) == ("%%private", "NameError")
    assert accesses(ledger) == []
