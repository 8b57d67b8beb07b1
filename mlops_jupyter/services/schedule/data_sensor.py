"""The sensor for new data at a place that a schedule watches: files of a pattern, here or where fsspec can list."""

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
"""Files must stay the same for that long: a file that is still being written is not there yet."""

NAMED = 20
"""At most so many new files are named in the record of an arrival."""

FileStates = Mapping[str, str]
"""Path -> what tells one content from the next: size and time of change, or the ETag and the like of a remote store."""


def list_files(pattern: str, root: Path) -> FileStates:
    """Return the files that are there now. A relative pattern counts from `root`; a folder means all in it.

    Raises
    ------
    UserError
        The place cannot be listed: there is no such protocol, or nobody answers.
    """
    scheme, remote, _ = pattern.partition("://")
    if remote and len(scheme) > 1:
        return _list_remote(pattern)
    place = str(root / Path(pattern).expanduser())
    paths = glob.glob(f"{glob.escape(place)}/**" if Path(place).is_dir() else place, recursive=True)  # noqa: PTH207
    files = {}
    for path in sorted(paths):
        try:
            if Path(path).is_file():
                status = Path(path).stat()
                files[path] = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
        except OSError:  # gone meanwhile
            continue
    return files


def _list_remote(pattern: str) -> FileStates:
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped, unused-ignore]

        system, path = url_to_fs(pattern, use_listings_cache=False)
        system.invalidate_cache()
        entries = system.glob(path, detail=True) if glob.has_magic(path) else system.find(path, detail=True)
    except ModuleNotFoundError as error:
        raise UserError(f"data at {pattern!r} needs {error.name}: pip install {error.name}") from None
    except Exception as error:  # whatever the service's own library raises
        raise UserError(f"cannot look for data at {pattern!r}: {type(error).__name__}: {error}") from error
    marks = ("size", "ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created", "modify")
    return {
        str(path): " ".join(str(entry[mark]) for mark in marks if mark in entry)
        for path, entry in entries.items()
        if entry.get("type") == "file"
    }


def record_new_data(ledger: Ledger, schedule: Schedule, root: Path, now: float) -> None:
    """List the files, and record an arrival if some are new or changed. Only one of two processes records it.

    Files that went away do not start a run.
    """
    seen = _seen(ledger, schedule.id)
    files = list_files(schedule.spec.data, root)
    if files == seen:
        return
    time.sleep(SETTLE_SECONDS)
    if list_files(schedule.spec.data, root) != files:
        return  # still coming: the next look will see
    with ledger.transaction():
        if _seen(ledger, schedule.id) != seen:
            return
        ledger.execute("UPDATE schedule SET seen = ? WHERE id = ?", (json.dumps(dict(files)), schedule.id))
        new = sorted(path for path, mark in files.items() if seen is not None and seen.get(path) != mark)
        if new:
            row = "INSERT INTO schedule_arrival (schedule, at, files) VALUES (?, ?, ?)"
            ledger.execute(row, (schedule.id, now, json.dumps(new[:NAMED])))


def _seen(ledger: Ledger, schedule: str) -> FileStates | None:
    text = ledger.query("SELECT seen FROM schedule WHERE id = ?", (schedule,))[0]["seen"]
    return None if text is None else dict(json.loads(text))
