"""See what a step takes from outside while it runs: files that are no inputs, connections, other programs.

What is seen stands in the step's cache entry, so that the next run knows: a file is compared by its content, and after
the rest the entry is not used (unless asked for with `--cache-volatile`).

The decisions behind it: ARCHITECTURE.md, "Run".
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..hashing import content_digest

LARGE = 64 * 2**20
"""Size in bytes above which a file is told by its size and time of change."""

HELPERS = frozenset({"lscpu", "fc-list", "uname", "ldconfig", "gcc", "cc", "ld", "objdump", "nproc", "sysctl", "free"})
"""Programs that libraries ask about the machine, and whose answers decide no value."""

SYSTEM = ("/proc/", "/sys/", "/dev/", "/usr/", "/etc/", "/lib", "/bin/", "/opt/", "/var/lib/", "/run/")


class OutsideAccess:
    """Notes accesses from `begin` to `end`. An audit hook (PEP 578) cannot be taken away, so it is one a process.

    Parameters
    ----------
    own : folders whose files are no outside: the working directory, the bundle, the store.
    """

    def __init__(self, *own: Path) -> None:
        folders = (sys.prefix, sys.base_prefix, sys.exec_prefix, *map(str, own))
        self._own = (*SYSTEM, *(os.path.realpath(folder) + os.sep for folder in folders))
        self._hidden = str(Path.home()) + "/."
        self._is_on = False
        self._read: dict[str, None] = {}
        self._written: set[str] = set()
        self._volatile: dict[str, None] = {}

    def begin(self) -> None:
        """Begin to note accesses."""
        sys.addaudithook(self._hook)
        self._is_on = True

    def end(self) -> dict[str, Any]:
        """Return the facts for the cache entry: "volatile", and "files" with their digests."""
        self._is_on = False
        files = {path: digest for path in self._read if path not in self._written and (digest := file_state(path))}
        return {"volatile": list(self._volatile), "files": files}

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        try:
            if event == "open":
                self._open(*args)
            elif event == "socket.connect" and not _is_local(args[1]):
                self._volatile[f"reads from the network ({args[1][0]})"] = None
            elif event in ("subprocess.Popen", "os.posix_spawn", "os.exec"):
                self._program(args[0])
            elif event == "os.system":
                self._volatile["runs another program"] = None
        except Exception:  # it would come out of the step's own call
            self._volatile["does something outside that could not be told"] = None

    def _open(self, path: Any, mode: Any, flags: int) -> None:
        if isinstance(path, int) or path is None:
            return
        whole = os.path.realpath(os.fsdecode(path))
        if whole.startswith((*self._own, self._hidden)) or whole.endswith((".py", ".pyc", ".so")):
            return
        if opens_for_writing(mode, flags):
            self._written.add(whole)
        else:
            self._read[whole] = None

    def _program(self, program: Any) -> None:
        name = os.path.basename(os.fsdecode(program)) if program else "?"  # noqa: PTH119
        if name not in HELPERS:
            self._volatile[f"runs another program ({name})"] = None


def opens_for_writing(mode: object, flags: int) -> bool:
    """Say whether an audit event `open` is of a file that is opened for writing; `os.open` gives no mode."""
    return any(sign in mode for sign in "wxa+") if isinstance(mode, str) else bool(flags & os.O_ACCMODE)


def _is_local(address: Any) -> bool:
    """Say whether an address is this machine's own: processes of one program talk through such."""
    return not isinstance(address, tuple) or str(address[0]) in ("127.0.0.1", "::1", "localhost", "0.0.0.0")


def file_state(path: str) -> str:
    """Return what tells one content of a file from another; "" if there is no such file."""
    try:
        stat = os.stat(path)  # noqa: PTH116
        if stat.st_size > LARGE:
            return f"{stat.st_size}@{stat.st_mtime_ns}"
        return content_digest(Path(path).read_bytes())
    except OSError:
        return ""


def is_current(entry: Mapping[str, Any]) -> bool:
    """Say whether the files that a cache entry depends on are as they were."""
    return all(file_state(path) == state for path, state in entry.get("files", {}).items())
