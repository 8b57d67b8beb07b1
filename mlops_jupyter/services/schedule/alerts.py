"""Alerts of schedules: a run failed, the next one succeeded, a tick did not run. Each is kept until it is delivered.

An alert is recorded in the transaction that records how a run ended, so it is not lost to `kill -9`; where a
process dies between sending it and recording that, it is sent twice. Apprise sends it, and is imported for that alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from mlops_jupyter.runtime.model.backoff import Backoff
from mlops_jupyter.services.cron.ticks import zone
from mlops_jupyter.services.schedule import ticks
from mlops_jupyter.services.schedule.models import RunState, Schedule, ScheduledRun
from mlops_jupyter.store.ledger import Ledger

BACKOFF = Backoff(first=30.0, factor=2, longest=3600.0)
"""Until an alert that was not delivered is sent again."""

TRIES = 20
"""After so many, about fifteen hours, an alert is given up."""

COUNTED = 1000
"""More missing ticks than these are not counted."""

_BEFORE = """
SELECT status FROM schedule_run
WHERE schedule = ? AND id <> ? AND status <> 'running' ORDER BY started DESC, id DESC LIMIT 1
"""


def note_end(ledger: Ledger, schedule: Schedule, run: ScheduledRun, now: float) -> None:
    """Record the alert of a run that ended. Belongs into the transaction that records the end."""
    if run.status is RunState.SUCCEEDED:
        before = ledger.query(_BEFORE, (schedule.id, run.id))
        if before and before[0]["status"] != RunState.SUCCEEDED.value:
            _add(ledger, schedule, run.id, "recovery", f"pipeline {_name(schedule)}: it works again", now)
    else:
        text = f"pipeline {_name(schedule)}: run {run.status.value} ({run.reason}); due {_when(schedule, run.due)}"
        _add(ledger, schedule, run.id, "failure", f"{text}; run {run.id}", now)


def note_missing_ticks(ledger: Ledger, schedule: Schedule, now: float) -> None:
    """Record an alert of the ticks that should have run by now and did not within the grace time, each once."""
    if schedule.paused or not schedule.policy.alerts or not ticks.timed(schedule):
        return
    end = now - schedule.policy.grace
    with ledger.transaction():
        noted = ledger.query("SELECT told FROM schedule WHERE id = ?", (schedule.id,))[0]["told"] or 0.0
        if (noted or schedule.since) > now:  # written while the clock was ahead: begin anew
            ledger.execute("UPDATE schedule SET told = ? WHERE id = ?", (end, schedule.id))
            return
        begin = noted if schedule.since > now else max(schedule.since, noted)
        passed = list(islice(ticks.between(schedule, begin + 1e-3, end), COUNTED))
        if not passed:
            return
        more = len(passed) == COUNTED
        ledger.execute("UPDATE schedule SET told = ? WHERE id = ?", (end if more else passed[-1], schedule.id))
        if missing := [tick for tick in passed if not _on_time(ledger, schedule, tick)]:
            subject = f"tick {_when(schedule, missing[0])}"
            if len(missing) > 1:
                count = f"{len(missing)}{' or more' if more else ''}"
                subject = f"{count} ticks from {_when(schedule, missing[0])} on"
            text = f"pipeline {_name(schedule)}: {subject} did not run within {schedule.policy.grace:g} s"
            _add(ledger, schedule, None, "missing", text, now)


def _on_time(ledger: Ledger, schedule: Schedule, tick: float) -> bool:
    row = "SELECT 1 FROM schedule_run WHERE schedule = ? AND due = ? AND started <= ?"
    return bool(ledger.query(row, (schedule.id, tick, tick + schedule.policy.grace)))


def _name(schedule: Schedule) -> str:
    return schedule.package or schedule.bundle.name  # one of an older ledger has no package noted


def _when(schedule: Schedule, moment: float) -> str:
    return datetime.fromtimestamp(moment, zone(schedule.timezone)).isoformat(timespec="seconds")


def _add(ledger: Ledger, schedule: Schedule, run: str | None, kind: str, text: str, now: float) -> None:
    if schedule.policy.alerts:
        row = "INSERT INTO schedule_alert (schedule, run, kind, text, created, next) VALUES (?, ?, ?, ?, ?, ?)"
        ledger.execute(row, (schedule.id, run, kind, text, now, now))


def deliver(ledger: Ledger, schedules: Callable[[str], Schedule], now: float) -> Iterator[str]:
    """Send the alerts that wait and whose time has come; yield a line for each that could not be delivered."""
    for row in ledger.query(f"SELECT * FROM schedule_alert WHERE {_WAITS} ORDER BY id", {"now": now, "tries": TRIES}):
        if not _claim(ledger, row["id"], now):
            continue  # another process sends it
        error = send(schedules(row["schedule"]).policy.alerts, row["kind"], row["text"])
        ledger.execute(
            "UPDATE schedule_alert SET sent = ?, error = ? WHERE id = ?",
            (None if error else now, error or None, row["id"]),
        )
        if error:
            yield f"alert not taken: {error}"


_WAITS = f"sent IS NULL AND (next <= :now OR next > :now + {BACKOFF.longest}) AND tries < :tries"
"""An alert waits; one that is to be sent after the longest pause was noted while the clock was ahead."""


def _claim(ledger: Ledger, alert: int, now: float) -> bool:
    """Claim an alert for this process until its next try, when others may send it if this process died."""
    with ledger.transaction():
        rows = ledger.query(
            f"SELECT tries FROM schedule_alert WHERE {_WAITS} AND id = :id", {"now": now, "tries": TRIES, "id": alert}
        )
        for row in rows:
            later = now + BACKOFF.pause(row["tries"] + 1)
            ledger.execute("UPDATE schedule_alert SET tries = tries + 1, next = ? WHERE id = ?", (later, alert))
    return bool(rows)


def send(places: tuple[str, ...], kind: str, text: str) -> str:
    """Send an alert to all places; return why one did not take it, or "". Apprise's own messages may hold passwords."""
    try:
        from apprise import Apprise, AppriseConfig, NotifyType
    except ImportError:
        return "Apprise is not installed: pip install apprise"
    types = {"failure": NotifyType.FAILURE, "recovery": NotifyType.SUCCESS, "missing": NotifyType.WARNING}
    errors = []
    for place in places:
        target: Any = Apprise()
        if place.isidentifier():
            known = [target.add(address) for address in map(_plain, os.environ.get(place, "").split())]
            if not known or not all(known):
                what = "holds an address that Apprise does not know" if known else "is not set"
                errors.append(f"the environment variable {place!r} {what}: set it where the scheduler starts")
        else:
            target.add(AppriseConfig(paths=place))
            if not len(target):
                errors.append(f"{place!r} holds no address that Apprise knows: see its documentation")
        if len(target) and not target.notify(body=text, title=f"mlops-jupyter: {kind}", notify_type=types[kind]):
            errors.append(f"an address in {place!r} did not take it: try it with `apprise`")
    return "; ".join(errors)


def _plain(address: str) -> str:
    """Return a plain web address as Apprise's json:// with the message named `text`, as in the alerts of a bundle."""
    from apprise import Apprise

    scheme, _, rest = address.partition("://")
    if scheme in ("http", "https") and Apprise.instantiate(address) is None:
        path, _, query = rest.partition("?")
        words = [f"-{word}" for word in query.split("&") if word]  # `-` has Apprise send it on
        return f"json{'s' if scheme == 'https' else ''}://{path}?{'&'.join([*words, ':message=text'])}"
    return address
