"""The outbox: messages for the courier to MLflow, with their status, attempts and answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mlops_jupyter.store.ledger import Ledger

LOOK_SECONDS = 0.05
"""Interval at which `wait` polls a message, in seconds."""

AWAY = "MLflow is away: "
"""Prefix of the error of messages that wait until MLflow can be reached; their attempts are not counted."""


class MessageStatus(Enum):
    """The status of a message."""

    WAITING = "waiting"
    DONE = "done"
    SET_ASIDE = "set aside"  # all its attempts failed; its error says why


@dataclass(frozen=True)
class Message:
    """One message of the outbox.

    Attributes
    ----------
    id : number of the message, in the order of posting.
    kind : what the courier does with the message.
    payload : the data for that, as JSON can hold it.
    standing : status of the message.
    attempts : number of attempts that failed.
    error : error of the last attempt; "" if it did not fail.
    answer : MLflow's answer, if the message asks for one.
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
        """Whether the message waits for MLflow, which could not be reached at the last attempt."""
        return self.standing is MessageStatus.WAITING and self.error.startswith(AWAY)


def message(ledger: Ledger, number: int) -> Message:
    """Return the current state of one message."""
    return _read(ledger.query("SELECT * FROM outbox WHERE id = ?", (number,))[0])


def waiting(ledger: Ledger, limit: int = 500) -> list[Message]:
    """Return at most `limit` messages that are not yet delivered, oldest first."""
    return [_read(r) for r in ledger.query("SELECT * FROM outbox WHERE done IS NULL ORDER BY id LIMIT ?", (limit,))]


def set_aside(ledger: Ledger) -> list[Message]:
    """Return the messages whose attempts all failed, oldest first."""
    rows = ledger.query("SELECT * FROM outbox WHERE done IS NOT NULL AND error IS NOT NULL ORDER BY id")
    return [_read(row) for row in rows]


def retry(ledger: Ledger) -> int:
    """Queue the messages that were set aside again; return their number."""
    count = len(set_aside(ledger))
    ledger.execute(
        "UPDATE outbox SET done = NULL, attempts = 0, error = NULL WHERE done IS NOT NULL AND error IS NOT NULL"
    )
    return count


def carried(ledger: Ledger, number: int, answer: Mapping[str, Any] | None = None) -> None:
    """Mark a message as delivered, with MLflow's answer."""
    ledger.execute(
        "UPDATE outbox SET done = ?, error = NULL, answer = ? WHERE id = ?",
        (time.time(), json.dumps(answer) if answer is not None else None, number),
    )


def failed(ledger: Ledger, number: int, error: str, *, last: bool) -> None:
    """Note a failed attempt; after the `last` one the message is set aside."""
    ledger.execute(
        "UPDATE outbox SET attempts = attempts + 1, error = ?, done = ? WHERE id = ?",
        (error, time.time() if last else None, number),
    )


def away(ledger: Ledger, why: str) -> None:
    """Note on all waiting messages that MLflow cannot be reached, and why."""
    ledger.execute("UPDATE outbox SET error = ? WHERE done IS NULL", (AWAY + why,))


def wait(ledger: Ledger, number: int, timeout: float, progress: Callable[[float], None] | None = None) -> Message:
    """Wait until a message is delivered or set aside, at most `timeout` seconds; return its state then.

    The wait ends early if the courier cannot reach MLflow.

    Parameters
    ----------
    progress : called with the seconds waited so far, about twenty times a second.
    """
    began = time.monotonic()
    while True:
        current = message(ledger, number)
        waited = time.monotonic() - began
        if current.standing is not MessageStatus.WAITING or current.away or waited >= timeout:
            return current
        if progress:
            progress(waited)
        time.sleep(LOOK_SECONDS)


def behind(ledger: Ledger) -> tuple[int, int]:
    """Return the numbers of messages and of metrics that are not yet delivered to MLflow."""
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
