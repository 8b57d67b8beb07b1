"""The ledger: a SQLite database that several processes write at once, and that survives `kill -9`.

A committed transaction is in the operating system's hands: it survives the death of the process (WAL with
``synchronous=NORMAL``), though the last moments may be lost with the machine's power (see `SYNCHRONOUS`).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from importlib import resources
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import NewerStoreError, UserError

BUSY_SECONDS = 30.0
"""How long a writer waits for another writer before it gives up, in seconds."""


SYNCHRONOUS = "MLOPS_JUPYTER_SYNCHRONOUS"
"""Environment variable: how SQLite waits for the disk (`PRAGMA synchronous`), `NORMAL` (unset), `FULL`, `EXTRA`."""


class LedgerError(UserError):
    """The ledger cannot be read or written now: its disk is full, say, or another process has locked it too long."""


class _Faults:
    """Raises `LedgerError`, one line, for what SQLite or the disk refuses; around each statement, so it is quick."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        """Raise the error in place of SQLite's own."""
        if isinstance(fault, sqlite3.DatabaseError):
            raise LedgerError(f"cannot use the ledger {str(self._path)!r}: {fault}; {_advice(fault)}") from fault


class Ledger:
    """One connection to `ledger.db`.

    A connection is not shared: each thread and each process, also a forked one, opens its own. Each method raises
    `LedgerError` where SQLite cannot do what it is asked for; what was not committed is then not in the ledger.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._faults = _Faults(path)
        self._pid = os.getpid()
        try:
            self._db = self._connect()
            self._migrate()
        except sqlite3.OperationalError as fault:
            raise UserError(
                f"cannot open the ledger {str(path)!r}: {fault}; {_advice(fault)}, or move it away"
            ) from fault
        except sqlite3.DatabaseError as fault:
            raise UserError(f"cannot open the ledger {str(path)!r}: {fault}; {_advice(fault)}") from fault

    def _connect(self) -> sqlite3.Connection:
        with suppress(OSError):  # SQLite says in a moment what is wrong; it gives its own files the same permissions
            os.close(os.open(self.path, os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={_synchronous()}")
        db.execute("PRAGMA foreign_keys=ON")
        return db

    def _migrate(self) -> None:
        """Migrate an older ledger to this version, each migration in its own transaction; refuse a newer ledger."""
        scripts = _migrations()
        version = self._version()
        if version > len(scripts):
            raise NewerStoreError(
                f"{str(self.path.parent)!r} was written by a newer mlops_jupyter (ledger format {version}, "
                f"this one knows {len(scripts)}): upgrade with `pip install -U mlops_jupyter`"
            )
        for number in range(version + 1, len(scripts) + 1):
            with self.transaction():
                if self._version() < number:  # another process may have come first
                    for statement in _statements(scripts[number - 1]):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version={number}")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction: commit at the end, roll back on an exception.

        It takes the write lock at once, so what is read inside stays true until the end.
        """
        with self._faults:
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._faults:
                self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite itself rolls back after some faults
                self._db.execute("ROLLBACK")
            raise

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run one statement that writes; return the id of the last inserted row. Outside a transaction it commits."""
        with self._faults:
            return int(self._db.execute(sql, values).lastrowid or 0)

    def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement for each row of values, in the open transaction or in one of its own."""
        with nullcontext() if self._db.in_transaction else self.transaction(), self._faults:
            self._db.executemany(sql, rows)

    def query(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[sqlite3.Row]:
        """Return the rows of a SELECT, their columns by name (`row["key"]`); values by position or name (`:key`)."""
        with self._faults:
            return self._db.execute(sql, values).fetchall()

    def changes_mark(self) -> int:
        """Return a number that changes when another connection commits (`PRAGMA data_version`)."""
        with self._faults:
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def post(self, kind: str, payload: dict[str, Any]) -> int:
        """Insert a message for the courier into the outbox; return the message's id."""
        return self.execute(
            "INSERT INTO outbox (kind, payload, created) VALUES (?, ?, ?)", (kind, json.dumps(payload), time.time())
        )

    def audit(self, verb: str, subject: str, detail: dict[str, Any]) -> None:
        """Insert an entry into the audit log: who did what to which subject, and when."""
        import getpass

        self.execute(
            "INSERT INTO audit (time, who, verb, subject, detail) VALUES (?, ?, ?, ?, ?)",
            (time.time(), getpass.getuser(), verb, subject, json.dumps(detail)),
        )

    def close(self) -> None:
        """Close the connection. Closing twice is harmless."""
        self._db.close()


def _synchronous() -> str:
    level = os.environ.get(SYNCHRONOUS) or "NORMAL"
    if level.upper() not in ("NORMAL", "FULL", "EXTRA"):
        raise UserError(f"{SYNCHRONOUS}={level!r} means nothing: set it to NORMAL, FULL or EXTRA")
    return level.upper()


def _advice(fault: sqlite3.DatabaseError) -> str:
    """Return what the user can do about a fault."""
    if "locked" in str(fault):
        return "another process has been writing for too long: try again"
    if fault.sqlite_errorcode == sqlite3.SQLITE_ERROR:
        return "its tables are not those of this version: move it away to start a new one"
    if isinstance(fault, sqlite3.OperationalError):
        return "see that its disk has room and can be written"
    return "move it away to start a new one"


def _migrations() -> list[str]:
    folder = resources.files("mlops_jupyter.store") / "migrations"
    return [f.read_text() for f in sorted(folder.iterdir(), key=lambda f: f.name) if f.name.endswith(".sql")]


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script, split where SQLite sees one end (`executescript` would commit midway)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
