"""What is kept, and the count of what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path

GRACE_SECONDS = 86400.0
"""Age below which an object stays even if nothing names it: who has just written it may be about to name it."""


@dataclass(frozen=True)
class Policy:
    """What is kept: the newest runs of each pipeline, experiment, notebook or schedule, and all that is young enough.

    Attributes
    ----------
    keep_runs : number of the newest that stay, whatever their age; at least 1.
    older_than : age in seconds below which everything stays.
    dry_run : whether nothing is deleted, only counted.
    """

    keep_runs: int
    older_than: float
    dry_run: bool = False


@dataclass
class Deleted:
    """Counts what is deleted, and deletes files.

    Attributes
    ----------
    counts : what -> how many.
    bytes : the size of the files.
    """

    dry_run: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def file(self, path: Path, what: str) -> None:
        """Delete a file, which may be gone already."""
        try:
            size = path.stat().st_size
            if not self.dry_run:
                path.unlink()
        except FileNotFoundError:
            return
        self.counts[what] += 1
        self.bytes += size

    def objects(self, folder: Path, named: Set[str], now: float) -> None:
        """Delete the objects that nothing names and that are older than `GRACE_SECONDS`.

        Parameters
        ----------
        folder : of the store or the project.
        named : digests.
        now : seconds since the epoch.
        """
        for path in sorted((folder / "objects").glob("*/*")):
            if path.parent.name + path.name not in named and not is_young(path, now - GRACE_SECONDS):
                self.file(path, "object")

    def folder(self, path: Path, what: str, first: str = "") -> None:
        """Delete a folder with all that is in it.

        Parameters
        ----------
        first : the file by which others know the folder: it goes first, so that they never find half of the rest.
        """
        files = sorted((p for p in path.rglob("*") if p.is_symlink() or not p.is_dir()), key=lambda p: p.name != first)
        for file in files:
            self.bytes += file.lstat().st_size
            if not self.dry_run:
                file.unlink(missing_ok=True)
        if not self.dry_run:
            for inner in sorted((p for p in path.rglob("*") if p.is_dir()), reverse=True):
                inner.rmdir()
            path.rmdir()
        self.counts[what] += 1

    def __str__(self) -> str:
        shown = ", ".join(_count(number, what) for what, number in self.counts.items() if number)
        verb = "would delete" if self.dry_run else "deleted"
        return f"{verb} {shown} ({self.bytes / 1e6:.1f} MB of files)" if shown else "nothing to delete"


def is_young(path: Path, moment: float) -> bool:
    """Say whether a file was changed since a moment, in seconds since the epoch; True too if it is gone."""
    try:
        return path.stat().st_mtime >= moment
    except FileNotFoundError:
        return True


def _count(number: int, what: str) -> str:
    """Return a number with its noun, whose first word is what is counted."""
    noun, _, rest = what.partition(" of ")
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return " ".join(filter(None, (str(number), noun if number == 1 else plural, rest and f"of {rest}")))
