"""The ledger, opened to be read only: nothing is created, migrated or locked."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from mlops_jupyter.core.errors import NewerStoreError, UserError
from mlops_jupyter.store.ledger import Ledger, _migrations

BUSY_SECONDS = 2.0
"""Readers of a WAL database wait only while it is being recovered after a crash."""

MIGRATION_SECONDS = 1.0
"""How long a kernel that is bringing the ledger up to its format this moment is waited for."""


class EmptyLedgerError(UserError):
    """The ledger's file is there, but nothing has been written into it yet."""


class ReadOnlyLedger(Ledger):
    """A ledger that this process never writes to. Its `query` and `changes_mark` serve, the rest raises.

    Unlike its parent it may pass from thread to thread, as long as one uses it at a time.
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
        """Refuse a format that this version does not read; whoever writes next brings an older one up."""
        known, found = len(_migrations()), self._settled_version()
        if found == known:
            return
        self.close()
        where = str(self.path.parent)
        if found == 0:
            raise EmptyLedgerError(f"nothing is in {where!r} yet: run %load_ext mlops_jupyter")
        if found > known:
            raise NewerStoreError(
                f"{where!r} was written by a newer mlops_jupyter (ledger format {found}, the server's knows {known}): "
                "upgrade the server's with `pip install -U mlops_jupyter` and restart it"
            )
        raise UserError(f"{where!r} has the older ledger format {found}: run %load_ext mlops_jupyter to bring it up")

    def _settled_version(self) -> int:
        """Return the format, once it is not one that a kernel is just leaving behind."""
        deadline = time.monotonic() + MIGRATION_SECONDS
        while 0 < (found := self._version()) < len(_migrations()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found


def open_to_read(path: Path) -> ReadOnlyLedger:
    """Open a ledger without ever writing to it.

    Raises
    ------
    UserError
        It is damaged, cannot be read, has another format (`NewerStoreError`) or nothing in it yet (`EmptyLedgerError`).
    """
    return ReadOnlyLedger(path)
