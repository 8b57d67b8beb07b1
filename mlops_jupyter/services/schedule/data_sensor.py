"""New data at a place that a schedule watches: files of a pattern, here or at any address that fsspec knows."""

from __future__ import annotations

import glob
import json
import time
from collections.abc import Mapping
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.schedule.models import Schedule
from mlops_jupyter.store.ledger import Ledger

SETTLE_SECONDS = 1.0
"""Files must look the same that long: what is still being written is not there yet."""

NAMED = 20
"""At most so many new files are named in the record of an arrival."""

Lying = Mapping[str, str]
"""Path -> what tells one content from the next: size and time of change, or what a remote store gives."""


def look(pattern: str, root: Path) -> Lying:
    """Return the files that lie there now. A relative pattern counts from `root`; a folder means all in it.

    Raises
    ------
    UserError
        The place cannot be asked: no such protocol, nobody answers.
    """
    scheme, remote, _ = pattern.partition("://")
    if remote and len(scheme) > 1:
        return _remote(pattern)
    place = str(root / Path(pattern).expanduser())
    found = glob.glob(f"{glob.escape(place)}/**" if Path(place).is_dir() else place, recursive=True)  # noqa: PTH207
    lying = {}
    for path in sorted(found):
        try:
            if Path(path).is_file():
                facts = Path(path).stat()
                lying[path] = f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"
        except OSError:  # gone meanwhile
            continue
    return lying


def _remote(pattern: str) -> Lying:
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped, unused-ignore]

        files, path = url_to_fs(pattern, use_listings_cache=False)
        files.invalidate_cache()
        found = files.glob(path, detail=True) if glob.has_magic(path) else files.find(path, detail=True)
    except ModuleNotFoundError as fault:
        raise UserError(f"data at {pattern!r} needs {fault.name}: pip install {fault.name}") from None
    except Exception as fault:  # whatever the service's own library raises
        raise UserError(f"cannot look for data at {pattern!r}: {type(fault).__name__}: {fault}") from fault
    marks = ("size", "ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created", "modify")
    return {
        str(path): " ".join(str(facts[mark]) for mark in marks if mark in facts)
        for path, facts in found.items()
        if facts.get("type") == "file"
    }


def note(ledger: Ledger, schedule: Schedule, root: Path, now: float) -> None:
    """Look, and write down that new data has come if some has. Only one of two processes writes it down.

    Files that went away are no news, so they do not start a run.
    """
    seen = _seen(ledger, schedule.id)
    lying = look(schedule.wanted.data, root)
    if lying == seen:
        return
    time.sleep(SETTLE_SECONDS)
    if look(schedule.wanted.data, root) != lying:
        return  # still coming: the next look will see
    with ledger.transaction():
        if _seen(ledger, schedule.id) != seen:
            return
        ledger.execute("UPDATE schedule SET seen = ? WHERE id = ?", (json.dumps(dict(lying)), schedule.id))
        new = sorted(path for path, mark in lying.items() if seen is not None and seen.get(path) != mark)
        if new:
            row = "INSERT INTO schedule_arrival (schedule, at, files) VALUES (?, ?, ?)"
            ledger.execute(row, (schedule.id, now, json.dumps(new[:NAMED])))


def _seen(ledger: Ledger, schedule: str) -> Lying | None:
    text = ledger.query("SELECT seen FROM schedule WHERE id = ?", (schedule,))[0]["seen"]
    return None if text is None else dict(json.loads(text))
