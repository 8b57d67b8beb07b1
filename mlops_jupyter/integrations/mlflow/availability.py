"""Tell faults that mean MLflow is unavailable for now from faults of a message itself."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

from mlops_jupyter.runtime.storage.objects import DamagedObjectError

REFUSED = ("PERMISSION_DENIED", "UNAUTHENTICATED", "REQUEST_LIMIT_EXCEEDED", "TEMPORARILY_UNAVAILABLE")
"""MLflow's codes for "not now" and "not you": no message is at fault, and waiting or new credentials help."""


class UnavailableError(Exception):
    """MLflow cannot be reached for now. Nothing is lost: everything is tried again."""


def is_unavailable(uri: str, fault: Exception) -> bool:
    """Say whether a fault means that MLflow is unavailable: by its code, its type, or the server's `/health`."""
    if isinstance(fault, UnavailableError) or getattr(fault, "error_code", "") in REFUSED:
        return True
    if isinstance(fault, (DamagedObjectError, KeyError, TypeError, AttributeError)):
        return False
    if uri.startswith(("http://", "https://")):
        return not _healthy(uri)
    if uri.startswith("sqlite:"):
        return "database is locked" in str(fault) or "unable to open database" in str(fault)
    return any("Connection" in type(f).__name__ or "Timeout" in type(f).__name__ for f in _chain(fault))


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def _healthy(uri: str) -> bool:
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=5):
            return True
    except urllib.error.HTTPError as answer:
        return answer.code < 500  # the server answers: it may hide /health, or ask for credentials
    except OSError:
        return False
