"""The ledger: facts in SQLite, written by several processes at once, kept through `kill -9`.

A transaction that returned is in the operating system's hands: it survives the death of the process (WAL with
``synchronous=NORMAL``), though the last moments may be lost with the machine's power.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import NewerStoreError, UserError

BUSY_SECONDS = 30.0
"""How long a writer waits for another one before it gives up."""


class Ledger:
    """One process's door to `ledger.db`.

    Not shared between threads; each thread or process opens its own. A forked child must open its own too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pid = os.getpid()
        try:
            self._db = self._connect()
            self._migrate()
        except sqlite3.OperationalError as fault:
            raise UserError(
                f"cannot open the ledger {str(path)!r}: {fault}; "
                "see that its disk has room and can be written, or move it away"
            ) from fault
        except sqlite3.DatabaseError as fault:
            raise UserError(
                f"cannot open the ledger {str(path)!r}: {fault}; move it away to start a new one"
            ) from fault

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA foreign_keys=ON")
        return db

    def _migrate(self) -> None:
        """Bring an older ledger up to this version, each step in its own transaction; refuse a newer one."""
        steps = _migrations()
        found = self._version()
        if found > len(steps):
            raise NewerStoreError(
                f"{str(self.path.parent)!r} was written by a newer mlops_jupyter (ledger format {found}, "
                f"this one knows {len(steps)}): upgrade with `pip install -U mlops_jupyter`"
            )
        for number in range(found + 1, len(steps) + 1):
            with self.transaction():
                if self._version() < number:  # another process may have come first
                    for statement in _statements(steps[number - 1]):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version={number}")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Takes the write lock at once, so what was read inside stays true until the end."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run one statement that writes; return the last row's id. Durable on return outside a transaction."""
        return int(self._db.execute(sql, values).lastrowid or 0)

    def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement for each row, in one transaction unless one is open."""
        if self._db.in_transaction:
            self._db.executemany(sql, rows)
        else:
            with self.transaction():
                self._db.executemany(sql, rows)

    def query(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[sqlite3.Row]:
        """Return the rows of a SELECT; columns by name: ``row["key"]``. Values by position, or by name (``:key``)."""
        return self._db.execute(sql, values).fetchall()

    def changes_mark(self) -> int:
        """A number that differs after another connection has committed (`PRAGMA data_version`)."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def post(self, kind: str, payload: dict[str, Any]) -> int:
        """Put a message for the courier into the outbox; return its id."""
        return self.execute(
            "INSERT INTO outbox (kind, payload, created) VALUES (?, ?, ?)", (kind, json.dumps(payload), time.time())
        )

    def audit(self, verb: str, subject: str, detail: dict[str, Any]) -> None:
        """Note who did what to a thing that others rely on."""
        import getpass

        self.execute(
            "INSERT INTO audit (time, who, verb, subject, detail) VALUES (?, ?, ?, ?, ?)",
            (time.time(), getpass.getuser(), verb, subject, json.dumps(detail)),
        )

    def close(self) -> None:
        """Let go of the file. Closing twice is harmless."""
        self._db.close()


def _migrations() -> list[str]:
    folder = resources.files("mlops_jupyter.store") / "migrations"
    return [f.read_text() for f in sorted(folder.iterdir(), key=lambda f: f.name) if f.name.endswith(".sql")]


def _statements(script: str) -> Iterator[str]:
    """Split a script where SQLite says a statement is complete (executescript would commit midway)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
