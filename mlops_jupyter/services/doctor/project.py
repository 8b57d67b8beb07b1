"""Check the project's `.mlops`: write permission, disk space, ledger, courier and scheduler."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.doctor.check_result import CheckResult, CheckStatus
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.locks import LocksUnavailableError, read_if_locked

SPARSE_BYTES = 1 << 30
"""Free space in bytes below which there is a warning: a model and its data may not fit."""

FULL_BYTES = 50 << 20
"""Free space in bytes below which there is a fault: the next cells may not be recorded."""

WEEK = 7 * 86400.0
"""Seconds after which an undelivered alert is no longer reported."""

COURIER = "mlops_jupyter.integrations.mlflow.courier_process"
"""The module that a courier's command line names."""


def look(folder: Path) -> Iterator[CheckResult]:
    """Yield results for a project's `.mlops`, which need not exist yet."""
    yield _writable(folder)
    yield _space(folder)
    path = folder / "ledger.db"
    if not path.exists():
        yield CheckResult("ledger", CheckStatus.OK, "not there yet; made with the first cell")
        return
    try:
        ledger = Ledger(path)
    except UserError as fault:
        what, _, advice = str(fault).partition("; ")
        yield CheckResult("ledger", CheckStatus.FAULT, what, advice or "see the message")
        return
    try:
        yield _ledger(ledger)
        yield _courier(ledger, folder)
        yield _scheduler(ledger, folder)
    finally:
        ledger.close()


def _writable(folder: Path) -> CheckResult:
    place = folder if folder.exists() else folder.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as fault:
        what = f"cannot write into {str(place)!r}: {fault.strerror}"
        return CheckResult("project", CheckStatus.FAULT, what, "start Jupyter in a folder that you own")
    return CheckResult("project", CheckStatus.OK, f"{str(folder)!r}" + ("" if folder.exists() else " is not there yet"))


def _space(folder: Path) -> CheckResult:
    free = shutil.disk_usage(folder if folder.exists() else folder.parent).free
    state = CheckStatus.FAULT if free < FULL_BYTES else CheckStatus.WARNING if free < SPARSE_BYTES else CheckStatus.OK
    advice = "" if state is CheckStatus.OK else "free some space on the disk that holds the project"
    return CheckResult("disk", state, f"{free / (1 << 30):.1f} GiB free", advice)


def _ledger(ledger: Ledger) -> CheckResult:
    damage = ledger.query("PRAGMA quick_check(1)")[0][0]
    number = ledger.query("PRAGMA user_version")[0][0]
    if damage != "ok":
        return CheckResult(
            "ledger", CheckStatus.FAULT, f"damaged: {damage}", f"move {str(ledger.path)!r} away, or restore a copy"
        )
    return CheckResult("ledger", CheckStatus.OK, f"format {number}, sound")


def _courier(ledger: Ledger, folder: Path) -> CheckResult:
    from mlops_jupyter.store.outbox import behind

    messages, metrics = behind(ledger)
    row = ledger.query("SELECT error FROM outbox WHERE done IS NULL AND error IS NOT NULL ORDER BY id LIMIT 1")
    last = f"; last fault: {row[0]['error']}" if row else ""
    alive = _runs(COURIER, str(folder))
    if not messages and not metrics:
        return CheckResult("courier", CheckStatus.OK, "nothing waits for MLflow" + (", at work" if alive else ""))
    what = f"waiting for MLflow: messages {messages}, metrics {metrics}{last}"
    if alive:
        return CheckResult(
            "courier", CheckStatus.WARNING if row else CheckStatus.OK, f"at work: {what}", "see 'mlflow'" if row else ""
        )
    return CheckResult(
        "courier", CheckStatus.WARNING, f"not at work: {what}", "any %track starts it; its log is courier.log"
    )


def _runs(*words: str) -> bool:
    import psutil

    for process in psutil.process_iter():
        try:
            if set(words) <= set(process.cmdline()):
                return True
        except psutil.Error:
            continue
    return False


def _scheduler(ledger: Ledger, folder: Path) -> CheckResult:
    count = ledger.query("SELECT COUNT(*) AS schedules FROM schedule WHERE removed IS NULL")[0]["schedules"]
    try:
        holder = read_if_locked(folder / "scheduler.lock")
    except LocksUnavailableError as fault:
        what, _, advice = str(fault).partition("; ")
        return CheckResult("scheduler", CheckStatus.FAULT, what, advice)
    if count and holder is None:
        what = f"schedules: {count}, and no scheduler runs"
        return CheckResult("scheduler", CheckStatus.WARNING, what, "start it with `mlops-jupyter scheduler`")
    what = f"schedules: {count}" + (f", run by pid {holder}" if holder else "")
    of_this_week = (
        "SELECT COUNT(*) AS alerts, MAX(error) AS fault FROM schedule_alert WHERE error <> '' AND created > ?"
    )
    stuck = ledger.query(of_this_week, (time.time() - WEEK,))[0]
    if stuck["alerts"]:
        what += f"; alerts that nobody took: {stuck['alerts']}"
        return CheckResult("scheduler", CheckStatus.WARNING, what, f"last fault: {stuck['fault']}")
    return CheckResult("scheduler", CheckStatus.OK, what)
