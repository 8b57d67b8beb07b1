"""Messages for the courier: what they wait for, what came of them, which were set aside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mlops_jupyter.store.ledger import Ledger

LOOK_SECONDS = 0.05
"""Between two looks at a message that is waited for."""

AWAY = "MLflow is away: "
"""How the error of a message begins that waits for MLflow to come back: its tries are not counted."""


class MessageStatus(Enum):
    """How it stands with a message."""

    WAITING = "waiting"
    DONE = "done"
    SET_ASIDE = "set aside"  # tried often enough; its error says why


@dataclass(frozen=True)
class Message:
    """One thing to carry, or that was carried.

    Attributes
    ----------
    answer : what MLflow gave back, where something was asked.
    error : what went wrong last, "" where nothing did.
    """

    id: int
    kind: str
    payload: Mapping[str, Any]
    standing: MessageStatus
    attempts: int = 0
    error: str = ""
    answer: Mapping[str, Any] | None = None

    @property
    def away(self) -> bool:
        """It waits for MLflow, which could not be reached at the last try."""
        return self.standing is MessageStatus.WAITING and self.error.startswith(AWAY)


def message(ledger: Ledger, number: int) -> Message:
    """Return one message as it stands now."""
    return _read(ledger.query("SELECT * FROM outbox WHERE id = ?", (number,))[0])


def waiting(ledger: Ledger, limit: int = 500) -> list[Message]:
    """Return messages not yet carried, oldest first."""
    return [_read(r) for r in ledger.query("SELECT * FROM outbox WHERE done IS NULL ORDER BY id LIMIT ?", (limit,))]


def set_aside(ledger: Ledger) -> list[Message]:
    """Return messages that were given up, oldest first."""
    rows = ledger.query("SELECT * FROM outbox WHERE done IS NOT NULL AND error IS NOT NULL ORDER BY id")
    return [_read(row) for row in rows]


def retry(ledger: Ledger) -> int:
    """Put what was set aside back to be carried; return how many messages that are."""
    again = len(set_aside(ledger))
    ledger.execute(
        "UPDATE outbox SET done = NULL, attempts = 0, error = NULL WHERE done IS NOT NULL AND error IS NOT NULL"
    )
    return again


def carried(ledger: Ledger, number: int, answer: Mapping[str, Any] | None = None) -> None:
    """Note that a message has arrived."""
    ledger.execute(
        "UPDATE outbox SET done = ?, error = NULL, answer = ? WHERE id = ?",
        (time.time(), json.dumps(answer) if answer is not None else None, number),
    )


def failed(ledger: Ledger, number: int, error: str, *, last: bool) -> None:
    """Note a try that failed; after the last one the message is set aside."""
    ledger.execute(
        "UPDATE outbox SET attempts = attempts + 1, error = ?, done = ? WHERE id = ?",
        (error, time.time() if last else None, number),
    )


def away(ledger: Ledger, why: str) -> None:
    """Note on all that waits that MLflow cannot be reached."""
    ledger.execute("UPDATE outbox SET error = ? WHERE done IS NULL", (AWAY + why,))


def wait(ledger: Ledger, number: int, timeout: float, progress: Callable[[float], None] | None = None) -> Message:
    """Wait until a message was carried or set aside, at most `timeout` seconds; return it as it stands then.

    Waits no longer once the courier has found MLflow away.

    Parameters
    ----------
    progress : called with the seconds waited so far, about twenty times a second.
    """
    began = time.monotonic()
    while True:
        found = message(ledger, number)
        waited = time.monotonic() - began
        if found.standing is not MessageStatus.WAITING or found.away or waited >= timeout:
            return found
        if progress:
            progress(waited)
        time.sleep(LOOK_SECONDS)


def behind(ledger: Ledger) -> tuple[int, int]:
    """Return how many (messages, metrics) have not arrived in MLflow yet."""
    row = ledger.query(
        "SELECT (SELECT count(*) FROM outbox WHERE done IS NULL) AS messages,"
        " (SELECT count(*) FROM metric WHERE id > (SELECT carried_metric FROM courier)) AS metrics"
    )[0]
    return int(row["messages"]), int(row["metrics"])


def _read(row: Any) -> Message:
    standing = (
        MessageStatus.WAITING
        if row["done"] is None
        else MessageStatus.SET_ASIDE
        if row["error"]
        else MessageStatus.DONE
    )
    return Message(
        id=row["id"],
        kind=row["kind"],
        payload=json.loads(row["payload"]),
        standing=standing,
        attempts=row["attempts"],
        error=row["error"] or "",
        answer=json.loads(row["answer"]) if row["answer"] else None,
    )
