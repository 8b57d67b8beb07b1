"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CheckStatus(Enum):
    """The status of a checked thing."""

    OK = "ok"
    """As it should be."""
    WARNING = "warning"
    """Something that the user may want does not work; the rest does."""
    FAULT = "fault"
    """Work will be refused or lost until this is repaired."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    Attributes
    ----------
    name : what was checked.
    state : its status.
    what : what was seen.
    do : what to do about it, "" where nothing is to be done.
    """

    name: str
    state: CheckStatus
    what: str
    do: str = ""
