"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CheckStatus(Enum):
    """How a checked thing stands."""

    OK = "ok"
    """As it should be."""
    WARNING = "warning"
    """Something that one may want does not work; the rest does."""
    FAULT = "fault"
    """Work will be refused or lost until this is mended."""


@dataclass(frozen=True)
class CheckResult:
    """One check: its name, how it stands, what was seen, and what to do about it ("" where nothing is to be done)."""

    name: str
    state: CheckStatus
    what: str
    do: str = ""
