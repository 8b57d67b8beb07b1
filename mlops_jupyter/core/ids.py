"""Typed identifiers, and new ones that sort by time."""

from __future__ import annotations

import secrets
import time
from typing import NewType

SessionId = NewType("SessionId", str)
ExecutionId = NewType("ExecutionId", int)
RunId = NewType("RunId", str)


def new_id() -> str:
    """Return 32 hex digits that sort by creation time, unique across processes.

    The first 12 digits are milliseconds since the epoch, the rest is random
    (the layout of UUID version 7, RFC 9562, without its version bits).
    """
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
