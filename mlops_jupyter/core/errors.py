"""Exceptions for the user's own mistakes. Their root, `UserError`, is the runtime's, which bundles carry."""

from __future__ import annotations

from mlops_jupyter.runtime.errors import UserError

__all__ = ["NewerStoreError", "NotFoundError", "UserError"]


class NotFoundError(UserError):
    """A thing that the user named does not exist (a server answers 404)."""


class NewerStoreError(UserError):
    """The `.mlops` folder was written by a newer version of this package."""
