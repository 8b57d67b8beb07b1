"""State of the process as hidden variables: working directory, module path, arguments, environment.

Paths in the project of the home folder (the notebook's folder, or a step's working directory) are relative to it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def project_root(folder: Path) -> Path:
    """Return the topmost folder that may belong to the project of a folder: what lies in it keeps its relative place.

    It is the user's home, else the topmost folder but one: below that of temporary files, or below the root.
    """
    home = Path(os.path.expanduser("~"))  # noqa: PTH111, which raises where a user has none
    if folder.is_relative_to(home) and home != Path(home.anchor):
        return home
    temporary = Path(tempfile.gettempdir())
    top = temporary if folder.is_relative_to(temporary) else Path(folder.anchor)
    return top.joinpath(*folder.relative_to(top).parts[:1])


class Home:
    """The folder that paths are relative to, and the original module path. `settle` changes both."""

    def __init__(self) -> None:
        self.settle(Path.cwd())

    def settle(self, folder: Path) -> None:
        """Set the home folder, and take the current `sys.path` as the original module path."""
        self.folder = folder
        self.path = tuple(sys.path)

    def relative(self, path: str) -> str:
        """Return a path relative to home if it lies in its project, else unchanged."""
        relative = os.path.relpath(path, self.folder)
        outside = relative.startswith(os.pardir) and not Path(path).is_relative_to(project_root(self.folder))
        return path if outside else Path(relative).as_posix()

    def absolute(self, path: str) -> str:
        """Return the absolute path of a path that `relative` returned."""
        return os.path.normpath(self.folder / path)


class WorkingDirectory:
    """`~cwd`: the working directory, relative to home if it is inside home (".", "reports")."""

    library = ""

    def __init__(self, home: Home) -> None:
        self._home = home

    def snapshot(self, last: object) -> object:
        """Return the working directory, or `last` itself if it is the same; if it was deleted, `last` or home."""
        try:
            now = os.getcwd()  # noqa: PTH109, half the time of Path.cwd
        except FileNotFoundError:
            now = str(last or self._home.folder)
        return last if now == last else now

    def value(self, snapshot: Any) -> object:
        """Return the working directory relative to home."""
        return self._home.relative(snapshot)

    def set(self, value: Any) -> None:
        """Change to a working directory; make the folder if it does not exist."""
        folder = Path(self._home.absolute(value))
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)


class ModulePath:
    """`~sys.path`: {"front": […], "back": […]}, the entries added before and after those of the original path."""

    library = ""

    def __init__(self, home: Home) -> None:
        self._home = home

    def snapshot(self, last: object) -> object:
        """Return `last` itself if the path did not change since, else a copy of the path."""
        return last if sys.path == last else list(sys.path)

    def value(self, snapshot: Any) -> object:
        """Return the added entries, relative to home where they are inside home."""
        first = self._home.path
        at = next((i for i, entry in enumerate(snapshot) if entry in first), len(snapshot))
        added = [str(entry) for entry in snapshot[at:] if entry not in first]
        front = [self._home.relative(str(entry)) if entry else "." for entry in snapshot[:at]]
        return {"front": front, "back": [self._home.relative(entry) for entry in added]}

    def set(self, value: Any) -> None:
        """Set the path to the original entries with the added ones around them."""
        front, back = ([self._home.absolute(entry) for entry in value[end]] for end in ("front", "back"))
        sys.path[:] = [*front, *(entry for entry in self._home.path if entry not in front), *back]


class Arguments:
    """`~sys.argv`: the arguments, which notebooks set for code that parses a command line."""

    library = ""

    def snapshot(self, last: object) -> object:
        """Return `last` itself if the arguments did not change since, else a copy of them."""
        return last if sys.argv == last else list(sys.argv)

    def value(self, snapshot: Any) -> object:
        """Return the arguments as texts."""
        return [str(argument) for argument in snapshot]

    def set(self, value: Any) -> None:
        """Set the arguments."""
        sys.argv = list(value)


def environment(last: Any) -> Any:
    """Return `last` itself if no variable was set since, else a copy of the environment.

    `os.environ` decodes every entry in a comparison; its inner dict, unchanged since Python 3.2, does not.
    """
    inner = getattr(os.environ, "_data", None)
    now = dict(os.environ) if inner is None else inner
    return last if now == last else dict(now)


def decoded(environ: Any, name: str) -> str | None:
    """Return the value of a variable in a result of `environment`, or None if it is not set."""
    if name in environ:
        return str(environ[name])
    value = environ.get(os.fsencode(name) if os.name != "nt" else name.upper())
    return os.fsdecode(value) if value is not None else None


def differing(before: Any, after: Any) -> set[str]:
    """Return the names of the variables that differ between two results of `environment`."""
    return {os.fsdecode(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def set_variable(name: str, value: str | None) -> None:
    """Set an environment variable, or unset it if `value` is None. A new TZ takes effect at once."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
    if name == "TZ" and hasattr(time, "tzset"):
        time.tzset()
