"""State of the process as hidden variables: working directory, module path, arguments, environment.

Paths inside the home folder (the notebook's, or a step's working directory) are kept relative to it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any


class Home:
    """The folder that paths are relative to, and the module path as it was at first. Changed by `settle`."""

    def __init__(self) -> None:
        self.settle(Path.cwd())

    def settle(self, folder: Path) -> None:
        """Take a folder as home, and the module path now as the one that additions are counted from."""
        self.folder = folder
        self.path = tuple(sys.path)

    def relative(self, path: str) -> str:
        """Return a path relative to home if it lies in it, else as it is."""
        found = os.path.relpath(path, self.folder)
        return path if found.startswith("..") else Path(found).as_posix()

    def absolute(self, path: str) -> str:
        """Undo `relative`."""
        return os.path.normpath(self.folder / path)


class WorkingDirectory:
    """`cwd`: "." or "reports", relative to home if inside it."""

    library = ""

    def __init__(self, home: Home) -> None:
        self._home = home

    def snapshot(self, last: object) -> object:
        """Return the working directory; the one before it, else home, if it is gone."""
        try:
            now = os.getcwd()  # noqa: PTH109, half the time of Path.cwd
        except FileNotFoundError:
            now = str(last or self._home.folder)
        return last if now == last else now

    def value(self, snapshot: Any) -> object:
        """Return it relative to home."""
        return self._home.relative(snapshot)

    def set(self, value: Any) -> None:
        """Go there; the folder is made if it is missing."""
        folder = Path(self._home.absolute(value))
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)


class ModulePath:
    """`sys.path`: {"front": […], "back": […]}, what was added before and after the entries that were there first."""

    library = ""

    def __init__(self, home: Home) -> None:
        self._home = home

    def snapshot(self, last: object) -> object:
        """Return `last` itself if the path is the same, else the path now."""
        return last if sys.path == last else list(sys.path)

    def value(self, snapshot: Any) -> object:
        """Return the additions."""
        first = self._home.path
        at = next((i for i, entry in enumerate(snapshot) if entry in first), len(snapshot))
        added = [str(entry) for entry in snapshot[at:] if entry not in first]
        front = [self._home.relative(str(entry)) if entry else "." for entry in snapshot[:at]]
        return {"front": front, "back": [self._home.relative(entry) for entry in added]}

    def set(self, value: Any) -> None:
        """Put the additions around the entries that were there first."""
        front, back = ([self._home.absolute(entry) for entry in value[end]] for end in ("front", "back"))
        sys.path[:] = [*front, *(entry for entry in self._home.path if entry not in front), *back]


class Arguments:
    """`sys.argv`, which notebooks set for code that parses a command line."""

    library = ""

    def snapshot(self, last: object) -> object:
        """Return `last` itself if the arguments are the same, else the arguments now."""
        return last if sys.argv == last else list(sys.argv)

    def value(self, snapshot: Any) -> object:
        """Return them as text."""
        return [str(one) for one in snapshot]

    def set(self, value: Any) -> None:
        """Make these the arguments."""
        sys.argv = list(value)


def environment(last: Any) -> Any:
    """Return `last` itself if no variable was set since, else a copy of the environment.

    `os.environ` decodes every entry when it is compared; its inner dict, alike since Python 3.2, does not.
    """
    inner = getattr(os.environ, "_data", None)
    now = dict(os.environ) if inner is None else inner
    return last if now == last else dict(now)


def decoded(environ: Any, name: str) -> str | None:
    """Return a variable from what `environment` gave."""
    if name in environ:
        return str(environ[name])
    value = environ.get(os.fsencode(name) if os.name != "nt" else name.upper())
    return os.fsdecode(value) if value is not None else None


def differing(before: Any, after: Any) -> set[str]:
    """Return the names of the variables that differ between two of what `environment` gave."""
    return {os.fsdecode(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def set_variable(name: str, value: str | None) -> None:
    """Set an environment variable, or unset it for None."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
    if name == "TZ" and hasattr(time, "tzset"):
        time.tzset()
