"""The one kind of fault that is the user's to mend."""

from __future__ import annotations


class UserError(Exception):
    """What went wrong, which name, what to do: one line, shown without a traceback.

    Faults of ours are any other exception and keep their traceback.
    """


class NotFoundError(UserError):
    """A thing that the user named does not exist (a server answers 404)."""


class NewerStoreError(UserError):
    """The `.mlops` folder was written by a newer version of this package."""
