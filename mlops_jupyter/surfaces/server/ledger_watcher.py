"""Notifies listeners of changes to the ledger of their project."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.surfaces.server.notebook_path import NotebookPlace
from mlops_jupyter.surfaces.server.readonly_ledger import ReadOnlyLedger, open_to_read

log = logging.getLogger(__name__)

INTERVAL = 0.25
"""Seconds between two polls. A poll is a `stat` and a `PRAGMA data_version` per project: microseconds."""

UNSEEN: Hashable = object()


@dataclass(eq=False)
class Listener:
    """A callback for changes to a notebook's ledger. `mark` is the state of the ledger at its last call."""

    place: NotebookPlace
    tell: Callable[[], None]
    mark: Hashable = UNSEEN


@dataclass(frozen=True)
class WatchedLedger:
    """An open ledger with its file's device and inode, which differ once the ledger was deleted or replaced."""

    ledger: ReadOnlyLedger
    file: tuple[int, int]


class LedgerWatcher:
    """Polls ledgers while there are listeners, over one connection per project; otherwise it holds none open.

    Each listener is called after its first poll, then after every change. All public methods belong to the thread of
    the event loop; another thread does the polling, so that a slow disk never blocks the server.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._listeners: list[Listener] = []
        self._opened: dict[Path, WatchedLedger] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def open_ledgers(self) -> tuple[Path, ...]:
        """The paths of the ledgers with an open connection."""
        return tuple(self._opened)

    def listen(self, place: NotebookPlace, tell: Callable[[], None]) -> Callable[[], None]:
        """Call `tell` after every change from now on; return a function that ends it. Needs a running event loop."""
        listener = Listener(place, tell)
        self._listeners.append(listener)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    async def _run(self) -> None:
        try:
            while self._listeners:
                places = {listener.place for listener in self._listeners}
                marks = await asyncio.to_thread(self._look, places)
                for listener in tuple(self._listeners):
                    if listener.place in marks and listener.mark != marks[listener.place]:
                        listener.mark = marks[listener.place]
                        self._tell(listener)
                await asyncio.sleep(self._interval)
        finally:
            self._task = None
            self._let_go(keep=())

    def _tell(self, listener: Listener) -> None:
        try:
            listener.tell()
        except Exception:  # a broken listener must not silence the others
            log.exception("a listener to %r failed; it is told no more", listener.place.path)
            self._listeners.remove(listener)

    def _look(self, places: Iterable[NotebookPlace]) -> dict[NotebookPlace, Hashable]:
        """Return a mark for each place, which differs from its last one after every commit to the ledger."""
        ledgers = {place: place.ledger() for place in places}
        self._let_go(keep={ledger for ledger in ledgers.values() if ledger is not None})
        return {place: None if ledger is None else self._mark(ledger) for place, ledger in ledgers.items()}

    def _mark(self, path: Path) -> Hashable:
        try:
            status = path.stat()
            file = (status.st_dev, status.st_ino)
            opened = self._opened.get(path)
            if opened is None or opened.file != file:
                self._close(path)
                opened = self._opened[path] = WatchedLedger(open_to_read(path), file)
            return (path, file, opened.ledger.changes_mark())
        except (UserError, OSError) as fault:
            self._close(path)
            return (path, str(fault))  # counts as a change: whoever reads the ledger then gets the message

    def _let_go(self, keep: Iterable[Path]) -> None:
        for path in set(self._opened) - set(keep):
            self._close(path)

    def _close(self, path: Path) -> None:
        opened = self._opened.pop(path, None)
        if opened is not None:
            opened.ledger.close()
