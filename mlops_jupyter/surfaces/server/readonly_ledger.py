"""Opens the ledger for reading only: nothing is created, migrated or locked."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from mlops_jupyter.core.errors import NewerStoreError, UserError
from mlops_jupyter.store.ledger import Ledger, _migrations

BUSY_SECONDS = 2.0
"""Seconds to wait for a lock: readers of a WAL database wait only while it is recovered after a crash."""

MIGRATION_SECONDS = 1.0
"""Seconds to wait for a kernel that is migrating the ledger at this moment."""


class EmptyLedgerError(UserError):
    """The ledger's file exists, but nothing has been written into it yet."""


class ReadOnlyLedger(Ledger):
    """A ledger that this process never writes to: `query` and `changes_mark` work, every method that writes raises.

    Unlike its base class it may be used by several threads, one at a time.
    """

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            f"{self.path.as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA query_only=ON")
        return db

    def _migrate(self) -> None:
        """Raise for a format other than this version's; the next kernel that writes migrates an older one."""
        known, version = len(_migrations()), self._settled_version()
        if version == known:
            return
        self.close()
        folder = str(self.path.parent)
        if version == 0:
            raise EmptyLedgerError(f"nothing is in {folder!r} yet: run %load_ext mlops_jupyter")
        if version > known:
            raise NewerStoreError(
                f"{folder!r} was written by a newer mlops_jupyter (ledger format {version}, the server's knows "
                f"{known}): upgrade the server's with `pip install -U mlops_jupyter` and restart it"
            )
        raise UserError(f"{folder!r} has the older ledger format {version}: run %load_ext mlops_jupyter to bring it up")

    def _settled_version(self) -> int:
        """Return the number of the ledger's format, after waiting for a migration that is under way."""
        deadline = time.monotonic() + MIGRATION_SECONDS
        while 0 < (version := self._version()) < len(_migrations()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return version


def open_to_read(path: Path) -> ReadOnlyLedger:
    """Open a ledger for reading only.

    Raises
    ------
    UserError
        The ledger is damaged, unreadable, empty (`EmptyLedgerError`), too old or too new (`NewerStoreError`).
    """
    return ReadOnlyLedger(path)
